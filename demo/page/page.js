// Calls the API through the gateway, as any page would: with `fetch` and the public key.

const settings = await (await fetch("/settings.json")).json();
const keyField = document.querySelector("#key");

const CALLS = {
  hello: () => call("/demo/hello"),
  messages: () =>
    call("/demo/messages", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ text: "Good news from a page", at: new Date().toISOString() }),
    }),
  events: () => call("/demo/events", { headers: { accept: "text/event-stream" } }),
};

function call(path, { headers = {}, ...rest } = {}) {
  const key = keyField.value.trim();
  return fetch(settings.gateway + path, { ...rest, headers: { ...headers, ...(key && { authorization: `Bearer ${key}` }) } });
}

for (const section of document.querySelectorAll("[data-call]")) {
  const button = section.querySelector("button");
  const output = section.querySelector("output");
  button.addEventListener("click", async () => {
    button.disabled = true;
    output.replaceChildren();
    output.classList.remove("refused");
    try {
      await show(await CALLS[section.dataset.call](), output);
    } catch (error) {
      const begun = output.hasChildNodes();
      refused(output, begun ? "Broken off" : "No answer", begun ? "The answer ended too early." : `The gateway cannot be reached: ${error.message}.`);
    }
    button.disabled = false;
  });
}

async function show(response, output) {
  const type = response.headers.get("content-type") ?? "";
  if (!response.ok) {
    const problem = type.includes("json") ? await response.json() : {};
    return refused(output, `${response.status} ${problem.code ?? ""}`, problem.detail ?? problem.error, problem.fix);
  }
  output.append(element("span", "status", `${response.status} ${response.statusText}`));
  if (type.startsWith("text/event-stream")) return showEvents(response.body, output);
  const { message, body, received } = await response.json();
  output.append(element("p", "detail", message));
  if (body) output.append(element("pre", "", JSON.stringify(body, null, 2)));
  output.append(element("h3", "", "What the API received"));
  output.appendChild(element("div", "received")).append(...headers(received));
}

async function showEvents(body, output) {
  const events = output.appendChild(element("ul", "events"));
  let text = "";
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const blocks = (text + part.value).split("\n\n");
    text = blocks.pop();
    for (const block of blocks) {
      const { number, of, at } = JSON.parse(block.match(/^data: (.*)$/m)[1]);
      events.append(element("li", "", `Event ${number} of ${of}, ${new Date(at).toLocaleTimeString()}`));
    }
  }
}

// The credential and the identity first: they are what the gateway has put there.
function headers({ method, path, headers }) {
  const lines = Object.entries(headers);
  const added = ([name]) => name === "authorization" || name.startsWith("keyward-");
  const others = lines.filter((line) => !added(line));
  const details = element("details");
  details.append(element("summary", "", `${others.length} other headers`), table(others));
  return [table([["request", `${method} ${path}`]]), table(lines.filter(added), "added"), details];
}

function table(lines, className = "") {
  const list = element("dl", className);
  for (const [name, value] of lines) list.append(element("dt", "", name), element("dd", "", value));
  return list;
}

function refused(output, status, detail, fix) {
  output.classList.add("refused");
  output.append(element("span", "status", status));
  if (detail) output.append(element("p", "detail", detail));
  if (fix) output.append(element("p", "fix", fix));
}

function element(name, className = "", text = "") {
  return Object.assign(document.createElement(name), { className, textContent: text });
}

const KEYS = {
  public: settings.key,
  forged: settings.key.slice(0, -1) + (settings.key.endsWith("A") ? "B" : "A"),
  none: "",
};

function choose(name) {
  keyField.value = KEYS[name];
  mark();
}

function mark() {
  for (const button of document.querySelectorAll("[data-key]")) {
    button.setAttribute("aria-pressed", String(KEYS[button.dataset.key] === keyField.value));
  }
}

for (const button of document.querySelectorAll("[data-key]")) button.addEventListener("click", () => choose(button.dataset.key));
keyField.addEventListener("input", mark);
choose("public");

// The key is held to localhost: the same page under 127.0.0.1 is another origin.
const atHome = location.hostname === "localhost";
const other = new URL(location.href);
other.hostname = atHome ? "127.0.0.1" : "localhost";
for (const link of document.querySelectorAll(".elsewhere")) link.href = other.href;
document.querySelector("#home").hidden = !atHome;
document.querySelector("#away").hidden = atHome;
document.querySelector("#here").textContent = location.host;
document.querySelector("#gateway").textContent = new URL(settings.gateway).host;
document.documentElement.dataset.ready = "true";
