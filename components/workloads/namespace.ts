import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { stackLabel, stackLabelValue } from "../../names/kubernetes.ts";

export interface NamespaceArgs {
  readonly name: string;
  readonly stack: string;
  /** Provider without force, for a cluster that other stacks use as well. @default - the cluster is the stack's own */
  readonly claimProvider: k8s.Provider | undefined;
}

/**
 * The stack's namespace; it enforces the `restricted` pod security standard. A label names the stack that owns it. In a
 * shared cluster, the API server refuses the label of a second stack as a field conflict, before anything else is
 * written. Otherwise, the two stacks would take over and later delete each other's objects.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts
 *
 * @returns its name, after creation
 */
export function createNamespace(args: NamespaceArgs, opts: pulumi.CustomResourceOptions): pulumi.Output<string> {
  const { name, claimProvider } = args;
  const owner = { [stackLabel]: stackLabelValue(pulumi.getProject(), args.stack) };
  const claim =
    claimProvider &&
    new k8s.core.v1.NamespacePatch(
      "namespace-claim",
      { metadata: { name, labels: owner } },
      // Giving up the field after the namespace is gone would create it again.
      { provider: claimProvider, retainOnDelete: true },
    );
  const namespace = new k8s.core.v1.Namespace(
    "namespace",
    { metadata: { name, labels: { "pod-security.kubernetes.io/enforce": "restricted", ...owner } } },
    {
      ...opts,
      ...(claim && { dependsOn: [claim] }),
      // GKE deletes network endpoint groups after their Service, and keeps the namespace until then. Wait for that:
      // otherwise Pulumi deletes the cluster first, and leftover groups block the deletion of the network.
      customTimeouts: { delete: "30m" },
    },
  );
  return namespace.metadata.name;
}
