// The management API: every endpoint, and every way in which it says no.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { SECRETS } from "./harness/keyward.mjs";
import { assertNoCors, assertRefused, wrong } from "./harness/refused.mjs";
import { eventually, ManagementClient, nameOf, record, records, startRegistries } from "./harness/registry.mjs";

const BASE = "/_keyward/v1";

const keyward = await startRegistries({ after });
const api = new ManagementClient(keyward);
const KEY = await keyward.managementKey();
let serial = 0;

/** A project of the test's own. */
async function project() {
  const id = `p${(serial += 1)}`;
  await api.project(id);
  return id;
}

/** A call with exactly these headers: `fetch` would not send some of them. */
function bare(method, path, headers, body) {
  return new Promise((resolve, reject) => {
    const options = { method, path: BASE + path, port: keyward.port, host: "127.0.0.1", headers };
    const outgoing = httpRequest(options, async (incoming) => {
      const text = Buffer.concat(await incoming.toArray()).toString();
      const answer = { status: incoming.statusCode, headers: new Headers(), text };
      for (const [name, value] of Object.entries(incoming.headers)) answer.headers.set(name, value);
      resolve({ ...answer, body: text ? JSON.parse(text) : undefined });
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

describe("who may call", () => {
  test("a call without a key is told so", async () => {
    for (const headers of [{}, { authorization: "" }]) {
      const answer = await bare("GET", "/projects", headers);
      assertRefused(answer, 401, "key_missing");
      assert.equal(answer.headers.get("www-authenticate"), 'Bearer realm="keyward"');
    }
  });

  test("any other key is invalid, however it is sent", async () => {
    const wrongKeys = [
      `Bearer ${KEY}x`,
      `Bearer ${KEY.slice(0, -1)}`,
      `Bearer ${KEY.toUpperCase()}`,
      `Bearer ${KEY}, Bearer ${KEY}`,
      `Bearer`,
      `Bearer kw_mk_live_1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa`,
      `Bearer ${"a".repeat(10_000)}`,
      `Basic ${btoa(`user:${KEY}`)}`,
      KEY,
      `Bearer ${SECRETS.KEYWARD_SECRET}`,
    ];
    for (const authorization of wrongKeys) {
      const answer = await bare("GET", "/projects", { authorization });
      assertRefused(answer, 401, "key_invalid");
      assert.match(answer.headers.get("www-authenticate"), /error="invalid_token"/);
    }
    assertRefused(await bare("GET", "/projects", { "x-api-key": KEY }), 401, "key_missing");
    assertRefused(await bare("GET", `/projects?key=${KEY}`, {}), 401, "key_missing");
    assertRefused(await bare("GET", "/projects", { cookie: `key=${KEY}` }), 401, "key_missing");
  });

  test("the scheme is of any case, with any number of blanks", async () => {
    for (const scheme of ["bearer", "BEARER ", "Bearer   "]) {
      assert.equal((await bare("GET", "/projects", { authorization: `${scheme} ${KEY}` })).status, 200);
    }
  });

  test("without the key nobody learns which endpoints there are", async () => {
    for (const [method, path] of [["GET", "/nothing"], ["PUT", "/projects"], ["GET", "/projects/nope"], ["POST", "/projects"]]) {
      assertRefused(await bare(method, path, {}), 401, "key_missing");
    }
  });

  test("other websites are refused before anything else, and told nothing by CORS", async () => {
    const authorization = `Bearer ${KEY}`;
    const foreign = [
      { origin: "https://evil.example" },
      { origin: "null" },
      { origin: `https://127.0.0.1:${keyward.port}` },
      { origin: "http://127.0.0.1" },
      { origin: `http://127.0.0.1:${keyward.port}/` },
      { origin: `http://127.0.0.1:${keyward.port}, https://evil.example` },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
      { "sec-fetch-site": "something new" },
    ];
    for (const headers of foreign) {
      assertRefused(await bare("GET", "/projects", { ...headers, authorization }), 403, "cross_origin_denied");
      assertRefused(await bare("GET", "/projects", headers), 403, "cross_origin_denied");
      const preflight = { ...headers, "access-control-request-method": "POST" };
      assertRefused(await bare("OPTIONS", "/projects", preflight), 403, "cross_origin_denied");
    }
  });

  test("the gateway's own pages and programs may call", async () => {
    const authorization = `Bearer ${KEY}`;
    for (const headers of [
      { origin: keyward.url },
      { origin: keyward.url, "sec-fetch-site": "same-origin" },
      { "sec-fetch-site": "none" },
      { "sec-fetch-mode": "cors" },
    ]) {
      const answer = await bare("GET", "/projects", { ...headers, authorization });
      assert.equal(answer.status, 200);
      assertNoCors(answer);
    }
  });

  test("a deployment without a usable key or secret refuses, and its log names the variable", async (t) => {
    const short = "a".repeat(31);
    const broken = await startRegistries(t, { vars: { KEYWARD_BOOTSTRAP_KEY: short } });
    assertRefused(await new ManagementClient(broken, short).get("/projects"), 500, "config_invalid");
    assert.match(broken.log, /config_invalid.*KEYWARD_BOOTSTRAP_KEY/);
    const closed = await startRegistries(t, { vars: { KEYWARD_BOOTSTRAP_KEY: null } });
    assertRefused(await new ManagementClient(closed, SECRETS.KEYWARD_BOOTSTRAP_KEY).get("/projects"), 401, "key_invalid");
    for (const KEYWARD_SECRET of [null, "nonsense", "a1:short"]) {
      const broken = await startRegistries(t, { vars: { KEYWARD_SECRET } });
      assertRefused(await new ManagementClient(broken, SECRETS.KEYWARD_BOOTSTRAP_KEY).post("/management-keys", { name: "x" }), 500, "config_invalid");
      assert.match(broken.log, /config_invalid.*KEYWARD_SECRET/);
      assert.ok(!broken.log.includes("nonsense"));
    }
  });
});

describe("endpoints and methods", () => {
  test("an unknown endpoint is unknown", async () => {
    const id = await project();
    for (const path of ["", "/", "/project", "/projects/", `/projects/${id}/`, `/projects/${id}/key`, `/projects/${id}/keys/`, `/projects/${id}/keys/k/turn`, `/projects/${id}/keys/k/revoke/`, "/../v2/projects"]) {
      assertRefused(await api.get(path), 404, "endpoint_unknown");
    }
  });

  test("a method that an endpoint does not have is refused with those that it has", async () => {
    const id = await project();
    for (const [method, path, allow] of [
      ["PUT", "/projects", "GET, HEAD, POST"],
      ["OPTIONS", "/projects", "GET, HEAD, POST"],
      ["DELETE", `/projects/${id}`, "GET, HEAD, PATCH"],
      ["PATCH", `/projects/${id}/keys`, "GET, HEAD, POST"],
      ["POST", `/projects/${id}/keys/k`, "DELETE, GET, HEAD, PATCH"],
      ["GET", `/projects/${id}/keys/k/revoke`, "POST"],
      ["PROPFIND", "/projects", "GET, HEAD, POST"],
    ]) {
      const answer = await bare(method, path, { authorization: `Bearer ${KEY}` });
      assertRefused(answer, 405, "method_not_allowed");
      assert.equal(answer.headers.get("allow").split(", ").sort().join(", "), allow);
    }
  });

  test("HEAD is GET without a body, also when refused", async () => {
    const answer = await api.call("HEAD", "/projects");
    assert.equal(answer.status, 200);
    assert.equal(answer.text, "");
    assert.equal(answer.headers.get("content-type"), "application/json");
    const refused = await api.call("HEAD", "/projects/nope");
    assert.equal(refused.status, 404);
    assert.equal(refused.text, "");
    assert.equal(refused.headers.get("content-type"), "application/problem+json");
  });
});

describe("projects", () => {
  test("a project is created, shown and listed", async () => {
    const created = await api.post("/projects", { id: "acme-1", name: "Acme & Söhne" });
    assert.equal(created.status, 201);
    assert.equal(created.headers.get("location"), `${BASE}/projects/acme-1`);
    const { environments, created_at, updated_at, ...project } = created.body;
    assert.deepEqual(project, { id: "acme-1", name: "Acme & Söhne", status: "active", version: 1 });
    assert.deepEqual(environments.map(({ id, status }) => [id, status]), [["live", "active"], ["test", "active"]]);
    assert.equal(created_at, updated_at);
    assert.ok(Math.abs(Date.parse(created.body.created_at) - Date.now()) < 60_000);
    assert.deepEqual((await api.get("/projects/acme-1")).body, created.body);
    const { items } = (await api.get("/projects?limit=100")).body;
    assert.deepEqual(items.filter(({ id }) => id === "acme-1"), [{ id: "acme-1", name: "Acme & Söhne", status: "active", created_at }]);
  });

  test("an id is taken once", async () => {
    const id = await project();
    assertRefused(await api.post("/projects", { id, name: "Another" }), 409, "project_exists");
    assert.equal((await api.get(`/projects/${id}`)).body.name, id);
  });

  test("of two that create the same project at once, one does", async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => api.post("/projects", { id: "race" })));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409, 409, 409, 409]);
  });

  test("wrong fields are named", async () => {
    for (const [fields, named] of [
      [{}, ["id"]],
      [{ id: "Acme" }, ["id"]],
      [{ id: "a--b" }, ["id"]],
      [{ id: "a".repeat(41) }, ["id"]],
      [{ id: "a", name: "" }, ["name"]],
      [{ id: "a", name: 1, owner: "x" }, ["name", "owner"]],
      [[], ["project"]],
      ["acme", ["project"]],
    ]) {
      const answer = await api.post("/projects", fields);
      assertRefused(answer, 422, "project_spec_invalid");
      assert.deepEqual(wrong(answer), named);
    }
  });

  test("an unknown project is unknown everywhere, and leaves nothing behind", async () => {
    for (const id of ["nope", "Nope", "a--b", "%61cme-1"]) {
      assertRefused(await api.get(`/projects/${id}`), 404, "project_unknown");
      assertRefused(await api.get(`/projects/${id}/keys`), 404, "project_unknown");
      assertRefused(await api.post(`/projects/${id}/keys`, {}), 404, "project_unknown");
      assertRefused(await api.get(`/projects/${id}/keys/key_x`), 404, "project_unknown");
      assertRefused(await api.call("DELETE", `/projects/${id}/keys/key_x`), 404, "project_unknown");
      assertRefused(await api.post(`/projects/${id}/keys/key_x/revoke`), 404, "project_unknown");
    }
    await api.project("nope");
    assert.deepEqual((await api.get("/projects/nope/keys")).body, { items: [], next_cursor: null });
  });

  test("pages of projects neither repeat nor miss one while others are created", async () => {
    for (let count = 0; count < 5; count += 1) await project();
    const all = (await api.get("/projects?limit=100")).body.items.map(({ id }) => id);
    const seen = [];
    let cursor = "";
    do {
      const page = (await api.get(`/projects?limit=2${cursor}`)).body;
      seen.push(...page.items.map(({ id }) => id));
      await project();
      cursor = page.next_cursor && `&cursor=${page.next_cursor}`;
    } while (cursor);
    assert.deepEqual(seen, all);
  });
});

