/** What a Gateway needs around it for Google's own load balancer. */
import * as gcp from "@pulumi/gcp";
import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { CloudArmor } from "./cloudArmor.ts";
import { healthCheckTiming, type GoogleBackend } from "./googleBackend.ts";
import type { GrpcBackend } from "./grpcBackend.ts";
import { commonLabels, gatewayName, proxyGrpcName, proxyName } from "../../names/kubernetes.ts";
import { proxyHealthPath, proxyPorts } from "../../names/ports.ts";

/** Not IAP: a Gateway takes it only with an OAuth client that somebody made by hand. */
export interface GoogleGateway extends Omit<GoogleBackend, "iap"> {
  /** Id of the Google Cloud project. */
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
  /** What goes to its port for gRPC. @default - nothing */
  readonly grpc?: GrpcBackend | undefined;
  readonly google: GoogleGateway;
  /** Whether there is a listener for HTTPS. */
  readonly secure: boolean;
}

const apiVersion = "networking.gke.io/v1";

/**
 * The policies of a Gateway and of the Service behind it, as children of a component: what FrontendConfig and
 * BackendConfig are to an Ingress. https://cloud.google.com/kubernetes-engine/docs/how-to/configure-gateway-resources
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
      // Inferred health checks are often wrong: say it all.
      object(`${prefix}health`, "HealthCheckPolicy", objectName, {
        targetRef,
        default: {
          ...healthCheckTiming,
          config: {
            type: "HTTP",
            // Google's own definition of the kind refuses a port of which it is not said how it was chosen.
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
  const made = [
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
    made.push(
      object("frontend", "GCPGatewayPolicy", gatewayName, { targetRef, default: { sslPolicy: sslPolicy.name } }),
    );
  }
  if (cdn !== undefined)
    made.push(
      object("cdn", "GCPHTTPFilter", gatewayName, {
        cachePolicy: {
          cacheMode: cdn.cacheMode,
          cacheKeyPolicy: { includeHost: true, includeProtocol: true, includeQueryString: true },
        },
      }),
    );
  return made;
}

/** What a route's rule names for Cloud CDN. https://cloud.google.com/kubernetes-engine/docs/how-to/configure-cdn-for-gateway */
export const cdnFilter = {
  type: "ExtensionRef",
  extensionRef: { group: "networking.gke.io", kind: "GCPHTTPFilter", name: gatewayName },
};
