/** The examined stack, from its config: what the doctor expects at each hop, and the commands that fix it. */
import type { CheckedConfig, StackSettings } from "../../config/config.ts";
import { healthOf } from "../../config/health.ts";
import type { Replicas } from "../../names/replicas.ts";
import type { Health } from "../../components/workloads/health.ts";
import { hostNames } from "../../config/hosts.ts";
import { proxyRoutes } from "../../config/routes.ts";
import { longestWait } from "../../config/timeouts.ts";
import type { ServiceSettings, Settings } from "../../config/schema.ts";
import { defaultResponseHeaderKb, defaultTimeoutSeconds, type Route, type Version } from "../../nginx/model.ts";
import { servicesOf } from "../../nginx/upstreams.ts";
import type { Remedies } from "./diagnose/trouble.ts";

export interface SubjectRoute {
  /** `shop.example.com/hoge/`, as in the table of routes. */
  readonly hostPath: string;
  readonly host: string;
  readonly path: string;
  /** The path that the service receives, without a stripped prefix. */
  readonly servicePath: string;
  readonly protocol: "http" | "grpc";
  /** The route's service, then the services of its versions and its canary. */
  readonly services: readonly string[];
  readonly versions: readonly Version[];
  /** The service of its canary. @default - none */
  readonly canary?: string | undefined;
  readonly maintenance: boolean;
  /** Timeout of the proxy for the service. */
  readonly timeoutSeconds: number;
  /** Largest header of an answer that the proxy takes. KiB. */
  readonly maxResponseHeaderKb: number;
}

export interface Subject {
  readonly stack: string;
  readonly domain: string;
  /** Host names for clients, the domain first, without wildcards. */
  readonly hosts: readonly string[];
  readonly url: string;
  readonly namespace: string;
  readonly edge: StackSettings["edge"];
  readonly tls: Settings["tls"];
  readonly dns: Settings["dns"];
  readonly services: Readonly<Record<string, ServiceSettings>>;
  readonly proxyReplicas: Replicas;
  /** The health check of each service, if it has one. */
  readonly health: ReadonlyMap<string, Health | undefined>;
  readonly routes: readonly SubjectRoute[];
  /** Whether HTTP redirects to HTTPS. */
  readonly redirectHttp: boolean;
  /** Timeout of the load balancer for a response, if it is known. Seconds. */
  readonly edgeTimeoutSeconds: number | undefined;
  /** Command that applies the config, and also reverts manual changes (`--refresh`). */
  readonly apply: string;
  /** Start of a kubectl command: `kubectl --context … -n apps`. */
  readonly kubectl: string;
}

export function subjectOf(stack: string, { settings }: CheckedConfig, kubectl: string): Subject {
  const { domain, namespace, edge, tls, dns } = settings;
  return {
    stack,
    domain,
    namespace,
    edge,
    tls,
    dns,
    hosts: hostNames(settings).filter((host) => !host.startsWith("*.")),
    url: `${tls.mode === "none" ? "http" : "https"}://${domain}/`,
    services: settings.services,
    proxyReplicas: settings.proxy.replicas,
    health: healthOf(settings.services),
    routes: proxyRoutes(settings)
      .routes.map((route) => routeOf(route, domain))
      .sort(byHostPath),
    redirectHttp: tls.mode !== "none" && tls.redirectHttp,
    edgeTimeoutSeconds: "timeoutSeconds" in edge ? edge.timeoutSeconds : undefined,
    apply: stack === "local" ? "npm start" : `npx pulumi up --refresh --stack ${stack}`,
    kubectl: `${kubectl} -n ${namespace}`,
  };
}

function routeOf(route: Route, domain: string): SubjectRoute {
  const { host = domain, path, protocol = "http", keepPrefix, maintenance = false, settings } = route;
  return {
    hostPath: `${host}${path}`,
    host,
    path,
    servicePath: path.endsWith("/") && !keepPrefix && protocol === "http" ? "/" : path,
    protocol,
    services: [...new Set(servicesOf(route))],
    versions: route.versions ?? [],
    canary: route.canary?.service,
    maintenance,
    timeoutSeconds: settings?.timeoutSeconds ?? defaultTimeoutSeconds,
    maxResponseHeaderKb: settings?.maxResponseHeaderKb ?? defaultResponseHeaderKb,
  };
}

const byHostPath = (a: SubjectRoute, b: SubjectRoute) => (a.hostPath < b.hostPath ? -1 : 1);

/** `Fix services.hoge.image in Pulumi.staging.yaml, then: npx pulumi up --refresh --stack staging` */
export const edit = ({ stack, apply }: Subject, key: string, what = "Fix"): string =>
  `${what} ${key} in Pulumi.${stack}.yaml, then: ${apply}`;

/** What the diagnoses of pods write into their fixes. */
export const remediesOf = (subject: Subject): Remedies => ({
  kubectl: subject.kubectl,
  apply: subject.apply,
  edit: (key, what) => edit(subject, key, what),
});

/** How long to wait for a route's response: longer than the timeouts of proxy and load balancer. Seconds. */
export const patience = ({ timeoutSeconds }: SubjectRoute, { edge }: Subject): number =>
  Math.max(timeoutSeconds, longestWait(edge) ?? 0) + 10;