describe("creating keys", () => {
  test("a private key comes with its secret, once, and its record is in KV", async () => {
    const id = await project();
    const fields = {
      name: "Ci",
      owner: "build@example.com",
      scopes: ["chat:write", "models:*"],
      ips: ["192.0.2.0/24"],
      paths: ["GET /v1/**"],
      not_before: "2026-01-01T00:00:00Z",
      expires_at: "2040-01-01T00:00:00+01:00",
      environment: "test",
      metadata: { team: "a", nested: { list: [1, 2.5, null] } },
    };
    const answer = await api.post(`/projects/${id}/keys`, fields);
    assert.equal(answer.status, 201);
    const { key, secret, publication } = answer.body;
    assert.equal(publication, "published");
    assert.match(secret, /^kw_sk_test_1[0-9A-Za-z]{32}$/);
    assert.match(key.id, /^key_[0-9A-Za-z]{20}$/);
    assert.equal(answer.headers.get("location"), `${BASE}/projects/${id}/keys/${key.id}`);
    const { created_at, updated_at, secrets, ...rest } = key;
    assert.deepEqual(rest, {
      ...fields,
      id: key.id,
      project: id,
      kind: "private",
      status: "active",
      version: 1,
      expires_at: "2039-12-31T23:00:00Z",
    });
    assert.equal(created_at, updated_at);
    assert.equal(secrets.length, 1);
    assert.match(secrets[0].id, /^sec_[0-9A-Za-z]{12}$/);
    assert.equal(secrets[0].redacted, `kw_sk_test_…${secret.slice(-4)}`);
    const text = keyward.kv.text(nameOf(keyward.kv, key.id));
    const { derivation, ...published } = record(text);
    assert.match(derivation, /^2\.a1\.[0-9A-Za-z_-]{64}$/);
    assert.deepEqual(published, {
      schema: 1,
      project: id,
      environment: "test",
      key_id: key.id,
      secret_id: secrets[0].id,
      kind: "private",
      version: 1,
      status: "active",
      owner: "build@example.com",
      not_before: Date.parse(fields.not_before),
      expires_at: Date.parse(fields.expires_at),
      restrictions: { ips: fields.ips, paths: fields.paths, scopes: fields.scopes },
      revocation: "strict",
    });
  });

  test("a public key shows its rules as they are compared", async () => {
    const id = await project();
    const { key, secret } = await api.key(id, {
      referrers: ["*.Bücher.example", "HTTPS://app.example.com:8443/a/*", "faß.de/é"],
    });
    assert.match(secret, /^kw_pk_live_1/);
    assert.equal(key.kind, "public");
    assert.equal(key.referrers[0], "*.xn--bcher-kva.example");
    assert.equal(key.referrers[1], "https://app.example.com:8443/a/*");
    assert.match(key.referrers[2], /^xn--fa-hia\.de\//);
    const { key: any } = await api.key(id, { any_referrer: true });
    assert.equal(any.any_referrer, true);
    const apps = { android: [{ package: "com.example.app", sha1: "AA".repeat(20) }], ios: ["com.example.App"] };
    const { key: app } = await api.key(id, { apps });
    assert.equal(app.apps.android[0].package, "com.example.app");
    assert.deepEqual(app.apps.ios, apps.ios);
  });

  test("what is empty is left out, and so is the secret everywhere but at creation", async () => {
    const id = await project();
    const { key, secret } = await api.key(id);
    assert.deepEqual(Object.keys(key).sort(), ["created_at", "environment", "id", "kind", "project", "secrets", "status", "updated_at", "version"]);
    const path = `/projects/${id}/keys/${key.id}`;
    const answers = [
      await api.get(path),
      await api.get(`/projects/${id}/keys`),
      await api.get(`/projects/${id}`),
      await api.post(`${path}/disable`),
      await api.post(`${path}/enable`),
      await api.post(`${path}/revoke`),
      await api.call("DELETE", path),
    ];
    const random = secret.slice(-32, -4);
    const digest = createHash("sha256").update(secret).digest();
    for (const { status, text } of answers) {
      assert.equal(status, 200);
      assert.ok(!text.includes(random) && !text.includes(digest.toString("hex")) && !text.includes("sealed"));
    }
    assert.ok(!keyward.log.includes(random));
    const written = keyward.kv.operations.map(({ name, text }) => `${name} ${text}`).join("\n");
    assert.ok(!written.includes(random) && !written.includes(digest.toString("hex")) && !written.includes(digest.toString("base64url")));
  });

  test("a key can be created disabled, but not revoked", async () => {
    const id = await project();
    const { key } = await api.key(id, { status: "disabled" });
    assert.equal(key.status, "disabled");
    assert.equal(records(keyward.kv).get(key.id).status, "disabled");
    for (const status of ["revoked", "suspended", "deleted", null]) {
      const answer = await api.post(`/projects/${id}/keys`, { status });
      assertRefused(answer, 422, "key_spec_invalid");
      assert.deepEqual(wrong(answer), ["status"]);
    }
  });

  test("fields that are wrong are all named, and nothing is created", async () => {
    const id = await project();
    for (const [fields, named] of [
      [{ kind: "public" }, ["referrers"]],
      [{ kind: "private", referrers: ["example.com"] }, ["referrers"]],
      [{ kind: "management" }, ["kind"]],
      [{ kind: "derived" }, ["kind"]],
      [{ referrers: [] }, ["referrers"]],
      [{ referrers: ["*.com", "ü@example.com", "＊.example.com"] }, ["referrers[0]", "referrers[1]", "referrers[2]"]],
      [{ referrers: ["example.com"], any_referrer: true }, ["any_referrer"]],
      [{ limits: {} }, ["limits"]],
      [{ limits: { rate: [{ limit: 5, window_s: 60 }, { limit: 0, window_s: "1" }] } }, ["limits.rate[1].limit", "limits.rate[1].window_s"]],
      [{ scopes: ["chat"], ips: ["010.0.0.1"], paths: ["GET v1"] }, ["scopes[0]", "ips[0]", "paths[0]"]],
      [{ environment: "Live" }, ["environment"]],
      [{ not_before: "2030-01-01T00:00:00Z", expires_at: "2029-01-01T00:00:00Z" }, ["expires_at"]],
      [{ id: "key_mine", secret: "x", version: 9 }, ["id", "secret", "version"]],
      [{ metadata: { big: "x".repeat(5000) } }, ["metadata"]],
      [[], ["key"]],
      [null, ["key"]],
    ]) {
      const answer = await api.post(`/projects/${id}/keys`, fields);
      assertRefused(answer, 422, "key_spec_invalid");
      assert.deepEqual(wrong(answer).sort(), named.sort(), JSON.stringify(fields));
      assert.ok(answer.body.errors.every(({ detail }) => detail.length > 0));
    }
    assert.deepEqual(await api.keys(id), []);
  });

  test("no two keys share an id, a secret or a name in KV", async () => {
    const id = await project();
    const made = await Promise.all(Array.from({ length: 40 }, () => api.key(id)));
    assert.equal(new Set(made.map(({ key }) => key.id)).size, 40);
    assert.equal(new Set(made.map(({ secret }) => secret)).size, 40);
    await eventually(() => made.every(({ key }) => records(keyward.kv).has(key.id)), 5000);
    assert.equal(new Set(made.map(({ key }) => nameOf(keyward.kv, key.id))).size, 40);
  });

  test("the same id of a key in another project is not found", async () => {
    const [one, other] = [await project(), await project()];
    const { key } = await api.key(one);
    assertRefused(await api.get(`/projects/${other}/keys/${key.id}`), 404, "key_unknown");
    assertRefused(await api.post(`/projects/${other}/keys/${key.id}/revoke`), 404, "key_unknown");
    assertRefused(await api.call("DELETE", `/projects/${other}/keys/${key.id}`), 404, "key_unknown");
    assert.equal((await api.get(`/projects/${one}/keys/${key.id}`)).body.status, "active");
  });
});

describe("bodies and queries", () => {
  test("only JSON is read", async () => {
    const raw = '{"id":"media"}';
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", "multipart/form-data; boundary=x"]) {
      const answer = await api.call("POST", "/projects", { raw, headers: { "content-type": type } });
      assertRefused(answer, 415, "media_type_unsupported");
    }
    const authorization = `Bearer ${KEY}`;
    assertRefused(await bare("POST", "/projects", { authorization }, raw), 415, "media_type_unsupported");
    const utf8 = await api.call("POST", "/projects", { raw, headers: { "content-type": "Application/JSON; charset=UTF-8" } });
    assert.equal(utf8.status, 201);
  });

  test("what is not one JSON value in UTF-8, or gives a field twice, is refused", async () => {
    const id = await project();
    const headers = { "content-type": "application/json" };
    for (const raw of ["", "{", "{}{}", "{'id':1}", '{"id":"x",}', "\u{feff}{}", '{"name":"a","name":"b"}', '{"metadata":{"a":1,"\\u0061":2}}', "[".repeat(60_000), Buffer.from([0x22, 0xff, 0x22])]) {
      const answer = await api.call("POST", `/projects/${id}/keys`, { raw, headers });
      assertRefused(answer, 400, "body_invalid");
      assert.deepEqual(wrong(answer), ["body"]);
    }
    assert.deepEqual(await api.keys(id), []);
  });

  test("a body of 64 KB is read, a larger one refused, announced or not", async () => {
    const id = await project();
    const path = `/projects/${id}/keys`;
    const padded = (size) => `{"name":"padded"${" ".repeat(size - 17)}}`;
    const headers = { "content-type": "application/json" };
    const exact = padded(64 * 1024);
    assert.equal(exact.length, 64 * 1024);
    assert.equal((await api.call("POST", path, { raw: exact, headers })).status, 201);
    assertRefused(await api.call("POST", path, { raw: padded(64 * 1024 + 1), headers }), 413, "body_too_large");
    assertRefused(await api.call("POST", path, { raw: padded(1_000_000), headers }), 413, "body_too_large");
    const stream = new ReadableStream({
      start(controller) {
        for (let count = 0; count < 20; count += 1) controller.enqueue(new Uint8Array(8 * 1024).fill(32));
        controller.close();
      },
    });
    assertRefused(await api.call("POST", path, { raw: stream, headers }), 413, "body_too_large");
    assert.equal((await api.keys(id)).length, 1);
  });

  test("a large body that is refused unread does not break the next call", async () => {
    const raw = "x".repeat(500_000);
    for (let count = 0; count < 3; count += 1) {
      const refused = await api.call("POST", "/projects", { raw, headers: { authorization: "Bearer no" } });
      assertRefused(refused, 401, "key_invalid");
      assert.equal((await api.get("/projects?limit=1")).status, 200);
    }
  });

  test("an action takes no fields, and an empty object is none", async () => {
    const id = await project();
    const { key } = await api.key(id);
    const path = `/projects/${id}/keys/${key.id}`;
    assert.equal((await api.post(`${path}/disable`, {})).status, 200);
    for (const body of [{ reason: "x" }, [], null, "x"]) {
      assertRefused(await api.post(`${path}/enable`, body), 400, "body_invalid");
      assertRefused(await api.call("DELETE", path, { body }), 400, "body_invalid");
    }
    assertRefused(await api.call("POST", `${path}/enable`, { raw: "{}", headers: { "content-type": "text/plain" } }), 415, "media_type_unsupported");
    assert.equal((await api.get(path)).body.status, "disabled");
  });

  test("query parameters that are unknown, doubled or wrong are refused", async () => {
    const id = await project();
    for (const [path, named] of [
      ["/projects?page=2", "page"],
      ["/projects?q=x", "q"],
      ["/projects?limit=1&limit=1", "limit"],
      [`/projects/${id}?x`, "x"],
      ...["limit=0", "limit=101", "limit=1.5", "limit=", "cursor=", "cursor=x", "cursor=p-1", "status=gone", "status=Active", "owner=", "q=", "q=%ff", `q=${"a".repeat(201)}`, "Limit=1"].map(
        (query) => [`/projects/${id}/keys?${query}`, query.split("=")[0]],
      ),
      [`/projects/${id}/keys/key_x?force=true`, "force"],
    ]) {
      const answer = await api.get(path);
      assertRefused(answer, 400, "query_invalid");
      assert.deepEqual(wrong(answer), [named], path);
    }
    assertRefused(await api.post("/projects?dry_run=1", { id: "dry" }), 400, "query_invalid");
    assertRefused(await api.post(`/projects/${id}/keys?limit=1`, {}), 400, "query_invalid");
    assertRefused(await api.get("/projects/dry"), 404, "project_unknown");
  });
});

