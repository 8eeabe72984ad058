// Management keys: the first one by the bootstrap secret, what each may do and from where, that
// none makes one that can do more than itself, and how long they last.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { SECRETS } from "./harness/keyward.mjs";
import { assertRefused } from "./harness/refused.mjs";
import { ManagementClient, startRegistries } from "./harness/registry.mjs";

const SCOPES = ["keys:read", "keys:write", "usage:read", "audit:read", "projects:write", "credentials:read", "credentials:write"];
const BOOTSTRAP = SECRETS.KEYWARD_BOOTSTRAP_KEY;
const HOUR = 3_600_000;
const OFFICE = "192.0.2.0/24";

const keyward = await startRegistries({ after }, { clock: true });
const { clock } = keyward;
await clock.stop();
const api = new ManagementClient(keyward);
for (const id of ["acme", "globex"]) await api.project(id);

const at = (millis) => new Date(millis).toISOString();
const path = ({ key }) => `/management-keys/${key.id}`;
/** The same call from an address. */
const from = (ip) => ({ headers: { "cf-connecting-ip": ip } });
const works = async (secret) => assert.equal((await api.as(secret).get("/whoami")).status, 200);
const fails = async (secret) => assertRefused(await api.as(secret).get("/whoami"), 401, "key_invalid");

describe("the bootstrap secret", () => {
  /** A deployment that nobody has a key of yet. */
  async function fresh(t) {
    const own = await startRegistries(t);
    return { own, holder: new ManagementClient(own, BOOTSTRAP) };
  }
  const create = (client, fields) => client.post("/management-keys", { name: "first", ...fields });

  test("makes the first key of the account, and does nothing else", async (t) => {
    const { holder } = await fresh(t);
    const who = await holder.get("/whoami");
    assert.deepEqual([who.status, who.body.type, who.body.id], [200, "bootstrap", undefined]);
    for (const [method, target, body] of [["GET", "/projects"], ["POST", "/projects", { id: "p" }], ["GET", "/management-keys"], ["GET", "/audit"]]) {
      assertRefused(await holder.call(method, target, { body }), 403, "bootstrap_denied");
    }
    assertRefused(await create(holder, { project: "acme" }), 403, "bootstrap_denied");
    assertRefused(await create(holder, { scopes: ["keys:*"] }), 422, "request_invalid", ["scopes[0]"]);
    const made = await create(holder);
    assert.equal(made.status, 201, made.text);
    assert.match(made.body.secret, /^kw_mk_live_1[0-9A-Za-z]{32}$/);
    const { scopes, status, version, project } = made.body.key;
    assert.deepEqual([scopes.toSorted(), status, version, project], [SCOPES.toSorted(), "active", 1, undefined]);
    for (const answer of [await create(holder), await holder.get("/whoami")]) assertRefused(answer, 403, "bootstrap_denied");
    assert.equal((await holder.as(made.body.secret).post("/projects", { id: "p" })).status, 201);
  });

  test("gives the first key again to a repetition whose first answer was lost", async (t) => {
    const { holder } = await fresh(t);
    const ask = () => holder.call("POST", "/management-keys", { body: { name: "first" }, headers: { "idempotency-key": "once" } });
    const [lost, repeated] = [await ask(), await ask()];
    assert.deepEqual([lost.status, repeated.status, repeated.body], [201, 201, lost.body]);
    assert.equal(repeated.headers.get("idempotency-replayed"), "true");
    assertRefused(await create(holder), 403, "bootstrap_denied");
  });

  test("makes one key, however many ask at once", async (t) => {
    const { holder } = await fresh(t);
    const answers = await Promise.all(Array.from({ length: 12 }, (_, index) => create(holder, { name: `racer ${index}` })));
    const [made, ...others] = answers.sort((a, b) => a.status - b.status);
    assert.equal(made.status, 201);
    for (const other of others) assertRefused(other, 403, "bootstrap_denied");
    assert.equal((await holder.as(made.body.secret).all("/management-keys")).length, 1);
  });

  for (const [how, lose] of Object.entries({
    revoked: (client, key) => client.must("POST", `/management-keys/${key.id}/revoke`),
    disabled: (client, key) => client.must("POST", `/management-keys/${key.id}/disable`),
    expired: (client, key) => client.patch(`/management-keys/${key.id}`, { expires_at: "2020-01-01T00:00:00Z" }),
  })) {
    test(`lets the owner back in with another value when the last key is ${how}, and never with the same`, async (t) => {
      const { own, holder } = await fresh(t);
      const { key, secret } = (await create(holder)).body;
      const first = holder.as(secret);
      await first.project("kept");
      const other = await first.managementKey({ name: "of a project", project: "kept" });
      await lose(first, key);
      assertRefused(await first.get("/projects"), 401, "key_invalid");
      assertRefused(await create(holder), 403, "bootstrap_denied");
      const another = "kw-bootstrap-another-0123456789abcdef";
      await own.restart({ vars: { KEYWARD_BOOTSTRAP_KEY: another } });
      assertRefused(await create(holder), 401, "key_invalid");
      const again = await create(holder.as(another), { name: "second" });
      assert.equal(again.status, 201, again.text);
      const second = holder.as(again.body.secret);
      assert.deepEqual((await second.all("/projects")).map(({ id }) => id), ["kept"]);
      assert.equal((await holder.as(other.secret).get("/whoami")).status, 200, "a project's key does not open the account, and stays");
      assertRefused(await create(holder.as(another)), 403, "bootstrap_denied");
      const actors = (await second.audit()).filter(({ action }) => action === "management_key.create").map(({ actor }) => actor.type);
      assert.deepEqual(actors, ["bootstrap", "management_key", "bootstrap"]);
    });
  }
});

