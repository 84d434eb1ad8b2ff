/** The shape of an edge that speaks the Gateway API: of Google's class, or of any other. */
import * as z from "zod";
import { googleEdge } from "./googleEdge.ts";
import { cidr, label } from "./values.ts";

/** The global external Application Load Balancer. https://cloud.google.com/kubernetes-engine/docs/how-to/gatewayclass-capabilities */
const googleGatewayClass = "gke-l7-global-external-managed";

const google = z.object(googleEdge);
const { timeoutSeconds, drainSeconds, ...policies } = googleEdge;

export const gateway = z
  .strictObject({
    kind: z.literal("gateway"),
    /** The GatewayClass, and with it the controller. */
    className: label.default(googleGatewayClass),
    /** Ranges from which X-Forwarded-* is believed: the gateway's own addresses. Google's are known. */
    trustedProxies: z.array(cidr).max(50).optional(),
    // Without their defaults, to see which were written.
    timeoutSeconds: timeoutSeconds.unwrap().optional(),
    drainSeconds: drainSeconds.unwrap().optional(),
    ...policies,
  })
  .transform(({ kind, className, trustedProxies, ...settings }, context) => {
    const refuse = (key: string, message: string) => {
      context.addIssue({ code: "custom", path: [key], message });
    };
    if (className === googleGatewayClass) {
      if (trustedProxies !== undefined)
        refuse("trustedProxies", "must be left out with Google's class: where its load balancer comes from is known");
      return { kind, className, onGoogle: true as const, ...google.parse(settings) };
    }
    if (className.startsWith("gke-"))
      refuse("className", `is a class of Google's that the program does not set up; use ${googleGatewayClass}`);
    for (const [key, value] of Object.entries(settings))
      if (value !== undefined)
        refuse(key, `is a setting of Google's load balancer, and edge.className is ${className}; leave it out`);
    return { kind, className, onGoogle: false as const, trustedProxies: trustedProxies ?? [] };
  });
