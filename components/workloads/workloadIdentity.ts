import * as gcp from "@pulumi/gcp";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { googleName } from "../../names/google.ts";
import { commonLabels } from "../../names/kubernetes.ts";

export interface WorkloadIdentityArgs {
  /** Id of the Google Cloud project of the cluster; the roles are granted on it. */
  readonly project: string;
  /** Name of the stack, so that stacks of one project do not share an identity. */
  readonly stack: string;
  /** Name of the service; the Kubernetes ServiceAccount has the same. */
  readonly service: string;
  readonly namespace: pulumi.Input<string>;
  /** Full names, as in `roles/pubsub.publisher`, each once. */
  readonly roles: readonly string[];
}

/**
 * A Kubernetes and a Google identity of one service: its pods act as the Google one without any key. Pass the cluster's
 * provider in `dependsOn`, because the identity pool of a project comes with its first cluster. The provider comes last of the
 * cluster's parts: one edge for each service, where the component would be an edge to each part.
 *
 * A Google service account stands between, although a role can be granted to the Kubernetes one directly: not every
 * Google API takes that (https://cloud.google.com/iam/docs/federated-identity-supported-services), other projects can
 * grant to its e-mail address, and audit logs name it.
 */
export class WorkloadIdentity extends pulumi.ComponentResource {
  /** Name of the Kubernetes ServiceAccount; known once the roles are granted, so that no pod starts without them. */
  readonly serviceAccountName: pulumi.Output<string>;
  /** The Google service account's address, for grants that other projects or single resources make. */
  readonly email: pulumi.Output<string>;

  constructor(name: string, args: WorkloadIdentityArgs, opts?: pulumi.ComponentResourceOptions) {
    super("gke-microservices:index:WorkloadIdentity", name, {}, opts);
    const { project, stack, service, namespace } = args;
    const parent = { parent: this };

    const account = new gcp.serviceaccount.Account(
      `${name}-account`,
      {
        project,
        // The middle keeps a service called "nodes" from taking the name of the nodes' own account.
        accountId: googleName(`${stack}-svc-${service}`, 30),
        displayName: `Service ${service} of the stack ${stack}`,
      },
      parent,
    );
    const member = pulumi.interpolate`serviceAccount:${account.email}`;
    const grants = args.roles.map(
      (role) => new gcp.projects.IAMMember(`${name}-${role.replaceAll("/", "-")}`, { project, role, member }, parent),
    );
    // A member, not a binding or a policy: those would take away what others have granted on the same thing.
    const use = new gcp.serviceaccount.IAMMember(
      `${name}-use`,
      {
        serviceAccountId: account.name,
        role: "roles/iam.workloadIdentityUser",
        member: pulumi.interpolate`serviceAccount:${project}.svc.id.goog[${namespace}/${service}]`,
      },
      parent,
    );

    const kubernetesAccount = new k8s.core.v1.ServiceAccount(
      `${name}-serviceaccount`,
      {
        metadata: {
          name: service,
          namespace,
          labels: commonLabels(service),
          annotations: { "iam.gke.io/gcp-service-account": account.email },
        },
        // Pods need no token of the cluster for this: the node's metadata server asks the cluster for one on their behalf
        // (https://cloud.google.com/kubernetes-engine/docs/concepts/workload-identity#metadata_server).
        automountServiceAccountToken: false,
      },
      { parent: this, dependsOn: [use, ...grants] },
    );

    this.serviceAccountName = kubernetesAccount.metadata.name;
    this.email = account.email;
    this.registerOutputs({ serviceAccountName: this.serviceAccountName, email: this.email });
  }
}
