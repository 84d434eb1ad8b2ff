import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { gceObjects, type GceEdge } from "./gceIngress.ts";
import { edgePathsOf, type GrpcBackend } from "./grpcBackend.ts";
import { commonLabels, ingressName as app } from "../../names/kubernetes.ts";
import { tlsSecret, type Certificate } from "../tlsSecret.ts";

/** An Ingress of another controller. */
export interface ClassEdge {
  readonly kind: "ingress";
  readonly className: string;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface TlsIngressArgs {
  readonly namespace: pulumi.Input<string>;
  /** Host names; the edge refuses requests for others. */
  readonly hosts: readonly string[];
  /** Service of the proxy, with a port named `http`. */
  readonly serviceName: pulumi.Input<string>;
  /** The paths for the proxy's gRPC port. @default - none */
  readonly grpc?: GrpcBackend | undefined;
  readonly edge: GceEdge | ClassEdge;
  /** PEM chain and key. @default - plain HTTP */
  readonly certificate?: Certificate | undefined;
  /** Redirect plain HTTP to HTTPS; needs a certificate. */
  readonly redirectHttp: boolean;
}

/** An Ingress's status: any part may be missing until the controller responds, contrary to the SDK's types. */
interface ReportedStatus {
  readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] };
}

/** The edge with an Ingress: TLS in front of the proxy. */
export class TlsIngress extends pulumi.ComponentResource {
  /** Address that the load balancer reports. */
  readonly address: pulumi.Output<string | undefined>;

  constructor(name: string, args: TlsIngressArgs, opts?: pulumi.ComponentResourceOptions) {
    super("gke-microservices:index:TlsIngress", name, {}, opts);
    const { namespace, edge } = args;
    const parent = { parent: this };
    const labels = commonLabels(app);

    const secretName = args.certificate && tlsSecret(name, app, namespace, args.certificate, parent);
    const secure = secretName !== undefined || (edge.kind === "gce" && edge.managedCertificates !== undefined);
    const redirect = args.redirectHttp && secure;
    const { annotations, dependsOn } =
      edge.kind === "gce"
        ? gceObjects(name, namespace, edge, redirect, this)
        : { annotations: classAnnotations(edge, redirect), dependsOn: [] };

    const backends = {
      http: { service: { name: args.serviceName, port: { name: "http" } } },
      grpc: args.grpc && { service: { name: args.grpc.serviceName, port: { name: "grpc" } } },
    };
    const rule = (host: string) => ({
      host,
      http: {
        paths: edgePathsOf(host, args.grpc).map(({ path, protocol }) => ({
          path,
          pathType: path.endsWith("/") ? "Prefix" : "Exact",
          backend: backends[protocol] ?? backends.http,
        })),
      },
    });
    const ingress = new k8s.networking.v1.Ingress(
      `${name}-ingress`,
      {
        metadata: { name: app, namespace, labels, annotations: { ...awaitAnnotations(annotations), ...annotations } },
        spec: {
          ...(edge.kind === "ingress" && { ingressClassName: edge.className }),
          ...(secretName !== undefined && { tls: [{ secretName, hosts: [...args.hosts] }] }),
          rules: args.hosts.map(rule),
        },
      },
      // Deletion always waits: Google's controller keeps the object until it has deleted its load balancer.
      { ...parent, dependsOn, customTimeouts: { delete: "20m" } },
    );

    this.address = ingress.status.apply((status: ReportedStatus | undefined) => status?.loadBalancer?.ingress?.[0]?.ip);
    this.registerOutputs({ address: this.address });
  }
}

/**
 * Skips Pulumi's await logic: it requires endpoints for each rule, waits ten minutes, and ignores events. `skipAwait`
 * overrides `waitFor`, so set it only without one.
 */
const awaitAnnotations = (annotations: object) =>
  "pulumi.com/waitFor" in annotations ? {} : { "pulumi.com/skipAwait": "true" };

/**
 * Contour's annotations; for other controllers use `edge.annotations`. By default Contour blocks websockets, times out
 * before the proxy, and does not retry on another pod. Google's load balancer does.
 * https://projectcontour.io/docs/main/config/annotations/
 */
function classAnnotations(edge: ClassEdge, redirect: boolean): Record<string, string> {
  return {
    "projectcontour.io/websocket-routes": "/",
    "projectcontour.io/response-timeout": "infinity",
    // Safe to retry: nothing of the request was sent.
    // https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter
    "projectcontour.io/retry-on": "connect-failure,refused-stream",
    "projectcontour.io/num-retries": "3",
    ...(redirect && { "ingress.kubernetes.io/force-ssl-redirect": "true" }),
    ...edge.annotations,
  };
}
