import * as gcp from "@pulumi/gcp";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { googleName } from "../../names/google.ts";
import { commonLabels } from "../../names/kubernetes.ts";

export interface WorkloadIdentityArgs {
  /** ID of the cluster's Google Cloud project; the roles are granted on it. */
  readonly project: string;
  /** Name of the stack, so that stacks in one project have separate identities. */
  readonly stack: string;
  /** Name of the service and of its Kubernetes ServiceAccount. */
  readonly service: string;
  readonly namespace: pulumi.Input<string>;
  /** Full names, such as `roles/pubsub.publisher`, without duplicates. */
  readonly roles: readonly string[];
}

/**
 * A Kubernetes and a Google service account for one service: its pods use the Google one without keys. Pass the
 * cluster's provider in `dependsOn`, because a project's identity pool comes with its first cluster. The provider is
 * the cluster's last resource. Depending on the component instead would add an edge to each of its resources.
 *
 * Roles could go to the Kubernetes account directly, but a Google service account has advantages. Some Google APIs
 * require it (https://cloud.google.com/iam/docs/federated-identity-supported-services), other projects can grant roles
 * to its e-mail address, and audit logs name it.
 */
export class WorkloadIdentity extends pulumi.ComponentResource {
  /**
   * Name of the Kubernetes ServiceAccount; resolves after the roles are granted, so that no pod starts without them.
   */
  readonly serviceAccountName: pulumi.Output<string>;
  /** The Google service account's e-mail address, for grants in other projects or on single resources. */
  readonly email: pulumi.Output<string>;

  constructor(name: string, args: WorkloadIdentityArgs, opts?: pulumi.ComponentResourceOptions) {
    super("gke-microservices:index:WorkloadIdentity", name, {}, opts);
    const { project, stack, service, namespace } = args;
    const parent = { parent: this };

    const account = new gcp.serviceaccount.Account(
      `${name}-account`,
      {
        project,
        // The infix prevents a collision of a service called "nodes" with the nodes' service account.
        accountId: googleName(`${stack}-svc-${service}`, 30),
        displayName: `Service ${service} of the stack ${stack}`,
      },
      parent,
    );
    const member = pulumi.interpolate`serviceAccount:${account.email}`;
    const grants = args.roles.map(
      (role) => new gcp.projects.IAMMember(`${name}-${role.replaceAll("/", "-")}`, { project, role, member }, parent),
    );
    // A member, not a binding or a policy: those would remove other grants on the same account.
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
        // Pods need no Kubernetes token for this: the node's metadata server requests one for them
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