describe("listing keys", () => {
  test("the newest come first, and filters narrow", async () => {
    const id = await project();
    const make = (fields) => api.key(id, fields).then(({ key }) => key.id);
    const a = await make({ name: "Alpha", owner: "ann" });
    const b = await make({ name: "beta 100%", owner: "bob" });
    const c = await make({ name: "Gamma", owner: "ann", any_referrer: true });
    await api.change(id, a, "revoke");
    await api.change(id, b, "disable");
    const found = async (query) => (await api.get(`/projects/${id}/keys?${query}`)).body.items.map((key) => key.id);
    assert.deepEqual(await found(""), [c, b, a]);
    assert.deepEqual(await found("status=revoked"), [a]);
    assert.deepEqual(await found("status=disabled"), [b]);
    assert.deepEqual(await found("status=active"), [c]);
    assert.deepEqual(await found("status=suspended"), []);
    assert.deepEqual(await found("owner=ann"), [c, a]);
    assert.deepEqual(await found("owner=an"), []);
    assert.deepEqual(await found("owner=ann&status=active"), [c]);
    assert.deepEqual(await found("q=ALPHA"), [a]);
    assert.deepEqual(await found("q=bob"), [b]);
    assert.deepEqual(await found("q=100%25"), [b]);
    assert.deepEqual(await found("q=%25"), [b]);
    assert.deepEqual(await found(`q=${c.slice(4, 14)}`), [c]);
    assert.deepEqual(await found("q=nobody"), []);
  });

  test("pages neither repeat nor miss a key while others come and go", async () => {
    const id = await project();
    const made = [];
    for (let count = 0; count < 9; count += 1) made.unshift((await api.key(id)).key.id);
    const seen = [];
    let cursor = "";
    do {
      const { body } = await api.get(`/projects/${id}/keys?limit=2${cursor}`);
      assert.ok(body.items.length <= 2);
      seen.push(...body.items.map((key) => key.id));
      await api.key(id);
      await api.change(id, body.items.at(-1).id, "delete");
      cursor = body.next_cursor && `&cursor=${body.next_cursor}`;
    } while (cursor);
    assert.deepEqual(seen, made);
  });

  test("the last page says so, also when it is full", async () => {
    const id = await project();
    for (let count = 0; count < 4; count += 1) await api.key(id);
    const page = async (query) => (await api.get(`/projects/${id}/keys?${query}`)).body;
    assert.equal((await page("limit=4")).next_cursor, null);
    const first = await page("limit=2");
    const second = await page(`limit=2&cursor=${first.next_cursor}`);
    assert.equal(second.items.length, 2);
    assert.equal(second.next_cursor, null);
    assert.equal((await page("limit=3")).items.length, 3);
  });
});

