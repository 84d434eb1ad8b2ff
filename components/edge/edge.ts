/** The whole edge: address, DNS records, certificates, and the Ingress or Gateway in front of the proxy. */
import * as pulumi from "@pulumi/pulumi";
import { expiryOf } from "../../names/certificates.ts";
import { certificateNames } from "../../names/hosts.ts";
import { CertificateMap, type AuthorizationRecord } from "./certificateMap.ts";
import { DnsRecords } from "./dnsRecords.ts";
import { ingressName } from "../../names/kubernetes.ts";
import { Gateway } from "./gateway.ts";
import { GlobalAddress } from "./globalAddress.ts";
import type { GoogleBackend } from "./googleBackend.ts";
import type { GrpcBackend } from "./grpcBackend.ts";
import { ManagedCertificates, pendingOf, type CertificateStatus, type FallbackFor } from "./managedCertificates.ts";
import { SelfSignedCertificate } from "./selfSignedCertificate.ts";
import { TlsIngress, type ClassEdge } from "./tlsIngress.ts";
import type { Certificate } from "../tlsSecret.ts";

export interface EdgeArgs {
  readonly stack: string;
  readonly namespace: pulumi.Input<string>;
  readonly domain: string;
  /** Host names, the main one first. */
  readonly hosts: readonly string[];
  /** Service of the proxy. */
  readonly serviceName: pulumi.Input<string>;
  /** Service of the proxy's gRPC port, and the paths of each host that use it. @default - none */
  readonly grpcServiceName?: pulumi.Input<string> | undefined;
  readonly edgePaths?: GrpcBackend["paths"];
  readonly edge: GceChoice | GoogleGatewayChoice | OtherGatewayChoice | (ClassEdge & { readonly onGoogle: false });
  readonly tls:
    | { readonly mode: "none" }
    /** With a Gateway, one certificate can cover every label under the domain. */
    | {
        readonly mode: "managed";
        readonly redirectHttp: boolean;
        readonly wildcard?: boolean;
        /** What serves the hosts until Google has issued their certificates. @default "none" */
        readonly fallback?: "none" | "self-signed" | "supplied";
      }
    | { readonly mode: "self-signed" | "supplied"; readonly redirectHttp: boolean };
  /** The certificate for `tls.mode` or `tls.fallback` supplied. */
  readonly certificate?: Certificate | undefined;
  /** Records in Cloud DNS, in the given zone or a new one. @default - none */
  readonly dns?: { readonly zone?: string | undefined; readonly wildcard: boolean } | undefined;
}

/** Google's load balancer, by an Ingress. */
interface GceChoice extends GoogleBackend {
  readonly kind: "gce";
  readonly onGoogle: true;
  /** ID of the Google Cloud project. */
  readonly project: string;
}

/** Google's load balancer, by a Gateway. */
interface GoogleGatewayChoice extends Omit<GoogleBackend, "iap"> {
  readonly kind: "gateway";
  readonly onGoogle: true;
  readonly className: string;
  /** ID of the Google Cloud project. */
  readonly project: string;
}

/** A Gateway of another controller's class. */
interface OtherGatewayChoice {
  readonly kind: "gateway";
  readonly onGoogle: false;
  readonly className: string;
}

export interface Edge {
  /** Address for clients. If it is not reserved, it is null until the controller reports it; the CLI warns of undefined. */
  readonly address: pulumi.Output<string | null>;
  /** Status of the certificates, by host or wildcard; undefined for plain HTTP. */
  readonly certificates: pulumi.Output<Record<string, CertificateStatus>> | undefined;
  /** DNS records that Google needs to issue certificates, by domain. The stack creates those that `dns` covers. */
  readonly authorizations: Readonly<Record<string, pulumi.Output<AuthorizationRecord>>> | undefined;
  /** The stack's CA certificate as PEM, for clients to trust; only with `tls.mode` self-signed. */
  readonly caCertificate: pulumi.Output<string> | undefined;
  /** Name servers for the delegation from the parent domain, if the stack creates the zone. */
  readonly nameServers: pulumi.Output<string[]> | undefined;
  /** Hosts outside the zone: their records belong in another zone. */
  readonly hostsElsewhere: readonly string[] | undefined;
}

