// The meters: a module of their own, which an isolate that holds none never loads.
import { lazy } from "./lazy.mjs";

const { Held } = lazy("the meter", () => import("../build/meter.js"));

export { Held as Counter };
