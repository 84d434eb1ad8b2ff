import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { applyOptions } from "./applyOptions.ts";

export interface ExistingClusterArgs {
  /** Context of the kubeconfig. */
  readonly context: string;
  /** Path of the kubeconfig. @default - the user's default kubeconfig */
  readonly kubeconfig?: string | undefined;
}

/** An existing cluster, with the same outputs as `GkeCluster`. It creates only providers. */
export class ExistingCluster extends pulumi.ComponentResource {
  readonly provider: k8s.Provider;
  /** The same without force: overwriting another manager's field is an error. */
  readonly claimProvider: k8s.Provider;
  readonly clusterName: pulumi.Output<string>;
  readonly kubeconfig = undefined;
  readonly consoleUrl = undefined;
  readonly workloadsUrl = undefined;

  constructor(name: string, args: ExistingClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("gke-microservices:index:ExistingCluster", name, {}, opts);
    const common = {
      context: args.context,
      ...(args.kubeconfig !== undefined && { kubeconfig: pulumi.secret(args.kubeconfig) }),
      // Otherwise a new server address in the kubeconfig would replace every object.
      clusterIdentifier: args.context,
    };
    this.provider = new k8s.Provider(`${name}-kubernetes`, { ...common, ...applyOptions }, { parent: this });
    this.claimProvider = new k8s.Provider(`${name}-claim`, common, { parent: this });
    this.clusterName = pulumi.output(args.context);
    this.registerOutputs({ clusterName: this.clusterName });
  }
}
