import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";

/** The stack's namespace; it enforces the `restricted` pod security standard. @returns its name, after creation */
export function createNamespace(name: string, opts: pulumi.CustomResourceOptions): pulumi.Output<string> {
  const namespace = new k8s.core.v1.Namespace(
    "namespace",
    { metadata: { name, labels: { "pod-security.kubernetes.io/enforce": "restricted" } } },
    // GKE deletes network endpoint groups after their Service, and keeps the namespace until then. Wait for that:
    // otherwise Pulumi deletes the cluster first, and leftover groups block the deletion of the network.
    { ...opts, customTimeouts: { delete: "30m" } },
  );
  return namespace.metadata.name;
}
