/** The shape of an edge that speaks the Gateway API: of Google's class, or of any other. */
import * as z from "zod";
import { googleEdge } from "./googleEdge.ts";
import { cidr, label } from "./values.ts";
import { doc } from "./doc.ts";

/** The global external Application Load Balancer. https://cloud.google.com/kubernetes-engine/docs/how-to/gatewayclass-capabilities */
const googleGatewayClass = "gke-l7-global-external-managed";

const google = z.object(googleEdge);
const { timeoutSeconds, drainSeconds, ...policies } = googleEdge;

export const gateway = z
  .strictObject({
    kind: z.literal("gateway").meta(doc("A Gateway, of Google's class or another.", "gateway")),
    className: label.default(googleGatewayClass).meta(doc("The GatewayClass, and with it the controller.", "contour")),
    trustedProxies: z
      .array(cidr)
      .max(50)
      .optional()
      .meta(
        doc(
          "Ranges from which X-Forwarded-* is believed: the gateway's own addresses. Not with Google's class, whose are known.",
          ["10.0.0.0/8"],
        ),
      ),
    // Without their defaults, to see which were written.
    timeoutSeconds: timeoutSeconds
      .unwrap()
      .optional()
      .meta(doc("Seconds until an answer must be complete, on Google. Without it: 30.", 120)),
    drainSeconds: drainSeconds
      .unwrap()
      .optional()
      .meta(doc("Seconds in which requests may end on a pod that is going away, on Google. Without it: 30.", 60)),
    ...policies,
  })
  .transform(({ kind, className, trustedProxies, ...settings }, context) => {
    const refuse = (key: string, rule: string, fix: string) => {
      context.addIssue({ code: "custom", path: [key], message: `${rule}; ${fix}` });
    };
    if (className === googleGatewayClass) {
      if (trustedProxies !== undefined)
        refuse(
          "trustedProxies",
          "is not for Google's class, whose load balancer's addresses are known",
          "leave it out",
        );
      return { kind, className, onGoogle: true as const, ...google.parse(settings) };
    }
    if (className.startsWith("gke-"))
      refuse("className", "is a class of Google's that the program does not set up", `use ${googleGatewayClass}`);
    for (const [key, value] of Object.entries(settings))
      if (value !== undefined)
        refuse(key, `is a setting of Google's load balancer, and edge.className is ${className}`, "leave it out");
    return { kind, className, onGoogle: false as const, trustedProxies: trustedProxies ?? [] };
  });
