/** Services with a `schedule`: which other keys they have, before the schema fills in defaults. */
import { isMap, servicesOf, type Map } from "./like.ts";
import { keyOf, problem, type ConfigProblem } from "./problems.ts";

const isScheduled = (service: unknown): service is Map => isMap(service) && (service["schedule"] ?? null) !== null;

/** What only a service has that runs all the time. */
const ofServers = [
  "port",
  "servicePort",
  "ports",
  "health",
  "healthPath",
  "routes",
  "routeDefaults",
  "replicas",
  "rollout",
  "metrics",
  "release",
];
/** What only a schedule has. */
const ofSchedules = ["timeZone", "concurrency", "deadlineSeconds", "retries"];

/** The input in which services with a schedule are workers: they have no port. */
export function withoutPorts(input: Map): Record<string, unknown> {
  const services = servicesOf(input);
  const scheduled = Object.entries(services).filter(([, service]) => isScheduled(service));
  if (scheduled.length === 0) return { ...input };
  const workers = scheduled.map(([name, service]) => [name, { ...(service as Map), port: "none" }]);
  return { ...input, services: { ...services, ...Object.fromEntries(workers) } };
}

/** @param input as it was written */
export function scheduleProblems(input: Map): ConfigProblem[] {
  return Object.entries(servicesOf(input)).flatMap(([name, service]) => {
    if (!isMap(service)) return [];
    const at = (key: string) => ["services", name, key];
    const has = (key: string) => (service[key] ?? null) !== null;
    return isScheduled(service)
      ? ofServers
          .filter((key) => has(key) && !(key === "port" && service[key] === "none"))
          .map((key) =>
            problem(
              at(key),
              service[key],
              "is nothing that a service with a schedule has: it runs to its end, and nothing calls it",
              `remove it, or remove ${keyOf(at("schedule"))}`,
            ),
          )
      : ofSchedules
          .filter(has)
          .map((key) =>
            problem(at(key), service[key], "needs a schedule", `set ${keyOf(at("schedule"))}, or remove it`),
          );
  });
}
