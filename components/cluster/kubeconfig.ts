/** The kubeconfig of a GKE cluster. */
import { stringify } from "yaml";

export interface KubeconfigArgs {
  /** Name of the context, its cluster and its user. */
  readonly contextName: string;
  /** Host name of the control plane's DNS endpoint, or the address of its IP endpoint. */
  readonly host: string;
  /**
   * CA certificate of the cluster, PEM in base64; it signs the certificate of the IP endpoint.
   * @default - none, for the DNS endpoint, which has a publicly trusted certificate
   */
  readonly ca?: string | undefined;
}

/**
 * A kubeconfig without credentials: Google's plugin fetches a short-lived token for the current user.
 * https://cloud.google.com/kubernetes-engine/docs/concepts/network-isolation#dns-based_endpoint
 */
export function kubeconfig({ contextName, host, ca }: KubeconfigArgs): string {
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": contextName,
    clusters: [
      {
        name: contextName,
        cluster: { server: `https://${host}`, ...(ca !== undefined && { "certificate-authority-data": ca }) },
      },
    ],
    contexts: [{ name: contextName, context: { cluster: contextName, user: contextName } }],
    users: [
      {
        name: contextName,
        user: {
          exec: {
            apiVersion: "client.authentication.k8s.io/v1beta1",
            command: "gke-gcloud-auth-plugin",
            installHint:
              "Install gke-gcloud-auth-plugin: https://cloud.google.com/kubernetes-engine/docs/how-to/cluster-access-for-kubectl#install_plugin",
            provideClusterInfo: true,
          },
        },
      },
    ],
  });
}
