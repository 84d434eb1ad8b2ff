import * as gcp from "@pulumi/gcp";
import * as pulumi from "@pulumi/pulumi";

export interface ClusterKeyArgs {
  /** ID of the cluster's Google Cloud project; the key may be in another project. */
  readonly project: string;
  /** Full name of the Cloud KMS key, `projects/…/locations/…/keyRings/…/cryptoKeys/…`. */
  readonly encryptionKey: string;
}

/**
 * Lets GKE encrypt Kubernetes Secrets with a key. Create the result before the cluster, and delete it after. Without
 * the key the control plane cannot read its data.
 * https://cloud.google.com/kubernetes-engine/docs/how-to/encrypting-secrets#grant_permission_to_use_the_key
 */
export function grantClusterKey(
  name: string,
  { project, encryptionKey }: ClusterKeyArgs,
  opts: { readonly parent: pulumi.Resource; readonly dependsOn: readonly pulumi.Resource[] },
): gcp.kms.CryptoKeyIAMMember {
  const { parent } = opts;
  const dependsOn = [...opts.dependsOn];
  // Creates GKE's service agent: in a new project it may be missing for a while after the API is enabled.
  const agent = new gcp.projects.ServiceIdentity(
    `${name}-agent`,
    { project, service: "container.googleapis.com" },
    { parent, dependsOn },
  );
  // Derive the address from the project number, because the resource above does not always return it.
  // https://cloud.google.com/iam/docs/service-agents#google-kubernetes-engine-service-agent
  const { number } = gcp.organizations.getProjectOutput({ projectId: project }, { parent, dependsOn });
  return new gcp.kms.CryptoKeyIAMMember(
    `${name}-key-user`,
    {
      cryptoKeyId: encryptionKey,
      role: "roles/cloudkms.cryptoKeyEncrypterDecrypter",
      member: pulumi.interpolate`serviceAccount:service-${number}@container-engine-robot.iam.gserviceaccount.com`,
    },
    { parent, dependsOn: [agent] },
  );
}
