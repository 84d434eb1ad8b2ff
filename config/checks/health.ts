/** How pods are asked whether they are ready: what their program cannot answer. */
import { healthOf } from "../health.ts";
import { asYaml, keyOf, problem, type ConfigProblem } from "../problems.ts";
import type { ServiceSettings, Settings } from "../schema.ts";
import { startSeconds } from "../schema/workload.ts";

/** Servers of protocols that are not HTTP, by the last part of an image's name. */
const notHttp =
  /^(redis|valkey|keydb|dragonfly|postgres|postgresql|pgbouncer|postgis|timescaledb|mysql|mariadb|percona-server|mongo|mongodb|rabbitmq|memcached|kafka|zookeeper|nats|cassandra|etcd)$/;
const imageWord = (image: string): string =>
  image
    .replace(/@.*/, "")
    .replace(/:[^/]*$/, "")
    .replace(/.*\//, "");

export function checkHealth(name: string, service: ServiceSettings, settings: Settings): ConfigProblem[] {
  const { health, healthPath, port, image } = service;
  const { rolloutSeconds } = settings;
  const at = ["services", name, "health"];
  if (health !== undefined && healthPath !== undefined)
    return [problem(["services", name, "healthPath"], healthPath, "is the former name of health", "remove it")];
  const seconds = typeof health === "object" ? health.startSeconds : 0;
  if (rolloutSeconds !== undefined && seconds > Math.max(rolloutSeconds, startSeconds.standard))
    return [
      problem(
        [...at, "startSeconds"],
        seconds,
        `is more than rolloutSeconds, which is ${rolloutSeconds}: each rollout would fail before the program has started`,
        `raise ${keyOf(["rolloutSeconds"])}, or remove it`,
      ),
    ];
  const word = imageWord(image ?? "");
  if (health !== undefined || healthPath !== undefined || port === "none" || !notHttp.test(word)) return [];
  const ofOrigin = writtenHealth(originOf(service, settings));
  return [
    problem(
      at,
      image,
      `is checked with GET /healthz without health, and ${word} does not speak HTTP`,
      ofOrigin === undefined
        ? `set ${keyOf(at)} to tcp, or to { exec: […] }`
        : `write health: ${ofOrigin} here too, which like does not take over`,
    ),
  ];
}

export const oneWord = (at: string, word: string): string =>
  `${at}: "${word}" is one word, the name of a program with spaces in it; write each word as an item`;

/** A probe's command has no shell either. @param path of what has the key `health` */
export function probeWarnings(path: readonly PropertyKey[], { health }: Pick<ServiceSettings, "health">): string[] {
  const at = keyOf([...path, "health", "exec"]);
  const [first = "", ...others] = typeof health === "object" ? (health.exec ?? []) : [];
  if (/^CMD(-SHELL)?$/.test(first))
    return [
      `${at}: ${first} is a word of Compose, and no program; write ${first === "CMD" ? "the words without it" : `[sh, -c, ${JSON.stringify(others.join(" "))}]`}`,
    ];
  return /^[\w./-]+( \S+)+$/.test(first) ? [oneWord(at, first)] : [];
}

export function healthWarnings(name: string, service: ServiceSettings, settings: Settings): string[] {
  const { health, healthPath, port } = service;
  const path = ["services", name, "health"];
  const ofProbe = probeWarnings(["services", name], service);
  if (ofProbe.length > 0) return ofProbe;
  const guessed = guessedHealth(name, service, settings);
  if (guessed !== undefined) return [`${keyOf(path)}: ${guessed}`];
  const server =
    health === undefined && healthPath === undefined && typeof port === "number" ? servers[port] : undefined;
  return server === undefined
    ? []
    : [
        `${keyOf(path)}: is GET /healthz without the key, and port ${port} is that of ${server}; set tcp, or { exec: […] }`,
      ];
}

/** Ports of servers that do not speak HTTP. */
const servers: Readonly<Record<number, string>> = {
  3306: "MySQL",
  5432: "PostgreSQL",
  6379: "Redis",
  5672: "RabbitMQ",
  27_017: "MongoDB",
  11_211: "memcached",
  9092: "Kafka",
  4222: "NATS",
};

const originOf = ({ like }: ServiceSettings, { services }: Settings): ServiceSettings | undefined =>
  like === undefined ? undefined : services[like];

/** The key `health` of a service as people write it; undefined if it has none. */
function writtenHealth(service: ServiceSettings | undefined): string | undefined {
  const health = service?.health ?? service?.healthPath;
  if (typeof health !== "object") return health;
  const { startSeconds: seconds, ...rest } = health;
  return asYaml({ ...rest, ...(seconds !== startSeconds.standard && { startSeconds: seconds }) });
}

const grpcHealth = (seconds: number): string =>
  seconds === startSeconds.standard ? "grpc" : asYaml({ grpc: "", startSeconds: seconds });

/** A service that is like another runs its program, and may need its health check, which `like` does not take over. */
function guessedHealth(name: string, service: ServiceSettings, settings: Settings): string | undefined {
  const { image, build, health, healthPath, routes, like } = service;
  const origin = originOf(service, settings);
  if (origin === undefined || health !== undefined || healthPath !== undefined) return undefined;
  if (image !== origin.image || build?.context !== origin.build?.context) return undefined;
  const all = healthOf(settings.services);
  const [own, known] = [all.get(name), all.get(like ?? "")];
  if (own?.kind !== "http" || (known === undefined && origin.health !== "none")) return undefined;
  // The service's own routes say that it speaks HTTP, and not at which path it is asked.
  if (known?.kind === "grpc" && routes.length > 0) return undefined;
  if (known?.kind === "http" && known.path === own.path && known.startSeconds <= own.startSeconds) return undefined;
  // What the origin's routes say is not taken over either.
  const isByRoutes = known?.kind === "grpc" && origin.health !== "grpc" && known.service === undefined;
  const written = (isByRoutes ? grpcHealth(known.startSeconds) : writtenHealth(origin)) ?? "grpc";
  return `is GET ${own.path} without the key, and ${like ?? ""}, which runs the same image, has ${written}; write health: ${written}, or health: ${own.path} if that is right`;
}
