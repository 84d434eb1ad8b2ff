/** Every rule, and what a resource has against it. The policy pack, the tests and docs/security.md all come from here. */
import { appliesTo, unknown, type Predicate, type Properties, type Violation } from "./predicate.ts";
import { accessPredicates } from "./predicates/access.ts";
import { clusterPredicates } from "./predicates/cluster.ts";
import { controlPlanePredicates } from "./predicates/controlPlane.ts";
import { disruptionPredicates } from "./predicates/disruption.ts";
import { edgePredicates } from "./predicates/edge.ts";
import { networkPredicates } from "./predicates/network.ts";
import { nodePoolPredicates } from "./predicates/nodePool.ts";
import { workloadPredicates } from "./predicates/workload.ts";

export const allPredicates: readonly Predicate[] = [
  ...clusterPredicates,
  ...controlPlanePredicates,
  ...nodePoolPredicates,
  ...networkPredicates,
  ...edgePredicates,
  ...accessPredicates,
  ...workloadPredicates,
  ...disruptionPredicates,
];

/** A violation of the rule `id`. */
export interface Finding extends Violation {
  readonly id: string;
}

/** What the rules have against a resource: those that stop, unless others are given. */
export function findings(
  type: string,
  props: Properties,
  rules: readonly Predicate[] = allPredicates.filter(({ choice }) => choice === undefined),
): Finding[] {
  return rules
    .filter(({ resource }) => appliesTo(resource, type))
    .flatMap(({ id, check }) => check(props).map((violation) => ({ id, ...violation })));
}

/** One line for people, as in `privateClusterConfig.enablePrivateNodes is false; set it to true`. */
export function describe({ property, value, fix }: Violation): string {
  const readable = (_: string, part: unknown) => (part === unknown ? "(not known yet)" : part);
  const text = value === undefined ? "not set" : JSON.stringify(value, readable);
  const shown = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  return `${property} is ${shown}; ${fix}`;
}
