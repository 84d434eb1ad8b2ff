/** The shape of the cluster: a GKE cluster that the stack makes, or one that is there already. What depends on the region, or on another key, is in `../checks/cluster.ts`. */
import * as z from "zod";
import { distinct, label } from "./values.ts";

/** A node pool and its defaults; with mode autopilot there are no pools. */
const nodePool = z.strictObject({
  machineType: z
    .string()
    .regex(
      /^([a-z]\d+[a-z]*-(micro|small|medium|[a-z]+-\d+[a-z]*(-[a-z0-9]+)*)|custom-\d+-\d+(-ext)?)$/,
      "must be a machine type such as e2-standard-4",
    )
    .default("e2-standard-4"),
  minPerZone: z.int().min(0).max(1000).default(1),
  maxPerZone: z.int().min(1).max(1000).default(3),
  spot: z.boolean().default(false),
  diskGb: z.int().min(20).max(2000).default(50),
  diskType: z.enum(["pd-standard", "pd-balanced", "pd-ssd", "hyperdisk-balanced"]).default("pd-balanced"),
  labels: z
    .record(
      z
        .string()
        .regex(
          /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?$/,
          "must be a Kubernetes label such as example.com/team",
        ),
      z
        .string()
        .regex(
          /^([A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?)?$/,
          "must be at most 63 letters, digits and - _ . inside them",
        ),
    )
    .default({}),
  taints: z
    .array(
      z.strictObject({
        key: z.string().min(1).max(253),
        value: z.string().max(63),
        effect: z.enum(["NO_SCHEDULE", "PREFER_NO_SCHEDULE", "NO_EXECUTE"]),
      }),
    )
    .default([]),
});

/** A time without quotes is more than text in YAML, and the CLI hands it over as `2026-01-03 17:00:00 +0000 UTC`. */
const time = z.preprocess(
  (value) => (typeof value === "string" ? value.replace(/^(\S+) (\S+) \+0000 UTC$/, "$1T$2Z") : value),
  z.iso.datetime(),
);

const endpoint = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("dns") }),
    z.strictObject({
      kind: z.literal("ip"),
      /** Public IPv4 ranges by the name that Google shows for them. */
      authorizedNetworks: z
        .record(z.string().min(1).max(63), z.string())
        .refine(
          (networks) => Object.keys(networks).length > 0,
          "must name at least one range, such as office: 203.0.113.0/24; otherwise leave endpoint out: by name through IAM needs none",
        ),
    }),
  ])
  .prefault({ kind: "dns" });

const gke = z
  .strictObject({
    kind: z.literal("gke"),
    mode: z.enum(["standard", "autopilot"]).default("standard"),
    zones: z
      .array(z.string().regex(/^[a-z]+-[a-z]+\d+-[a-z]$/, "must be a zone such as asia-northeast1-a"))
      .min(1)
      .max(10)
      .refine(distinct, "must not name a zone twice")
      .optional(),
    network: z
      .strictObject({
        nodes: z.cidrv4().default("10.0.0.0/20"),
        pods: z.cidrv4().default("10.4.0.0/14"),
        services: z.cidrv4().default("10.8.0.0/20"),
      })
      .prefault({}),
    nodePools: z
      .record(label, nodePool)
      .refine((pools) => Object.keys(pools).length > 0, "must name at least one pool, such as main: {}")
      .optional(),
    endpoint,
    releaseChannel: z.enum(["RAPID", "REGULAR", "STABLE", "EXTENDED"]).default("REGULAR"),
    maintenance: z
      .strictObject({
        start: time.default("2026-01-03T17:00:00Z"),
        end: time.default("2026-01-03T21:00:00Z"),
        recurrence: z
          .string()
          .startsWith("FREQ=", "must be an RFC 5545 rule such as FREQ=WEEKLY;BYDAY=SA,SU")
          .default("FREQ=WEEKLY;BYDAY=SA,SU"),
        exclusions: z
          .record(
            label,
            z.strictObject({
              start: time,
              end: time,
              scope: z.enum(["NO_UPGRADES", "NO_MINOR_UPGRADES", "NO_MINOR_OR_NODE_UPGRADES"]).default("NO_UPGRADES"),
            }),
          )
          .default({}),
      })
      .prefault({}),
    encryptionKey: z
      .string()
      .regex(
        /^projects\/[a-z][a-z0-9-]{4,28}[a-z0-9]\/locations\/[a-z0-9-]+\/keyRings\/[\w-]{1,63}\/cryptoKeys\/[\w-]{1,63}$/,
        "must be the full name of a Cloud KMS key, such as projects/acme-keys/locations/asia-northeast1/keyRings/gke/cryptoKeys/secrets",
      )
      .optional(),
    securityGroup: z
      .string()
      .regex(
        /^gke-security-groups@([a-z0-9-]+\.)+[a-z]+$/,
        "must be the group gke-security-groups@ of your domain, such as gke-security-groups@example.com",
      )
      .optional(),
    binaryAuthorization: z.boolean().default(true),
    deletionProtection: z.boolean().default(true),
  })
  .refine(({ mode, nodePools }) => mode === "standard" || nodePools === undefined, {
    path: ["nodePools"],
    error:
      "cannot be used with mode autopilot, in which Google chooses the nodes; remove nodePools, or set mode: standard",
  })
  .transform(({ nodePools, ...rest }) => ({
    ...rest,
    nodePools: rest.mode === "autopilot" ? {} : (nodePools ?? { main: nodePool.parse({}) }),
  }));

const existing = z.strictObject({
  kind: z.literal("existing"),
  context: z.string().min(1).max(200),
  /** Path of the kubeconfig, relative to the project. */
  kubeconfig: z.string().min(1).optional(),
});

export const cluster = z.discriminatedUnion("kind", [gke, existing]).prefault({ kind: "gke" });
