/** Schema of an edge with the Gateway API, of Google's class or another. */
import * as z from "zod";
import { googleEdge } from "./googleEdge.ts";
import { cidr, objectName } from "./values.ts";
import { doc } from "./doc.ts";

/**
 * The global external Application Load Balancer.
 * https://cloud.google.com/kubernetes-engine/docs/how-to/gatewayclass-capabilities
 */
const googleGatewayClass = "gke-l7-global-external-managed";

const google = z.object(googleEdge);
const { timeoutSeconds, drainSeconds, ...policies } = googleEdge;

export const gateway = z
  .strictObject({
    kind: z.literal("gateway").meta(doc("A Gateway, of Google's class or another.", "gateway")),
    className: objectName
      .default(googleGatewayClass)
      .meta(doc("The GatewayClass, which selects the controller.", "contour")),
    trustedProxies: z
      .array(cidr)
      .max(50)
      .optional()
      .meta(
        doc(
          "Ranges whose X-Forwarded-* headers the proxy trusts: the gateway's own addresses. Not for Google's class.",
          ["10.0.0.0/8"],
        ),
      ),
    // Without defaults, to detect which keys are set.
    timeoutSeconds: timeoutSeconds
      .unwrap()
      .optional()
      .meta(doc("Timeout of a whole request in seconds, on Google. Without it: 40.", 120)),
    drainSeconds: drainSeconds
      .unwrap()
      .optional()
      .meta(doc("Connection draining timeout of a terminating pod in seconds, on Google. Without it: 30.", 60)),
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
