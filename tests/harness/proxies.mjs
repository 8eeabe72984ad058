// nginx and Caddy from Debian, in front of an origin, as the documentation configures them.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { temporaryFolder } from "./folder.mjs";

const PATIENCE_MS = 10_000;

/** Starts nginx with a `server` block of the documentation; `t` ends it. Returns its port. */
export async function startNginx(t, block, parts) {
  const folder = await temporaryFolder(t);
  const port = await freePort();
  await mkdir(join(folder, "temp"));
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/temp/${name};`);
  const http = ["access_log off;", ...temporary, "client_max_body_size 64m;", placed(block, port, parts)];
  const file = join(folder, "nginx.conf");
  // Started by root it would become another user, who may not enter the folder.
  const user = process.getuid() === 0 ? "user root;\n" : "";
  await writeFile(file, `${user}daemon off;\nworker_processes 1;\npid ${folder}/nginx.pid;\nerror_log stderr error;\nevents {}\nhttp {\n${http.join("\n")}\n}\n`);
  await start(t, "nginx", ["-p", `${folder}/`, "-e", "stderr", "-c", file], port);
  return port;
}

/** Starts Caddy with a Caddyfile of the documentation; `t` ends it. Returns its port. */
export async function startCaddy(t, block, parts) {
  const folder = await temporaryFolder(t);
  const port = await freePort();
  const file = join(folder, "Caddyfile");
  await writeFile(file, `{\n\tadmin off\n\tauto_https off\n}\n${placed(block, port, parts)}`);
  const env = { KEYWARD_VERIFY_KEY: parts.verifyKey, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  await start(t, "caddy", ["run", "--config", file, "--adapter", "caddyfile"], port, env);
  return port;
}

/** A configuration of the documentation, at this place. */
function placed(block, port, { gateway, origin, verifyKey }) {
  return block
    .replaceAll("127.0.0.1:8787", gateway)
    .replaceAll("127.0.0.1:9000", origin)
    .replaceAll("the key that you have drawn", verifyKey)
    .replaceAll("listen 8080", `listen 127.0.0.1:${port}`)
    .replaceAll(/^(http:\/\/.*):8080 \{$/gm, `$1:${port} {\n\tbind 127.0.0.1`);
}

async function start(t, command, args, port, env = {}) {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (text) => (said += text));
  const failed = once(child, "error").then(() => {
    throw new Error(`${command} cannot be started: install its Debian package`);
  });
  failed.catch(() => {});
  t.after(async () => {
    if (child.exitCode !== null || child.pid === undefined) return;
    child.kill("SIGTERM");
    await Promise.race([once(child, "exit"), sleep(2000, undefined, { ref: false }).then(() => child.kill("SIGKILL"))]);
  });
  for (const limit = Date.now() + PATIENCE_MS; ; ) {
    if (child.exitCode !== null) throw new Error(`${command} has ended:\n${said}`);
    if (await Promise.race([answers(port), failed])) return;
    if (Date.now() > limit) throw new Error(`${command} does not answer:\n${said}`);
    await sleep(50);
  }
}

function answers(port) {
  const socket = connect(port, "127.0.0.1");
  return new Promise((resolve) => {
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
  }).finally(() => socket.destroy());
}

async function freePort() {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}
