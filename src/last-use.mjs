// Tells the registries which keys were used. Nobody waits for it, and what fails is dropped: a later
// use is told of instead.
import { Hot } from "../build/index.js";

const COLLECT_MS = 2000;
const DONE = '"Done"';

// Waits for what a burst of calls brings together, then tells each project's registry at once.
export async function collect(env) {
  await new Promise((resolve) => setTimeout(resolve, COLLECT_MS));
  for (const line of Hot.used().split("\n").filter(Boolean)) {
    const [project, ...keys] = line.split(" ");
    if ((await tell(env, project, keys)) || (await tell(env, project, keys))) Hot.told(keys.join(" "), Date.now());
  }
}

// Whether the registry has taken it.
async function tell(env, project, keys) {
  const call = { by: "Keyward", ip: null, request_id: "", idempotency: null, command: { Seen: { keys } } };
  try {
    const registry = env.PROJECTS.getByName(project);
    const answer = await registry.fetch("https://registry/", { method: "POST", body: JSON.stringify(call) });
    return (await answer.text()) === DONE;
  } catch {
    return false;
  }
}
