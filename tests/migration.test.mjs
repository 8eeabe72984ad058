// A project's registry whose database the first version wrote: what that version did not know or
// did not do is made up for.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import { derive } from "../clients/derive.mjs";
import { ROOT } from "./harness/build.mjs";
import { request } from "./harness/client.mjs";
import { nameFor, opened, sealed } from "./harness/record.mjs";
import { eventually, ManagementClient, startRegistries } from "./harness/registry.mjs";
import { derivationKey, firstSeal } from "./harness/seal.mjs";
import { startStage } from "./harness/stage.mjs";

/** The first step of the project registry's schema: all that the first version had. */
const [, FIRST] = readFileSync(join(ROOT, "crates/control/src/registry/schema/project/keys.rs"), "utf8").match(/const FIRST: &str = "([^"]*)"/);

/** So many projects are asked at once that may not have reserved all: crates/control/src/registry/account/leak.rs. */
const ASKED_AT_ONCE = 50;

function databases(keyward, kind) {
  const folder = join(keyward.objects, kind);
  const files = readdirSync(folder).filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name));
  return files.map((file) => new DatabaseSync(join(folder, file)));
}

/** Rewrites every project's database as the first version would have left it. */
function setBack(keyward) {
  for (const database of databases(keyward, "ProjectRegistry")) {
    const kept = ["project", "key", "secret"].map((table) => [table, database.prepare(`SELECT * FROM ${table}`).all()]);
    const drop = (type, but) => {
      for (const { name } of database.prepare("SELECT name FROM sqlite_master WHERE type = ? AND name NOT LIKE ? AND name NOT LIKE 'sqlite_%'").all(type, but)) database.exec(`DROP ${type} IF EXISTS "${name}"`);
    };
    database.exec("DROP TABLE key_text");
    drop("trigger", "_cf_%");
    drop("table", "_cf_%");
    database.exec(`${FIRST}; CREATE TABLE schema_version (version INTEGER NOT NULL) STRICT; INSERT INTO schema_version VALUES (1)`);
    for (const [table, rows] of kept) {
      const columns = database.prepare("SELECT name FROM pragma_table_info(?)").all(table).map(({ name }) => name);
      const insert = database.prepare(`INSERT INTO ${table} (${columns}) VALUES (${columns.map(() => "?")})`);
      for (const row of rows) insert.run(...columns.map((name) => row[name]));
    }
    database.close();
  }
}

/** Runs statements on the account's database. */
function account(keyward, run) {
  const found = databases(keyward, "AccountRegistry");
  const database = found.find((one) => one.prepare("SELECT 1 FROM sqlite_master WHERE name = 'reservation'").get());
  try {
    return run(database);
  } finally {
    for (const one of found) one.close();
  }
}

