// Keys whose life is watched while a test moves the time: a gateway with one route, its management
// API, and what is asked about a key again and again.
import { ManagementClient } from "./registry.mjs";
import { startStage } from "./stage.mjs";

const GATEWAY = `
[[route]]
path = "/**"
origin = "\${ORIGIN}"
`;

/** Starts it with a clock that stands still; `t` ends it. */
export async function startLife(t) {
  const stage = await startStage(t, { gateway: GATEWAY, clock: true });
  const { clock } = stage.gateway;
  await clock.stop();
  const api = new ManagementClient(stage.gateway);
  let serial = 0;
  return {
    stage,
    clock,
    api,
    /** A key in a project of its own: { key, secret, project, path }. */
    async made(fields) {
      const project = `p${(serial += 1)}`;
      await api.project(project);
      const { key, secret } = await api.key(project, fields);
      return { key, secret, project, path: `/projects/${project}/keys/${key.id}` };
    },
    shown: async (path) => (await api.get(path)).body,
    /** Sets the clock to a moment. */
    until: (moment) => clock.advanceTo(Date.parse(moment)),
    passes: (secret) => stage.passes("/x", { key: secret }),
    refuses: (code, secret) => stage.refuses(code, "/x", { key: secret }),
  };
}

/** A moment as interfaces write it. */
export const at = (millis) => new Date(millis).toISOString();