describe("changing keys", () => {
  test("a key is shown with its version as ETag, which each change raises", async () => {
    const id = await project();
    const { key } = await api.key(id);
    const path = `/projects/${id}/keys/${key.id}`;
    const shown = async () => {
      const answer = await api.get(path);
      assert.equal(answer.headers.get("etag"), `"${answer.body.version}"`);
      return answer.body;
    };
    assert.deepEqual(await shown(), key);
    let version = 1;
    for (const [change, status] of [["disable", "disabled"], ["enable", "active"], ["disable", "disabled"], ["revoke", "revoked"]]) {
      const answer = await api.post(`${path}/${change}`);
      assert.equal(answer.status, 200);
      assert.deepEqual(Object.keys(answer.body), ["key", "publication", ...(change === "enable" ? [] : ["in_force_by"])]);
      version += 1;
      assert.deepEqual([answer.body.key.version, answer.body.key.status], [version, status]);
      assert.deepEqual(await shown(), answer.body.key);
      assert.deepEqual([records(keyward.kv).get(key.id).version, records(keyward.kv).get(key.id).status], [version, status]);
      assert.ok(answer.body.key.updated_at >= answer.body.key.created_at);
      const again = await api.post(`${path}/${change}`);
      assert.equal(again.status, 200);
      assert.deepEqual(again.body.key, answer.body.key, "repeating is no new version");
    }
  });

  test("a revoked key stays revoked, and can be deleted", async () => {
    const id = await project();
    const { key } = await api.key(id);
    const path = `/projects/${id}/keys/${key.id}`;
    await api.change(id, key.id, "revoke");
    for (const change of ["enable", "disable"]) {
      assertRefused(await api.post(`${path}/${change}`), 409, "key_state_conflict");
    }
    assert.equal((await api.get(path)).body.status, "revoked");
    assert.equal(records(keyward.kv).get(key.id).status, "revoked", "the holder is to learn why");
    const deleted = await api.call("DELETE", path);
    assert.deepEqual([deleted.body.key.id, deleted.body.key.status, deleted.body.publication], [key.id, "deleted", "published"]);
    assert.equal(records(keyward.kv).get(key.id).status, "deleted");
  });

  test("a deleted key is shown as what it is, and is in no list", async () => {
    const id = await project();
    const { key } = await api.key(id);
    const path = `/projects/${id}/keys/${key.id}`;
    const deleted = await api.call("DELETE", path);
    assert.equal(deleted.status, 200);
    assert.deepEqual((await api.get(path)).body, deleted.body.key);
    assert.deepEqual((await api.call("DELETE", path)).body.key, deleted.body.key, "repeating is no new version");
    for (const change of ["revoke", "disable", "enable"]) {
      assertRefused(await api.post(`${path}/${change}`), 409, "key_state_conflict");
    }
    assert.deepEqual(await api.keys(id), []);
  });

  test("an id that is no key's is unknown, whatever it looks like", async () => {
    const id = await project();
    for (const key of ["key_00000000000000000000", "x", "key_' OR 1=1 --"]) {
      assertRefused(await api.get(`/projects/${id}/keys/${encodeURIComponent(key)}`), 404, "key_unknown");
    }
  });

  test("changes from all sides at once end in one order", async () => {
    const id = await project();
    const { key } = await api.key(id);
    const changes = Array.from({ length: 12 }, (_, index) => (index % 2 ? "enable" : "disable"));
    const answers = await Promise.all(changes.map((change) => api.change(id, key.id, change)));
    const { body } = await api.get(`/projects/${id}/keys/${key.id}`);
    assert.equal(body.version, Math.max(...answers.map(({ key: { version } }) => version)));
    await eventually(() => records(keyward.kv).get(key.id).version === body.version, 5000);
  });
});

describe("when something fails", () => {
  test("a registry that does not answer is 503, and what was half done is completed later", async (t) => {
    const own = await startRegistries(t);
    const client = new ManagementClient(own);
    await client.project("first");
    await rm(join(own.objects, "ProjectRegistry"), { recursive: true });
    const answer = await client.post("/projects", { id: "half" });
    assertRefused(answer, 503, "registry_unavailable");
    assert.equal(answer.headers.get("retry-after"), "5");
    await own.restart();
    assertRefused(await client.post("/projects", { id: "half" }), 409, "project_exists");
    assert.equal((await client.key("half")).publication, "published");
    assert.equal((await client.keys("half")).length, 1);
  });

  test("projects and keys outlive the gateway", async (t) => {
    const own = await startRegistries(t);
    const client = new ManagementClient(own);
    await client.project("p");
    const { key } = await client.key("p", { name: "kept", metadata: { a: [1] } });
    await own.restart();
    assert.deepEqual((await client.get(`/projects/p/keys/${key.id}`)).body, key);
    assert.equal((await client.get("/projects/p")).body.id, "p");
  });
});
