/** `like: NAME`: a service takes over the keys of another that it does not set itself. */
import { allowed, asYaml, keyOf, problem, step, type ConfigProblem } from "./problems.ts";

/** What a user wrote, before the schema has seen it. */
export type Map = Readonly<Record<string, unknown>>;

/** What each service says for itself: how it is reached, checked, scaled and replaced, and when it runs. */
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
  "release",
  "schedule",
  "timeZone",
  "concurrency",
  "deadlineSeconds",
  "retries",
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

export const isMap = (value: unknown): value is Map =>
  typeof value === "object" && value !== null && !Array.isArray(value);
export const servicesOf = (input: Map): Map => (isMap(input["services"]) ? input["services"] : {});
const originOf = (service: unknown): unknown => (isMap(service) ? service["like"] : undefined);

/** The input with all keys that services take over, before the schema sees it. */
export function withOrigins(input: Map): Record<string, unknown> {
  const services = servicesOf(input);
  const unresolved = new Set(unresolvedOf(services).map(({ name }) => name));
  const names = Object.keys(services).filter((name) => originOf(services[name]) !== undefined || unresolved.has(name));
  if (names.length === 0) return { ...input };
  const completed = names.map((name) => {
    const [copy, origin] = [services[name], services[String(originOf(services[name]))]];
    if (!isMap(copy)) return [name, copy] as const;
    const canBe = isMap(origin) && !unresolved.has(name);
    return [name, canBe ? merge(withoutCall(origin, name), copy) : standIn(copy)] as const;
  });
  return { ...input, services: { ...services, ...Object.fromEntries(completed) } };
}

