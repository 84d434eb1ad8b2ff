import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { cdnFilter, gatewayPolicies, type GoogleGateway } from "./googleGateway.ts";
import { googleName } from "../../names/google.ts";
import { commonLabels, gatewayName as app } from "../../names/kubernetes.ts";
import { proxyServicePorts } from "../../names/ports.ts";
import { edgePathsOf, type EdgePath, type GrpcBackend } from "./grpcBackend.ts";
import { tlsSecret, type Certificate } from "../tlsSecret.ts";

export interface GatewayArgs {
  readonly namespace: pulumi.Input<string>;
  /** Host names; the edge refuses requests for others. */
  readonly hosts: readonly string[];
  /** Service of the proxy. */
  readonly serviceName: pulumi.Input<string>;
  /** The paths for the proxy's gRPC port. @default - none */
  readonly grpc?: GrpcBackend | undefined;
  /** The GatewayClass, which selects the controller. */
  readonly className: string;
  /** Settings of Google's load balancer; only with Google's class. @default - none */
  readonly google?: GoogleGateway | undefined;
  /** PEM chain and key; excludes a certificate map. @default - plain HTTP */
  readonly certificate?: Certificate | undefined;
  /** Redirect plain HTTP to HTTPS; needs a certificate or a map. */
  readonly redirectHttp: boolean;
}

/** A Gateway's status: any part may be missing until the controller responds. */
interface ReportedStatus {
  readonly addresses?: readonly { readonly value?: string }[];
}
class GatewayObject extends k8s.apiextensions.CustomResource {
  declare readonly status: pulumi.Output<ReportedStatus | undefined>;
}

const apiVersion = "gateway.networking.k8s.io/v1";

/** The edge with the Gateway API: a Gateway with TLS, and routes from each host to the proxy. */
export class Gateway extends pulumi.ComponentResource {
  /** Address that the load balancer reports. */
  readonly address: pulumi.Output<string | undefined>;

  /** @throws ResourceError with both a certificate and a certificate map */
  constructor(name: string, args: GatewayArgs, opts?: pulumi.ComponentResourceOptions) {
    super("gke-microservices:index:Gateway", name, {}, opts);
    const { namespace, serviceName, google } = args;
    const parent = { parent: this };
    const labels = commonLabels(app);
    const map = google?.certificateMap;
    // GKE rejects the combination, and then serves neither.
    if (args.certificate !== undefined && map !== undefined)
      throw new pulumi.ResourceError("certificate excludes google.certificateMap; give one of the two", this);

    const secretName = args.certificate && tlsSecret(name, app, namespace, args.certificate, parent);
    const secure = secretName !== undefined || map !== undefined;
    const policies = google && gatewayPolicies(name, { namespace, serviceName, grpc: args.grpc, google, secure }, this);
    const allowedRoutes = { namespaces: { from: "Same" } };
    const gateway = new GatewayObject(
      `${name}-gateway`,
      {
        apiVersion,
        kind: "Gateway",
        metadata: {
          name: app,
          namespace,
          labels,
          ...(map !== undefined && { annotations: { "networking.gke.io/certmap": map } }),
        },
        spec: {
          gatewayClassName: args.className,
          ...(google && { addresses: [{ type: "NamedAddress", value: google.addressName }] }),
          listeners: [
            { name: "http", port: 80, protocol: "HTTP", allowedRoutes },
            ...(secure
              ? [
                  {
                    name: "https",
                    port: 443,
                    protocol: "HTTPS",
                    ...(secretName !== undefined && {
                      tls: { mode: "Terminate", certificateRefs: [{ kind: "Secret", name: secretName }] },
                    }),
                    allowedRoutes,
                  },
                ]
              : []),
          ],
        },
        status: undefined, // Listed here, so that Pulumi returns it as an output.
      },
      // Google's controller keeps the object until it has deleted the load balancer, which takes minutes.
      { ...parent, dependsOn: policies ?? [], customTimeouts: { delete: "30m" } },
    );

    // Routes depend on the Gateway, so that destroy deletes them first. No route is left for a controller to program.
    const route = (role: string, routeName: string, spec: Record<string, unknown>) =>
      new k8s.apiextensions.CustomResource(
        `${name}-${role}`,
        { apiVersion, kind: "HTTPRoute", metadata: { name: routeName, namespace, labels }, spec },
        { ...parent, dependsOn: [gateway] },
      );
    const redirect = args.redirectHttp && secure;
    const listeners = [...(redirect ? [] : ["http"]), ...(secure ? ["https"] : [])];
    const parentRefs = (names: readonly string[]) => names.map((sectionName) => ({ name: app, sectionName }));
    // One or more routes for each host. A route has at most 16 host names, and names must never move between routes.
    for (const host of args.hosts)
      for (const [index, rules] of routeRules(edgePathsOf(host, args.grpc), args).entries()) {
        const part = index === 0 ? host : `${host}/${index + 1}`;
        route(`route-${part}`, googleName(part, 63), {
          parentRefs: parentRefs(listeners),
          hostnames: [host],
          rules,
        });
      }
    if (redirect)
      route("redirect", `${app}-redirect`, {
        parentRefs: parentRefs(["http"]),
        rules: [{ filters: [{ type: "RequestRedirect", requestRedirect: { scheme: "https", statusCode: 301 } }] }],
      });

    this.address = gateway.status.apply((status) => status?.addresses?.[0]?.value);
    this.registerOutputs({ address: this.address });
  }
}

/** Limits: 64 matches in a rule, 128 in a route. https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule */
const matchesPerRule = 64;

/**
 * The rules of each route of a host, one per backend. The most exact and longest match wins, in any order and across
 * routes. gRPC uses an HTTPRoute too. A GRPCRoute cannot share a host name with an HTTPRoute, and a host may need both
 * protocols.
 * https://gateway-api.sigs.k8s.io/reference/spec/#grpcroute
 */
function routeRules(paths: readonly EdgePath[], { serviceName, grpc, google }: GatewayArgs): object[][] {
  const rule = {
    http: {
      ...(google?.cdn && { filters: [cdnFilter] }),
      backendRefs: [{ name: serviceName, port: proxyServicePorts.http }],
    },
    grpc: { backendRefs: [{ name: grpc?.serviceName, port: proxyServicePorts.grpc }] },
  };
  if (paths.every(({ protocol }) => protocol === "http")) return [[rule.http]]; // No match needed.
  const parts = (["grpc", "http"] as const).map((protocol) => {
    const matches = paths
      .filter((path) => path.protocol === protocol)
      .map(({ path }) => ({ path: { type: path.endsWith("/") ? "PathPrefix" : "Exact", value: path } }));
    return chunks(matches, matchesPerRule).map((some) => ({ matches: some, ...rule[protocol] }));
  });
  const most = Math.max(...parts.map(({ length }) => length));
  return Array.from({ length: most }, (_, index) => parts.flatMap((rules) => rules.slice(index, index + 1)));
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
