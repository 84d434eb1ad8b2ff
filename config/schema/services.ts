/** The shape of a microservice. */
import * as z from "zod";
import { podsPrefix } from "../../names/kubernetes.ts";
import { servicePort } from "../../names/ports.ts";
import { calls, egress } from "./networkPolicies.ts";
import { proxyNames, route, routeDefaults } from "./routes.ts";
import { build, env, image, label, path, replicas, resources, roles } from "./values.ts";

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
