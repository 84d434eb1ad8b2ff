/** The shape of who may talk to whom. What concerns other services is in `../checks/calls.ts`. */
import * as z from "zod";
import { distinct, label, network } from "./values.ts";
import { doc } from "./doc.ts";

export const networkPolicies = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .meta(doc("Close the namespace to all that no key opens. `false` leaves every pod open to every other.", true)),
    dns: z
      .array(network)
      .max(20)
      .refine(distinct, "must name each range once")
      .default([])
      .meta(
        doc("Ranges of DNS servers that pods may ask, beside GKE's and the pods labelled `k8s-app=kube-dns`.", [
          "10.0.0.10/32",
        ]),
      ),
  })
  .prefault({})
  .meta(doc("Who may talk to whom, beside what `routes`, `calls` and `egress` open.", { dns: ["10.0.0.10/32"] }));

export const calls = z
  .array(label)
  .max(100)
  .refine(distinct, "must name each service once")
  .default([])
  .meta(doc("Services of the stack that this one calls, by name. Network policies keep it from all others.", ["web"]));

export const egress = z
  .array(
    z.strictObject({
      cidr: network
        .refine(
          (range) => !range.startsWith("169.254."),
          "must not be link-local: there is the metadata server, which is open to services with roles",
        )
        .meta(doc("Address range that it reaches.", "203.0.113.0/24")),
      ports: z
        .array(z.int().min(1).max(65535))
        .min(1, "must name at least one port, such as 443")
        .max(100)
        .refine(distinct, "must name each port once")
        .meta(doc("TCP ports that it reaches there.", [443])),
    }),
  )
  .max(100)
  .default([])
  .meta(doc("What the service reaches outside the stack, over TCP.", [{ cidr: "203.0.113.0/24", ports: [443] }]));
