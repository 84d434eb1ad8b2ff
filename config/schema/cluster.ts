/**
 * Schema of the cluster: a GKE cluster that the stack creates, or an existing one. `../checks/cluster.ts` checks what
 * depends on the region or on other keys.
 */
import * as z from "zod";
import { projectId } from "../../names/google.ts";
import { parseRecurrence } from "../recurrence.ts";
import { distinct, label, labelKey, labelValue } from "./values.ts";
import { doc } from "./doc.ts";

/**
 * Prefixes that GKE refuses, except those that a kubelet may set. GKE's own `cloud.google.com/` has keys that a pool may
 * set, such as `gke-smt-disabled`. https://github.com/hashicorp/terraform-provider-google/issues/6003 and
 * https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction
 */
const reservedLabel =
  /^(?!(node|kubelet|node-restriction)\.kubernetes\.io\/)([^/]+\.)?(kubernetes|k8s)\.io\/|^(sandbox|iam)\.gke\.io\//;

/** https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions */
const ofControlPlane =
  /^node\.kubernetes\.io\/(not-ready|unreachable|(memory|disk|pid)-pressure|network-unavailable|unschedulable|out-of-service)$|^node\.cloudprovider\.kubernetes\.io\//;

/** Keys that GKE gives each node, with values of its own. https://cloud.google.com/kubernetes-engine/docs/concepts/node-labels */
const ofGke =
  /^cloud\.google\.com\/(machine-family|private-node|gke-(nodepool|spot|preemptible|provisioning|os-distribution|boot-disk|container-runtime|max-pods-per-node|stack-type|cpu-scaling-level|memory-gb-scaling-level|logging-variant|accelerator|netd-ready))$/;

/** A node pool with defaults; Autopilot has no node pools. */
const nodePool = z.strictObject({
  machineType: z
    .string()
    .regex(
      // `../checks/machineTypes.ts` checks it further. `ct` and `tpu` begin series of TPUs.
      /^((?:[a-z]|ct|tpu)\d+[a-z]*(-[a-z0-9]+)+|custom-\d+-\d+(-ext)?)$/,
      "must be a machine type such as e2-standard-4",
    )
    .default("e2-standard-4")
    .meta(doc("Compute Engine machine type.", "n2d-standard-4")),
  minPerZone: z.int().min(0).max(1000).default(1).meta(doc("Minimum number of nodes in each zone.", 0)),
  maxPerZone: z.int().min(1).max(1000).default(3).meta(doc("Maximum number of nodes in each zone.", 6)),
  spot: z.boolean().default(false).meta(doc("Spot VMs: cheaper, but Google may stop them at any time.", true)),
  diskGb: z.int().min(20).max(2000).default(50).meta(doc("Size of each node's boot disk, GB.", 100)),
  diskType: z
    .enum(["pd-standard", "pd-balanced", "pd-ssd", "hyperdisk-balanced"])
    .default("pd-balanced")
    .meta(doc("Type of the boot disk; newer machine series support only `hyperdisk-balanced`.", "pd-ssd")),
  labels: z
    .record(
      labelKey.refine(
        (key) => !reservedLabel.test(key) && !ofGke.test(key),
        "must not have a prefix that Kubernetes or Google manages, such as kubernetes.io/; use one of your own, such as example.com/",
      ),
      labelValue,
    )
    .default({})
    .meta(doc("Kubernetes labels of each node.", { "example.com/team": "shop" })),
  taints: z
    .array(
      z.strictObject({
        key: labelKey
          .refine(
            (key) => !ofControlPlane.test(key),
            "must not be one that Kubernetes sets and removes by the state of a node; use one of your own, such as example.com/for",
          )
          .meta(doc("Key of the taint, in the form of a label's.", "example.com/for")),
        value: labelValue.meta(doc("Value of the taint, in the form of a label's.", "batch")),
        effect: z
          .enum(["NO_SCHEDULE", "PREFER_NO_SCHEDULE", "NO_EXECUTE"])
          .meta(doc("What happens to pods without a matching toleration.", "PREFER_NO_SCHEDULE")),
      }),
    )
    .refine(
      (taints) => distinct(taints.map(({ key, effect }) => `${key} ${effect}`)),
      "must name each key once for an effect: a node with both would not start",
    )
    .default([])
    .meta(
      doc("Kubernetes taints of each node. At least one pool must have none.", [
        { key: "example.com/for", value: "batch", effect: "PREFER_NO_SCHEDULE" },
      ]),
    ),
});

