// Answers by itself, always the same: { status, headers, body } as the variable ANSWER has them.
import { env } from "cloudflare:workers";

const { status, headers, body } = JSON.parse(env.ANSWER);

export default {
  fetch: () => new Response(body, { status, headers }),
};
