import * as gcp from "@pulumi/gcp";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { commonLabels, contentHash } from "./naming.ts";
import { drainSeconds } from "./pod.ts";
import { proxyHealthPath, proxyHealthPort } from "./nginxProxy.ts";

/** Google's own load balancer, at a reserved global address. */
export interface GceEdge {
  readonly kind: "gce";
  /** Name (not value) of the reserved address. */
  readonly addressName: pulumi.Input<string>;
  readonly project: string;
}

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
  readonly edge: GceEdge | ClassEdge;
  /** PEM chain and key. @default - plain HTTP */
  readonly certificate?: { readonly crt: pulumi.Input<string>; readonly key: pulumi.Input<string> } | undefined;
  /** Answer plain HTTP with a redirect to HTTPS; needs a certificate. */
  readonly redirectHttp: boolean;
}

/** An Ingress's status: until the controller has answered, any part of it is missing, whatever the SDK's types say. */
interface Reported {
  readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] };
}

const backendConfigName = "nginx-proxy";
const app = "ingress";

/** Annotations that the proxy's Service needs for Google's load balancer: container-native (NEG), with our BackendConfig. */
export const gceServiceAnnotations: Readonly<Record<string, string>> = {
  "cloud.google.com/neg": '{"ingress": true}',
  "cloud.google.com/backend-config": JSON.stringify({ default: backendConfigName }),
};

/** The entrance: an Ingress with TLS in front of the proxy. */
export class TlsIngress extends pulumi.ComponentResource {
  /** Address that the load balancer reports. */
  readonly address: pulumi.Output<string | undefined>;

  constructor(name: string, args: TlsIngressArgs, opts?: pulumi.ComponentResourceOptions) {
    super("gke-microservices:index:TlsIngress", name, {}, opts);
    const { namespace, edge } = args;
    const parent = { parent: this };
    const labels = commonLabels(app);

    const secretName = args.certificate && tlsSecret(name, namespace, args.certificate, parent);
    const redirect = args.redirectHttp && secretName !== undefined;
    const { annotations, dependsOn } =
      edge.kind === "gce"
        ? gceObjects(name, namespace, edge, redirect, parent)
        : { annotations: classAnnotations(edge, redirect), dependsOn: [] };

    const backend = { service: { name: args.serviceName, port: { name: "http" } } };
    const ingress = new k8s.networking.v1.Ingress(
      `${name}-ingress`,
      {
        // The await wants endpoints for each rule and ten minutes of patience, and reads no events.
        metadata: { name: app, namespace, labels, annotations: { "pulumi.com/skipAwait": "true", ...annotations } },
        spec: {
          ...(edge.kind === "ingress" && { ingressClassName: edge.className }),
          ...(secretName !== undefined && { tls: [{ secretName, hosts: [...args.hosts] }] }),
          rules: args.hosts.map((host) => ({ host, http: { paths: [{ path: "/", pathType: "Prefix", backend }] } })),
        },
      },
      { ...parent, dependsOn },
    );

    this.address = ingress.status.apply((status: Reported | undefined) => status?.loadBalancer?.ingress?.[0]?.ip);
    this.registerOutputs({ address: this.address });
  }
}

/** Named after its content: a rotated certificate is a new Secret beside the old one, never a gap. */
function tlsSecret(
  name: string,
  namespace: pulumi.Input<string>,
  { crt, key }: NonNullable<TlsIngressArgs["certificate"]>,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const stringData = pulumi.secret(pulumi.all({ "tls.crt": crt, "tls.key": key }));
  const secretName = pulumi.unsecret(stringData.apply((data) => `${app}-tls-${contentHash(data)}`));
  const secret = new k8s.core.v1.Secret(
    `${name}-tls`,
    {
      metadata: { name: secretName, namespace, labels: commonLabels(app) },
      type: "kubernetes.io/tls",
      immutable: true,
      stringData,
    },
    opts,
  );
  return secret.metadata.name;
}

/** What Contour reads; others take the same through `edge.annotations`. https://projectcontour.io/docs/main/config/annotations/ */
function classAnnotations(edge: ClassEdge, redirect: boolean): Record<string, string> {
  return { ...(redirect && { "ingress.kubernetes.io/force-ssl-redirect": "true" }), ...edge.annotations };
}

/** https://cloud.google.com/kubernetes-engine/docs/how-to/ingress-configuration */
function gceObjects(
  name: string,
  namespace: pulumi.Input<string>,
  edge: GceEdge,
  redirect: boolean,
  opts: pulumi.CustomResourceOptions,
) {
  const labels = commonLabels(app);
  const sslPolicy = new gcp.compute.SSLPolicy(
    `${name}-ssl-policy`,
    { project: edge.project, profile: "MODERN", minTlsVersion: "TLS_1_2" },
    opts,
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
    opts,
  );
  const backend = new k8s.apiextensions.CustomResource(
    `${name}-backend`,
    {
      apiVersion: "cloud.google.com/v1",
      kind: "BackendConfig",
      metadata: { name: backendConfigName, namespace, labels },
      spec: {
        // Inferred health checks are often wrong: say it all.
        healthCheck: {
          type: "HTTP",
          requestPath: proxyHealthPath,
          port: proxyHealthPort,
          checkIntervalSec: 5,
          timeoutSec: 3,
          healthyThreshold: 1,
          unhealthyThreshold: 3,
        },
        connectionDraining: { drainingTimeoutSec: drainSeconds + 20 },
        timeoutSec: 30,
      },
    },
    opts,
  );
  return {
    annotations: {
      // GKE reads the annotation; ingressClassName alone is ignored.
      "kubernetes.io/ingress.class": "gce",
      "kubernetes.io/ingress.global-static-ip-name": edge.addressName,
      "networking.gke.io/v1beta1.FrontendConfig": app,
    },
    dependsOn: [frontend, backend],
  };
}
