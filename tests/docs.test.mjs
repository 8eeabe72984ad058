// The documentation tells the truth: every code has its page, every link leads somewhere, every
// command works, every example is valid.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { promisify } from "node:util";
import { options } from "../bench/options.mjs";
import { isShown, runBlocks, withCommand } from "./docs/commands.mjs";
import { anchors, links, pages, prose, refusals, ROOT } from "./docs/markdown.mjs";
import { temporaryFolder } from "./harness/folder.mjs";

const run = promisify(execFile);
const all = await pages();
const source = (path) => readFileSync(join(ROOT, path), "utf8");
const where = ({ name }, { line }) => `${name}:${line}`;
const blocksOf = (wanted) => all.flatMap((page) => page.blocks.filter(wanted).map((block) => ({ page, block })));

const ACTORS = {
  Client: "the caller",
  Owner: "the owner of the key or of the route",
  Origin: "whoever runs the origin",
  Platform: "whoever runs the gateway",
};

describe("error pages", () => {
  const listed = refusals();
  const pageOf = (code) => all.find(({ name }) => name === `docs/errors/${code}.md`);

  it("there is one for every code, and none for a code that does not exist", () => {
    const codes = all.map(({ name }) => name.match(/^docs\/errors\/([a-z_]+)\.md$/)?.[1]).filter(Boolean);
    assert.ok(listed.length > 30);
    assert.deepEqual(codes.sort(), listed.map(({ code }) => code).sort());
  });

  for (const { status, code, side, title, detail, fix } of listed) {
    it(`${code} says its status, who has to act, and what the answer looks like`, () => {
      const page = pageOf(code);
      assert.ok(page.text.startsWith(`# \`${code}\`\n\n**HTTP ${status}: ${title}.** Who has to act: ${ACTORS[side]}.\n`));
      const examples = page.blocks.filter(({ info }) => info === "json answer").map((block) => JSON.parse(block.code));
      assert.equal(examples.length, 1);
      const { request_id, errors, ...rest } = examples[0];
      assert.match(request_id, /^[0-9a-f]{24}$/);
      assert.deepEqual(rest, { type: `/_keyward/errors/${code}`, title, status, code, detail, ...(fix && { fix }) });
      const row = `| [\`${code}\`](${code}.md) | ${status} | ${title} | ${ACTORS[side]} |`;
      assert.ok(pageOf("README").text.includes(row), "the index has its row");
    });
  }
});

describe("links", () => {
  it("lead to a file, and an anchor to a heading", () => {
    const broken = all.flatMap((page) =>
      links(page)
        .filter(({ path, anchor }) => {
          const target = all.find(({ name }) => name === path);
          return !existsSync(join(ROOT, path)) || (anchor && !anchors(target ?? { text: "" }).includes(anchor));
        })
        .map(({ target }) => `${page.name}: ${target}`),
    );
    assert.deepEqual(broken, []);
  });

  it("reach every page from the README", () => {
    const seen = new Set(["README.md"]);
    for (const name of seen) {
      const page = all.find((page) => page.name === name);
      for (const { path } of page ? links(page) : []) seen.add(path);
    }
    assert.deepEqual(all.map(({ name }) => name).filter((name) => !seen.has(name)), []);
  });
});

describe("references", () => {
  it("routes.md has every field of gateway.toml", () => {
    const fields = [...source("crates/core/src/route/file.rs").matchAll(/^    pub (\w+): /gm)].map(([, name]) => name);
    const text = source("docs/routes.md");
    const tables = { gateway: "## `[gateway]`", routes: "## `[[route]]`" };
    assert.ok(fields.length > 25);
    const missing = fields.filter((name) => !text.includes(tables[name] ?? `| \`${name}\` |`));
    assert.deepEqual(missing, []);
  });

  it("keys.md has every field of a key", () => {
    const [, list] = source("crates/core/src/spec.rs").match(/const FIELDS: &\[&str\] = &\[(.*?)\]/s);
    const fields = [...list.matchAll(/"(\w+)"/g)].map(([, name]) => name);
    const text = source("docs/keys.md");
    assert.ok(fields.length > 10);
    assert.deepEqual(fields.filter((name) => !text.includes(`| \`${name}\` |`)), []);
  });
});

