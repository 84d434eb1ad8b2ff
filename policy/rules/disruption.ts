/** Rules for draining nodes. */
import { all, isSet, oneOf, rulesFor } from "../rule.ts";

const budget = { name: "PodDisruptionBudget", types: ["kubernetes:policy/v1:PodDisruptionBudget"] };

export const disruptionRules = rulesFor(budget, {
  "budget-lets-drain": {
    title: "A node can be drained, also one whose pods do not get ready",
    severity: "medium",
    ...all(
      isSet("spec.maxUnavailable", "set it to 1", [0, "0%"]),
      oneOf("spec.unhealthyPodEvictionPolicy", ["AlwaysAllow"]),
    ),
  },
});
