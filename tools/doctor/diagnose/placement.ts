/** Why a pod is on no node, or on one that does not work, from the scheduler, the controllers and the nodes. */
import type { Event, Node, Pod, ReplicaSet } from "../gather/objects.ts";
import { notStarted } from "../../apply/podStates.ts";
import { restore, short, type Remedies, type Trouble, type Workload } from "./trouble.ts";

const readiness = ({ status }: Node) => status?.conditions?.find(({ type }) => type === "Ready");
const isDown = (node: Node): boolean => (readiness(node)?.status ?? "True") !== "True";

/** A pod whose node does not report any more: what its status says of its containers is from before. */
export function nodeTrouble(pod: Pod, nodes: readonly Node[], { kubectl }: Remedies): Trouble | undefined {
  const node = nodes.find(({ metadata }) => metadata.name === pod.spec.nodeName);
  if (node === undefined || !isDown(node)) return undefined;
  const { reason = "", message = "" } = readiness(node) ?? {};
  return {
    seen: `its node ${node.metadata.name} is not ready: ${reason} ${short(message)}`.trim(),
    means:
      "The node has failed, or its kubelet does not reach the cluster. Kubernetes starts the pods on other nodes after 5 minutes.",
    fix: `${kubectl} describe node ${node.metadata.name}`,
    passing: true,
  };
}

interface Obstacle {
  readonly pattern: RegExp;
  readonly means: string;
  readonly fix: (workload: Workload, remedies: Remedies, nodes: readonly Node[]) => string;
}

/** A cluster may have a thousand nodes. */
const mostNamed = 5;

/** The names of the nodes for which it holds, for a command; `NODE` if none is known. */
const namesOf = (nodes: readonly Node[], holds: (node: Node) => boolean): string =>
  nodes
    .filter(holds)
    .slice(0, mostNamed)
    .map(({ metadata }) => metadata.name)
    .join(" ") || "NODE";

const isUnderPressure = ({ status }: Node): boolean =>
  status?.conditions?.some(({ type, status }) => type.endsWith("Pressure") && status === "True") ?? false;

/**
 * What keeps the scheduler from placing a pod, in its words.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/scheduling-framework/#filter
 */
const obstacles: readonly Obstacle[] = [
  {
    pattern: /were unschedulable/,
    means: "The node takes no new pods: somebody cordoned it, or Google does while it replaces or upgrades the node.",
    fix: (_, { kubectl }, nodes) =>
      `${kubectl} uncordon ${namesOf(nodes, ({ spec }) => spec?.unschedulable === true)}   # unless it is about to be replaced`,
  },
  {
    pattern: /taint.*(not-ready|unreachable|network-unavailable)|not-ready/,
    means: "The node is not ready.",
    fix: (_, { kubectl }, nodes) => `${kubectl} describe node ${namesOf(nodes, isDown)}`,
  },
  {
    pattern: /taint.*disk-pressure/,
    means: "The node's disk is nearly full, and it takes no new pods until there is space again.",
    fix: (_, { kubectl }, nodes) =>
      `${kubectl} describe node ${namesOf(nodes, isUnderPressure)}   # then: free space on its disk`,
  },
  {
    pattern: /taint.*pressure/,
    means: "The node has too little memory or too few process ids left, and takes no new pods.",
    fix: (_, { kubectl }, nodes) => `${kubectl} describe node ${namesOf(nodes, isUnderPressure)}`,
  },
  {
    pattern: /untolerated taint/,
    means: "The node has a taint that the pod does not tolerate.",
    fix: (_, { kubectl }, nodes) =>
      `${kubectl} describe node ${namesOf(nodes, ({ spec }) => (spec?.taints?.length ?? 0) > 0)}   # shows its taints`,
  },
  {
    pattern: /node affinity|node selector|didn't match PersistentVolume's node/,
    means: "The pod requires labels that no node has.",
    fix: (_, remedies) => restore(remedies, "what the pod requires"),
  },
  {
    pattern: /free ports/,
    means: "The pod requires a port of the node, which another pod has.",
    fix: (_, remedies) => restore(remedies, "the pod's ports"),
  },
  {
    pattern: /pod affinity|anti-affinity|topology spread/,
    means: "The pod may be only where certain other pods are, or are not, and no node is so.",
    fix: (_, remedies) => restore(remedies, "what the pod requires"),
  },
  {
    pattern: /persistentvolumeclaim/i,
    means: "A disk that the pod uses does not exist, or is not ready.",
    fix: (_, { kubectl }) => `${kubectl} describe persistentvolumeclaims`,
  },
  {
    pattern: /no nodes available/,
    means: "The cluster has no node.",
    fix: (_, { kubectl }) => `${kubectl} get nodes   # and give the cluster some (cluster.nodePools)`,
  },
  {
    pattern: /Insufficient|Too many pods/,
    means:
      "No node has enough free resources for the pod: it requests more than any node has left, or more than any node's total.",
    fix: ({ key }, { edit }) =>
      `${edit(`${key}.resources`, "Lower")}   # or give the cluster more or larger nodes (cluster.nodePools)`,
  },
];

