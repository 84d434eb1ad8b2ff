import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

export interface ExistingClusterArgs {
  /** Context of the kubeconfig. */
  readonly context: string;
  /** Path of the kubeconfig. @default - the user's own */
  readonly kubeconfig?: string | undefined;
}

/** A Kubernetes that is already there: what `GkeCluster` offers to the rest of the program, without making anything. */
export class ExistingCluster extends pulumi.ComponentResource {
  readonly provider: k8s.Provider;
  readonly clusterName: pulumi.Output<string>;
  readonly kubeconfig = undefined;
  readonly consoleUrl = undefined;
  readonly workloadsUrl = undefined;

  constructor(name: string, args: ExistingClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("gke-microservices:index:ExistingCluster", name, {}, opts);
    this.provider = new k8s.Provider(
      `${name}-kubernetes`,
      {
        context: args.context,
        ...(args.kubeconfig !== undefined && { kubeconfig: pulumi.secret(args.kubeconfig) }),
        // Without it another server address in the kubeconfig would replace every object.
        clusterIdentifier: args.context,
        // What the stack owns, it sets, even after somebody changed it by hand.
        enablePatchForce: true,
      },
      { parent: this },
    );
    this.clusterName = pulumi.output(args.context);
    this.registerOutputs({ clusterName: this.clusterName });
  }
}
