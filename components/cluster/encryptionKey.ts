import * as gcp from "@pulumi/gcp";
import * as pulumi from "@pulumi/pulumi";

export interface ClusterKeyArgs {
  /** Id of the Google Cloud project of the cluster; the key may be in another. */
  readonly project: string;
  /** Full name of the Cloud KMS key, `projects/…/locations/…/keyRings/…/cryptoKeys/…`. */
  readonly encryptionKey: string;
}

/**
 * Lets GKE encrypt Kubernetes Secrets with a key. What is returned must be there before the cluster, and until after it:
 * without the key its control plane cannot read its own data.
 * https://cloud.google.com/kubernetes-engine/docs/how-to/encrypting-secrets#grant_permission_to_use_the_key
 */
export function grantClusterKey(
  name: string,
  { project, encryptionKey }: ClusterKeyArgs,
  opts: { readonly parent: pulumi.Resource; readonly dependsOn: readonly pulumi.Resource[] },
): gcp.kms.CryptoKeyIAMMember {
  const { parent } = opts;
  const dependsOn = [...opts.dependsOn];
  // In a new project GKE's identity may be missing for a while after its API was enabled; this makes it.
  const agent = new gcp.projects.ServiceIdentity(
    `${name}-agent`,
    { project, service: "container.googleapis.com" },
    { parent, dependsOn },
  );
  // By number, because the answer above does not always say the address.
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
