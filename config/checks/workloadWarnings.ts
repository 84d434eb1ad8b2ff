/** What runs in a service's pods: what is no mistake for certain, and seldom meant. */
import { mostPods, type Replicas } from "../../names/replicas.ts";
import { containersOf, portOf, titleOf, type PodContainer } from "../containers.ts";
import { sharedMemoryWarnings, waitWarnings } from "./containerWarnings.ts";
import { healthWarnings, oneWord, probeWarnings } from "./health.ts";
import { autopilotLabelWarnings } from "./placement.ts";
import { didYouMean, keyOf, nearest } from "../problems.ts";
import type { ServiceSettings, Settings } from "../schema.ts";
import { callsOf, namedSecrets, namesIn, portForCallers, secretsOf, textOf } from "../variables.ts";

export function workloadWarnings(settings: Settings): string[] {
  const ofServices = Object.entries(settings.services).flatMap(([name, service]) => [
    ...formerKeys(name, service),
    ...rolloutWarnings(name, service),
    ...healthWarnings(name, service, settings),
    ...replicaWarnings(["services", name, "replicas"], service.replicas),
    ...wordWarnings(["services", name], service, Object.keys(secretsOf(name, settings).env), "the service"),
    ...(service.release === undefined
      ? []
      : wordWarnings(
          ["services", name, "release"],
          { ...service.release, env: service.env, port: service.port },
          Object.keys(secretsOf(name, settings).env),
          "the service",
        )),
    ...portWarnings(["services", name], service, "service"),
    ...literalWarnings(["services", name], service, Object.keys(namedSecrets(name, settings).all)),
    ...addressWarnings(name, ["services", name], service.env, settings),
    ...autopilotLabelWarnings(name, service, settings),
    ...containersOf(service).flatMap((container) => containerWarnings(name, container, settings)),
  ]);
  return [...replicaWarnings(["proxy", "replicas"], settings.proxy.replicas), ...ofServices];
}

/** The same for a sidecar or an init container. */
function containerWarnings(name: string, container: PodContainer, settings: Settings): string[] {
  const at = ["services", name, ...container.path];
  const own = container.settings;
  return [
    ...(container.kind === "sidecar" ? probeWarnings(at, container.settings) : []),
    ...wordWarnings(at, { ...own, port: portOf(container) }, [], titleOf(container)),
    ...portWarnings(at, { env: own.env, port: portOf(container) }, "sidecar"),
    ...literalWarnings(at, own, []),
    ...addressWarnings(name, at, own.env, settings),
    ...waitWarnings(name, at, own, settings),
    ...sharedMemoryWarnings(at, container, settings.services[name]?.scratch ?? {}),
  ];
}

type At = readonly PropertyKey[];

const formerKeys = (name: string, { healthPath }: ServiceSettings): string[] =>
  healthPath === undefined
    ? []
    : [`${keyOf(["services", name, "healthPath"])}: is now called health; write health: ${healthPath}`];

function rolloutWarnings(name: string, { rollout, routes, replicas }: ServiceSettings): string[] {
  if (rollout !== "recreate") return [];
  const at = keyOf(["services", name, "rollout"]);
  return [
    ...(routes.length > 0
      ? [
          `${at}: recreate stops all pods before new ones start, and its routes answer 502 meanwhile; use rolling if the program may run twice`,
        ]
      : []),
    ...(mostPods(replicas) > 1
      ? [
          `${at}: recreate is for a program that must not run twice, and ${mostPods(replicas)} pods of it run at once; set replicas: 1, or use rolling`,
        ]
      : []),
  ];
}

/** `$(NAME)` and `${NAME}` of a variable in plain text, which Kubernetes' own manifests expand. */
function literalWarnings(path: At, { env }: Pick<ServiceSettings, "env">, more: readonly string[]): string[] {
  const known = new Set([...Object.keys(env), ...more]);
  return Object.entries(env).flatMap(([key, value]) => {
    const written = typeof value === "string" ? value : (value.expand ?? "");
    const forms = typeof value === "string" ? /\$\((\w+)\)|\$\{(\w+)\}/g : /()\$\{(\w+)\}/g;
    const found = [...written.matchAll(forms)].find(([, one, other]) => known.has((one ?? "") || (other ?? "")));
    if (found === undefined) return [];
    const right = `$(${(found[1] ?? "") || (found[2] ?? "")})`;
    return [
      `${keyOf([...path, "env", key])}: ${found[0]} stays as it is; write { expand: "…${right}…" } for the value of the variable`,
    ];
  });
}

const replicaWarnings = (path: readonly string[], replicas: Replicas): string[] =>
  typeof replicas === "object" && replicas.min === replicas.max
    ? [
        `${keyOf(path)}: min and max are the same, so that the autoscaler has no choice; write ${replicas.min}, or raise max`,
      ]
    : [];

/** Kubernetes starts programs without a shell. @param more names of other variables @param of whose variables they are */
function wordWarnings(
  path: At,
  { command = [], args = [], env, port }: Pick<ServiceSettings, "command" | "args" | "env" | "port">,
  more: readonly string[],
  of: string,
): string[] {
  const at = (key: string) => keyOf([...path, key]);
  const [first = ""] = command;
  const hasShell = /(^|\/)(ba|da|z|a)?sh$/.test(first) || args.some((word) => /(^|\/)(ba|da|z|a)?sh$/.test(word));
  const spaced = /^[\w./-]+( [\w./=:-]+)+$/.test(first) ? [first] : [];
  const variables = hasShell ? [] : [...command, ...args].filter((word) => /\$(\{\w+\}|[A-Za-z_]\w*)/.test(word));
  const known = [...Object.keys(env), ...more, ...(port === "none" ? [] : ["PORT"])];
  const unknown = hasShell
    ? []
    : [...command, ...args].flatMap((word) =>
        namesIn(word).flatMap((each) => (known.includes(each) ? [] : [[word, each] as const])),
      );
  return [
    ...unknown.map(
      ([word, each]) =>
        `${at(command.includes(word) ? "command" : "args")}: $(${each}) stays as it is, because ${of} has no variable of that name${didYouMean(dollar(nearest(each, known)))}`,
    ),
    ...spaced.map((word) => oneWord(at("command"), word)),
    ...variables.map(
      (word) =>
        `${at(command.includes(word) ? "command" : "args")}: "${word}" stays as it is, because no shell reads it; write $(NAME) for the value of a variable`,
    ),
  ];
}

