/** The only rule that runs a program: nginx itself parses the new configuration. */
import type { ResourceValidationPolicy } from "@pulumi/policy";
import { syntaxProblem } from "../tools/programs/nginx.ts";
import { at } from "./rule.ts";
import { withUnknowns } from "./unknowns.ts";

export const proxyRoutesAccepted: ResourceValidationPolicy = {
  name: "proxy-routes-accepted",
  displayName: "nginx takes the routes of the proxy",
  description: "nginx takes the routes of the proxy",
  severity: "high",
  enforcementLevel: "mandatory",
  remediationSteps: '`nginx -t` accepts `data["routes.conf"]`',
  validateResource: async ({ type, props }, report) => {
    if (type !== "kubernetes:core/v1:ConfigMap") return;
    const routes = at(withUnknowns(props), 'data["routes.conf"]');
    if (typeof routes !== "string") return;
    const problem = await syntaxProblem(routes).catch((error: unknown) => String(error));
    if (problem !== undefined) report(`data["routes.conf"]: ${problem}`);
  },
};
