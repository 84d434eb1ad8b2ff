/** `like: NAME`: a service takes over the keys of another that it does not set itself. */
import { allowed, problem, type ConfigProblem } from "./problems.ts";

type Map = Readonly<Record<string, unknown>>;

/** What each service says for itself: how it is reached, checked, scaled and replaced. */
const own = [
  "like",
  "port",
  "servicePort",
  "ports",
  "health",
  "healthPath",
  "routes",
  "routeDefaults",
  "metrics",
  "replicas",
  "rollout",
];
/** Whether a service takes the key over from the one that it is like. */
export const isTakenOver = (key: string): boolean => !own.includes(key);

/** Either of the two replaces the other. */
const alternatives: Readonly<Record<string, string>> = { image: "build", build: "image" };
/** Maps by names of the user's, which merge. In `build`, the folder replaces the folder. */
export const merged: readonly string[] = [
  "env",
  "files",
  "scratch",
  "resources",
  "sidecars",
  "labels",
  "annotations",
  "nodes",
];

const isMap = (value: unknown): value is Map => typeof value === "object" && value !== null && !Array.isArray(value);
const servicesOf = (input: Map): Map => (isMap(input["services"]) ? input["services"] : {});
const originOf = (service: unknown): unknown => (isMap(service) ? service["like"] : undefined);

/** The input with all keys that services take over, before the schema sees it. */
export function withOrigins(input: Map): Record<string, unknown> {
  const services = servicesOf(input);
  const names = Object.keys(services).filter((name) => originOf(services[name]) !== undefined);
  if (names.length === 0) return { ...input };
  const completed = names.map((name) => {
    const [copy, origin] = [services[name], services[String(originOf(services[name]))]];
    const canBe = isMap(copy) && isMap(origin) && originOf(origin) === undefined;
    return [name, canBe ? merge(withoutCall(origin, name), copy) : copy] as const;
  });
  return { ...input, services: { ...services, ...Object.fromEntries(completed) } };
}

/** A service that is like its caller does not call itself. */
function withoutCall(origin: Map, name: string): Map {
  const { calls } = origin;
  return Array.isArray(calls) && calls.includes(name)
    ? { ...origin, calls: calls.filter((each) => each !== name) }
    : origin;
}

function merge(origin: Map, copy: Map): Map {
  const inherited = Object.entries(origin).filter(([key]) => {
    const other = alternatives[key];
    return isTakenOver(key) && !(other !== undefined && Object.hasOwn(copy, other));
  });
  const all = { ...Object.fromEntries(inherited), ...copy };
  return present(
    Object.fromEntries(
      Object.entries(all).map(([key, value]) => {
        const base = origin[key];
        return [key, merged.includes(key) && isMap(base) && isMap(value) ? present({ ...base, ...value }) : value];
      }),
    ),
  );
}

/** Without what `null` removes. */
const present = (map: Map): Map => Object.fromEntries(Object.entries(map).filter(([, value]) => value !== null));

export function likeProblems(input: Map): ConfigProblem[] {
  const services = servicesOf(input);
  return Object.entries(services).flatMap(([name, service]) => {
    const origin = originOf(service);
    if (typeof origin !== "string") return [];
    const key = ["services", name, "like"];
    const others = Object.keys(services).filter((other) => other !== name && originOf(services[other]) === undefined);
    if (origin === name) return [problem(key, origin, "is the service itself", `name another: ${others.join(", ")}`)];
    if (!Object.hasOwn(services, origin))
      return [problem(key, origin, "is not another service", allowed(origin, others))];
    const next = originOf(services[origin]);
    return typeof next !== "string"
      ? []
      : [
          problem(
            key,
            origin,
            `takes its own keys from ${next}, and a service takes them from one other`,
            `write ${next}`,
          ),
        ];
  });
}

/**
 * Leaves out problems that a service took over: they are reported where they were written.
 * @param input as it was written, without what services take over
 */
export function atTheirOrigin(input: Map, problems: readonly ConfigProblem[]): ConfigProblem[] {
  const origins = Object.entries(servicesOf(input)).flatMap(([name, service]) => {
    const origin = originOf(service);
    return typeof origin === "string" && origin !== name
      ? [[`.services.${name}.`, `.services.${origin}.`] as const]
      : [];
  });
  if (origins.length === 0) return [...problems];
  // What to do instead may differ: the two may have other names to choose from.
  const found = (key: string, message: string) => `${key} ${message.split("; ")[0] ?? ""}`;
  const known = new Set(problems.map(({ key, message }) => found(key, message)));
  return problems.filter(({ key, message }) =>
    origins.every(([copy, origin]) => {
      const at = key.replace(":", ":.");
      return !at.includes(copy) || !known.has(found(at.replace(copy, origin).replace(":.", ":"), message));
    }),
  );
}