describe("commands", () => {
  let env;
  before(async () => {
    env = await withCommand();
  });

  it("each block of commands says how it is tested", () => {
    for (const { page, block } of blocksOf(({ info }) => /^(sh|bash|shell|console)\b/.test(info))) {
      assert.match(block.info, /^sh (test=[a-z-]+|deploy|simulate|bench)$/, where(page, block));
    }
  });

  for (const page of all) {
    const runnable = page.blocks.filter(({ info }) => info.startsWith("sh test="));
    if (runnable.length === 0) continue;
    it(`of ${page.name} work and print what is shown`, async (t) => {
      const outputs = await runBlocks(t, runnable, env, gatewayOf(page));
      for (const [index, block] of runnable.entries()) {
        const next = page.blocks[page.blocks.indexOf(block) + 1];
        if (!next?.info.endsWith(" output")) continue;
        assert.ok(isShown(next.info, next.code, outputs[index]), `${where(page, next)} shows\n${next.code}\nand it was\n${outputs[index]}`);
      }
    });
  }

  it("of keyward that the text names exist", async () => {
    const named = all.flatMap((page) => [...prose(page).matchAll(/`keyward ((?:[a-z]+ ?){1,2})(?: [^a-z`][^`]*)?`/g)]);
    const commands = new Set(named.map(([, words]) => words.trim()));
    assert.ok(commands.size > 3);
    for (const command of commands) await run("keyward", [...command.split(" "), "--help"], { env });
  });

  it("of the simulation are taken", async (t) => {
    const folder = await temporaryFolder(t);
    await writeFile(join(folder, "my-prices.toml"), source("crates/sim/prices.toml"));
    const command = "cargo run --release --package keyward-sim";
    await run("cargo", ["build", "--quiet", "--locked", "--package", "keyward-sim"], { cwd: ROOT });
    const lines = blocksOf(({ info }) => info === "sh simulate").flatMap(({ block }) => block.code.trim().split("\n"));
    assert.ok(lines.length > 0);
    for (const line of lines.map((line) => line.replace(/\s+#.*/, ""))) {
      assert.ok(line === command || line.startsWith(`${command} -- `), line);
      const { stdout } = await run(join(ROOT, "target/debug/keyward-sim"), small(line.slice(command.length + 3)), { cwd: folder });
      assert.ok(stdout.length > 100, line);
      if (line.includes("--json")) JSON.parse(stdout);
    }
  });

  it("of the benchmarks are taken", () => {
    const { scripts } = JSON.parse(source("package.json"));
    const lines = blocksOf(({ info }) => info === "sh bench").flatMap(({ block }) => block.code.trim().split("\n"));
    assert.ok(lines.length > 3);
    for (const line of lines.map((line) => line.replace(/\s+#.*/, ""))) {
      const [, script, words = ""] = line.match(/^npm run (bench(?::[a-z]+)?)(?: -- (.+))?$/) ?? assert.fail(line);
      const file = scripts[script]?.match(/^node (bench\/\w+\.mjs)$/)?.[1] ?? assert.fail(line);
      const args = [...words.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word);
      if (script === "bench") options(args);
      else for (const option of args.filter((word) => word.startsWith("--"))) assert.ok(source(file).includes(`${option.slice(2)}: {`) || source(file).includes(`${option.slice(2)}: number(`), line);
    }
  });

  it("of wrangler exist", async () => {
    const lines = blocksOf(({ info }) => info === "sh deploy").flatMap(({ block }) => block.code.trim().split("\n"));
    const commands = lines.filter((line) => line !== "npm install").map((line) => line.match(/npx wrangler ([a-z-]+(?: [a-z]+)*)/)?.[1]);
    for (const command of new Set(commands)) {
      const { stdout } = await run(...wrangler([...command.split(" "), "--help"]));
      assert.ok(stdout.startsWith(`wrangler ${command}`), command);
    }
  });
});

describe("configuration examples", () => {
  it("each gateway.toml passes keyward config check", async (t) => {
    const env = await withCommand();
    const file = join(await temporaryFolder(t), "gateway.toml");
    const examples = blocksOf(({ info }) => info === "toml");
    assert.ok(examples.length > 3);
    for (const { page, block } of examples) {
      await writeFile(file, block.code);
      await run("keyward", ["config", "check", file], { env }).catch((error) => assert.fail(`${where(page, block)}\n${error.stdout}`));
    }
  });

  it("each example of limits is taken", async () => {
    const env = await withCommand();
    const examples = blocksOf(({ info }) => info === "json limits");
    assert.ok(examples.length > 0);
    for (const { page, block } of examples) {
      const question = { key: { limits: JSON.parse(block.code) }, request: { method: "GET", path: "/" } };
      const asking = run("keyward", ["explain"], { env });
      asking.child.stdin.end(`${JSON.stringify(question)}\n`);
      const { stdout } = await asking;
      assert.equal(JSON.parse(stdout).code, "ok", `${where(page, block)}\n${stdout}`);
    }
  });

  it("what an older deployment needs for its meters stands in wrangler.toml", () => {
    const [{ block }] = blocksOf(({ info }) => info === "toml wrangler-meters");
    const tables = block.code.trim().split("\n\n");
    assert.equal(tables.length, 2);
    for (const table of tables) assert.ok(source("wrangler.toml").includes(table), table);
  });

  it("what the deploy guide adds to wrangler.toml is valid", async (t) => {
    const folder = await temporaryFolder(t);
    const [kv, routes, usage] = blocksOf(({ info }) => info === "toml wrangler").map(({ block }) => block.code);
    const config = source("wrangler.toml")
      .replace(/^main = .*$/m, `main = ${JSON.stringify(join(ROOT, "src/entry.mjs"))}`)
      .replace(/^\[build\]\n(?:.+\n)*/m, "")
      .replace(/^\[\[kv_namespaces\]\]\n(?:.+\n)*/m, kv.replace("<the id>", "0".repeat(32)));
    const [store] = blocksOf(({ info }) => info === "toml wrangler-store").map(({ block }) => block.code.replace("<the id>", "0".repeat(32)));
    await writeFile(join(folder, "wrangler.toml"), `${routes}\n${config}\n${usage}\n${store}`);
    const { stdout } = await run(...wrangler(["deploy", "--dry-run", "--config", join(folder, "wrangler.toml"), "--outdir", join(folder, "out")]));
    for (const binding of ["env.KEYS", "env.ACCOUNT", "env.PROJECTS", "env.METERS", "env.USAGE", "env.OPENAI_API_KEY"]) assert.ok(stdout.includes(binding), stdout);
  });
});

/** The gateway.toml under which a page's commands are to work: the README's is the demo's. */
function gatewayOf(page) {
  if (page.name === "README.md") return source("gateway.toml");
  const own = page.blocks.find(({ info }) => info === "toml");
  return own?.code ?? '[[route]]\norigin = "https://api.example.com"\n';
}

/** The arguments of a simulation, made small: a minute of three isolates. */
function small(written) {
  const scale = { "--isolates": "3", "--hot": "0", "--minutes": "1", "--keys": "2000" };
  const words = written.split(" ").filter(Boolean);
  const others = words.filter((word, index) => !(word in scale || words[index - 1] in scale));
  return [...others, ...Object.entries(scale).flat()];
}

/** wrangler under the Node.js that it needs, which npm has installed. */
function wrangler(args) {
  const bin = (name) => join(ROOT, "node_modules", name);
  const env = { ...process.env, CI: "true", NO_COLOR: "1", WRANGLER_SEND_METRICS: "false" };
  return [bin(".bin/node"), [bin("wrangler/bin/wrangler.js"), ...args], { cwd: ROOT, env }];
}
