/** How each service's pods are asked whether they are ready. */
import { servicesOf } from "../nginx/upstreams.ts";
import type { Health } from "../components/workloads/health.ts";
import { protocolOf } from "./routes.ts";
import type { ServiceSettings, Settings } from "./schema.ts";
import type { SidecarSettings } from "./schema/containers.ts";
import { startSeconds } from "./schema/workload.ts";

type Services = Settings["services"];

/** The protocols of the routes to each service. */
function protocolsOf(services: Services): ReadonlyMap<string, ReadonlySet<string>> {
  const protocols = new Map<string, Set<string>>();
  for (const [owner, service] of Object.entries(services))
    for (const route of service.routes)
      for (const name of servicesOf({ ...route, service: owner }))
        protocols.set(name, (protocols.get(name) ?? new Set()).add(protocolOf(route, service)));
  return protocols;
}

/**
 * Whether a service gets gRPC health checks without `health`: true if only gRPC routes lead to it. For a service
 * without routes, `routeDefaults` decides.
 */
const speaksGrpc = ({ routeDefaults }: ServiceSettings, protocols: ReadonlySet<string> = new Set()): boolean =>
  protocols.size > 0 ? !protocols.has("http") : routeDefaults.protocol === "grpc";

/** The health check of each service; undefined is none. */
export function healthOf(services: Services): ReadonlyMap<string, Health | undefined> {
  const protocols = protocolsOf(services);
  return new Map(Object.entries(services).map(([name, service]) => [name, ofService(service, protocols.get(name))]));
}

/** The health check of a sidecar, by default none. */
export const sidecarHealth = ({ port, health }: Pick<SidecarSettings, "port" | "health">): Health | undefined =>
  healthFrom({ port: port ?? "none", health: health ?? "none" }, () => undefined);

/** How long the sidecars of a service may take to start: each waits for the one before it. */
export const sidecarsStartSeconds = ({ sidecars }: Pick<ServiceSettings, "sidecars">): number =>
  Object.values(sidecars).reduce((seconds, sidecar) => seconds + (sidecarHealth(sidecar)?.startSeconds ?? 0), 0);

type Asked = Pick<ServiceSettings, "port" | "health">;

function ofService(service: ServiceSettings, protocols: ReadonlySet<string> | undefined): Health | undefined {
  const { port, healthPath, health = healthPath } = service;
  const byDefault = (seconds: number, on?: number): Health | undefined => {
    const asked = on ?? port;
    if (asked === "none") return undefined;
    return speaksGrpc(service, protocols)
      ? { kind: "grpc", port: asked, startSeconds: seconds }
      : { kind: "http", path: "/healthz", port: asked, startSeconds: seconds };
  };
  return healthFrom({ port, health }, byDefault);
}

/** @param byDefault the check that a map without a kind, or nothing at all, stands for */
function healthFrom(
  { port, health }: Asked,
  byDefault: (seconds: number, on?: number) => Health | undefined,
): Health | undefined {
  const standard = startSeconds.standard;
  if (health === "none") return undefined;
  if (health === undefined) return byDefault(standard);
  if (typeof health !== "string") {
    const { path, headers, host, grpc, tcp, exec, startSeconds } = health;
    if (exec !== undefined) return { kind: "exec", command: exec, startSeconds };
    const asked = health.port ?? port;
    if (asked === "none") return undefined; // A check refuses it.
    if (path !== undefined) return { kind: "http", path, headers, host, port: asked, startSeconds };
    if (grpc !== undefined) return { kind: "grpc", service: grpc, port: asked, startSeconds };
    return tcp ? { kind: "tcp", port: asked, startSeconds } : byDefault(startSeconds, health.port);
  }
  if (port === "none") return undefined; // A check refuses it.
  if (health === "grpc") return { kind: "grpc", port, startSeconds: standard };
  if (health === "tcp") return { kind: "tcp", port, startSeconds: standard };
  return { kind: "http", path: health, port, startSeconds: standard };
}