/** For a service whose origin is unknown: what it would take over is not missing, and `null` is no mistake of its own. */
function standIn(copy: Map): Map {
  const { like: _, ...rest } = copy;
  const own = Object.entries(rest).map(([key, value]) => [
    key,
    merged.includes(key) && isMap(value) ? present(value) : value,
  ]);
  const hasImage = Object.keys(alternatives).some((key) => Object.hasOwn(copy, key));
  return present({ ...(!hasImage && { image: "stand-in:0" }), ...(Object.fromEntries(own) as Map) });
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

/** What `like` of a service is wrong, or undefined. */
interface Unresolved {
  readonly name: string;
  readonly problem: ConfigProblem | undefined;
}

function unresolvedOf(services: Map): Unresolved[] {
  return Object.keys(services).flatMap((name) => {
    const found = unresolved(name, services);
    return found === undefined ? [] : [{ name, ...found }];
  });
}

function unresolved(name: string, services: Map): Omit<Unresolved, "name"> | undefined {
  const service = services[name];
  const origin = originOf(service);
  const others = Object.keys(services).filter((other) => other !== name && originOf(services[other]) === undefined);
  const refuse = (value: unknown, rule: string, fix: string): Omit<Unresolved, "name"> => ({
    problem: problem(["services", name, "like"], value, rule, others.length === 0 ? "remove it" : fix),
  });
  if (origin === undefined)
    return isMap(service) && removesOnly(service) && others.length > 0
      ? refuse(undefined, "is missing", `name the service whose keys null removes: ${others.join(", ")}`)
      : undefined;
  if (origin === name) return refuse(origin, "is the service itself", `name another: ${others.join(", ")}`);
  if (typeof origin !== "string" || !Object.hasOwn(services, origin))
    return refuse(origin, "is not another service", allowed(asYaml(origin), others));
  if (originOf(services[origin]) === undefined) return undefined;
  const chain = chainFrom(name, services);
  const last = chain.at(-1) ?? "";
  const end = originOf(services[last]);
  // Of services that are like each other, the first one says so.
  if (end === name)
    return Object.keys(services).find((each) => chain.includes(each)) === name
      ? {
          problem: problem(
            ["services", name, "like"],
            origin,
            `is like ${[...chain.slice(2), "this service"].join(", which is like ")}`,
            "give one of them an image or a folder to build, instead of like",
          ),
        }
      : { problem: undefined };
  return refuse(
    origin,
    `takes its own keys from ${String(originOf(services[origin]))}, and a service takes them from one other`,
    end === undefined ? `write ${last}` : `name one that has no like: ${others.join(", ")}`,
  );
}

/** The service and those that it is like, one after another, each once. */
function chainFrom(name: string, services: Map): string[] {
  const chain = [name];
  for (;;) {
    const next = originOf(services[chain.at(-1) ?? ""]);
    if (typeof next !== "string" || !Object.hasOwn(services, next) || chain.includes(next)) return chain;
    chain.push(next);
  }
}

/** Whether a service has no program of its own, and removes keys. */
const removesOnly = (service: Map): boolean =>
  !Object.keys(alternatives).some((key) => Object.hasOwn(service, key)) &&
  Object.entries(service).some(
    ([key, value]) => value === null || (merged.includes(key) && isMap(value) && Object.values(value).includes(null)),
  );

export const likeProblems = (input: Map): ConfigProblem[] =>
  unresolvedOf(servicesOf(input)).flatMap(({ problem }) => problem ?? []);

/** The problems without those of services whose `like` is wrong: with the right one, they may be none. */
export function ofResolved(input: Map, problems: readonly ConfigProblem[]): ConfigProblem[] {
  const keys = unresolvedOf(servicesOf(input)).map(({ name }) => keyOf(["services", name]));
  return problems.filter(({ key }) => !keys.some((each) => isAtOrBelow(key, each)));
}

const isAtOrBelow = (key: string, other: string): boolean =>
  key.startsWith(other) && ["", ".", "["].includes(key.charAt(other.length));

/**
 * Leaves out what a service took over: it is reported where it was written.
 * @param input as it was written, without what services take over
 * @param found problems, or other texts, each with its key
 */
export function atTheirOrigin<Found>(input: Map, found: readonly Found[], keyIn: (found: Found) => string): Found[] {
  const places = takenOver(input);
  if (places.length === 0) return [...found];
  // In a list, the service itself is left out of what it calls.
  const anyItem = (key: string) => key.replaceAll(/\[\d+\]/g, "[]");
  const known = new Set(found.map((each) => anyItem(keyIn(each))));
  return found.filter((each) => {
    const key = keyIn(each);
    return !places.some(({ copy, origin, isOwn }) => {
      const rest = key.slice(copy.length);
      return isAtOrBelow(key, copy) && !isOwn(rest) && known.has(anyItem(origin + rest));
    });
  });
}

interface TakenOver {
  /** Key of what takes over, and of what it takes over from. */
  readonly copy: string;
  readonly origin: string;
  /** Whether what stands at the rest of a key, behind that of the copy, is its own. */
  readonly isOwn: (rest: string) => boolean;
}

function takenOver(input: Map): TakenOver[] {
  const services = servicesOf(input);
  const secrets = isMap(input["secrets"]) ? input["secrets"] : {};
  return Object.entries(services).flatMap(([name, service]) => {
    const origin = originOf(service);
    if (!isMap(service) || typeof origin !== "string" || origin === name) return [];
    const hasImage = Object.keys(alternatives).some((key) => Object.hasOwn(service, key));
    const secret = secrets[name];
    return [
      {
        copy: keyOf(["services", name]),
        origin: keyOf(["services", origin]),
        isOwn: (rest: string) => (rest === "" ? hasImage : ownParts(service).some((is) => is(rest))),
      },
      {
        copy: keyOf(["secrets", name]),
        origin: keyOf(["secrets", origin]),
        isOwn: (rest: string) =>
          isMap(secret) && (rest === "" || Object.keys(secret).some((key) => isAtOrBelow(rest, step(key)))),
      },
    ];
  });
}

/** What a service does not take over: what it never does, and what it sets. Of a map that merges, its own names. */
const ownParts = (service: Map): ((rest: string) => boolean)[] => [
  ...own.map((key) => (rest: string) => isAtOrBelow(rest, step(key))),
  ...Object.entries(service).flatMap(([key, value]) => {
    if (!merged.includes(key) || !isMap(value)) return (rest: string) => isAtOrBelow(rest, step(key));
    const names = Object.keys(value).map((each) => step(key) + step(each));
    return (rest: string) => rest === step(key) || names.some((each) => isAtOrBelow(rest, each));
  }),
];