describe("what a management key may do", () => {
  test("is said by it", async () => {
    const expires_at = at(clock.now() + HOUR);
    const { key, secret } = await api.managementKey({ name: "Ci", project: "acme", scopes: ["keys:read", "audit:read"], expires_at });
    const { body } = await api.as(secret).get("/whoami");
    assert.deepEqual({ ...body, expires_at: Date.parse(body.expires_at) }, { type: "management_key", id: key.id, name: "Ci", project: "acme", scopes: ["keys:read", "audit:read"], expires_at: Date.parse(expires_at) });
    assert.equal((await api.get(path({ key }))).headers.get("etag"), '"1"');
  });

  test("is what its fields say, and wrong ones are named", async () => {
    for (const [fields, named] of [
      [{ name: undefined }, ["name"]],
      [{ scopes: ["keys:read", "keys:*", "*"] }, ["scopes[1]", "scopes[2]"]],
      [{ ips: ["010.0.0.1"], project: "Not one" }, ["ips[0]", "project"]],
      [{ not_before: at(clock.now() + HOUR), expires_at: at(clock.now()) }, ["expires_at"]],
      [{ kind: "private", id: "key_x" }, ["kind", "id"]],
    ]) {
      assertRefused(await api.post("/management-keys", { name: "x", ...fields }), 422, "request_invalid", named);
    }
    assertRefused(await api.post("/management-keys", { name: "x", project: "nowhere" }), 404, "project_unknown");
  });

  test("holds from its addresses only, and nowhere when the address is unknown", async () => {
    const { secret } = await api.managementKey({ ips: [OFFICE, "2001:db8::/32"] });
    const own = api.as(secret);
    for (const ip of ["192.0.2.7", "2001:db8::1", "::ffff:192.0.2.7"]) assert.equal((await own.call("GET", "/projects", from(ip))).status, 200, ip);
    for (const ip of ["198.51.100.1", "2001:db9::1", "010.0.2.1", "192.0.2.7, 198.51.100.1"]) assertRefused(await own.call("GET", "/projects", from(ip)), 403, "ip_denied");
    assertRefused(await own.get("/projects"), 403, "ip_denied");
    assertRefused(await own.call("GET", "/projects", { headers: { "x-forwarded-for": "192.0.2.7" } }), 403, "ip_denied");
  });

  test("changes with a merge patch, version by version", async () => {
    const one = await api.managementKey({ name: "one", ips: [OFFICE] });
    assertRefused(await api.call("PATCH", path(one), { body: { name: "two" } }), 428, "precondition_required");
    assertRefused(await api.patch(path(one), { name: "two" }, 2), 412, "version_conflict");
    const answer = await api.patch(path(one), { name: "two", scopes: ["keys:read"], ips: null }, 1);
    const { name, scopes, ips, version } = answer.body.key;
    assert.deepEqual([name, scopes, ips, version, answer.headers.get("etag")], ["two", ["keys:read"], undefined, 2, '"2"']);
    assert.equal((await api.patch(path(one), { name: "two" }, 2)).body.key.version, 2, "what changes nothing makes no version");
    for (const patch of [{ project: "acme" }, { status: "revoked" }, { nonsense: null }, { scopes: null }, { name: null }]) {
      assertRefused(await api.patch(path(one), patch), 422, "request_invalid", Object.keys(patch));
    }
  });
});

