/** Why the pods of a Deployment do not run or are not ready, from the reports of kubelet, scheduler and controller. */
import type { Deployment, Objects, Pod } from "../gather/objects.ts";
import { notStarted, probeFailure, runningFirst } from "../../apply/podStates.ts";
import { containerTrouble } from "./containers.ts";
import { healthTrouble } from "./health.ts";
import { nodeTrouble, placementTrouble, refusal } from "./placement.ts";
import { patience, restore, titled, workloadOf, type Remedies, type Trouble, type Workload } from "./trouble.ts";

/** What kubelet's warnings before a container exists mean, by their reason. */
const creationFailures: Readonly<Record<string, string>> = {
  FailedMount:
    "The node cannot mount a volume of the pod: a Secret, ConfigMap or disk that it names does not exist, or is not ready.",
  FailedAttachVolume: "The node cannot attach a disk of the pod: it does not exist, or another node has it.",
  FailedCreatePodSandBox: "The node cannot give the pod a network: its network plugin or container runtime fails.",
  NetworkNotReady: "The node's network is not ready.",
};

/** @returns what keeps pods from becoming ready; undefined if all are ready */
export function troubleOf(
  deployment: Deployment,
  { pods, replicaSets, events, nodes }: Pick<Objects, "pods" | "replicaSets" | "events" | "nodes">,
  workload: Workload,
  remedies: Remedies,
  now: Date,
): Trouble | undefined {
  const own = <T extends { readonly metadata: Pod["metadata"] }>(objects: readonly T[]) =>
    objects.filter(({ metadata }) => matches(metadata.labels, deployment.spec.selector.matchLabels));
  const live = own(pods).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const unready = live.filter((pod) => !isReady(pod));
  const first = <T>(find: (pod: Pod) => T | undefined, of = unready): T | undefined => {
    for (const pod of of) {
      const found = find(pod);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const missing = live.length < (deployment.spec.replicas ?? 1);
  return (
    // What a node said of its pods last, it said before it failed.
    first((pod) => nodeTrouble(pod, nodes, remedies), live) ??
    // A pod that is not ready may be the consequence of its containers.
    containerTrouble(unready, events, { workload, remedies, now }) ??
    first((pod) => placementTrouble(pod, { events, nodes }, workload, remedies)) ??
    (missing ? refusal(own(replicaSets), workload.name, remedies) : undefined) ??
    first((pod) => startTrouble(pod, { events }, workload, remedies, now))
  );
}

/** A pod that is on its way, or whose probes fail. */
function startTrouble(
  pod: Pod,
  { events }: Pick<Objects, "events">,
  workload: Workload,
  remedies: Remedies,
  now: Date,
): Trouble {
  const created = creationTrouble(pod, { events }, workload, remedies, now);
  if (created !== undefined) return created;
  if (notStarted(pod, events) === undefined) return unreadyTrouble(pod, { events }, workload, remedies, now);
  const age = secondsSince(pod.metadata.creationTimestamp, now);
  return healthTrouble(probeFailure(pod, events) ?? "", age, pod, workload, remedies);
}

/** A pod whose node says why it cannot create the containers. */
export function creationTrouble(
  pod: Pod,
  { events }: Pick<Objects, "events">,
  workload: Workload,
  remedies: Remedies,
  now: Date,
): Trouble | undefined {
  const start = notStarted(pod, events);
  if (start?.reason === undefined) return undefined;
  const isMissing = /(configmap|secret) .*not found|couldn't find key/i.test(start.seen);
  return {
    seen: start.seen,
    means: creationFailures[start.reason] ?? "The node cannot create the pod's containers.",
    fix: isMissing
      ? restore(remedies, "what the stack created")
      : `${remedies.kubectl} describe pod ${pod.metadata.name}   # if an object is missing: ${remedies.apply}`,
    passing: secondsSince(pod.metadata.creationTimestamp, now) < patience(workload),
  };
}

const secondsSince = (time: string | undefined, now: Date): number =>
  (now.getTime() - Date.parse(time ?? now.toISOString())) / 1000;

/** A container runs: an init container that does not end, a sidecar that is not ready, or the program. */
function unreadyTrouble(
  pod: Pod,
  { events }: Pick<Objects, "events">,
  workload: Workload,
  remedies: Remedies,
  now: Date,
): Trouble {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status;
  const { containers, initContainers = [] } = pod.spec;
  const first =
    runningFirst(pod.spec, initContainerStatuses) ??
    [...initContainerStatuses, ...containerStatuses].find(({ ready, state }) => !ready && state.running !== undefined);
  const container = [...initContainers, ...containers].find(({ name }) => name === first?.name);
  const own = workloadOf(workload, pod, container?.name ?? "");
  const message = probeFailure(pod, events, container?.name) ?? "";
  if (own.part?.kind !== "init") {
    const age = secondsSince(pod.metadata.creationTimestamp, now);
    return titled(own, healthTrouble(message, age, pod, own, remedies, container));
  }
  const seconds = Math.floor(secondsSince(first?.state.running?.startedAt, now));
  return titled(own, {
    seen: `running for ${seconds} s`,
    means: "The program starts when it has ended with 0. It waits for something, or has much to do: see its log.",
    fix: `${remedies.kubectl} logs ${pod.metadata.name} -c ${container?.name ?? ""}   # then: ${remedies.edit(own.key)}`,
    passing: seconds < patience(own),
  });
}

export const isReady = ({ status }: Pod): boolean =>
  status.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;

/** Whether the labels match the selector. An empty selector matches nothing. */
export function matches(
  labels: Readonly<Record<string, string>> = {},
  selector: Readonly<Record<string, string>> = {},
) {
  const required = Object.entries(selector);
  return required.length > 0 && required.every(([key, value]) => labels[key] === value);
}
