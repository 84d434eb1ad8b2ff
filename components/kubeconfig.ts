/** The kubeconfig of a GKE cluster that is reached by its DNS endpoint. */
import { stringify } from "yaml";

export interface KubeconfigArgs {
  /** What the context, the cluster and the user in it are called. */
  readonly contextName: string;
  /** Host name of the control plane's DNS endpoint. */
  readonly endpoint: string;
}

/**
 * A kubeconfig in which Google's own plugin fetches a short-lived token from whoever is logged in: it holds no credential.
 * There is no certificate authority either, because the DNS endpoint has a publicly trusted certificate.
 * https://cloud.google.com/kubernetes-engine/docs/concepts/network-isolation#dns-based_endpoint
 */
export function kubeconfig({ contextName, endpoint }: KubeconfigArgs): string {
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": contextName,
    clusters: [{ name: contextName, cluster: { server: `https://${endpoint}` } }],
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
