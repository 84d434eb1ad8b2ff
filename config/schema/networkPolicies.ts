/** The shape of who may talk to whom. What concerns other services is in `../checks/networkPolicies.ts`. */
import * as z from "zod";
import { distinct, label, network } from "./values.ts";

export const networkPolicies = z
  .strictObject({
    /** `false` leaves every pod open to every other: for a cluster in which something else keeps them apart. */
    enabled: z.boolean().default(true),
    /** Ranges of DNS servers that pods may ask, beside those that GKE has and the pods labelled k8s-app=kube-dns. */
    dns: z.array(network).max(20).refine(distinct, "must name each range once").default([]),
  })
  .prefault({});

/** Names of services that this one calls. */
export const calls = z.array(label).max(100).refine(distinct, "must name each service once").default([]);

/** What a service reaches outside the stack, over TCP. */
export const egress = z
  .array(
    z.strictObject({
      cidr: network.refine(
        (range) => !range.startsWith("169.254."),
        "must not be link-local: there is the metadata server, which is open to services with roles",
      ),
      ports: z
        .array(z.int().min(1).max(65535))
        .min(1, "must name at least one port, such as 443")
        .max(100)
        .refine(distinct, "must name each port once"),
    }),
  )
  .max(100)
  .default([]);
