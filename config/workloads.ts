/** What runs in the pods of each service, as its component takes it. */
import * as pulumi from "@pulumi/pulumi";
import type { MicroserviceArgs } from "../components/workloads/microservice.ts";
import type { Release } from "../components/workloads/releaseJob.ts";
import type { Schedule } from "../components/workloads/scheduledJob.ts";
import type { InitArgs, SidecarArgs } from "../components/workloads/containers.ts";
import type { ImageSource } from "../components/images/imageReference.ts";
import { plainFiles } from "./files.ts";
import { containersOf, portOf, type PodContainer } from "./containers.ts";
import { healthOf, sidecarHealth } from "./health.ts";
import { metricsPort, proxyMetrics } from "./metrics.ts";
import { nodesOf } from "./nodes.ts";
import type { ServiceSettings, Settings } from "./schema.ts";
import { calledByPod, callsOf, containerSecrets, secretsOf, variablesIn, variablesOf } from "./variables.ts";

export interface Workload {
  readonly service: string;
  /** Google roles. */
  readonly roles: readonly string[];
  /** The image, and the name under which it is built. */
  readonly source: ImageSource & { readonly name: string };
  /** What runs in its pods; where they run and who reaches them is added in `index.ts`. */
  readonly program: Omit<
    MicroserviceArgs,
    "namespace" | "autopilot" | "rolloutSeconds" | "image" | "serviceAccount" | "routed" | "release"
  >;
  /** The job before each release, and the services that it waits for. */
  readonly release: (Omit<Release, "imageKey" | "dependsOn"> & { readonly after: readonly string[] }) | undefined;
  /** When it runs, if not all the time. */
  readonly schedule: Schedule | undefined;
}

/** The workloads, in an order in which those come first that the releases of others call. */
export function workloadsOf(
  settings: Pick<Settings, "services" | "secrets" | "cluster" | "proxy">,
  projectDir: string,
): Workload[] {
  const { services, cluster } = settings;
  const collector = proxyMetrics(settings);
  const health = healthOf(services);
  const byPod = calledByPod(services);
  return releaseOrder(services).map(({ service, all, after }) => {
    const { image, build, roles, command, args, servicePort, ports, replicas, scratch, resources } = all;
    const { user, shutdownSeconds, rollout, labels, annotations } = all;
    const secrets = secretsOf(service, settings);
    return {
      service,
      roles,
      release: all.release && { ...all.release, after },
      schedule: scheduleOf(all),
      source: { name: imageName(service, services), image, build },
      program: {
        ...{ command, args, servicePort, ports, replicas, scratch, resources },
        ...{ user, shutdownSeconds, rollout, labels, annotations },
        port: all.port === "none" ? undefined : all.port,
        headless: byPod.has(service),
        health: health.get(service),
        nodes: nodesOf(all, cluster),
        metrics: all.metrics &&
          collector && {
            port: metricsPort(all),
            path: all.metrics.path,
            scrape: collector.scrape,
            labels: collector.labels,
          },
        env: variablesOf(service, services, Object.keys(secrets.env)),
        secretEnv: secretOutputs(secrets.env),
        files: { plain: plainFiles(all, projectDir), secret: secretOutputs(secrets.files) },
        ...containerArgs(service, settings),
      },
    };
  });
}

function scheduleOf(service: ServiceSettings): Schedule | undefined {
  const { schedule, timeZone, concurrency, deadlineSeconds, retries } = service;
  return schedule === undefined ? undefined : { schedule, timeZone, concurrency, deadlineSeconds, retries };
}

interface Ordered {
  readonly service: string;
  readonly all: ServiceSettings;
  /** The services that its release waits for. */
  readonly after: readonly string[];
}

/** Where releases call each other in a circle, the one that was met first does not wait. */
function releaseOrder(services: Settings["services"]): Ordered[] {
  const ordered: Ordered[] = [];
  const seen = new Map<string, "begun" | "done">();
  const visit = (service: string, all: ServiceSettings): void => {
    seen.set(service, "begun");
    const called = all.release === undefined ? [] : callsOf(all);
    const after = called.filter((name) => {
      const other = services[name];
      if (other === undefined || other.schedule !== undefined) return false;
      if (!seen.has(name)) visit(name, other);
      return seen.get(name) === "done";
    });
    seen.set(service, "done");
    ordered.push({ service, all, after });
  };
  for (const [service, all] of Object.entries(services)) if (!seen.has(service)) visit(service, all);
  return ordered;
}

/** Its sidecars and init containers, as the component takes them. */
function containerArgs(service: string, settings: Pick<Settings, "services" | "secrets">) {
  const { services } = settings;
  const of = (container: PodContainer): InitArgs => {
    const { name, settings: own } = container;
    const { image, command, args, env, resources, shares, user } = own;
    const secrets = containerSecrets(service, own, settings);
    return {
      ...{ name, image, command, args, resources, shares, user },
      env: variablesIn({ env, port: portOf(container) }, services, Object.keys(secrets)),
      secretEnv: secretOutputs(secrets),
    };
  };
  const { sidecars = {}, init = [] } = services[service] ?? {};
  const all = containersOf({ sidecars, init });
  return {
    sidecars: all.flatMap((each): SidecarArgs[] =>
      each.kind === "sidecar" ? [{ ...of(each), port: each.settings.port, health: sidecarHealth(each.settings) }] : [],
    ),
    init: all.filter(({ kind }) => kind === "init").map(of),
  };
}

const secretOutputs = (values: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, pulumi.secret(value)]));

/** The name of a service's image: that of the service whose folder it shares. */
export function imageName(name: string, services: Settings["services"]): string {
  const { like, build } = services[name] ?? {};
  const shared = like === undefined ? undefined : services[like]?.build;
  return like !== undefined && build !== undefined && build.context === shared?.context ? like : name;
}
