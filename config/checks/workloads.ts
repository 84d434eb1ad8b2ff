/** What runs in a service's pods: keys that do not fit each other, the project's files or other services. */
import { accessSync, constants, statSync } from "node:fs";
import { resolve, sep } from "node:path";
import { bytesOf } from "../../names/quantities.ts";
import { servicesOf } from "../../nginx/upstreams.ts";
import { metricsPort, proxyMetrics } from "../metrics.ts";
import { checkHealth } from "./health.ts";
import { checkNodes } from "./placement.ts";
import { allowed, didYouMean, keyOf, nearest, problem, type ConfigProblem } from "../problems.ts";
import type { ServiceSettings, Settings } from "../schema.ts";
import { addressed, namedSecrets, namesIn, secretPlaces, secretsOf, sharedSecrets } from "../variables.ts";

export function checkWorkloads(settings: Settings, projectDir: string): ConfigProblem[] {
  return Object.entries(settings.services).flatMap(([name, service]) => [
    ...(service.port === "none" ? checkWorker(name, service) : checkPorts(name, service, service.port)),
    ...checkHealth(name, service, settings),
    ...checkCalled(name, service, settings),
    ...checkExpanded(["services", name, "env"], service, secretNames(name, settings), "the service"),
    ...checkFolders(name, service),
    ...checkFiles(name, service, projectDir),
    ...checkNamedSecrets(name, ["services", name], service, settings),
    ...checkNodes(name, service, settings),
    ...checkMetrics(name, service, settings),
  ]);
}

/** A worker has no address, so that nothing can reach it. */
function checkWorker(name: string, service: ServiceSettings): ConfigProblem[] {
  const { servicePort, ports, routes, health, healthPath = health } = service;
  const at = (key: string) => ["services", name, key];
  const isWorker = "reaches no worker, and port is none";
  const check = typeof healthPath === "string" ? healthPath !== "none" : asksNetwork(healthPath);
  return [
    ...(servicePort === undefined ? [] : [problem(at("servicePort"), servicePort, isWorker, "remove it, or set port")]),
    ...(Object.keys(ports).length === 0 ? [] : [problem(at("ports"), ports, isWorker, "remove them, or set port")]),
    ...(routes.length === 0 ? [] : [problem(at("routes"), routes, isWorker, "remove them, or set port")]),
    ...(check
      ? [
          problem(
            at("health"),
            healthPath,
            "needs a port, and port is none",
            "use exec, name a port in health, or set port",
          ),
        ]
      : []),
  ];
}

const asksNetwork = (health: ServiceSettings["health"]): boolean =>
  typeof health === "object" && health.exec === undefined && health.port === undefined;

function checkPorts(name: string, { servicePort = 0, ports }: ServiceSettings, port: number): ConfigProblem[] {
  return Object.entries(ports).flatMap(([key, each]) => {
    const path = ["services", name, "ports", key];
    if (each === port) return problem(path, each, "is the service's port already", "remove it, or choose another");
    return each === servicePort
      ? problem(
          path,
          each,
          "is the port of the Service, which callers use for port",
          "choose another, or another servicePort",
        )
      : [];
  });
}

const uncallable = (path: readonly PropertyKey[], other: string, services: Settings["services"]): ConfigProblem =>
  services[other]?.schedule === undefined
    ? problem(path, other, "is a worker: its port is none, so that nothing can call it", "remove it, or give it a port")
    : problem(path, other, "runs by a schedule, so that nothing can call it", "remove it");

/** Services that are called, by routes or by variables, must have a port. */
function checkCalled(name: string, service: ServiceSettings, { services }: Settings): ConfigProblem[] {
  const isWorker = (other: string) => services[other]?.port === "none";
  return [
    ...service.calls.flatMap((called, index) =>
      isWorker(called) ? uncallable(["services", name, "calls", index], called, services) : [],
    ),
    ...service.routes.flatMap((route, index) =>
      servicesOf({ ...route, service: name })
        .filter((other) => other !== name && isWorker(other))
        .map((other) => uncallable(["services", name, "routes", index], other, services)),
    ),
    ...checkAddresses(name, ["services", name, "env"], service.env, services),
  ];
}