/**
 * Creates the edge in front of the proxy. Pulumi creates its dependencies first and deletes them last. In an update it
 * deletes after all creations and changes.
 */
export function createEdge(args: EdgeArgs, opts: pulumi.ComponentResourceOptions): Edge {
  const { stack, namespace, hosts, tls, serviceName, grpcServiceName } = args;
  // On Google, with a reserved address.
  const edge = args.edge.onGoogle
    ? { ...args.edge, reserved: new GlobalAddress(stack, { project: args.edge.project }) }
    : args.edge;
  const selfSigned = (names: pulumi.Input<readonly string[]>) =>
    new SelfSignedCertificate("tls", {
      domain: args.domain,
      names,
      ...(edge.onGoogle && { address: edge.reserved.address }),
    });
  const own = tls.mode === "self-signed" ? selfSigned(hosts) : undefined;
  const fallback = tls.mode === "managed" ? fallbackFor(tls.fallback, args.certificate, selfSigned) : undefined;
  const map =
    tls.mode === "managed" && edge.kind === "gateway" && edge.onGoogle
      ? new CertificateMap("tls-map", {
          project: edge.project,
          stack,
          names: certificateNames(hosts, tls.wildcard ?? false),
          fallback,
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
  const managed =
    tls.mode === "managed" && edge.kind === "gce"
      ? new ManagedCertificates("tls-managed", { project: edge.project, stack, hosts, fallback })
      : undefined;
  const certificate = tls.mode === "managed" ? undefined : (own ?? args.certificate);
  const common = {
    namespace,
    hosts,
    serviceName,
    grpc: grpcServiceName === undefined ? undefined : { serviceName: grpcServiceName, paths: args.edgePaths ?? {} },
    certificate,
    redirectHttp: tls.mode !== "none" && tls.redirectHttp,
  };
  const edgeObject =
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
  const statuses = managed?.statuses ?? map?.statuses;
  if (fallback !== undefined && statuses !== undefined) warnOfPending(pendingOf(statuses));
  return {
    address: edge.onGoogle ? edge.reserved.address : edgeObject.address.apply((reported) => reported ?? null),
    certificates: statuses ?? (certificate && issuedTo(hosts, certificate.crt)),
    authorizations: map?.records,
    caCertificate: own?.caCrt,
    nameServers: records?.nameServers,
    hostsElsewhere: records?.hostsElsewhere,
  };
}

/** @returns undefined if nothing serves the hosts until Google has issued their certificates */
function fallbackFor(
  kind: "none" | "self-signed" | "supplied" | undefined,
  supplied: Certificate | undefined,
  selfSigned: FallbackFor,
): FallbackFor | undefined {
  if (kind === "self-signed") return selfSigned;
  return kind === "supplied" && supplied !== undefined ? () => supplied : undefined;
}

/** Says what ends the use of the fallback: an update that reads the state of the certificates. */
function warnOfPending(pending: pulumi.Output<string[]>): void {
  pending.apply((hosts) => {
    if (hosts.length > 0)
      void pulumi.log.warn(
        `Google has not issued the certificate of ${hosts.join(", ")} yet, and tls.fallback serves instead. Google issues it within about an hour after DNS points at the address. Then run: npx pulumi up --refresh`,
      );
  });
}

/** One certificate for all hosts. Its expiry is not a secret, even if the pair is. */
function issuedTo(hosts: readonly string[], crt: pulumi.Input<string>) {
  return pulumi.unsecret(pulumi.output(crt)).apply((pem) => {
    const expires = expiryOf(pem)?.toISOString();
    const status: CertificateStatus = { status: "issued", ...(expires !== undefined && { expires }) };
    return Object.fromEntries(hosts.map((host) => [host, status]));
  });
}
