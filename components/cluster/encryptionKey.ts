import * as gcp from "@pulumi/gcp";
import * as pulumi from "@pulumi/pulumi";

export interface ClusterKeyArgs {
  /** ID of the cluster's Google Cloud project; the key may be in another project. */
  readonly project: string;
  /** Full name of the Cloud KMS key, `projects/…/locations/…/keyRings/…/cryptoKeys/…`. */
  readonly encryptionKey: string;
}

/**
 * Lets GKE encrypt Kubernetes Secrets with a key. Create the result before the cluster. Without the key the control
 * plane cannot read its data. So Pulumi never revokes the grant: neither on destroy, nor when the config drops the key.
 *
 * `npm run bootstrap` makes the same grant as an owner. The program keeps it too: stacks of older versions have it in
 * their state, and its removal from the program would revoke it.
 * https://cloud.google.com/kubernetes-engine/docs/how-to/encrypting-secrets#grant_permission_to_use_the_key
 */
export function grantClusterKey(
  name: string,
  { project, encryptionKey }: ClusterKeyArgs,
  { parent, dependsOn }: { readonly parent: pulumi.Resource; readonly dependsOn: readonly pulumi.Resource[] },
): gcp.kms.CryptoKeyIAMMember {
  // https://cloud.google.com/iam/docs/service-agents#google-kubernetes-engine-service-agent
  const { number } = gcp.organizations.getProjectOutput({ projectId: project }, { parent, dependsOn: [...dependsOn] });
  return new gcp.kms.CryptoKeyIAMMember(
    `${name}-key-user`,
    {
      cryptoKeyId: encryptionKey,
      role: "roles/cloudkms.cryptoKeyEncrypterDecrypter",
      member: pulumi.interpolate`serviceAccount:service-${number}@container-engine-robot.iam.gserviceaccount.com`,
    },
    { parent, dependsOn: [...dependsOn], retainOnDelete: true },
  );
}