/**
 * A time in UTC to the second: Google returns that form, and any other would show a diff for ever. YAML parses an unquoted
 * time as a timestamp, and the CLI passes it as `2026-01-03 17:00:00 +0900 +0900`.
 */
const time = z
  .preprocess(
    (value) =>
      typeof value === "string"
        ? value
            .replace(/^(\S+) (\S+) \+0000 UTC$/, "$1T$2Z")
            .replace(/^(\S+) (\S+) ([-+]\d\d)(\d\d) \3\4$/, "$1T$2$3:$4")
        : value,
    z.iso.datetime({ offset: true }),
  )
  .transform((value) => new Date(value).toISOString().replace(/\.\d+/, ""));

/** A description. Google takes blanks and capitals: https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/container_cluster#example-usage */
const exclusionName = z
  .string()
  .regex(
    /^[A-Za-z0-9](?:[-\w. ]{0,61}[A-Za-z0-9])?$/,
    "must be a name of at most 63 letters, digits, blanks and - _ ., such as black-friday",
  );

const endpoint = z
  .discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("dns").meta(doc("DNS endpoint, protected by IAM: the control plane has no IP endpoint.", "dns")),
    }),
    z.strictObject({
      kind: z.literal("ip").meta(doc("Public IP endpoint, open only to the authorized networks.", "ip")),
      authorizedNetworks: z
        .record(z.string().min(1).max(63), z.string())
        .refine(
          (networks) => Object.keys(networks).length > 0,
          "must name at least one range, such as office: 203.0.113.0/24; otherwise leave endpoint out: by name through IAM needs none",
        )
        .meta(
          doc("Public IPv4 ranges that may reach the control plane, by display name.", {
            office: "203.0.113.0/24",
          }),
        ),
    }),
  ])
  .prefault({ kind: "dns" })
  .meta(doc("How kubectl and Pulumi reach the control plane.", { kind: "dns" }));

