/** The policy pack, for `pulumi preview --policy-pack policy`. It uses the program's packages, one folder up. */
import { PolicyPack, type ResourceValidationPolicy } from "@pulumi/policy";
import { appliesTo, type Rule } from "./rule.ts";
import { allRules, describe } from "./allRules.ts";
import { proxyRoutesAccepted } from "./proxyRoutes.ts";
import { withUnknowns } from "./unknowns.ts";

function policyOf(rule: Rule): ResourceValidationPolicy {
  const { id, title, resource, benchmark, severity, choice, required, check } = rule;
  return {
    name: id,
    displayName: title,
    description: benchmark.length === 0 ? title : `${title} (${benchmark.join(", ")})`,
    severity,
    enforcementLevel: choice === undefined ? "mandatory" : "advisory",
    remediationSteps: required,
    validateResource: ({ type, props }, report) => {
      if (!appliesTo(resource, type)) return;
      // A new resource that `--target` excludes has no inputs: nothing will be created.
      if (Object.keys(props).length === 0) return;
      for (const violation of check(withUnknowns(props))) report(describe(violation));
    },
  };
}

new PolicyPack("gke-microservices", { policies: [...allRules.map(policyOf), proxyRoutesAccepted] });
