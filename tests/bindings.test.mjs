// What the gateway relies on in the bindings that the build writes: a new wasm-bindgen or `worker` that
// writes others is noticed here, or by the build itself, and not by the first panic in production.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "./harness/build.mjs";

const GUARD = "__wbg_call_guard();";
/** What src/lazy.mjs and src/control.mjs take of each module. */
const MODULES = {
  index: [],
  control: ["touch", "Management", "AccountRegistry", "ProjectRegistry"],
  meter: ["touch", "Meter"],
};

const read = (file) => readFile(join(ROOT, file), "utf8");
const source = async () => {
  const files = (await readdir(join(ROOT, "src"))).filter((file) => file.endsWith(".mjs"));
  return (await Promise.all(files.map((file) => read(`src/${file}`)))).join("\n");
};

/** The functions and methods of generated bindings, as { header, body } with the lines of the body. */
function functions(glue) {
  const found = [];
  let open;
  for (const line of glue.split("\n")) {
    const [, indent, header] = line.match(/^( {0,4})((?:export )?(?:async )?(?:function |static )?\w+ ?\([^{]*\)) \{$/) ?? [];
    if (open === undefined && header) found.push((open = { indent, header, body: [] }));
    else if (open && line === `${open.indent}}`) open = undefined;
    else open?.body.push(line.trim());
  }
  return found.filter(({ header }) => !/^(if|for|while|switch|catch) ?\(/.test(header));
}

for (const [name, exported] of Object.entries(MODULES)) {
  test(`every way into the module "${name}" begins with the guard, once`, async () => {
    const glue = await read(`build/${name}.js`);
    // What Rust throws comes out through this function, and so does the end of an instance.
    const ways = functions(glue).filter(({ body }) => body.includes("__wbg_handle_catch(e);"));
    assert.ok(ways.length > 5, `${ways.length} ways`);
    for (const { header, body } of ways) {
      assert.equal(body[0], GUARD, header);
      assert.equal(body.filter((line) => line === GUARD).length, 1, header);
    }
    const closures = glue.split("\n").filter((line) => line.trim() === "const real = (...args) => {");
    assert.equal(closures.length, glue.split(`=> {\n${GUARD}\n`).length - 1);
    assert.ok(closures.length > 0);
  });

  test(`the module "${name}" is made anew after a loss, and tells of it`, async () => {
    const glue = await read(`build/${name}.js`);
    const body = (start) => functions(glue).find(({ header }) => header.includes(start))?.body ?? [];
    assert.equal(body("__wbg_reset_state")[0], "__wbg_instance_id++;");
    assert.ok(body("__wbg_reset_state").includes("wasmInstance = new WebAssembly.Instance(wasmModule, __wbg_get_imports());"));
    assert.deepEqual(body("__wbg_handle_catch").slice(-3), ["__wbg_call_abort_hook();", "onLoss();", "throw e;"]);
    const guard = body("function __wbg_call_guard").join("\n");
    assert.match(guard, /if \(flag\) \{[^]*if \(__wbg_reinit_scheduled\) \{\n__wbg_reset_state\(\);\nreturn;/);
    assert.match(glue, /^export function __keyward_on_loss\(/m);
    assert.match(glue, /^export function __worker_init_state\(\)/m);
    // The runtime's own module, not an instance of it; and no object that stands before each request.
    assert.match(glue, new RegExp(`^import wasmModule from "./${name}_bg.wasm";`, "m"));
    assert.doesNotMatch(glue, /\bimport source\b|new Proxy\(/);
    for (const one of exported) assert.match(glue, new RegExp(`^export (class|function|async function) ${one}\\b|^export \\{[^}]*\\b${one}\\b`, "m"), one);
  });

  test(`the module "${name}" counts its instances by itself`, async () => {
    const glue = await read(`build/${name}.js`);
    const [, file] = glue.match(new RegExp(`from '(\\./${name}_snippets/worker-[^']+)'`));
    assert.match(await read(join("build", file)), /state = globalThis\.__worker_init_state = \{ criticalError: false, instanceId: 0 \}/);
  });

  test(`texts are copied into the module "${name}" by the runtime`, async () => {
    const [pass] = functions(await read(`build/${name}.js`)).filter(({ header }) => header.startsWith("function passStringToWasm0("));
    assert.ok(pass.body.some((line) => line.includes("encodeInto(arg, getUint8ArrayMemory0()")));
    assert.ok(!pass.body.some((line) => line.includes("charCodeAt")));
  });
}

test("each call of the entry is one that the hot module has, with as many arguments", async () => {
  const glue = functions(await read("build/index.js"));
  const parameters = (text) => text.split(/,(?![^([{]*[)\]}])/).filter((one) => one.trim()).length;
  const calls = [...(await source()).matchAll(/\bHot\.(\w+)\(/g)];
  const named = new Set(calls.map(([, name]) => name));
  assert.ok(named.size >= 9, [...named].join());
  for (const name of named) assert.ok(glue.some(({ header }) => header.startsWith(`static ${name}(`)), name);
  for (const [, name, given] of (await source()).matchAll(/\bHot\.(\w+)\(((?:[^()]|\([^()]*\))*)\)/g)) {
    if (given.includes("...")) continue;
    const { header } = glue.find((one) => one.header.startsWith(`static ${name}(`));
    assert.equal(parameters(given), parameters(header.slice(header.indexOf("(") + 1, -1)), `${name}(${given})`);
  }
});
