/** The shape of what runs in the cluster: services and the proxy. */
import { isIP } from "node:net";
import * as z from "zod";
import { podsPrefix } from "../../names/kubernetes.ts";
import { servicePort } from "../../names/ports.ts";
import { calls, egress } from "./networkPolicies.ts";
import { isHostName } from "../../nginx/routeChecks.ts";
import { proxyNames, redirects, route, routeDefaults, wildcards } from "./routes.ts";
import { build, env, image, label, labelKey, labelValue, path, replicas, resources, roles } from "./values.ts";

const service = z
  .strictObject({
    image: image.optional(),
    build: build.optional(),
    port: z.int().min(1024, "must be at least 1024: pods run without privileges").max(65535).default(servicePort),
    replicas: replicas.default(2),
    /**
     * Answers 200 when the pod can take requests. Default: /healthz; where gRPC is all that leads to the service, it is asked
     * by gRPC instead (grpc.health.v1).
     */
    healthPath: path.optional(),
    routes: z.array(route).max(50).default([]),
    /** What holds for all routes of the service, unless a route says otherwise. */
    routeDefaults,
    env: env.default({}),
    resources: resources("100m", "128Mi"),
    /** Google roles on the project, which give the service an identity of its own. */
    roles: roles.default([]),
    /** Services that it calls, and what it reaches outside: network policies keep it from all else. */
    calls,
    egress,
  })
  .refine(
    (value) => (value.image === undefined) !== (value.build === undefined),
    "must have exactly one of image and build",
  );

export const services = z.record(
  label
    .refine(
      (name) => !proxyNames.includes(name),
      `must not be ${proxyNames.join(" or ")}: those are the proxy's own names`,
    )
    .refine(
      (name) => !name.startsWith(podsPrefix),
      `must not start with ${podsPrefix}: so begins the name under which the proxy finds a service's pods`,
    ),
  service,
);

export const registry = z
  .discriminatedUnion("kind", [
    /** Images are built by the program and pushed to the stack's own Artifact Registry. */
    z
      .strictObject({
        kind: z.literal("artifact-registry"),
        /** Newest versions of each image that are kept, however old; others go after 30 days. Default: 30. */
        keep: z.int().min(1).max(1000).optional(),
        /** Scan what is pushed; the scanning API serves the whole project, so its other repositories follow. */
        scan: z.boolean().default(true),
        /** See ImageRegistryArgs for why this is not the default: images run by digest all the same. */
        immutableTags: z.boolean().default(false),
      })
      .refine(
        ({ keep, immutableTags }) => keep === undefined || !immutableTags,
        "has keep, which can delete nothing where immutableTags is true: Google deletes no tagged image there; remove one of the two",
      ),
    /** Images are built beforehand and put on the node: what `npm start` does. */
    z.strictObject({ kind: z.literal("node") }),
  ])
  .prefault({ kind: "artifact-registry" });

/** https://github.com/nginx/nginx-prometheus-exporter */
const exporterImage =
  "docker.io/nginx/nginx-prometheus-exporter:1.5.1@sha256:9f6d963bb2b19d706d401cc3e2c3ea8de2f1c471b96a2156ca45e76f650b1625";

export const proxy = z
  .strictObject({
    replicas: replicas.default(3),
    image: image.optional(),
    build: build.optional(),
    /** Name or address of the cluster's DNS service. */
    resolver: z
      .string()
      .refine((value) => isHostName(value) || isIP(value) === 4, "must be a DNS name or an IPv4 address")
      .default("kube-dns.kube-system.svc.cluster.local"),
    resources: resources("100m", "128Mi"),
    redirects,
    wildcards,
    /** An exporter for Prometheus beside nginx, and the object by which it is found. */
    metrics: z
      .strictObject({
        /** `own` has the exporter without an object. Default: google on GKE, otherwise none. */
        scrape: z.enum(["google", "prometheus-operator", "own", "none"]).optional(),
        /** On GKE: requests and latency by service and class of status, from the access log; billed by time series. */
        byService: z.boolean().default(false),
        /** nginx-prometheus-exporter. Pods cannot start without it: it may be a copy in the stack's own registry. */
        image: image.default(exporterImage),
        resources: resources("10m", "64Mi"),
        /** Labels of the object, where a Prometheus Operator selects by them: `release: NAME`. */
        labels: z.record(labelKey, labelValue).default({}),
      })
      .prefault({}),
  })
  .refine((value) => value.image === undefined || value.build === undefined, "must not have both image and build")
  .transform((value) => (value.image === undefined ? { build: { context: "./nginx" }, ...value } : value))
  .prefault({});
