import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { gceObjects, type GceEdge } from "./gceIngress.ts";
import { edgePathsOf, type GrpcBackend } from "./grpcBackend.ts";
import { commonLabels, ingressName as app } from "../../names/kubernetes.ts";
import { tlsSecret, type Certificate } from "../tlsSecret.ts";

/** Any other ingress controller. */
export interface ClassEdge {
  readonly kind: "ingress";
  readonly className: string;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface TlsIngressArgs {
  readonly namespace: pulumi.Input<string>;
  /** Names that are served; requests for others are refused by the edge. */
  readonly hosts: readonly string[];
  /** Service of the proxy, with a port named `http`. */
  readonly serviceName: pulumi.Input<string>;
  /** What goes to the proxy's port for gRPC instead. @default - nothing */
  readonly grpc?: GrpcBackend | undefined;
  readonly edge: GceEdge | ClassEdge;
  /** PEM chain and key. @default - plain HTTP */
  readonly certificate?: Certificate | undefined;
  /** Answer plain HTTP with a redirect to HTTPS; needs a certificate. */
  readonly redirectHttp: boolean;
}

/** An Ingress's status: until the controller has answered, any part of it is missing, whatever the SDK's types say. */
interface Reported {
  readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] };
}

/** The edge: an Ingress with TLS in front of the proxy. */
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
        metadata: { name: app, namespace, labels, annotations: { ...patience(annotations), ...annotations } },
        spec: {
          ...(edge.kind === "ingress" && { ingressClassName: edge.className }),
          ...(secretName !== undefined && { tls: [{ secretName, hosts: [...args.hosts] }] }),
          rules: args.hosts.map(rule),
        },
      },
      // Deleting is waited for in any case: Google's controller holds the object until its load balancer is gone.
      { ...parent, dependsOn, customTimeouts: { delete: "20m" } },
    );

    this.address = ingress.status.apply((status: Reported | undefined) => status?.loadBalancer?.ingress?.[0]?.ip);
    this.registerOutputs({ address: this.address });
  }
}

/**
 * Pulumi's own await wants endpoints for each rule and ten minutes of patience, and reads no events. Skipping it goes
 * before any other condition, so it is not said where there is one.
 */
const patience = (annotations: object) =>
  "pulumi.com/waitFor" in annotations ? {} : { "pulumi.com/skipAwait": "true" };

/**
 * What Contour reads; others take the same through `edge.annotations`. It lets websockets through where it is told, gives up
 * on an answer before the proxy does, and tries no other pod unless it is asked to, while Google's load balancer does.
 * https://projectcontour.io/docs/main/config/annotations/
 */
function classAnnotations(edge: ClassEdge, redirect: boolean): Record<string, string> {
  return {
    "projectcontour.io/websocket-routes": "/",
    "projectcontour.io/response-timeout": "infinity",
    // Nothing of the request was sent then: https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter
    "projectcontour.io/retry-on": "connect-failure,refused-stream",
    "projectcontour.io/num-retries": "3",
    ...(redirect && { "ingress.kubernetes.io/force-ssl-redirect": "true" }),
    ...edge.annotations,
  };
}
