/** Schema of the proxy. `routes.ts` has the schema of routes, which the services declare. */
import { isIP } from "node:net";
import * as z from "zod";
import { headerNames } from "../../nginx/model.ts";
import { isHostName } from "../../nginx/routeChecks.ts";
import { redirects, wildcards } from "./routes.ts";
import { build, image, labelKey, labelValue, replicas, resources, sidecarResources } from "./values.ts";
import { doc } from "./doc.ts";

/** https://github.com/nginx/nginx-prometheus-exporter */
const exporterImage =
  "docker.io/nginx/nginx-prometheus-exporter:1.5.1@sha256:9f6d963bb2b19d706d401cc3e2c3ea8de2f1c471b96a2156ca45e76f650b1625";

export const proxy = z
  .strictObject({
    replicas: replicas.default(3).meta(
      doc("Pods of the proxy: a number, or bounds for an autoscaler, as for a service.", {
        min: 3,
        max: 12,
        cpu: 60,
      }),
    ),
    image: image
      .optional()
      .meta(
        doc("Image by tag or digest. Without it: built from `nginx/`.", "registry.example.com/apps/nginx-proxy:1.0.0"),
      ),
    build: build
      .optional()
      .meta(doc("Folder with the Dockerfile of the image. Without it: `./nginx`.", { context: "./nginx" })),
    resolver: z
      .string()
      .refine((value) => isHostName(value) || isIP(value) === 4, "must be a DNS name or an IPv4 address")
      .optional()
      .meta(doc("Name or address of the cluster's DNS service. Without it: the pods' own name servers.", "10.96.0.10")),
    resources: resources("100m", "128Mi"),
    requestsPerClient: z
      .int()
      .min(1)
      .max(3000)
      .optional()
      .meta(
        doc(
          "Concurrent requests of one client address in each pod, on all routes together; more get 429. Without it: half of those that the pod's memory holds.",
          500,
          "0.3.0",
        ),
      ),
    headerNames: z
      .enum(headerNames)
      .default("hyphens")
      .meta(
        doc(
          "Request headers that services get, by the characters of their names: letters, digits and hyphens; with `underscores` also `_`, except doubles of the proxy's own headers such as `X_Real_IP`; with `any` also `.` and others. The proxy drops all other headers.",
          "underscores",
          "0.3.0",
        ),
      ),
    redirects,
    wildcards,
    metrics: z
      .strictObject({
        scrape: z
          .enum(["google", "prometheus-operator", "own", "none"])
          .optional()
          .meta(
            doc(
              "Who scrapes the exporter; `own` creates no object for it. Without it: `google` on GKE, otherwise `none`.",
              "prometheus-operator",
            ),
          ),
        byService: z
          .boolean()
          .default(false)
          .meta(
            doc(
              "On GKE: requests and latency by service and status class, from the access log. Google bills by time series.",
              true,
            ),
          ),
        image: image
          .default(exporterImage)
          .meta(
            doc(
              "Image of nginx-prometheus-exporter. Pods cannot start without it; you can use a copy in your own registry.",
              "registry.example.com/nginx-prometheus-exporter:1.5.1",
            ),
          ),
        resources: sidecarResources("`10m`, on Autopilot its minimum of `50m`", "64Mi"),
        labels: z
          .record(labelKey, labelValue)
          .default({})
          .meta(
            doc("Labels of the monitoring object, for a Prometheus Operator that selects by label.", {
              release: "prometheus",
            }),
          ),
      })
      .prefault({})
      .meta(
        doc("A Prometheus exporter beside nginx, with the object that configures scraping.", {
          scrape: "prometheus-operator",
          labels: { release: "prometheus" },
        }),
      ),
  })
  .refine((value) => value.image === undefined || value.build === undefined, "must not have both image and build")
  .transform((value) => (value.image === undefined ? { build: { context: "./nginx" }, ...value } : value))
  .prefault({})
  .meta(doc("The nginx proxy.", { replicas: 6 }));
