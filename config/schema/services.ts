/** Schema of a microservice. */
import * as z from "zod";
import { podsPrefix } from "../../names/kubernetes.ts";
import { servicePort } from "../../names/ports.ts";
import { init, sidecars } from "./containers.ts";
import { calls, egress } from "./networkPolicies.ts";
import { proxyNames, route, routeDefaults } from "./routes.ts";
import { build, image, label, path, replicas, resources, roles } from "./values.ts";
import * as jobs from "./jobs.ts";
import * as workload from "./workload.ts";
import { doc, exactlyOne } from "./doc.ts";

const service = z
  .strictObject({
    image: image.optional().meta(doc("Image by tag or digest; not `latest`.", "registry.example.com/apps/hoge:1.4.2")),
    build: build.optional().meta(doc("Build the image from a folder instead.", { context: "./services/sample" })),
    like: label
      .optional()
      .meta(
        doc(
          "Another service from which this one takes every key that it does not set, without routes, ports, health, replicas, rollout, release and schedule. Maps merge; `null` removes a key.",
          "shop",
          "0.3.0",
        ),
      ),
    command: workload.command,
    args: workload.args,
    port: workload.port(servicePort),
    servicePort: workload.servicePort,
    ports: workload.ports,
    replicas: replicas
      .default(2)
      .meta(
        doc(
          "Number of pods, or a map with bounds between which an autoscaler chooses. With 2 or more, a PodDisruptionBudget allows one disruption at a time.",
          { min: 2, max: 10, cpu: 70 },
        ),
      ),
    health: workload.health,
    healthPath: path.optional().meta(doc("Former name of `health`, which this release still takes.", "/readyz")),
    routes: z
      .array(route)
      .max(50)
      .default([])
      .meta(doc("Routes to the service. Without any, only `calls` reach it.", [{ path: "/hoge/" }, { host: "hoge" }])),
    routeDefaults,
    env: workload.serviceEnv,
    files: workload.files,
    scratch: workload.scratch,
    resources: resources("100m", "128Mi"),
    sidecars,
    init,
    metrics: workload.metrics,
    nodes: workload.nodes,
    user: workload.user,
    shutdownSeconds: workload.shutdownSeconds,
    rollout: workload.rollout,
    release: jobs.release,
    schedule: jobs.schedule,
    timeZone: jobs.timeZone,
    concurrency: jobs.concurrency,
    deadlineSeconds: jobs.deadlineSeconds,
    retries: jobs.retries,
    labels: workload.podLabels,
    annotations: workload.podAnnotations,
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
  // In an editor, a service that is like another needs neither.
  .meta({ anyOf: [{ required: ["like"] }, exactlyOne("image", "build")] });

export const services = z
  .record(
    label
      .refine(
        (name) => !proxyNames.includes(name),
        `must not be ${proxyNames.join(" or ")}: those are the proxy's own names`,
      )
      .refine((name) => name !== "shared", "must not be shared: secrets.shared are those of all services")
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
