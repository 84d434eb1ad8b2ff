/** The shape of the proxy. What it routes is said by the services, in `routes.ts`. */
import { isIP } from "node:net";
import * as z from "zod";
import { isHostName } from "../../nginx/routeChecks.ts";
import { redirects, wildcards } from "./routes.ts";
import { build, image, labelKey, labelValue, replicas, resources } from "./values.ts";
import { doc } from "./doc.ts";

/** https://github.com/nginx/nginx-prometheus-exporter */
const exporterImage =
  "docker.io/nginx/nginx-prometheus-exporter:1.5.1@sha256:9f6d963bb2b19d706d401cc3e2c3ea8de2f1c471b96a2156ca45e76f650b1625";

export const proxy = z
  .strictObject({
    replicas: replicas.default(3).meta(doc("Pods of the proxy.", 6)),
    image: image
      .optional()
      .meta(
        doc(
          "Image by tag or digest. Without it, it is built from `nginx/`.",
          "registry.example.com/apps/nginx-proxy:1.0.0",
        ),
      ),
    build: build
      .optional()
      .meta(doc("Folder that the image is built from. Without it: `./nginx`.", { context: "./nginx" })),
    resolver: z
      .string()
      .refine((value) => isHostName(value) || isIP(value) === 4, "must be a DNS name or an IPv4 address")
      .default("kube-dns.kube-system.svc.cluster.local")
      .meta(doc("Name or address of the cluster's DNS service.", "10.96.0.10")),
    resources: resources("100m", "128Mi"),
    redirects,
    wildcards,
    metrics: z
      .strictObject({
        scrape: z
          .enum(["google", "prometheus-operator", "own", "none"])
          .optional()
          .meta(
            doc(
              "Who scrapes the exporter; `own` makes no object for it. Without it: `google` on GKE, otherwise `none`.",
              "prometheus-operator",
            ),
          ),
        byService: z
          .boolean()
          .default(false)
          .meta(
            doc(
              "On GKE: requests and latency by service and class of status, from the access log; billed by time series.",
              true,
            ),
          ),
        image: image
          .default(exporterImage)
          .meta(
            doc(
              "Image of nginx-prometheus-exporter, without which pods cannot start; a copy in your own registry will do.",
              "registry.example.com/nginx-prometheus-exporter:1.5.1",
            ),
          ),
        resources: resources("10m", "64Mi"),
        labels: z
          .record(labelKey, labelValue)
          .default({})
          .meta(doc("Labels of the object, where a Prometheus Operator selects by them.", { release: "prometheus" })),
      })
      .prefault({})
      .meta(
        doc("An exporter for Prometheus beside nginx, and the object by which it is found.", {
          scrape: "prometheus-operator",
          labels: { release: "prometheus" },
        }),
      ),
  })
  .refine((value) => value.image === undefined || value.build === undefined, "must not have both image and build")
  .transform((value) => (value.image === undefined ? { build: { context: "./nginx" }, ...value } : value))
  .prefault({})
  .meta(doc("The nginx proxy.", { replicas: 6 }));