/** What the calling key of the tests below can do. */
const reach = { project: "acme", scopes: ["keys:read", "keys:write"], ips: [OFFICE], expires_at: at(clock.now() + HOUR) };
const caller = await api.managementKey({ name: "caller", ...reach });

describe("no wider than the caller", () => {
  /** What can do more than `reach` in one respect. */
  const WIDER = {
    "another scope": { scopes: ["keys:read", "audit:read"] },
    "the whole account": { project: undefined },
    "another project": { project: "globex" },
    "a project that is not there": { project: "nowhere" },
    "other addresses": { ips: ["198.51.100.0/24"] },
    "more addresses": { ips: ["192.0.0.0/16"] },
    "any address": { ips: undefined },
    "a longer life": { expires_at: at(Date.parse(reach.expires_at) + 1000) },
    "a life without end": { expires_at: undefined },
  };
  const inOffice = from("192.0.2.1").headers;
  const own = api.as(caller.secret);
  const refusedTo = async (method, target, body, headers) =>
    assertRefused(await own.call(method, target, { body, headers: { ...inOffice, ...headers } }), 403, "wider_than_caller");

  for (const [what, fields] of Object.entries(WIDER)) {
    test(`a management key makes and changes none with ${what}`, async () => {
      await refusedTo("POST", "/management-keys", { name: "wider", ...reach, ...fields });
      if ("project" in fields) return;
      const narrow = await api.managementKey({ ...reach, scopes: ["keys:read"], name: "narrow" });
      const patch = Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, value ?? null]));
      await refusedTo("PATCH", path(narrow), patch, { "if-match": "*" });
      await refusedTo("PATCH", path(caller), patch, { "if-match": "*" });
      const wider = await api.managementKey({ name: "wider", ...reach, ...fields });
      await refusedTo("PATCH", path(wider), { name: "mine" }, { "if-match": "*" });
      for (const verb of ["rotate", "disable", "enable", "revoke", `secrets/${wider.key.secrets[0].id}/revoke`]) await refusedTo("POST", `${path(wider)}/${verb}`);
      await refusedTo("DELETE", path(wider));
      assert.deepEqual((await api.get(path(wider))).body, wider.key, "nothing was changed");
    });
  }

  test("what is as wide or narrower is made and changed", async () => {
    for (const fields of [{}, { scopes: undefined }, { scopes: ["keys:read"] }, { ips: ["192.0.2.8/32"] }, { expires_at: at(clock.now() + HOUR / 2) }]) {
      const answer = await own.call("POST", "/management-keys", { body: { name: "within", ...reach, ...fields }, headers: inOffice });
      assert.equal(answer.status, 201, answer.text);
      assert.deepEqual(answer.body.key.scopes, fields.scopes ?? reach.scopes);
      for (const verb of ["disable", "enable", "rotate", "revoke"]) {
        const changed = await own.call("POST", `${path(answer.body)}/${verb}`, { headers: inOffice });
        assert.ok(changed.status < 300, `${verb}: ${changed.text}`);
      }
      assert.equal((await own.call("DELETE", path(answer.body), { headers: inOffice })).status, 200);
    }
  });

  test("no management key opens an environment or project beyond its own by making keys", async () => {
    assertRefused(await own.call("POST", "/projects/globex/keys", { body: {}, headers: inOffice }), 404, "project_unknown");
    assertRefused(await own.call("POST", "/projects/acme/keys", { body: { kind: "management" }, headers: inOffice }), 422, "key_spec_invalid", ["kind"]);
  });
});

