/**
 * The stack config's shape: every key, its type, its limits and its default; the larger keys are in `schema/`.
 * What concerns more than one key at a time is in `checks.ts`.
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
import { domain, env, label } from "./schema/values.ts";

export const schema = z.strictObject({
  domain,
  namespace: label
    .refine(
      (name) => name !== "default" && !name.startsWith("kube-"),
      "must not be default or kube-…: a stack has a namespace of its own",
    )
    .default("apps"),
  cluster,
  edge,
  tls,
  dns,
  registry,
  proxy,
  networkPolicies,
  /** Seconds that a rollout may take before it counts as failed. */
  rolloutSeconds: z.int().min(10).max(3600).default(180),
  services,
  secrets: z
    .strictObject({ tls: z.strictObject({ crt: z.string(), key: z.string() }).optional() })
    .catchall(env)
    .default({}),
});

export type Settings = z.output<typeof schema>;
export type ServiceSettings = Settings["services"][string];
