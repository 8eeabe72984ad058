// The documentation as data: its pages, and what stands in them.
import { readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const AT_THE_TOP = ["README.md", "SECURITY.md", "CHANGELOG.md"];

/** Every page as { name, text, blocks }; a name is the path from the root. */
export async function pages() {
  const docs = (await readdir(join(ROOT, "docs"), { recursive: true })).filter((name) => name.endsWith(".md"));
  const names = [...AT_THE_TOP, ...docs.map((name) => `docs/${name}`)].sort();
  return Promise.all(names.map(page));
}

async function page(name) {
  const text = await readFile(join(ROOT, name), "utf8");
  return { name, text, blocks: blocks(text) };
}

/** The fenced blocks as { info, line, code }; `info` is what stands behind the fence. */
export function blocks(text) {
  const found = [];
  let open;
  text.split("\n").forEach((line, index) => {
    if (!line.startsWith("```")) open?.code.push(line);
    else if (open) {
      found.push({ ...open, code: `${open.code.join("\n")}\n` });
      open = undefined;
    } else open = { info: line.slice(3), line: index + 1, code: [] };
  });
  if (open) throw new Error(`a fence of line ${open.line} is not closed`);
  return found;
}

/** The text without its fenced blocks. */
export const prose = ({ text }) => text.replace(/^```[^]*?^```$/gm, "");

/** The targets of relative links, as { path, anchor } from the root. */
export function links(page) {
  const targets = [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target);
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path, anchor] = target.split("#");
      return { target, path: path ? relative(ROOT, join(ROOT, dirname(page.name), path)) : page.name, anchor };
    });
}

/** The anchors that GitHub gives to the headings of a page. */
export function anchors(page) {
  const headings = [...prose(page).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\-_ ]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** Every refusal of the core as { status, code, side, title, detail, fix }. */
export function refusals() {
  const source = readFileSync(join(ROOT, "crates/core/src/refusal.rs"), "utf8");
  const [, list] = source.match(/^refusals! \{(.*?)^\}/ms);
  const text = `"((?:[^"\\\\]|\\\\.)*)"`;
  const row = new RegExp(`(\\w+)\\s+(\\d{3})\\s+${text}\\s+(\\w+)\\s+${text}\\s+${text}\\s+${text}\\s*;`, "g");
  return [...list.matchAll(row)].map(([, , status, code, side, title, detail, fix]) => ({
    status: Number(status),
    code,
    side,
    title,
    detail,
    fix,
  }));
}
