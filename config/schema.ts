/**
 * The schema of the stack config: every key, its type, limits and default. `schema/` defines the larger keys.
 * `checks.ts` has the checks that involve several keys.
 */
import * as z from "zod";
import { cluster } from "./schema/cluster.ts";
import { dns } from "./schema/dns.ts";
import { edge } from "./schema/edge.ts";
import { networkPolicies } from "./schema/networkPolicies.ts";
import { proxy } from "./schema/proxy.ts";
import { registry } from "./schema/registry.ts";
import { services } from "./schema/services.ts";
import { tls } from "./schema/tls.ts";
import { domain, secretEnv, label } from "./schema/values.ts";
import { doc } from "./schema/doc.ts";

/** Longest `rolloutSeconds`. */
export const mostRolloutSeconds = 3600;

export const schema = z.strictObject({
  domain: domain.meta(doc("The stack's domain. A host without a dot is a label under it.", "shop.example.com")),
  namespace: label
    .refine(
      (name) => name !== "default" && !name.startsWith("kube-"),
      "must not be default or kube-…: a stack has a namespace of its own",
    )
    // https://cloud.google.com/kubernetes-engine/docs/concepts/autopilot-security#managed-namespaces
    .refine((name) => !/^(gke|gmp)-(managed|gmp|system|public)/.test(name), "must not be one that GKE manages")
    .default("apps")
    .meta(doc("Kubernetes namespace of the stack; nothing else lives in it.", "shop")),
  cluster,
  edge,
  tls,
  dns,
  registry,
  proxy,
  networkPolicies,
  rolloutSeconds: z
    .int()
    .min(10)
    .max(mostRolloutSeconds)
    .optional()
    .meta(
      doc(
        "Timeout of a rollout, in seconds. Without it: 600 on a GKE cluster of the stack's, because a node may have to start first; otherwise 180.",
        300,
      ),
    ),
  services,
  secrets: z
    .strictObject({
      tls: z
        .strictObject({
          crt: z.string().meta(doc("PEM chain, the leaf first.", "-----BEGIN CERTIFICATE-----…")),
          key: z.string().meta(doc("PEM key.", "-----BEGIN PRIVATE KEY-----…")),
        })
        .optional()
        .meta(
          doc("A supplied certificate, instead of files.", {
            crt: "-----BEGIN CERTIFICATE-----…",
            key: "-----BEGIN PRIVATE KEY-----…",
          }),
        ),
    })
    .catchall(secretEnv)
    .default({})
    .meta(
      doc(
        "Secret environment variables by service, and a supplied certificate. Set them with `--secret`, which encrypts them.",
        { hoge: { API_KEY: "a secret" } },
      ),
    ),
});

export type Settings = z.output<typeof schema>;
export type ServiceSettings = Settings["services"][string];