const gke = z
  .strictObject({
    kind: z.literal("gke").meta(doc("The stack creates a GKE cluster.", "gke")),
    mode: z
      .enum(["standard", "autopilot"])
      .default("standard")
      .meta(doc("Who manages the nodes: you, with node pools, or Google. It cannot be changed later.", "autopilot")),
    zones: z
      .array(z.string().regex(/^[a-z]+-[a-z]+\d+-(ai\d)?[a-z]$/, "must be a zone such as asia-northeast1-a"))
      .min(1)
      .max(10)
      .refine(distinct, "must name each zone once")
      .optional()
      .meta(
        doc("Zones of the nodes, all in `gcp:region`. Without it: Google chooses, usually three.", [
          "asia-northeast1-a",
        ]),
      ),
    network: z
      .strictObject({
        nodes: z
          .cidrv4()
          .default("10.0.0.0/20")
          .meta(doc("Primary range of the subnet: one address per node.", "10.0.0.0/20")),
        pods: z.cidrv4().default("10.4.0.0/14").meta(doc("Range of the pods: a /24 per node.", "10.4.0.0/14")),
        services: z
          .cidrv4()
          .default("10.8.0.0/20")
          .meta(doc("Range of the Services: one address per Service.", "10.8.0.0/20")),
      })
      .prefault({})
      .meta(doc("Private IPv4 ranges that do not overlap. Most changes replace the cluster.", { pods: "10.4.0.0/14" })),
    nodePools: z
      .record(label, nodePool)
      .refine((pools) => Object.keys(pools).length > 0, "must name at least one pool, such as main: {}")
      .optional()
      .meta(
        doc("Node pools of a Standard cluster, by name. Without it: one pool `main` with the defaults.", {
          main: { machineType: "e2-standard-4", minPerZone: 1, maxPerZone: 6 },
        }),
      ),
    endpoint,
    releaseChannel: z
      .enum(["RAPID", "REGULAR", "STABLE", "EXTENDED"])
      .default("REGULAR")
      .meta(doc("Release channel: how early the cluster gets new Kubernetes versions.", "STABLE")),
    maintenance: z
      .strictObject({
        start: time
          .default("2026-01-03T17:00:00Z")
          .meta(
            doc("Start of the first window, RFC 3339. The days of `recurrence` are in UTC.", "2026-01-03T17:00:00Z"),
          ),
        end: time
          .default("2026-01-04T01:00:00Z")
          .meta(
            doc(
              "End of the first window, at least 4 hours later. Google needs 48 hours of windows in 32 days.",
              "2026-01-04T01:00:00Z",
            ),
          ),
        recurrence: z
          .string()
          .toUpperCase()
          .refine(
            (value) => parseRecurrence(value) !== undefined,
            "must be days, weeks or months of RFC 5545, without an end, such as FREQ=WEEKLY;BYDAY=SA,SU or FREQ=DAILY",
          )
          .default("FREQ=WEEKLY;BYDAY=SA,SU")
          .meta(doc("Recurrence of the window, as an RRULE of RFC 5545.", "FREQ=WEEKLY;BYDAY=SA,SU")),
        exclusions: z
          .record(
            exclusionName,
            z.strictObject({
              start: time.meta(doc("Start, RFC 3339.", "2026-11-20T00:00:00Z")),
              end: time.meta(doc("End, RFC 3339.", "2026-12-01T00:00:00Z")),
              scope: z
                .enum(["NO_UPGRADES", "NO_MINOR_UPGRADES", "NO_MINOR_OR_NODE_UPGRADES"])
                .default("NO_UPGRADES")
                .meta(doc("Which upgrades are excluded.", "NO_MINOR_UPGRADES")),
            }),
          )
          .default({})
          .meta(
            doc("Maintenance exclusions, by name.", {
              sale: { start: "2026-11-20T00:00:00Z", end: "2026-12-01T00:00:00Z" },
            }),
          ),
      })
      .prefault({})
      .meta(doc("Maintenance window of the cluster.", { recurrence: "FREQ=WEEKLY;BYDAY=SA,SU" })),
    encryptionKey: z
      .string()
      .regex(
        new RegExp(`^projects/${projectId}/locations/[a-z0-9-]+/keyRings/[\\w-]{1,63}/cryptoKeys/[\\w-]{1,63}$`),
        "must be the full name of a Cloud KMS key, without a version, such as projects/acme-keys/locations/asia-northeast1/keyRings/gke/cryptoKeys/secrets",
      )
      .optional()
      .meta(
        doc(
          "Cloud KMS key in the cluster's region that encrypts Kubernetes Secrets. Without it: Google's key.",
          "projects/acme-keys/locations/asia-northeast1/keyRings/gke/cryptoKeys/secrets",
        ),
      ),
    securityGroup: z
      .string()
      .regex(
        /^gke-security-groups@([a-z0-9-]+\.)+[a-z][a-z0-9-]*$/,
        "must be the group gke-security-groups@ of your domain, such as gke-security-groups@example.com",
      )
      .optional()
      .meta(doc("Group whose member groups RBAC bindings may name.", "gke-security-groups@example.com")),
    binaryAuthorization: z
      .boolean()
      .default(true)
      .meta(doc("Whether the project's Binary Authorization policy decides which images may run.", false)),
    deletionProtection: z
      .boolean()
      .default(true)
      .meta(doc("Whether Google and Pulumi refuse to delete or replace the cluster.", false)),
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
  kind: z.literal("existing").meta(doc("An existing cluster, which the stack does not manage.", "existing")),
  mode: z
    .enum(["standard", "autopilot"])
    .default("standard")
    .meta(
      doc(
        "`autopilot` for a GKE cluster in that mode: it changes pods that ask for less than its minimum.",
        "autopilot",
      ),
    ),
  context: z.string().min(1).max(200).meta(doc("Context of the kubeconfig.", "kind-shop")),
  kubeconfig: z
    .string()
    .min(1)
    .optional()
    .meta(
      doc("Path of the kubeconfig, relative to the project. Without it: your default kubeconfig.", ".local/kubeconfig"),
    ),
});

export const cluster = z
  .discriminatedUnion("kind", [gke, existing])
  .prefault({ kind: "gke" })
  .meta(doc("The Kubernetes cluster.", { kind: "existing", context: "kind-shop" }));
