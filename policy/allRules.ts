/** All rules. The policy pack, the tests and docs/security.md use this list. */
import { appliesTo, unknown, type Rule, type Properties, type Violation } from "./rule.ts";
import { accessRules } from "./rules/access.ts";
import { clusterRules } from "./rules/cluster.ts";
import { controlPlaneRules } from "./rules/controlPlane.ts";
import { disruptionRules } from "./rules/disruption.ts";
import { edgeRules } from "./rules/edge.ts";
import { networkRules } from "./rules/network.ts";
import { nodePoolRules } from "./rules/nodePool.ts";
import { workloadRules } from "./rules/workload.ts";

export const allRules: readonly Rule[] = [
  ...clusterRules,
  ...controlPlaneRules,
  ...nodePoolRules,
  ...networkRules,
  ...edgeRules,
  ...accessRules,
  ...workloadRules,
  ...disruptionRules,
];

/** A violation of the rule `id`. */
export interface Finding extends Violation {
  readonly id: string;
}

/** The violations of a resource; by default, of the mandatory rules. */
export function findings(
  type: string,
  props: Properties,
  rules: readonly Rule[] = allRules.filter(({ choice }) => choice === undefined),
): Finding[] {
  return rules
    .filter(({ resource }) => appliesTo(resource, type))
    .flatMap(({ id, check }) => check(props).map((violation) => ({ id, ...violation })));
}

/** A readable line, such as `privateClusterConfig.enablePrivateNodes is false; set it to true`. */
export function describe({ property, value, fix }: Violation): string {
  const readable = (_: string, part: unknown) => (part === unknown ? "(not known yet)" : part);
  const text = value === undefined ? "not set" : JSON.stringify(value, readable);
  const shown = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  return `${property} is ${shown}; ${fix}`;
}
