// The origin of the benchmark: nginx on loopback, with a small static answer as an API would give
// it, and one that shows what it was sent.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { temporaryFolder } from "../tests/harness/folder.mjs";

/** What it answers, under any path but /v1/seen. */
export const BODY = `{"orders":[{"id":"ord_8213","state":"paid","total":{"currency":"EUR","cents":1995}},{"id":"ord_8214","state":"sent","total":{"currency":"EUR","cents":4250}}],"next":null}`;
/** The request headers that the answer to /v1/seen shows. */
const SHOWN = [
  ...["authorization", "x-api-key", "cookie", "cdn-loop", "origin", "referer", "user-agent", "accept", "accept-language", "cf-connecting-ip", "x-forwarded-for", "connection"],
  ...["keyward-key-id", "keyward-project", "keyward-environment", "keyward-kind", "keyward-owner", "keyward-scopes"],
];
const ATTEMPTS = 100;

/** Starts nginx; `t` ends it. Returns { url, version }. */
export async function startOrigin(t) {
  const folder = await temporaryFolder(t);
  const port = await freePort();
  const file = join(folder, "nginx.conf");
  await writeFile(file, configuration(port));
  const env = { ...process.env, PATH: [process.env.PATH, "/usr/sbin"].join(delimiter) };
  const child = spawn("nginx", ["-p", `${folder}/`, "-e", "stderr", "-c", file], { env, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (part) => (said += part));
  const failed = once(child, "error").then(() => {
    throw new Error("nginx cannot be started: install the package nginx-light");
  });
  const ended = once(child, "exit").then(() => {
    throw new Error(`nginx has ended:\n${said}`);
  });
  // Only the start waits for these: an origin that ends later shows itself as wrong answers.
  for (const promise of [failed, ended]) promise.catch(() => {});
  t.after(() => child.kill("SIGKILL"));
  const url = `http://127.0.0.1:${port}`;
  const response = await Promise.race([failed, ended, answers(url)]);
  return { url, version: response.headers.get("server") };
}

function configuration(port) {
  const seen = SHOWN.map((name) => `${name}=$http_${name.replaceAll("-", "_")}`).join("\\n");
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `  ${name}_temp_path temp;`).join("\n");
  return `
daemon off;
master_process off;
worker_processes 1;
pid nginx.pid;
error_log stderr error;
events { worker_connections 4096; }
http {
  access_log off;
${temporary}
  keepalive_timeout 600s;
  keepalive_requests 1000000000;
  default_type application/json;
  server {
    listen 127.0.0.1:${port};
    add_header cache-control "private, no-cache";
    add_header etag '"5d8c72a5edda8"';
    add_header vary "Accept-Encoding";
    add_header x-request-id $request_id;
    add_header strict-transport-security "max-age=31536000";
    location / {
      return 200 '${BODY}';
    }
    location = /v1/seen {
      return 200 '${seen}';
    }
  }
}
`;
}

async function answers(url) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await fetch(url);
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      await sleep(50);
    }
  }
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}
