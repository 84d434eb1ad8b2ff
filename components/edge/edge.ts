/** The edge as a whole: its address, its records in DNS, its certificates, and whatever kind of object stands in front of the proxy. */
import * as pulumi from "@pulumi/pulumi";
import { expiryOf } from "../../names/certificates.ts";
import { CertificateMap, certificateNames, type AuthorizationRecord } from "./certificateMap.ts";
import { DnsRecords } from "./dnsRecords.ts";
import { Gateway } from "./gateway.ts";
import { GlobalAddress } from "./globalAddress.ts";
import type { GoogleBackend } from "./googleBackend.ts";
import type { GrpcBackend } from "../workloads/grpcPort.ts";
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
  readonly edge:
    | ({ readonly kind: "gce"; readonly project: string } & GoogleBackend)
    | ({
        readonly kind: "gateway";
        readonly onGoogle: true;
        readonly className: string;
        readonly project: string;
      } & Omit<GoogleBackend, "iap">)
    | { readonly kind: "gateway"; readonly onGoogle: false; readonly className: string }
    | ClassEdge;
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
  const { stack, edge, tls, hosts } = args;
  const google = edge.kind === "gce" || (edge.kind === "gateway" && edge.onGoogle) ? edge : undefined;
  const reserved = google && new GlobalAddress(stack, google);
  const map =
    tls.mode === "managed" && google?.kind === "gateway"
      ? new CertificateMap("tls-map", {
          project: google.project,
          stack,
          names: certificateNames(hosts, tls.wildcard ?? false),
        })
      : undefined;
  const records =
    args.dns && google && reserved
      ? new DnsRecords("dns", {
          ...args.dns,
          project: google.project,
          stack,
          domain: args.domain,
          hosts,
          address: reserved.address,
          authorizations: map?.records,
        })
      : undefined;
  const selfSigned =
    tls.mode === "self-signed"
      ? new SelfSignedCertificate("tls", { names: hosts, ...(reserved && { address: reserved.address }) })
      : undefined;
  const managed =
    tls.mode === "managed" && edge.kind === "gce"
      ? new ManagedCertificates("tls-managed", { project: edge.project, stack, hosts })
      : undefined;
  const certificate = selfSigned ?? args.certificate;
  const front = {
    namespace: args.namespace,
    hosts,
    serviceName: args.serviceName,
    grpc:
      args.grpcServiceName === undefined
        ? undefined
        : { serviceName: args.grpcServiceName, paths: args.edgePaths ?? {} },
    certificate,
    redirectHttp: tls.mode !== "none" && tls.redirectHttp,
  };
  const made =
    edge.kind === "gateway"
      ? new Gateway(
          "gateway",
          {
            ...front,
            className: edge.className,
            ...(edge.onGoogle && {
              google: { ...edge, addressName: reserved?.addressName ?? "", certificateMap: map?.mapName },
            }),
          },
          opts,
        )
      : new TlsIngress(
          "ingress",
          {
            ...front,
            edge:
              edge.kind === "gce"
                ? { ...edge, addressName: reserved?.addressName ?? "", managedCertificates: managed?.names }
                : edge,
          },
          opts,
        );
  return {
    address: reserved?.address ?? made.address,
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