describe("the life of a management key", () => {
  test("begins and ends to the second", async () => {
    const [begin, end] = [clock.now() + HOUR, clock.now() + 2 * HOUR];
    const { secret } = await api.managementKey({ not_before: at(begin), expires_at: at(end) });
    for (const [moment, check] of [[begin - 1, fails], [begin, works], [end - 1, works], [end, fails]]) {
      await clock.advanceTo(moment);
      await check(secret);
    }
  });

  test("goes on with another secret after a rotation, to the second", async () => {
    const one = await api.managementKey();
    const { key, secret } = await api.must("POST", `${path(one)}/rotate`, { overlap: 60 });
    assert.deepEqual([key.id, key.version, key.secrets.map(({ status }) => status)], [one.key.id, 2, ["live", "live"]]);
    assertRefused(await api.post(`${path(one)}/rotate`), 409, "rotation_in_progress");
    await clock.advanceTo(Date.parse(key.secrets[1].not_after) - 1);
    for (const either of [one.secret, secret]) await works(either);
    await clock.advance(1);
    await fails(one.secret);
    await works(secret);
    const third = await api.must("POST", `${path(one)}/rotate`, { overlap: 0 });
    await fails(secret);
    await works(third.secret);
  });

  test("ends at once when it is disabled or revoked, or its secret is", async () => {
    const one = await api.managementKey();
    await api.must("POST", `${path(one)}/disable`);
    await fails(one.secret);
    await api.must("POST", `${path(one)}/enable`);
    await works(one.secret);
    const { secret } = await api.must("POST", `${path(one)}/rotate`);
    await api.must("POST", `${path(one)}/secrets/${one.key.secrets[0].id}/revoke`, { reason: "superseded" });
    await fails(one.secret);
    await works(secret);
    assertRefused(await api.call("DELETE", path(one)), 409, "key_state_conflict");
    const { key } = await api.must("POST", `${path(one)}/revoke`, { reason: "keyCompromise" });
    assert.deepEqual([key.status, key.revoked.reason], ["revoked", "keyCompromise"]);
    await fails(secret);
    for (const verb of ["enable", "disable", "rotate"]) assertRefused(await api.post(`${path(one)}/${verb}`), 409, "key_state_conflict");
    await api.must("DELETE", path(one));
    assertRefused(await api.get(path(one)), 404, "management_key_unknown");
  });

  test("is listed by status and project, the newest first", async () => {
    const made = [];
    for (const project of ["globex", "globex", "acme"]) made.unshift((await api.managementKey({ name: "listed", project })).key.id);
    await api.must("POST", `/management-keys/${made[1]}/disable`);
    const listed = async (query) => (await api.all("/management-keys", query)).map(({ id }) => id).filter((id) => made.includes(id));
    assert.deepEqual(await listed("limit=2"), made);
    assert.deepEqual(await listed("project=globex"), [made[1], made[2]]);
    assert.deepEqual(await listed("project=globex&status=disabled"), [made[1]]);
    assert.deepEqual(await listed("status=revoked"), []);
  });
});
