import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";

/** The stack's namespace, with the `restricted` pod security standard enforced. @returns its name, known once it is there */
export function createNamespace(name: string, opts: pulumi.CustomResourceOptions): pulumi.Output<string> {
  const namespace = new k8s.core.v1.Namespace(
    "namespace",
    { metadata: { name, labels: { "pod-security.kubernetes.io/enforce": "restricted" } } },
    // GKE deletes its network endpoint groups after their Service, and holds the namespace until then. If it is not waited for,
    // the cluster goes first, and groups left behind keep the network from being deleted.
    { ...opts, customTimeouts: { delete: "30m" } },
  );
  return namespace.metadata.name;
}