type Env = ServiceSettings["env"];

/** Variables with addresses. @param name of the service @param at path of the variables */
export function checkAddresses(
  name: string,
  at: readonly PropertyKey[],
  env: Env,
  services: Settings["services"],
): ConfigProblem[] {
  return Object.entries(env).flatMap(([key, value]) => {
    const called = addressed(value);
    if (called === undefined || typeof value === "string") return [];
    const source = (["service", "url", "pods"] as const).find((each) => value[each] !== undefined) ?? "service";
    const path = [...at, key, source];
    if (called === name)
      return problem(
        path,
        called,
        "is the service itself",
        "use localhost or its public host name, or null if it is taken over by like",
      );
    if (!Object.hasOwn(services, called))
      return problem(path, called, "is not a service", allowed(called, Object.keys(services)));
    return services[called]?.port === "none" ? uncallable(path, called, services) : [];
  });
}

/** Names of secrets: of those that are variables by themselves, and of all that a variable may name. */
interface Secrets {
  readonly variables: readonly string[];
  readonly all: readonly string[];
}

/** Those of a service: a secret that a variable or a file names is not a variable of its own name. */
const secretNames = (name: string, settings: Settings): Secrets => ({
  variables: Object.keys(secretsOf(name, settings).env),
  all: Object.keys(namedSecrets(name, settings).all),
});

/** @param at path of the variables @param of whose variables they are */
export function checkExpanded(
  at: readonly PropertyKey[],
  { env, port }: Pick<ServiceSettings, "env" | "port">,
  secrets: Secrets,
  of: string,
): ConfigProblem[] {
  const names = [...new Set([...Object.keys(env), ...secrets.variables, ...(port === "none" ? [] : ["PORT"])])];
  const holderOf = (secret: string) =>
    Object.entries(env).find(([, value]) => typeof value === "object" && value.secret === secret)?.[0];
  return Object.entries(env).flatMap(([key, value]) => {
    if (typeof value === "string" || value.expand === undefined) return [];
    const path = [...at, key, "expand"];
    const used = [...new Set(namesIn(value.expand))];
    const refuse = (rule: string, fix: string) => problem(path, value.expand, rule, fix);
    if (used.length === 0) {
      const [found, inner = ""] = /\$\{?(\w+)\}?/.exec(value.expand) ?? [];
      return refuse(
        "names no variable as $(NAME)",
        found !== undefined && names.includes(inner)
          ? `write $(${inner}) instead of ${found}`
          : `write the text as ${key}, without expand`,
      );
    }
    return used.flatMap((each) => {
      const other = Object.hasOwn(env, each) ? env[each] : undefined;
      if (each === key) return refuse("names itself", "name another variable");
      if (!names.includes(each)) {
        const holder = holderOf(each);
        const rule = `names ${each}, which is no variable of ${of}`;
        if (holder !== undefined) return refuse(rule, `write $(${holder}), which holds that secret`);
        if (secrets.all.includes(each)) return refuse(rule, `add ${each}: { secret: ${each} } to env`);
        return refuse(
          rule,
          otherName(
            each,
            names.filter((one) => one !== key),
          ),
        );
      }
      return typeof other === "object" && other.expand !== undefined
        ? refuse(`names ${each}, which is expanded itself`, `write the text of ${each} here`)
        : [];
    });
  });
}

/** The name that is meant: a typo of it, or one that it begins with, as `NAME` in `$(NAMEX)`. */
function otherName(word: string, names: readonly string[]): string {
  const trimmed = word.trim();
  const meant = names.includes(trimmed) ? trimmed : nearest(trimmed, names);
  const text = names.length === 0 ? `add ${trimmed} to env` : allowed("", names);
  return `${text}${didYouMean(meant === undefined ? undefined : `$(${meant})`)}`;
}