describe("a project that the first version wrote", () => {
  test("keeps its name, and reserves its keys in the account", async (t) => {
    const keyward = await startRegistries(t);
    const api = new ManagementClient(keyward);
    const before = await api.must("POST", "/projects", { id: "old", name: "Old & Co" });
    const { key, secret } = await api.key("old");
    const { key: held } = await api.key("old");
    const [, { secrets: [{ sha256 }] }] = await api.exported("old");
    await keyward.kill();
    setBack(keyward);
    account(keyward, (database) => {
      database.exec("DELETE FROM reservation");
      database.prepare("INSERT INTO reservation VALUES (?, 'another')").run(`d:${sha256}`);
    });
    await keyward.restart();

    const after = (await api.get("/projects/old")).body;
    assert.deepEqual([after.name, after.created_at], ["Old & Co", before.created_at]);
    assert.deepEqual(after.environments.map(({ created_at }) => created_at), [before.created_at, before.created_at]);
    await api.must("POST", "/projects/old/suspend", {});
    await eventually(async () => (await api.get("/projects")).body.items[0].status === "suspended", 10_000);
    assert.equal((await api.get("/projects")).body.items[0].name, "Old & Co");

    const reserved = () => account(keyward, (database) => database.prepare("SELECT name, project FROM reservation").all());
    await eventually(() => reserved().length === 4, 15_000);
    assert.deepEqual(reserved().filter(({ project }) => project === "another").map(({ name }) => name), [`d:${sha256}`]);
    await eventually(() => keyward.log.includes("reserved_elsewhere"), 5000);
    const lines = keyward.log.split("\n").filter((line) => line.includes("reserved_elsewhere"));
    assert.equal(lines.length, 1);
    assert.ok(lines[0].includes(held.id) && !lines[0].includes(sha256));
    await api.project("new");
    const { errors } = (await api.import("new", [{ secret }])).body;
    assert.deepEqual(errors.map(({ code }) => code), ["secret_exists"]);
    assert.equal((await api.get(`/projects/old/keys/${key.id}`)).body.status, "suspended");
  });

  test("is asked about leaked secrets that it has not reserved yet, until it has", async (t) => {
    const keyward = await startRegistries(t);
    const api = new ManagementClient(keyward);
    for (let number = 1; number <= ASKED_AT_ONCE; number += 1) await api.project(`p${number}`);
    await api.project("old");
    const { key, secret } = await api.key("old");
    await keyward.kill();
    setBack(keyward);
    account(keyward, (database) => {
      database.exec("DELETE FROM reservation; ALTER TABLE project DROP COLUMN unreserved; UPDATE schema_version SET version = version - 1");
    });
    await keyward.restart();

    const sha256 = createHash("sha256").update(secret).digest("hex");
    const nobodys = createHash("sha256").update("nobody's").digest("hex");
    const found = { sha256: [nobodys, sha256] };
    const report = () => api.call("POST", "/leaks:report", { body: found });
    const refused = await report();
    assert.deepEqual([refused.status, refused.body.code], [503, "registry_unavailable"]);
    // Those that were asked have told the account meanwhile.
    await eventually(async () => assert.equal((await report()).status, 200), 20_000);
    const { items } = (await report()).body;
    assert.deepEqual(items.map((item) => [item.sha256, item.project, item.key, item.status]), [[sha256, "old", key.id, "revoked"]]);
    const left = () => account(keyward, (database) => [
      database.prepare("SELECT id FROM project WHERE unreserved = 1").all().length,
      database.prepare("SELECT 1 FROM reservation WHERE name = ? AND project = 'old'").all(`d:${sha256}`).length,
    ]);
    await eventually(() => assert.deepEqual(left(), [0, 1]), 15_000);
    const again = await api.must("POST", "/leaks:find", found);
    assert.deepEqual(again.items.map((item) => item.key), [key.id]);
  });

  test("has its derivation keys sealed anew, so that the edge can open them", async (t) => {
    const { gateway, kv, created, keys } = await startStage(t, { gateway: '[[route]]\norigin = "${ORIGIN}"\naccepts = ["private", "derived"]\n', keys: { one: {} } });
    const { id } = created.one.key;
    await gateway.kill();
    for (const database of databases(gateway, "ProjectRegistry")) {
      if (database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'secret'").get()) {
        database.prepare("UPDATE secret SET sealed = ?").run(firstSeal({ project: "acme", key: id }, derivationKey(keys.one)));
      }
      database.close();
    }
    const name = nameFor(keys.one);
    const { derivation, ...first } = JSON.parse(opened(kv.text(name)).json);
    assert.match(derivation, /^2\./);
    kv.put(name, sealed(name, first));
    await gateway.restart();

    const call = async () => (await request(gateway.port, "/x", { headers: [["x-api-key", await derive(keys.one)]] })).status;
    assert.equal(await new ManagementClient(gateway).get(`/projects/acme/keys/${id}`).then(({ status }) => status), 200);
    await eventually(() => assert.ok(JSON.parse(opened(kv.text(name)).json).derivation), 10_000);
    assert.equal(await call(), 200);
  });
});
