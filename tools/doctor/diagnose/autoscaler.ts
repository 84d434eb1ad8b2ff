/** Whether the autoscaler of a workload works, and whether it has reached its bound. */
import type { Deployment, Objects } from "../gather/objects.ts";
import { mostPods, type Replicas } from "../../../names/replicas.ts";
import { short, type Remedies, type Trouble } from "./trouble.ts";

/** Metrics of a new pod take up to a minute: kubelet measures, then metrics-server asks it. */
const patienceSeconds = 120;

/** @param replicas of the config. @returns what keeps the number of pods from being what the config says */
export function autoscalerTrouble(
  { metadata: { name } }: Deployment,
  { autoscalers }: Pick<Objects, "autoscalers">,
  { key, replicas }: { readonly key: string; readonly replicas: Replicas },
  remedies: Remedies,
  now: Date,
): Trouble | undefined {
  const own = autoscalers.find(({ spec: { scaleTargetRef: of } }) => of.kind === "Deployment" && of.name === name);
  if (own === undefined)
    return typeof replicas === "number"
      ? undefined
      : {
          seen: "there is no autoscaler",
          means: "The number of pods stays as it is: the autoscaler was never applied, or somebody deleted it.",
          fix: remedies.apply,
        };
  const hpa = own.metadata.name;
  if (typeof replicas === "number")
    return {
      seen: `the autoscaler ${hpa} chooses the number of pods`,
      means: `The config has ${replicas}, and no autoscaler: somebody else made it, or it is of a config before.`,
      fix: `${remedies.kubectl} delete horizontalpodautoscaler ${hpa}   # then: ${remedies.apply}`,
    };
  const condition = (type: string, status: string) =>
    own.status?.conditions?.find((each) => each.type === type && each.status === status);
  const age = (now.getTime() - Date.parse(own.metadata.creationTimestamp ?? "")) / 1000;
  const blind = condition("ScalingActive", "False");
  if (blind !== undefined && blind.reason !== "ScalingDisabled") {
    const isServerMissing = /could not find the requested resource|unable to (fetch|get) metrics|no metrics returned/i;
    const more = isServerMissing.test(blind.message ?? "")
      ? {
          means: `The autoscaler gets no measurements, so the number of pods stays as it is. metrics-server measures: GKE brings it, other clusters may not have it.`,
          fix: `${remedies.kubectl} get apiservice v1beta1.metrics.k8s.io   # if it is missing, install metrics-server in the cluster`,
        }
      : {
          means: "The autoscaler cannot tell how many pods are needed, so their number stays as it is.",
          fix: `${remedies.kubectl} describe horizontalpodautoscaler ${hpa}`,
        };
    return { seen: `the autoscaler has no metrics (${short(blind.message)})`, ...more, passing: age < patienceSeconds };
  }
  const unable = condition("AbleToScale", "False");
  // After a change, it waits on purpose.
  if (unable !== undefined && !/^BackoffBoth|^BackoffDownscale|^BackoffUpscale/.test(unable.reason ?? ""))
    return {
      seen: `the autoscaler cannot scale (${short(unable.message)})`,
      means: "The number of pods stays as it is.",
      fix: `${remedies.kubectl} describe horizontalpodautoscaler ${hpa}`,
    };
  const limited = condition("ScalingLimited", "True");
  return limited?.reason === "TooManyReplicas"
    ? {
        seen: `the autoscaler wants more than ${mostPods(replicas)} pods, its most`,
        means: "The pods use more than the config aims at, and more load makes them slower.",
        fix: remedies.edit(`${key}.replicas.max`, "Raise"),
      }
    : undefined;
}