function checkFolders(name: string, { scratch, files, resources }: ServiceSettings): ConfigProblem[] {
  const key = ["services", name, "scratch"];
  const inMemory = Object.entries(scratch).filter(([, { memory }]) => memory);
  const sum = inMemory.reduce((total, [, { size }]) => total + bytesOf(size), 0);
  return [
    ...(sum > 0 && sum >= bytesOf(resources.memory)
      ? [
          problem(
            key,
            Object.fromEntries(inMemory.map(([path, { size }]) => [path, size])),
            `may fill the pod's memory, of which there is ${resources.memory}`,
            `raise ${keyOf(["services", name, "resources", "memory"])}, or lower the sizes`,
          ),
        ]
      : []),
    ...Object.keys(files).flatMap((file) =>
      ["/tmp", ...Object.keys(scratch)]
        .filter((folder) => folder === file || folder.startsWith(`${file}/`))
        .map((folder) =>
          problem(
            ["services", name, "files", file],
            file,
            `is or contains the folder ${folder} of scratch`,
            "choose another path",
          ),
        ),
    ),
  ];
}

function checkFiles(name: string, { files }: ServiceSettings, projectDir: string): ConfigProblem[] {
  const paths = Object.keys(files);
  return Object.entries(files).flatMap(([path, { from }]) => {
    const key = ["services", name, "files", path];
    const inner = paths.find((other) => other.startsWith(`${path}/`));
    if (inner !== undefined)
      return problem(key, path, `is a file, and ${inner} is below it`, "choose another path for one of the two");
    if (from === undefined) return [];
    const file = resolve(projectDir, from);
    if (!file.startsWith(`${resolve(projectDir)}${sep}`))
      return problem([...key, "from"], from, "is outside of the project", "move it into the project");
    const trouble = fileTrouble(file);
    return trouble === undefined
      ? []
      : problem([...key, "from"], from, trouble, "name a readable file, relative to the project");
  });
}

function fileTrouble(file: string): string | undefined {
  try {
    if (!statSync(file).isFile()) return "is not a file";
    accessSync(file, constants.R_OK);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? "does not exist" : "cannot be read";
  }
}

/** Variables and files name only secrets that are there. @param name of the service @param at path of what names them */
export function checkNamedSecrets(
  name: string,
  at: readonly PropertyKey[],
  holder: Parameters<typeof secretPlaces>[0],
  settings: Settings,
): ConfigProblem[] {
  const { all } = namedSecrets(name, settings);
  return secretPlaces(holder).flatMap(({ path, secret }) =>
    Object.hasOwn(all, secret)
      ? []
      : problem(
          [...at, ...path, "secret"],
          secret,
          `is not among the service's secrets, nor in ${keyOf(["secrets", sharedSecrets])}`,
          `set it: npx pulumi config set --secret --path '${keyOf(["secrets", name, secret])}'${didYouMean(nearest(secret, Object.keys(all)))}`,
        ),
  );
}

function checkMetrics(name: string, { metrics, port, ports }: ServiceSettings, settings: Settings): ConfigProblem[] {
  if (metrics === undefined) return [];
  const key = ["services", name, "metrics"];
  const scraped = metricsPort({ port, metrics });
  return [
    ...(proxyMetrics(settings) === undefined
      ? [problem(key, metrics, "has no effect, because nobody scrapes", `set ${keyOf(["proxy", "metrics", "scrape"])}`)]
      : []),
    ...(scraped === 0 ? [problem(key, metrics, "needs a port, and port is none", "name a port in metrics")] : []),
    ...(ports["metrics"] !== undefined && scraped !== ports["metrics"] && scraped !== port
      ? [problem([...key, "port"], scraped, `is not that of ports.metrics`, "choose another name in ports")]
      : []),
  ];
}
