/** A healthy stack, for tests that break one part of it. */
import { checkConfig } from "../../../config/config.ts";
import { fullKey } from "../../../names/project.ts";
import type { Answer } from "../../../tools/verify/request.ts";
import type { Probe } from "../../../tools/doctor/answers.ts";
import type {
  ContainerStatus,
  Deployment,
  Event,
  Objects,
  Pod,
  Service,
} from "../../../tools/doctor/gather/objects.ts";
import { readStackFile, stackFile, withPlaceholderFiles } from "../../../tools/stack/stackFile.ts";
import { projectDir } from "../../../tools/cli/paths.ts";
import { subjectOf, type Subject } from "../../../tools/doctor/subject.ts";

/** @param changes changes of the stack's config, by key without the project's name */
export function subject(stack: "local" | "staging" | "production", changes: Record<string, unknown> = {}): Subject {
  const raw = withPlaceholderFiles(readStackFile(stackFile(stack)), "always");
  const more = Object.entries(changes).map(([key, value]) => [
    fullKey(key),
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  const all = { ...raw, ...(Object.fromEntries(more) as Record<string, string>) };
  const whole = subjectOf(stack, checkConfig(all, stack, projectDir), "kubectl --context here");
  const services = Object.entries(whole.services).map(([name, settings]) => [name, { ...settings, replicas: 1 }]);
  // One pod for each service, as in the objects below.
  return { ...whole, services: Object.fromEntries(services) as Subject["services"] };
}

export const now = new Date("2026-06-01T12:00:00Z");
export const address = "203.0.113.7";

export const answered = (
  status: number,
  body = "",
  headers: Answer["headers"] = {},
  url = "https://staging.example.com/",
): Probe => ({
  url,
  answer: { status, headers, body },
});
/** A response of a service, which comes through nginx. */
export const byService = (status: number, body = "", headers: Answer["headers"] = {}, url?: string): Probe =>
  answered(status, body, { "x-content-type-options": "nosniff", ...headers }, url);
export const broken = (code: string, message = code, url = "https://staging.example.com/"): Probe => ({
  url,
  error: { code, message },
});
export const byNginx = (error: string, status = 502) => answered(status, JSON.stringify({ error, requestId: "1" }));
/** A response which shows that the request reached nginx. */
export const nginx = byNginx("path with dot segments", 400);

const labelsOf = (name: string) => ({
  "app.kubernetes.io/name": name,
  "app.kubernetes.io/part-of": "gke-microservices",
});
const selectorOf = (name: string) => ({ "app.kubernetes.io/name": name });

const condition = (type: string, status: boolean, message = "") => ({
  type,
  status: status ? "True" : "False",
  message,
});
/** A pod of a Deployment. @param status status of its container */
export function pod(name: string, status: Partial<ContainerStatus> = {}, more: Partial<Pod["status"]> = {}): Pod {
  const ready = status.ready ?? true;
  return {
    metadata: { name: `${name}-0`, labels: labelsOf(name), creationTimestamp: "2026-06-01T11:00:00Z" },
    spec: {
      containers: [
        {
          name,
          image: `example.com/${name}:1`,
          readinessProbe: { httpGet: { path: "/readyz", port: "http" } },
        },
      ],
    },
    status: {
      phase: "Running",
      conditions: [condition("PodScheduled", true), condition("Ready", ready)],
      containerStatuses: [{ name, ready, restartCount: 0, image: `example.com/${name}:1`, state: {}, ...status }],
      ...more,
    },
  };
}

export const deployment = (name: string, replicas = 1): Deployment => ({
  metadata: { name, labels: labelsOf(name) },
  spec: {
    replicas,
    selector: { matchLabels: selectorOf(name) },
    template: {
      spec: {
        containers: [{ name, image: `example.com/${name}:1`, ports: [{ name: "http", containerPort: 8080 }] }],
        volumes: name === "nginx-proxy" ? [{ name: "routes", configMap: { name: "routes-now" } }] : [],
      },
    },
  },
});

export const service = (
  name: string,
  selector = selectorOf(name.replace("pods-", "")),
  targetPort: number | string = "http",
): Service => ({
  metadata: { name },
  spec: { selector, ports: [{ name: "http", port: 8080, targetPort }] },
});

export const warning = (kind: string, name: string, reason: string, message: string): Event => ({
  involvedObject: { kind, name },
  type: "Warning",
  reason,
  message,
});

const apps = ["nginx-proxy", "hoge", "web"];

/** The objects of a stack whose pods are all ready. */
export function objects(of: Subject, changes: Partial<Objects> = {}): Objects {
  const { edge } = of;
  return {
    ingress: {
      metadata: {
        name: "ingress",
        ...(edge.kind === "gce" && {
          annotations: {
            "kubernetes.io/ingress.class": "gce",
            "ingress.kubernetes.io/backends": '{"k8s1-nginx":"HEALTHY"}',
          },
        }),
      },
      spec: {
        ...(edge.kind === "ingress" && { ingressClassName: edge.className }),
        tls: [{ secretName: "ingress-tls-1" }],
        rules: of.hosts.map((host) => ({ host, http: { paths: [{ backend: { service: { name: "nginx-proxy" } } }] } })),
      },
      status: { loadBalancer: { ingress: [{ ip: address }] } },
    },
    backendConfig: {
      metadata: { name: "nginx-proxy" },
      spec: { healthCheck: { port: 8081, requestPath: "/healthz" } },
    },
    httpRoutes: [],
    services: [...apps, "pods-hoge", "pods-web"].map((name) => service(name)),
    deployments: apps.map((name) => deployment(name)),
    replicaSets: [],
    autoscalers: [],
    cronJobs: [],
    jobs: [],
    pods: apps.map((name) => pod(name)),
    nodes: [],
    events: [],
    missingSecrets: [],
    ...changes,
  };
}
