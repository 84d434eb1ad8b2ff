/** Schema of network policies. `../checks/calls.ts` checks calls between services. */
import * as z from "zod";
import { destination, distinct, label, network } from "./values.ts";
import { doc } from "./doc.ts";

export const networkPolicies = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .meta(doc("Deny all traffic that no key allows. `false` lets every pod reach every other.", true)),
    dns: z
      .array(network)
      .max(20)
      .refine(distinct, "must name each range once")
      .default([])
      .meta(
        doc("Ranges of extra DNS servers. GKE's and pods labelled `k8s-app=kube-dns` are always allowed.", [
          "10.0.0.10/32",
        ]),
      ),
  })
  .prefault({})
  .meta(
    doc("Network policies. `routes`, `calls` and `egress` add the allowed connections.", { dns: ["10.0.0.10/32"] }),
  );

export const calls = z
  .array(label)
  .max(100)
  .refine(distinct, "must name each service once")
  .default([])
  .meta(doc("Services of the stack that this one calls, by name. Network policies block all others.", ["web"]));

export const egress = z
  .array(
    z.strictObject({
      cidr: destination
        .refine(
          (range) => !range.startsWith("169.254."),
          "must not be link-local: there is the metadata server, which is open to services with roles",
        )
        .meta(doc("Destination address range.", "203.0.113.0/24")),
      ports: z
        .array(z.int().min(1).max(65535))
        .min(1, "must name at least one port, such as 443")
        .max(100)
        .refine(distinct, "must name each port once")
        .meta(doc("Destination TCP ports.", [443])),
    }),
  )
  .max(100)
  .default([])
  .meta(
    doc("Destinations outside the stack that the service may reach over TCP.", [
      { cidr: "203.0.113.0/24", ports: [443] },
    ]),
  );
