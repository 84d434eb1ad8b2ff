/** Health checks of a service's pods, as Kubernetes' probes. */
import type * as k8s from "@pulumi/kubernetes";
import { readiness } from "./pod.ts";

/** `startSeconds` is how long the program may take to start. */
export type Health = { readonly startSeconds: number } & (
  | {
      readonly kind: "http";
      /** Path, with its query. */
      readonly path: string;
      readonly port: number;
      readonly headers?: Readonly<Record<string, string>> | undefined;
      readonly host?: string | undefined;
    }
  /** grpc.health.v1, of the whole server without a service. */
  | { readonly kind: "grpc"; readonly port: number; readonly service?: string | undefined }
  | { readonly kind: "tcp"; readonly port: number }
  | { readonly kind: "exec"; readonly command: readonly string[] }
);

type Container = k8s.types.input.core.v1.Container;
type Probes = Pick<Container, "startupProbe" | "readinessProbe" | "livenessProbe">;

/**
 * @param port of the service; undefined for a worker
 * @param health undefined for no check at all
 */
export function probes(port: number | undefined, health: Health | undefined): Probes {
  if (health === undefined) return {};
  const action = actionOf(health, port);
  // An exec is a new process each time, and MySQL logs each connection: ask less often once it has started.
  const isSlow = health.kind === "exec" || health.kind === "tcp";
  const startupProbe = {
    ...action,
    periodSeconds: 1,
    ...(isSlow && { timeoutSeconds: 5 }),
    failureThreshold: health.startSeconds,
  };
  const readinessProbe = {
    ...action,
    ...(isSlow ? { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 } : readiness(3)),
  };
  return { startupProbe, readinessProbe, ...livenessOf(port, health, action) };
}

/** Of a sidecar: what its check says may be about others, such as its database, so that a restart would not help. */
export function sidecarProbes(health: Health | undefined): Probes {
  if (health === undefined) return {};
  const own = probes(undefined, health);
  return health.kind === "exec"
    ? own
    : { ...own, livenessProbe: { tcpSocket: { port: health.port }, periodSeconds: 10, failureThreshold: 6 } };
}

/** Not the health check of a service: never restart one that is only busy or draining. */
function livenessOf(port: number | undefined, { kind }: Health, action: object): Pick<Probes, "livenessProbe"> {
  if (port !== undefined && kind !== "exec")
    return { livenessProbe: { tcpSocket: { port: "http" }, periodSeconds: 10, failureThreshold: 6 } };
  // A worker that is stuck has no other sign of it. A database stays: its restart takes longer than its trouble.
  return port === undefined
    ? { livenessProbe: { ...action, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 } }
    : {};
}

function actionOf(health: Health, port: number | undefined): Partial<k8s.types.input.core.v1.Probe> {
  if (health.kind === "exec") return { exec: { command: [...health.command] } };
  const at = health.port === port ? "http" : health.port;
  switch (health.kind) {
    case "tcp":
      return { tcpSocket: { port: at } };
    case "grpc":
      // https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#define-a-grpc-liveness-probe
      return { grpc: { port: health.port, ...(health.service !== undefined && { service: health.service }) } };
    case "http": {
      const headers = Object.entries({ ...health.headers, ...(health.host !== undefined && { Host: health.host }) });
      return {
        httpGet: {
          path: health.path,
          port: at,
          ...(headers.length > 0 && { httpHeaders: headers.map(([name, value]) => ({ name, value })) }),
        },
      };
    }
  }
}
