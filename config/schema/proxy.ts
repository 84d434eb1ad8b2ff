/** The shape of the proxy. What it routes is said by the services, in `routes.ts`. */
import { isIP } from "node:net";
import * as z from "zod";
import { isHostName } from "../../nginx/routeChecks.ts";
import { redirects, wildcards } from "./routes.ts";
import { build, image, labelKey, labelValue, replicas, resources } from "./values.ts";

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