const dollar = (name: string | undefined) => (name === undefined ? undefined : `$(${name})`);

function portWarnings(path: At, { env, port }: Pick<ServiceSettings, "env" | "port">, of: string): string[] {
  const value = Object.hasOwn(env, "PORT") ? env["PORT"] : undefined;
  return typeof value === "string" && port !== "none" && /^\d+$/.test(value) && Number(value) !== port
    ? [
        `${keyOf([...path, "env", "PORT"])}: is ${value}, and the ${of}'s port is ${port}; remove it, or make them the same`,
      ]
    : [];
}

/** `cart`, `cart:7070`, `http://cart:7070/…`, also with the namespace behind the name. */
const address = /^(?:(\w[\w+.-]*):\/\/(?:[^@/]*@)?)?([a-z][-a-z0-9]*)(\.[-.a-z0-9]+)?(?::(\d{1,5}))?(\/.*)?$/;

/** Addresses of the stack's services that nothing answers, or that network policies block. */
function addressWarnings(
  name: string,
  path: At,
  env: ServiceSettings["env"],
  { services, namespace, networkPolicies }: Settings,
): string[] {
  const service = services[name];
  const calls = service === undefined ? [] : callsOf(service);
  return Object.entries(env).flatMap(([key, value]) => {
    const [, scheme, host = "", suffix = "", port] = address.exec(textOf(value)) ?? [];
    const called = Object.hasOwn(services, host) && host !== name ? services[host] : undefined;
    const isHere = suffix === "" || suffix.startsWith(`.${namespace}`);
    // A word alone may be anything, unless the variable's name says that it is a host.
    const isHost = /(^|_)(HOST|HOSTNAME|ADDR|ADDRESS|SERVER|ENDPOINT)$/i.test(key);
    const isAddress = isHost || (scheme ?? port) !== undefined;
    if (typeof value !== "string" || called === undefined || !isHere || !isAddress) return [];
    const at = keyOf([...path, "env", key]);
    const shown = value.replace(/\/\/[^@/]*@/, "//…@"); // It may hold a password.
    const expected = portForCallers(called);
    const fix = scheme === "http" ? `{ url: ${host} }` : `{ service: ${host} }`;
    if (expected === undefined)
      return [
        called.schedule === undefined
          ? `${at}: "${shown}" is the address of ${host}, which is a worker without a port; set its port, or remove the address`
          : `${at}: "${shown}" is the address of ${host}, which runs by a schedule, so that nothing can call it; remove the address`,
      ];
    if (port === undefined && scheme === undefined)
      return networkPolicies.enabled && !calls.includes(host)
        ? [`${at}: "${shown}" is the name of ${host}, which the service may not call; add ${host} to calls`]
        : [];
    const given = port === undefined ? defaultPorts[scheme ?? ""] : Number(port);
    const isOpen = given === undefined || [expected, ...Object.values(called.ports)].includes(given);
    if (!isOpen)
      return [
        `${at}: "${shown}" names port ${given} of ${host}, and callers use ${expected}; write ${fix}, or set servicePort of ${host}`,
      ];
    return networkPolicies.enabled && !calls.includes(host)
      ? [
          `${at}: "${shown}" is the address of ${host}, which the service may not call; write ${fix}, or add ${host} to calls`,
        ]
      : [];
  });
}

const defaultPorts: Readonly<Record<string, number>> = {
  http: 80,
  https: 443,
  redis: 6379,
  postgres: 5432,
  postgresql: 5432,
  mysql: 3306,
  amqp: 5672,
  mongodb: 27_017,
};

/** Addresses outside of the cluster, of services that may reach nothing there. */
export function outsideNotes({ services, domain, networkPolicies }: Settings): string[] {
  if (!networkPolicies.enabled) return [];
  const outside = (env: ServiceSettings["env"]) =>
    Object.entries(env).filter(([, value]) => {
      const [, host = ""] =
        /^[a-z][a-z0-9+.-]*:\/\/(?:[^@/]*@)?([\w-]+(?:\.[\w-]+)+)(?=[:/?]|$)/i.exec(textOf(value)) ?? [];
      const isOwn = host === domain || host.endsWith(`.${domain}`);
      return host !== "" && !isOwn && !/\.(svc|local|localhost)$|\.svc\./.test(host);
    });
  return Object.entries(services).flatMap(([name, service]) => {
    if (service.egress.length > 0) return [];
    const places: readonly (readonly [At, ServiceSettings["env"]])[] = [
      [["services", name, "env"], service.env],
      ...containersOf(service).map(({ path, settings }) => [["services", name, ...path, "env"], settings.env] as const),
    ];
    return places.flatMap(([path, env]) => {
      const found = outside(env);
      return found.length === 0
        ? []
        : `${keyOf(path)}: ${found.map(([key]) => key).join(", ")} ${found.length === 1 ? "names an address" : "name addresses"} outside of the cluster, which the service cannot reach without egress`;
    });
  });
}
