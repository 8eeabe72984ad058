// Stands in front of the gateway's entry, inside workerd, and gives it another time: clock.mjs has
// the test's side. Nothing of this is in the product. The real entry is beside it as built-entry.mjs.
//
// - `Date` tells the test's time, to all modules and to the objects alike.
// - An alarm that is set for a time of the test is set for the real one that it stands for, and set
//   anew when the time is moved. In a time that stands still, one that is not due is put off for
//   long; real times never come near that, so what was put off can be told from what was not.
import { env as settings } from "cloudflare:workers";
import * as built from "./built-entry.mjs";

/** What is added to the time of alarms that wait for a time that stands still. Within workerd's 63 bits of nanoseconds. */
const PUT_OFF_MS = 5e12;
const SETTLES_MS = 5000;
const OBJECTS = { AccountRegistry: "ACCOUNT", ProjectRegistry: "PROJECTS", Meter: "METERS" };

/** { offset } to the real time, or { stopped }, a time that stands still. */
let time = JSON.parse(settings.TEST_TIME);

const real = Date.now.bind(Date);
Date.now = () => time.stopped ?? real() + time.offset;
globalThis.Date = new Proxy(Date, {
  construct: (target, given, made) => Reflect.construct(target, given.length === 0 ? [Date.now()] : given, made),
});

function toReal(at) {
  if (time.stopped === undefined) return at - time.offset;
  return at <= time.stopped ? real() : at + PUT_OFF_MS;
}

function fromReal(at, then) {
  if (at >= PUT_OFF_MS) return at - PUT_OFF_MS;
  return then.stopped ?? at + then.offset;
}

/** The time under which the alarm of a storage was set, as far as this isolate has seen it. */
const setUnder = new WeakMap();
let setRealAlarm;
let readRealAlarm;

/** Changes what all storages of the isolate do. */
function translate(storage) {
  if (setRealAlarm) return;
  const kind = Object.getPrototypeOf(storage);
  setRealAlarm = kind.setAlarm;
  readRealAlarm = kind.getAlarm;
  kind.setAlarm = function (at, ...rest) {
    setUnder.set(this, time);
    return setRealAlarm.call(this, toReal(Number(at)), ...rest);
  };
  kind.getAlarm = async function (...rest) {
    const at = await readRealAlarm.call(this, ...rest);
    return at === null ? null : fromReal(at, setUnder.get(this) ?? time);
  };
}

const clocked = (Built) =>
  class extends Built {
    #ringing = 0;

    constructor(ctx, env) {
      translate(ctx.storage);
      super(ctx, env);
    }

    async fetch(request) {
      if (new URL(request.url).hostname !== "clock.test") return super.fetch(request);
      return Response.json(await this.#moved(await request.json()));
    }

    async alarm(...given) {
      this.#ringing += 1;
      try {
        return await super.alarm(...given);
      } finally {
        this.#ringing -= 1;
      }
    }

    /** Sets the alarm for the time as it is now; whether one is to ring at once, or does. */
    async #moved(before) {
      const { storage } = this.ctx;
      const at = await readRealAlarm.call(storage);
      const under = setUnder.get(storage) ?? before;
      if (at !== null && under !== time) await storage.setAlarm(fromReal(at, under));
      setUnder.set(storage, time);
      const next = await readRealAlarm.call(storage);
      return this.#ringing > 0 || (next !== null && next <= real());
    }
  };

export const AccountRegistry = clocked(built.AccountRegistry);
export const ProjectRegistry = clocked(built.ProjectRegistry);
export const Meter = clocked(built.Meter);

/** Moves the time, and waits until the alarms that are due have rung. */
async function move({ to, objects }, env) {
  const before = time;
  time = to;
  const until = real() + SETTLES_MS;
  let left = objects;
  do {
    const due = left.map(async ([name, id]) => {
      const namespace = env[OBJECTS[name]];
      const object = namespace.get(namespace.idFromString(id));
      const answer = await object.fetch("https://clock.test/", { method: "POST", body: JSON.stringify(before) });
      return (await answer.json()) ? [[name, id]] : [];
    });
    left = (await Promise.all(due)).flat();
    if (left.length > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  } while (left.length > 0 && real() < until);
}

export default {
  ...built.default,
  async fetch(request, env, ctx) {
    if (!request.headers.has("x-move-clock")) return built.default.fetch(request, env, ctx);
    await move(await request.json(), env);
    return new Response();
  },
};
