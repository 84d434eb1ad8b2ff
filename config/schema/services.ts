/** Schema of a microservice. */
import * as z from "zod";
import { podsPrefix } from "../../names/kubernetes.ts";
import { servicePort } from "../../names/ports.ts";
import { calls, egress } from "./networkPolicies.ts";
import { proxyNames, route, routeDefaults } from "./routes.ts";
import { build, env, image, label, path, replicas, resources, roles } from "./values.ts";
import { doc, exactlyOne } from "./doc.ts";

const service = z
  .strictObject({
    image: image.optional().meta(doc("Image by tag or digest; not `latest`.", "registry.example.com/apps/hoge:1.4.2")),
    build: build.optional().meta(doc("Build the image from a folder instead.", { context: "./services/sample" })),
    port: z
      .int()
      .min(1024, "must be at least 1024: pods run without privileges")
      .max(65535)
      .default(servicePort)
      .meta(doc("Port of the container and of its Service.", 3000)),
    replicas: replicas
      .default(2)
      .meta(doc("Number of pods. With 2 or more, a PodDisruptionBudget allows one disruption at a time.", 4)),
    healthPath: path
      .optional()
      .meta(
        doc(
          "Path that returns 200 when the pod is ready. Without it: `/healthz`, or the gRPC health check if the service has only gRPC routes.",
          "/readyz",
        ),
      ),
    routes: z
      .array(route)
      .max(50)
      .default([])
      .meta(doc("Routes to the service. Without any, only `calls` reach it.", [{ path: "/hoge/" }, { host: "hoge" }])),
    routeDefaults,
    env: env.default({}).meta(doc("Environment variables. Secret ones go under `secrets`.", { LOG_LEVEL: "info" })),
    resources: resources("100m", "128Mi"),
    roles: roles
      .default([])
      .meta(
        doc("Google roles on the project; with roles, the service gets its own identity.", ["roles/pubsub.publisher"]),
      ),
    calls,
    egress,
  })
  .refine(
    (value) => (value.image === undefined) !== (value.build === undefined),
    "must have exactly one of image and build",
  )
  .meta(exactlyOne("image", "build"));

export const services = z
  .record(
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
  )
  .meta(
    doc("The microservices, by name. The name is the Service's and the Deployment's.", {
      hoge: { image: "registry.example.com/apps/hoge:1.4.2", routes: [{ path: "/hoge/" }] },
    }),
  );
