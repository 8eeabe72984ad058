// The control plane: the management API and the registries, a module of their own.
import { lazy } from "./lazy.mjs";

const { promised, Held } = lazy("the control plane", () => import("../build/control.js"));

export function manage({ request, env }) {
  const id = request.headers.get("cf-ray") ?? crypto.randomUUID();
  return promised(({ Management }) => Management.handle(request, env, id));
}

export { Held as Registry };
