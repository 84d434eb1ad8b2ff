/** Applying must not change the number of pods that an autoscaler has chosen. */
import { kubectlObjects, type KubectlTarget, type LiveObject } from "../cli/kubectl.ts";
import type { KubernetesObject } from "../stack/evaluate.ts";

export const isAutoscaler = ({ kind }: { readonly kind: string }): boolean => kind === "HorizontalPodAutoscaler";

interface Autoscaler {
  readonly scaleTargetRef: { readonly name: string };
}
interface DeploymentSpec {
  readonly replicas?: number;
  readonly [key: string]: unknown;
}
interface ManagedFields {
  readonly manager: string;
  readonly operation: string;
  readonly fieldsV1?: { readonly "f:spec"?: { readonly "f:replicas"?: unknown } };
}

/**
 * The objects with the number of pods as it is now. To leave the field out is not enough: server-side apply removes a
 * field that this program alone has set, and the API server's default is one pod.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/#transferring-ownership
 * @param manager the name that this program applies with
 */
export async function withLiveReplicas(
  target: KubectlTarget,
  namespace: string,
  manager: string,
  objects: readonly KubernetesObject[],
): Promise<readonly KubernetesObject[]> {
  const scaled = new Set(objects.filter(isAutoscaler).map(({ spec }) => (spec as Autoscaler).scaleTargetRef.name));
  if (scaled.size === 0) return objects;
  const all = await kubectlObjects(target, ["get", "deployments.apps", "-n", namespace, "--show-managed-fields"]);
  const live = new Map(all.map((object) => [object.metadata.name, object]));
  return objects.map((object) => {
    const found = live.get(object.metadata.name);
    if (object.kind !== "Deployment" || found === undefined || !scaled.has(object.metadata.name)) return object;
    const { replicas, ...spec } = object["spec"] as DeploymentSpec;
    const { replicas: now = 1 } = found["spec"] as DeploymentSpec;
    // An autoscaler does nothing for a Deployment that somebody has scaled to 0.
    if (now === 0) return object;
    return { ...object, spec: isSetBy(manager, found) ? { ...spec, replicas: now } : spec };
  });
}

function isSetBy(manager: string, { metadata }: LiveObject): boolean {
  const fields = (metadata["managedFields"] ?? []) as readonly ManagedFields[];
  return fields.some(
    (each) =>
      each.manager === manager && each.operation === "Apply" && each.fieldsV1?.["f:spec"]?.["f:replicas"] !== undefined,
  );
}
