/** The objects that an Ingress of Google's load balancer needs. */
import * as gcp from "@pulumi/gcp";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { CloudArmor } from "./cloudArmor.ts";
import { grantIap, healthCheckTiming, type GoogleBackend } from "./googleBackend.ts";
import { commonLabels, ingressName as app, proxyName } from "../../names/kubernetes.ts";
import { proxyHealthPath, proxyPorts } from "../../names/ports.ts";

/** Google's load balancer, at a reserved global address. */
export interface GceEdge extends GoogleBackend {
  readonly kind: "gce";
  /** Name (not value) of the reserved address. */
  readonly addressName: pulumi.Input<string>;
  readonly project: string;
  /** Names of Google-managed certificates, instead of a Secret. @default - none */
  readonly managedCertificates?: pulumi.Output<string[]> | undefined;
}

/**
 * Annotations of the proxy's Service for Google's load balancer: container-native (NEG), with the stack's
 * BackendConfig.
 */
export const gceServiceAnnotations: Readonly<Record<string, string>> = {
  "cloud.google.com/neg": '{"ingress": true}',
  "cloud.google.com/backend-config": JSON.stringify({ default: proxyName }),
};

/** The same for the Service behind gRPC routes. https://cloud.google.com/kubernetes-engine/docs/how-to/ingress-http2 */
export const gceGrpcAnnotations: Readonly<Record<string, string>> = {
  ...gceServiceAnnotations,
  "cloud.google.com/app-protocols": JSON.stringify({ grpc: "HTTP2" }),
};

/** https://cloud.google.com/kubernetes-engine/docs/how-to/ingress-configuration */
export function gceObjects(
  name: string,
  namespace: pulumi.Input<string>,
  edge: GceEdge,
  redirect: boolean,
  parent: pulumi.Resource,
) {
  const labels = commonLabels(app);
  const sslPolicy = new gcp.compute.SSLPolicy(
    `${name}-ssl-policy`,
    { project: edge.project, profile: "RESTRICTED", minTlsVersion: "TLS_1_2" },
    { parent },
  );
  const frontend = new k8s.apiextensions.CustomResource(
    `${name}-frontend`,
    {
      apiVersion: "networking.gke.io/v1beta1",
      kind: "FrontendConfig",
      metadata: { name: app, namespace, labels },
      spec: {
        sslPolicy: sslPolicy.name,
        redirectToHttps: { enabled: redirect, responseCodeName: "MOVED_PERMANENTLY_DEFAULT" },
      },
    },
    { parent },
  );
  const backend = new k8s.apiextensions.CustomResource(
    `${name}-backend`,
    {
      apiVersion: "cloud.google.com/v1",
      kind: "BackendConfig",
      metadata: { name: proxyName, namespace, labels },
      spec: backendSpec(name, edge, parent),
    },
    { parent },
  );
  return {
    annotations: {
      // GKE reads the annotation and ignores ingressClassName.
      "kubernetes.io/ingress.class": "gce",
      "kubernetes.io/ingress.global-static-ip-name": edge.addressName,
      "networking.gke.io/v1beta1.FrontendConfig": app,
      ...(edge.managedCertificates && attached(edge.managedCertificates)),
    },
    dependsOn: [frontend, backend],
  };
}

/**
 * Attaches managed certificates, and makes an update of the Ingress wait until the controller reports exactly these.
 * The names are inputs, so Pulumi creates an added certificate first. It deletes a removed one after the update. Google
 * refuses to delete a certificate in use, and the controller needs some seconds to detach it. Creation does not wait,
 * because the controller has not reported anything yet.
 * https://www.pulumi.com/blog/improved-kubernetes-await-logic/
 */
function attached(certificates: pulumi.Output<string[]>) {
  const names = certificates.apply((list) => list.join(","));
  const reported = "@['ingress.kubernetes.io/ssl-cert']";
  const ours = "@['kubernetes.io/ingress.class'] == 'gce'"; // Selects the annotations within the metadata.
  return {
    "ingress.gcp.kubernetes.io/pre-shared-cert": names,
    "pulumi.com/waitFor": pulumi.interpolate`jsonpath={$.metadata[?${ours} && (!${reported} || ${reported} == '${names}')]}`,
  };
}

/**
 * The controller keeps settings that a BackendConfig no longer contains, even its own. So always set policy and cache:
 * removing one from the config then removes it from the load balancer.
 * https://github.com/kubernetes/ingress-gce/tree/master/pkg/backends/features
 */
function backendSpec(name: string, { project, iap, cdn, ...edge }: GceEdge, parent: pulumi.Resource) {
  const armor = edge.armor && new CloudArmor(`${name}-armor`, { project, ...edge.armor }, { parent });
  if (iap?.enabled === true) grantIap(name, { project, members: iap.members }, parent);
  const cacheKey = { includeHost: true, includeProtocol: true, includeQueryString: true };
  return {
    // Set everything: inferred health checks are often wrong.
    healthCheck: { type: "HTTP", requestPath: proxyHealthPath, port: proxyPorts.health, ...healthCheckTiming },
    connectionDraining: { drainingTimeoutSec: edge.drainSeconds },
    timeoutSec: edge.timeoutSeconds,
    securityPolicy: { name: armor?.policyName ?? "" },
    cdn: cdn === undefined ? { enabled: false } : { enabled: true, cacheMode: cdn.cacheMode, cachePolicy: cacheKey },
    // Without an OAuth client in the config, Google's own signs in members of the organisation.
    // https://cloud.google.com/iap/docs/enabling-gke-howto
    ...(iap !== undefined && { iap: { enabled: iap.enabled } }),
  };
}
