/** Sidecars and init containers: what does not fit the service, its other containers or the stack. */
import { containersOf, portOf, titleOf, type PodContainer } from "../containers.ts";
import { allowed, keyOf, problem, type ConfigProblem } from "../problems.ts";
import type { ServiceSettings, Settings } from "../schema.ts";
import { startSeconds } from "../schema/workload.ts";
import { sidecarHealth } from "../health.ts";
import { namedSecrets } from "../variables.ts";
import { checkAddresses, checkExpanded, checkNamedSecrets } from "./workloads.ts";

export const checkContainers = (settings: Settings): ConfigProblem[] =>
  Object.entries(settings.services).flatMap(([name, service]) => ofService(name, service, settings));

function ofService(name: string, service: ServiceSettings, settings: Settings): ConfigProblem[] {
  const all = containersOf(service);
  const secrets = Object.keys(namedSecrets(name, settings).all);
  return all.flatMap((container, index) => {
    const at = ["services", name, ...container.path];
    const { env } = container.settings;
    return [
      ...checkName(at, name, container, all.slice(0, index)),
      ...checkProgram(at, container),
      ...checkShares(at, container, service),
      ...checkPort(at, container, service, all.slice(0, index)),
      ...checkHealth(at, container, limitOf(name, service, settings)),
      ...checkAddresses(name, [...at, "env"], env, settings.services),
      ...checkExpanded(
        [...at, "env"],
        { env, port: portOf(container) },
        { variables: [], all: secrets },
        titleOf(container),
      ),
      ...checkNamedSecrets(name, at, { env, files: {} }, settings),
    ];
  });
}

type At = readonly PropertyKey[];

/** The containers of a pod have names of their own, of which the service's is one. */
function checkName(
  at: At,
  service: string,
  { kind, name }: PodContainer,
  earlier: readonly PodContainer[],
): ConfigProblem[] {
  const path = kind === "init" ? [...at, "name"] : at;
  if (name === service)
    return [
      problem(
        path,
        name,
        "is the name of the service's own container",
        "choose another, or remove it with null if it is taken over by like",
      ),
    ];
  const same = earlier.find((each) => each.name === name);
  return same === undefined
    ? []
    : [problem(path, name, `is also the name of ${keyOf(["services", service, ...same.path])}`, "choose another")];
}

/** The service's image would start the service's program, which listens on the same port, and never ends. */
function checkProgram(at: At, container: PodContainer): ConfigProblem[] {
  const { image, command, args, env } = container.settings;
  // An image may also choose by a variable what it runs.
  if ([image, command, args].some((each) => each !== undefined) || Object.keys(env).length > 0) return [];
  return [
    problem(
      at,
      container.name,
      "would run the service's own program again: it has neither image, command nor args",
      container.kind === "init"
        ? "set args to what must run before the program, or set another image"
        : "set args to what must run beside the program, or set another image",
    ),
  ];
}

function checkShares(at: At, { settings }: PodContainer, { scratch, files }: ServiceSettings): ConfigProblem[] {
  const known = [...Object.keys(scratch), ...Object.keys(files)].filter((each) => each !== "/tmp");
  return settings.shares.flatMap((path, index) => {
    if (known.includes(path)) return [];
    const place = [...at, "shares", index];
    if (path === "/tmp")
      return problem(place, path, "is each container's own", "name another folder, from scratch of the service");
    const around = Object.keys(scratch).find((folder) => path.startsWith(`${folder}/`));
    if (around !== undefined && around !== "/tmp")
      return problem(place, path, `is in the folder ${around}, which is shared as a whole`, `write ${around}`);
    return known.length === 0
      ? problem(place, path, "is not among scratch and files, which the service does not have", "add it there first")
      : problem(place, path, "is neither a folder of scratch nor one of files", allowed(path, known));
  });
}

/** All containers of a pod have one network. */
function checkPort(
  at: At,
  container: PodContainer,
  service: ServiceSettings,
  earlier: readonly PodContainer[],
): ConfigProblem[] {
  const port = portOf(container);
  if (port === "none") return [];
  const path = [...at, "port"];
  if (port === service.port)
    return [
      problem(
        path,
        port,
        "is the service's port, and the containers of a pod have one network",
        "choose another, or remove it if the sidecar answers the requests instead of the program",
      ),
    ];
  const same = earlier.find((each) => portOf(each) === port);
  return same === undefined
    ? []
    : [problem(path, port, `is also the port of ${titleOf(same)}, and they have one network`, "choose another")];
}

/** How long a start may take at most, by the key that says so. */
interface Limit {
  readonly key: At;
  readonly seconds: number | undefined;
  readonly fails: string;
}

/** Of a service with a schedule each run has a limit, and nothing waits for its pods. */
const limitOf = (name: string, { schedule, deadlineSeconds }: ServiceSettings, { rolloutSeconds }: Settings): Limit =>
  schedule === undefined
    ? { key: ["rolloutSeconds"], seconds: rolloutSeconds, fails: "each rollout would fail" }
    : { key: ["services", name, "deadlineSeconds"], seconds: deadlineSeconds, fails: "each run could end" };

function checkHealth(at: At, container: PodContainer, { key, seconds, fails }: Limit): ConfigProblem[] {
  if (container.kind === "init") return [];
  const { health } = container.settings;
  const path = [...at, "health"];
  if (health === undefined || health === "none") return [];
  if (typeof health === "object") {
    const kinds = [health.path, health.grpc, health.tcp, health.exec];
    if (kinds.every((kind) => kind === undefined))
      return [problem(path, health, "does not say how to ask", "add one of path, grpc, tcp and exec")];
    if (seconds !== undefined && health.startSeconds > Math.max(seconds, startSeconds.standard))
      return [
        problem(
          [...path, "startSeconds"],
          health.startSeconds,
          `is more than ${String(key.at(-1))}, which is ${seconds}: ${fails} before the program starts`,
          `raise ${keyOf(key)}, or remove it`,
        ),
      ];
  }
  return sidecarHealth(container.settings) === undefined
    ? [
        problem(
          path,
          health,
          "needs a port, and the sidecar has none",
          "set port of the sidecar, or name one in health",
        ),
      ]
    : [];
}
