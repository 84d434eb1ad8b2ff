/** The edge as a whole: its address, its records in DNS, its certificates, and whatever kind of object stands in front of the proxy. */
import * as pulumi from "@pulumi/pulumi";
import { expiryOf } from "../../names/certificates.ts";
import { CertificateMap, certificateNames, type AuthorizationRecord } from "./certificateMap.ts";
import { DnsRecords } from "./dnsRecords.ts";
import { ingressName } from "../../names/kubernetes.ts";
import { Gateway } from "./gateway.ts";
import { GlobalAddress } from "./globalAddress.ts";
import type { GoogleBackend } from "./googleBackend.ts";
import type { GrpcBackend } from "./grpcBackend.ts";
import { ManagedCertificates, type CertificateStatus } from "./managedCertificates.ts";
import { SelfSignedCertificate } from "./selfSignedCertificate.ts";
import { TlsIngress, type ClassEdge } from "./tlsIngress.ts";
import type { Certificate } from "../tlsSecret.ts";

export interface EdgeArgs {
  readonly stack: string;
  readonly namespace: pulumi.Input<string>;
  readonly domain: string;
  /** Names that are served, the main one first. */
  readonly hosts: readonly string[];
  /** Service of the proxy. */
  readonly serviceName: pulumi.Input<string>;
  /** Service of its port for gRPC, and by host what goes to which of the two. @default - all to the first */
  readonly grpcServiceName?: pulumi.Input<string> | undefined;
  readonly edgePaths?: GrpcBackend["paths"];
  readonly edge: GceChoice | GoogleGatewayChoice | OtherGatewayChoice | (ClassEdge & { readonly onGoogle: false });
  readonly tls:
    | { readonly mode: "none" }
    /** By a Gateway, one certificate may serve every label under the domain. */
    | { readonly mode: "managed"; readonly redirectHttp: boolean; readonly wildcard?: boolean }
    | { readonly mode: "self-signed" | "supplied"; readonly redirectHttp: boolean };
  /** The certificate, where tls.mode is supplied. */
  readonly certificate?: Certificate | undefined;
  /** Records in Cloud DNS, in the named zone or in one that is made. @default - none */
  readonly dns?: { readonly zone?: string | undefined; readonly wildcard: boolean } | undefined;
}

/** Google's load balancer, by an Ingress. */
interface GceChoice extends GoogleBackend {
  readonly kind: "gce";
  readonly onGoogle: true;
  /** Id of the Google Cloud project. */
  readonly project: string;
}

/** Google's load balancer, by a Gateway. */
interface GoogleGatewayChoice extends Omit<GoogleBackend, "iap"> {
  readonly kind: "gateway";
  readonly onGoogle: true;
  readonly className: string;
  /** Id of the Google Cloud project. */
  readonly project: string;
}

/** A Gateway of somebody else's class. */
interface OtherGatewayChoice {
  readonly kind: "gateway";
  readonly onGoogle: false;
  readonly className: string;
}

export interface Edge {
  /** Where clients connect; unknown until a controller reports it where it is not reserved. */
  readonly address: pulumi.Output<string | undefined>;
  /** How far the certificates are, by host or wildcard; none over plain HTTP. */
  readonly certificates: pulumi.Output<Record<string, CertificateStatus>> | undefined;
  /** What DNS has to hold before Google issues them, by domain; made by the stack where `dns` covers the domain. */
  readonly authorizations: Readonly<Record<string, pulumi.Output<AuthorizationRecord>>> | undefined;
  /** PEM certificate that clients have to trust, where the stack signs for itself. */
  readonly caCertificate: pulumi.Output<string> | undefined;
  /** What the domain above has to delegate to, where a zone was made. */
  readonly nameServers: pulumi.Output<string[]> | undefined;
  /** Hosts that the zone does not hold, where there is one: their records are for somebody else to make. */
  readonly hostsElsewhere: readonly string[] | undefined;
}

