// The gateway's modules with meters that take their time.
import { fileURLToPath } from "node:url";

const SLOW = { name: "src/slow-meter.mjs", path: fileURLToPath(new URL("slow-meter.mjs", import.meta.url)) };

/** The modules of the gateway, with such meters. */
export const slowed = ([entry, ...modules]) => [SLOW, { ...entry, name: "src/gateway-entry.mjs" }, ...modules];
