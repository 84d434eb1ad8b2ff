/** The objects that a Gateway of Google's load balancer needs. */
import * as gcp from "@pulumi/gcp";
import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { CloudArmor } from "./cloudArmor.ts";
import { healthCheckTiming, type GoogleBackend } from "./googleBackend.ts";
import type { GrpcBackend } from "./grpcBackend.ts";
import { commonLabels, gatewayName, proxyGrpcName, proxyName } from "../../names/kubernetes.ts";
import { proxyHealthPath, proxyPorts } from "../../names/ports.ts";

/** Excludes IAP: a Gateway supports it only with a manually created OAuth client. */
export interface GoogleGateway extends Omit<GoogleBackend, "iap"> {
  /** ID of the Google Cloud project. */
  readonly project: string;
  /** Name (not value) of the reserved global address. */
  readonly addressName: pulumi.Input<string>;
  /** Name of a Certificate Manager map, instead of a certificate. @default - none */
  readonly certificateMap?: pulumi.Input<string> | undefined;
}

export interface GatewayPoliciesArgs {
  readonly namespace: pulumi.Input<string>;
  /** Service of the proxy. */
  readonly serviceName: pulumi.Input<string>;
  /** The paths for its gRPC port. @default - none */
  readonly grpc?: GrpcBackend | undefined;
  readonly google: GoogleGateway;
  /** Whether the Gateway has an HTTPS listener. */
  readonly secure: boolean;
}

const apiVersion = "networking.gke.io/v1";

/**
 * The policies of a Gateway and of its Services, as children of a component. They replace FrontendConfig and
 * BackendConfig of an Ingress. https://cloud.google.com/kubernetes-engine/docs/how-to/configure-gateway-resources
 */
export function gatewayPolicies(
  name: string,
  { namespace, serviceName, grpc, google, secure }: GatewayPoliciesArgs,
  parent: pulumi.Resource,
): k8s.apiextensions.CustomResource[] {
  const labels = commonLabels(gatewayName);
  const object = (role: string, kind: string, objectName: string, spec: Record<string, unknown>) =>
    new k8s.apiextensions.CustomResource(
      `${name}-${role}`,
      { apiVersion, kind, metadata: { name: objectName, namespace, labels }, spec },
      { parent },
    );
  const { project, armor, cdn } = google;
  const policy = armor && new CloudArmor(`${name}-armor`, { project, ...armor }, { parent });

  const ofService = (prefix: string, objectName: string, service: pulumi.Input<string>) => {
    const targetRef = { group: "", kind: "Service", name: service };
    return [
      // Set everything: inferred health checks are often wrong.
      object(`${prefix}health`, "HealthCheckPolicy", objectName, {
        targetRef,
        default: {
          ...healthCheckTiming,
          config: {
            type: "HTTP",
            // Google's CRD requires `portSpecification` with a port.
            httpHealthCheck: {
              portSpecification: "USE_FIXED_PORT",
              port: proxyPorts.health,
              requestPath: proxyHealthPath,
            },
          },
        },
      }),
      object(`${prefix}backend`, "GCPBackendPolicy", objectName, {
        targetRef,
        default: {
          timeoutSec: google.timeoutSeconds,
          connectionDraining: { drainingTimeoutSec: google.drainSeconds },
          ...(policy && { securityPolicy: policy.policyName }),
        },
      }),
    ];
  };
  const created = [
    ...ofService("", proxyName, serviceName),
    ...(grpc ? ofService("grpc-", proxyGrpcName, grpc.serviceName) : []),
  ];
  if (secure) {
    const sslPolicy = new gcp.compute.SSLPolicy(
      `${name}-ssl-policy`,
      { project, profile: "RESTRICTED", minTlsVersion: "TLS_1_2" },
      { parent },
    );
    const targetRef = { group: "gateway.networking.k8s.io", kind: "Gateway", name: gatewayName };
    created.push(
      object("frontend", "GCPGatewayPolicy", gatewayName, { targetRef, default: { sslPolicy: sslPolicy.name } }),
    );
  }
  if (cdn !== undefined)
    created.push(
      object("cdn", "GCPHTTPFilter", gatewayName, {
        cachePolicy: {
          cacheMode: cdn.cacheMode,
          cacheKeyPolicy: { includeHost: true, includeProtocol: true, includeQueryString: true },
        },
      }),
    );
  return created;
}

/**
 * The filter that enables Cloud CDN in a route's rule.
 * https://cloud.google.com/kubernetes-engine/docs/how-to/configure-cdn-for-gateway
 */
export const cdnFilter = {
  type: "ExtensionRef",
  extensionRef: { group: "networking.gke.io", kind: "GCPHTTPFilter", name: gatewayName },
};
