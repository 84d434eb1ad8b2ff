/** The entrance as a whole: its address, its records in DNS, its certificates, and whatever kind of object stands in front of the proxy. */
import { X509Certificate } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { DnsRecords } from "./dnsRecords.ts";
import { Gateway, type GatewayArgs } from "./gateway.ts";
import { GlobalAddress } from "./globalAddress.ts";
import type { GoogleBackend } from "./googleBackend.ts";
import { ManagedCertificates, type CertificateStatus } from "./managedCertificates.ts";
import { SelfSignedCertificate } from "./selfSignedCertificate.ts";
import { TlsIngress, type ClassEdge } from "./tlsIngress.ts";
import type { Certificate } from "./tlsSecret.ts";

export interface EntranceArgs {
  readonly stack: string;
  readonly namespace: pulumi.Input<string>;
  readonly domain: string;
  /** Names that are served, the main one first. */
  readonly hosts: readonly string[];
  /** Service of the proxy. */
  readonly serviceName: pulumi.Input<string>;
  readonly edge:
    | ({ readonly kind: "gce"; readonly project: string } & GoogleBackend)
    | (Pick<GatewayArgs, "className"> & { readonly kind: "gateway" })
    | ClassEdge;
  readonly tls:
    | { readonly mode: "none" }
    | { readonly mode: "managed" | "self-signed" | "supplied"; readonly redirectHttp: boolean };
  /** The certificate, where tls.mode is supplied. */
  readonly certificate?: Certificate | undefined;
  /** Records in Cloud DNS, in the named zone or in one that is made. @default - none */
  readonly dns?: { readonly zone?: string | undefined; readonly wildcard: boolean } | undefined;
}

export interface Entrance {
  /** Where clients connect; unknown until a controller reports it where it is not reserved. */
  readonly address: pulumi.Output<string | undefined>;
  /** How far the certificates are, by host; none over plain HTTP. */
  readonly certificates: pulumi.Output<Record<string, CertificateStatus>> | undefined;
  /** PEM certificate that clients have to trust, where the stack signs for itself. */
  readonly caCertificate: pulumi.Output<string> | undefined;
  /** What the domain above has to delegate to, where a zone was made. */
  readonly nameServers: pulumi.Output<string[]> | undefined;
  /** Hosts that the zone does not hold, where there is one: their records are for somebody else to make. */
  readonly hostsElsewhere: readonly string[] | undefined;
}

/**
 * Puts the entrance in front of the proxy. What it refers to comes before it and goes after it: Pulumi creates in the
 * order of dependencies and deletes in reverse, with the deletions of an update after its creations and changes.
 */
export function entrance(args: EntranceArgs, opts: pulumi.ComponentResourceOptions): Entrance {
  const { stack, edge, tls, hosts } = args;
  const reserved = edge.kind === "gce" ? new GlobalAddress(stack, edge) : undefined;
  const records =
    args.dns && reserved && edge.kind === "gce"
      ? new DnsRecords("dns", {
          ...args.dns,
          project: edge.project,
          stack,
          domain: args.domain,
          hosts,
          address: reserved.address,
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
    certificate,
    redirectHttp: tls.mode !== "none" && tls.redirectHttp,
  };
  const made =
    edge.kind === "gateway"
      ? new Gateway("gateway", { ...front, ...edge }, opts)
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
    certificates: managed?.statuses ?? (certificate && issuedTo(hosts, certificate.crt)),
    caCertificate: selfSigned?.caCrt,
    nameServers: records?.nameServers,
    hostsElsewhere: records?.hostsElsewhere,
  };
}

/** One certificate that serves every host. When it expires is no secret, though it may have come with its key. */
function issuedTo(hosts: readonly string[], crt: pulumi.Input<string>) {
  return pulumi.unsecret(pulumi.output(crt)).apply((pem) => {
    const expires = expiryOf(pem);
    const status: CertificateStatus = { status: "issued", ...(expires !== undefined && { expires }) };
    return Object.fromEntries(hosts.map((host) => [host, status]));
  });
}

function expiryOf(pem: string): string | undefined {
  try {
    return new X509Certificate(pem).validToDate.toISOString();
  } catch {
    return undefined; // No certificate, but a placeholder: what a stack is rendered with.
  }
}
