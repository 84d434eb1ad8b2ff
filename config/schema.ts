/**
 * The stack config's shape: every key, its type, its limits and its default, in one place.
 * What concerns more than one key at a time is in `checks.ts`.
 */
import * as z from "zod";

/** Kubernetes names that end up in DNS (RFC 1123 label). https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ */
const label = z
  .string()
  .regex(
    /^[a-z]([-a-z0-9]*[a-z0-9])?$/,
    "must be a DNS label: lower-case letters, digits and hyphens, starting with a letter",
  )
  .max(40, "must have at most 40 characters, so that the names made from it stay within 63");

const domain = z
  .string()
  .max(200, "must have at most 200 characters")
  .regex(
    /^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)+[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/,
    "must be a lower-case DNS name with at least one dot, such as shop.example.com",
  );

const host = z
  .string()
  .max(200, "must have at most 200 characters")
  .regex(
    /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/,
    "must be a label under the domain (hoge) or a full lower-case DNS name (hoge.example.com)",
  );

/** The characters that RFC 3986 allows unescaped in a path segment, less those that mean something to nginx or to a shell. */
const path = z
  .string()
  .max(200, "must have at most 200 characters")
  .regex(
    /^\/([A-Za-z0-9._~-]+\/)*([A-Za-z0-9._~-]+)?$/,
    "must start with /, with segments of letters, digits and . _ ~ -",
  )
  .refine(
    (value) => !value.split("/").some((segment) => segment === "." || segment === ".."),
    "must not contain . or .. segments",
  );

/** An image by tag or digest; a reference without either, or with `latest`, names something else tomorrow. */
const image = z
  .string()
  .max(500, "must have at most 500 characters")
  .regex(
    /^[a-z0-9][a-z0-9.-]*(:\d+)?(\/[a-z0-9._-]+)*(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?$/,
    "must be an image reference such as registry.example.com/apps/hoge:1.4.2",
  )
  .refine((value) => value.includes("@sha256:") || /:[^/]+$/.test(value), "must have a tag or a digest, such as :1.4.2")
  .refine(
    (value) => value.includes("@sha256:") || !value.endsWith(":latest"),
    "must not use the tag latest: name a version",
  );

const build = z.strictObject({
  /** Folder with the Dockerfile, relative to the project. */
  context: z.string().min(1).max(200),
});

const cidr = z.union([z.cidrv4(), z.cidrv6()], { error: "must be an address range such as 10.0.0.0/8" });
const quantity = z.string().regex(/^\d+(\.\d+)?(m|Ki|Mi|Gi)?$/, "must be a Kubernetes quantity such as 250m or 128Mi");

const resources = (cpu: string, memory: string) =>
  z
    .strictObject({
      /** CPU that is asked for; there is no limit, which would only throttle. */
      cpu: quantity.default(cpu),
      /** Memory that is asked for, and the limit. */
      memory: quantity.default(memory),
    })
    .prefault({});

const route = z
  .strictObject({
    path: path.optional(),
    host: host.optional(),
    /** Pass the prefix on to the service instead of stripping it. */
    keepPrefix: z.boolean().default(false),
  })
  .refine((value) => value.path !== undefined || value.host !== undefined, "must have a path, a host or both");

/** `pulumi config set --path` stores 8080 as a number and true as a boolean, so env values take those too. */
const envName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be the name of an environment variable");
const env = z.record(
  envName,
  z
    .union([z.string(), z.number(), z.boolean()], { error: "must be a string, a number or a boolean" })
    .transform(String),
);

export const replicas = z.int().min(1).max(100);

const service = z
  .strictObject({
    image: image.optional(),
    build: build.optional(),
    port: z.int().min(1024, "must be at least 1024: pods run without privileges").max(65535).default(8080),
    replicas: replicas.default(2),
    /** Answers 200 when the pod can take requests. */
    healthPath: path.default("/healthz"),
    routes: z.array(route).max(50).default([]),
    env: env.default({}),
    resources: resources("100m", "128Mi"),
  })
  .refine(
    (value) => (value.image === undefined) !== (value.build === undefined),
    "must have exactly one of image and build",
  );

const gke = z.strictObject({
  kind: z.literal("gke"),
  network: z
    .strictObject({
      nodes: z.cidrv4().default("10.0.0.0/20"),
      pods: z.cidrv4().default("10.4.0.0/14"),
      services: z.cidrv4().default("10.8.0.0/20"),
    })
    .prefault({}),
  nodes: z
    .strictObject({
      machineType: z
        .string()
        .regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)+$/, "must be a machine type such as e2-standard-4")
        .default("e2-standard-4"),
      minPerZone: z.int().min(0).max(100).default(1),
      maxPerZone: z.int().min(1).max(100).default(3),
      spot: z.boolean().default(false),
      diskGb: z.int().min(20).max(2000).default(50),
    })
    .prefault({}),
  releaseChannel: z.enum(["RAPID", "REGULAR", "STABLE"]).default("REGULAR"),
  maintenance: z
    .strictObject({
      start: z.iso.datetime().default("2026-01-03T17:00:00Z"),
      end: z.iso.datetime().default("2026-01-03T21:00:00Z"),
      recurrence: z
        .string()
        .startsWith("FREQ=", "must be an RFC 5545 rule such as FREQ=WEEKLY;BYDAY=SA,SU")
        .default("FREQ=WEEKLY;BYDAY=SA,SU"),
    })
    .prefault({}),
  deletionProtection: z.boolean().default(true),
});