/**
 * Puts the edge in front of the proxy. What it refers to comes before it and goes after it: Pulumi creates in the
 * order of dependencies and deletes in reverse, with the deletions of an update after its creations and changes.
 */
export function createEdge(args: EdgeArgs, opts: pulumi.ComponentResourceOptions): Edge {
  const { stack, namespace, hosts, tls, serviceName, grpcServiceName } = args;
  // On Google, with the reserved address beside it.
  const edge = args.edge.onGoogle
    ? { ...args.edge, reserved: new GlobalAddress(stack, { project: args.edge.project }) }
    : args.edge;
  const map =
    tls.mode === "managed" && edge.kind === "gateway" && edge.onGoogle
      ? new CertificateMap("tls-map", {
          project: edge.project,
          stack,
          names: certificateNames(hosts, tls.wildcard ?? false),
        })
      : undefined;
  const records =
    args.dns && edge.onGoogle
      ? new DnsRecords("dns", {
          project: edge.project,
          stack,
          domain: args.domain,
          hosts,
          address: edge.reserved.address,
          zone: args.dns.zone,
          wildcard: args.dns.wildcard,
          authorizations: map?.records,
        })
      : undefined;
  const selfSigned =
    tls.mode === "self-signed"
      ? new SelfSignedCertificate("tls", {
          names: hosts,
          ...(edge.onGoogle && { address: edge.reserved.address }),
        })
      : undefined;
  const managed =
    tls.mode === "managed" && edge.kind === "gce"
      ? new ManagedCertificates("tls-managed", { project: edge.project, stack, hosts })
      : undefined;
  const certificate = selfSigned ?? args.certificate;
  const common = {
    namespace,
    hosts,
    serviceName,
    grpc: grpcServiceName === undefined ? undefined : { serviceName: grpcServiceName, paths: args.edgePaths ?? {} },
    certificate,
    redirectHttp: tls.mode !== "none" && tls.redirectHttp,
  };
  const made =
    edge.kind === "gateway"
      ? new Gateway(
          "gateway",
          {
            ...common,
            className: edge.className,
            google: edge.onGoogle
              ? {
                  project: edge.project,
                  addressName: edge.reserved.addressName,
                  certificateMap: map?.mapName,
                  timeoutSeconds: edge.timeoutSeconds,
                  drainSeconds: edge.drainSeconds,
                  armor: edge.armor,
                  cdn: edge.cdn,
                }
              : undefined,
          },
          opts,
        )
      : new TlsIngress(
          ingressName,
          {
            ...common,
            edge: edge.onGoogle
              ? {
                  kind: edge.kind,
                  project: edge.project,
                  addressName: edge.reserved.addressName,
                  managedCertificates: managed?.names,
                  timeoutSeconds: edge.timeoutSeconds,
                  drainSeconds: edge.drainSeconds,
                  armor: edge.armor,
                  iap: edge.iap,
                  cdn: edge.cdn,
                }
              : { kind: edge.kind, className: edge.className, annotations: edge.annotations },
          },
          opts,
        );
  return {
    address: edge.onGoogle ? edge.reserved.address : made.address,
    certificates: managed?.statuses ?? map?.statuses ?? (certificate && issuedTo(hosts, certificate.crt)),
    authorizations: map?.records,
    caCertificate: selfSigned?.caCrt,
    nameServers: records?.nameServers,
    hostsElsewhere: records?.hostsElsewhere,
  };
}

/** One certificate that serves every host. When it expires is no secret, though it may have come with its key. */
function issuedTo(hosts: readonly string[], crt: pulumi.Input<string>) {
  return pulumi.unsecret(pulumi.output(crt)).apply((pem) => {
    const expires = expiryOf(pem)?.toISOString();
    const status: CertificateStatus = { status: "issued", ...(expires !== undefined && { expires }) };
    return Object.fromEntries(hosts.map((host) => [host, status]));
  });
}