/** `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable. preemption: …`: what most nodes lack. */
function obstacleOf(message: string): Obstacle | undefined {
  const [own = ""] = message.split(/ ?preemption: /);
  const reasons = [...own.matchAll(/(\d+) ((?:node\(s\)|Insufficient|Too many)[^,]*)/g)]
    .map(([, count, reason = ""]) => ({ count: Number(count), reason }))
    .sort((a, b) => b.count - a.count);
  const [most = { reason: own }] = reasons;
  return obstacles.find(({ pattern }) => pattern.test(most.reason));
}

/** Why no node has taken the pod, or why its node has evicted it. */
export function placementTrouble(
  pod: Pod,
  { events, nodes }: { readonly events: readonly Event[]; readonly nodes: readonly Node[] },
  workload: Workload,
  remedies: Remedies,
): Trouble | undefined {
  const start = notStarted(pod, events);
  if (start?.step === "unscheduled") {
    const describe = `${remedies.kubectl} describe pod ${pod.metadata.name}`;
    const obstacle = obstacleOf(start.seen);
    return {
      seen: start.seen,
      means: obstacle?.means ?? "The scheduler finds no node for the pod.",
      fix: obstacle?.fix(workload, remedies, nodes) ?? describe,
    };
  }
  if (pod.status.phase === "Failed")
    return {
      seen: `${pod.status.reason ?? "Failed"}: ${short(pod.status.message)}`,
      means: "The node evicted the pod, as it does when it runs out of disk or memory.",
      fix: `${remedies.kubectl} describe pod ${pod.metadata.name}`,
    };
  return undefined;
}

/** Why the API server rejects the pods that a ReplicaSet wants to create: its words, what they mean, and the fix. */
const refusals: readonly (readonly [RegExp, string, (remedies: Remedies) => string])[] = [
  [
    /exceeded quota/,
    "A quota of the namespace is exhausted.",
    ({ kubectl }) => `${kubectl} describe resourcequotas   # raise it, or request less`,
  ],
  [
    /violates PodSecurity/,
    "The pod violates the namespace's Pod Security Standard: somebody changed one of them.",
    (remedies) => restore(remedies, "the pod; the namespace's label is in: kubectl get namespaces --show-labels"),
  ],
  [
    /looking up service account|serviceaccount .* not found/i,
    "The pod's ServiceAccount does not exist.",
    (remedies) => restore(remedies, "it"),
  ],
  [
    /usage per (Container|Pod)|limit to request ratio/,
    "The pod requests more or less than a LimitRange of the namespace allows.",
    ({ kubectl }) => `${kubectl} describe limitranges`,
  ],
  [
    /admission webhook|denied the request/,
    "A policy of the cluster rejects the pod: an admission webhook that is not from this stack.",
    ({ kubectl }) => `${kubectl} get validatingwebhookconfigurations,mutatingwebhookconfigurations`,
  ],
];

/** Why the API server accepts no pod of the ReplicaSets; undefined if it does. */
export function refusal(replicaSets: readonly ReplicaSet[], name: string, remedies: Remedies): Trouble | undefined {
  const refused = replicaSets
    .flatMap(({ status }) => status?.conditions ?? [])
    .find(({ type, status }) => type === "ReplicaFailure" && status === "True");
  if (refused === undefined) return undefined;
  return refusalOf(refused.message ?? "", `describe replicasets -l app.kubernetes.io/name=${name}`, remedies);
}

/** @param describe kubectl command for what makes the pods */
export function refusalOf(message: string, describe: string, remedies: Remedies): Trouble {
  const [, means, fix] = refusals.find(([pattern]) => pattern.test(message)) ?? [
    undefined,
    "The API server rejects the pods.",
    ({ kubectl }: Remedies) => `${kubectl} ${describe}`,
  ];
  return { seen: `pods are rejected: ${short(message)}`, means, fix: fix(remedies) };
}
