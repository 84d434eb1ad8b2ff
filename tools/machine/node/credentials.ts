/** Credentials of the local cluster: a client certificate for each component, with Kubernetes' user and group names. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { kubeconfigPath } from "../../cli/paths.ts";
import { createAuthority, createSigningKey, type Subject } from "../../cli/pki.ts";
import { apiServer, apiServiceAddress, metricsService, nodeAddress } from "./addresses.ts";

export const context = "gke-microservices-local";
export const nodeName = "local";

/** The user that may say for whom it asks. */
export const frontProxy = "front-proxy";

const components: Readonly<Record<string, Subject>> = {
  apiserver: {
    commonName: "kube-apiserver",
    names: [
      "kubernetes",
      "kubernetes.default",
      "kubernetes.default.svc",
      "kubernetes.default.svc.cluster.local",
      "localhost",
      "127.0.0.1",
      nodeAddress,
      apiServiceAddress,
    ],
  },
  kubelet: { commonName: `system:node:${nodeName}`, organizations: ["system:nodes"], names: [nodeName, nodeAddress] },
  "kube-controller-manager": { commonName: "system:kube-controller-manager" },
  "kube-scheduler": { commonName: "system:kube-scheduler" },
  "kube-proxy": { commonName: "system:kube-proxy" },
  coredns: { commonName: "system:coredns" },
  "network-policies": { commonName: "network-policies" },
  "metrics-server": { commonName: "metrics-server", names: [metricsService.host] },
  // The API server, when it passes on a request to metrics-server.
  "front-proxy": { commonName: frontProxy },
  // Envoy gets TLS keys from Contour, so both authenticate. Contour's bootstrap configuration expects the name "contour".
  contour: { commonName: "contour", names: ["contour"] },
  envoy: { commonName: "envoy", names: ["envoy"] },
  admin: { commonName: "admin", organizations: ["system:masters"] },
};

/**
 * Writes new credentials for each start: nothing that outlives the processes depends on them.
 * @param folder receives `NAME.crt`, `NAME.key` and `NAME.kubeconfig` per component; the checkout's kubeconfig is the admin's
 */
export async function writeCredentials(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const write = (file: string, text: string) => {
    writeFileSync(file, text, { mode: 0o600 });
  };
  const authority = await createAuthority("gke-microservices local cluster");
  write(join(folder, "ca.crt"), authority.certificate);
  write(join(folder, "ca.key"), authority.key);
  const accounts = await createSigningKey();
  write(join(folder, "accounts.key"), accounts.key);
  write(join(folder, "accounts.pub"), accounts.publicKey);
  for (const [name, subject] of Object.entries(components)) {
    const { certificate, key } = await authority.issue(subject);
    write(join(folder, `${name}.crt`), certificate);
    write(join(folder, `${name}.key`), key);
    const kubeconfig = kubeconfigOf(authority.certificate, certificate, key);
    write(join(folder, `${name}.kubeconfig`), kubeconfig);
    if (name === "admin") write(kubeconfigPath, kubeconfig);
  }
}

/** A kubeconfig as JSON, which is valid YAML. */
function kubeconfigOf(authority: string, certificate: string, key: string): string {
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  return JSON.stringify(
    {
      apiVersion: "v1",
      kind: "Config",
      "current-context": context,
      clusters: [{ name: context, cluster: { server: apiServer, "certificate-authority-data": base64(authority) } }],
      users: [
        { name: context, user: { "client-certificate-data": base64(certificate), "client-key-data": base64(key) } },
      ],
      contexts: [{ name: context, context: { cluster: context, user: context } }],
    },
    null,
    2,
  );
}
