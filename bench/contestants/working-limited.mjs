// The working floor of a key with limits: the response says how they stand.
import { forward } from "./working-headers.mjs";

const SET = [
  ["ratelimit-policy", '"second";q=100000;w=1, "month";q=1000000000'],
  ["ratelimit", '"second";r=75000;t=1, "month";r=750000000;t=864000'],
];

export default {
  fetch: (request, env) => forward(request, env, "private", SET),
};
