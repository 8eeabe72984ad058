// The control plane: the management API and the registries, a module of their own.
import config from "../build/gateway.mjs";
import { lazy } from "./lazy.mjs";

// The hosts of the routes, with a blank between them.
const hosts = () => (JSON.parse(config).route ?? []).map(({ host }) => host ?? "").join(" ");

const { promised, Held } = lazy("the control plane", () => import("../build/control.js"), hosts);

export function manage({ request, env }) {
  const id = request.headers.get("cf-ray") ?? crypto.randomUUID();
  return promised(({ Management }) => Management.handle(request, env, id));
}

export { Held as Registry };