const existing = z.strictObject({
  kind: z.literal("existing"),
  context: z.string().min(1).max(200),
  /** Path of the kubeconfig, relative to the project. */
  kubeconfig: z.string().min(1).optional(),
});

const redirectHttp = z.boolean().default(true);
const file = z.string().min(1).max(500);

export const schema = z.strictObject({
  domain,
  namespace: label
    .refine(
      (name) => name !== "default" && !name.startsWith("kube-"),
      "must not be default or kube-…: a stack has a namespace of its own",
    )
    .default("apps"),
  cluster: z.discriminatedUnion("kind", [gke, existing]).prefault({ kind: "gke" }),
  edge: z
    .discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("gce") }),
      z.strictObject({
        kind: z.literal("ingress"),
        className: label,
        /** Ranges from which X-Forwarded-* is believed: the ingress controller's own addresses. */
        trustedProxies: z.array(cidr).max(50).default([]),
        annotations: z.record(z.string(), z.string()).default({}),
      }),
    ])
    .prefault({ kind: "gce" }),
  tls: z
    .discriminatedUnion("mode", [
      z.strictObject({ mode: z.literal("none") }),
      z.strictObject({ mode: z.literal("self-signed"), redirectHttp }),
      z.strictObject({
        mode: z.literal("supplied"),
        redirectHttp,
        certFile: file.optional(),
        keyFile: file.optional(),
      }),
    ])
    .prefault({ mode: "self-signed" }),
  registry: z
    .discriminatedUnion("kind", [
      /** Images are built by the program and pushed to the stack's own Artifact Registry. */
      z.strictObject({ kind: z.literal("artifact-registry") }),
      /** Images are built beforehand and put on the node: what `npm start` does. */
      z.strictObject({ kind: z.literal("node") }),
    ])
    .prefault({ kind: "artifact-registry" }),
  proxy: z
    .strictObject({
      replicas: replicas.default(3),
      image: image.optional(),
      build: build.optional(),
      /** Name or address of the cluster's DNS service. */
      resolver: z
        .string()
        .regex(/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/, "must be a DNS name or an IPv4 address")
        .default("kube-dns.kube-system.svc.cluster.local"),
      resources: resources("100m", "128Mi"),
    })
    .refine((value) => value.image === undefined || value.build === undefined, "must not have both image and build")
    .transform((value) => (value.image === undefined ? { build: { context: "./nginx" }, ...value } : value))
    .prefault({}),
  /** Seconds that a rollout may take before it counts as failed. */
  rolloutSeconds: z.int().min(10).max(3600).default(180),
  services: z.record(
    label.refine((name) => name !== "nginx-proxy", "must not be nginx-proxy: that is the proxy's own name"),
    service,
  ),
  secrets: z
    .strictObject({ tls: z.strictObject({ crt: z.string(), key: z.string() }).optional() })
    .catchall(env)
    .default({}),
});

export type Settings = z.output<typeof schema>;
export type ServiceSettings = Settings["services"][string];
