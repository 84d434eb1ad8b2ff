import * as gcp from "@pulumi/gcp";
import * as pulumi from "@pulumi/pulumi";
import { enableApis } from "../googleApis.ts";
import { googleName, labelsOf } from "../../names/google.ts";
import {
  createFirst,
  fallbackName,
  fallbackNames,
  pendingOf,
  type CertificateStatus,
  type FallbackFor,
} from "./managedCertificates.ts";

/**
 * A required DNS record, such as `_acme-challenge.shop.example.com.`, `CNAME`, `….authorize.certificatemanager.goog.`.
 */
export interface AuthorizationRecord {
  readonly name: string;
  readonly type: string;
  readonly data: string;
}

export interface CertificateMapArgs {
  /** ID of the Google Cloud project. */
  readonly project: string;
  /** Name of the stack: the prefix of all Google resource names. */
  readonly stack: string;
  /** Names to certify: host names, and wildcards such as `*.shop.example.com`. */
  readonly names: readonly string[];
  /** Makes the certificate that serves the names until Google has issued theirs. @default - none serves them */
  readonly fallback?: FallbackFor | undefined;
}

/**
 * Certificates that Google issues and renews, for the load balancer of a Gateway. DNS records authorize their names. So
 * Google can issue them before they are attached and before traffic arrives. Each has one name: a change of the names
 * adds and removes certificates, and keeps those in use.
 *
 * https://cloud.google.com/certificate-manager/docs/domain-authorization#dns-auth
 */
export class CertificateMap extends pulumi.ComponentResource {
  /** The map's name for the Gateway; resolves when the map contains every name. */
  readonly mapName: pulumi.Output<string>;
  /** DNS records that Google needs to issue and renew the certificates, by domain. */
  readonly records: Readonly<Record<string, pulumi.Output<AuthorizationRecord>>>;
  /** By name, as of the last `up` or `refresh`. */
  readonly statuses: pulumi.Output<Record<string, CertificateStatus>>;

  constructor(name: string, args: CertificateMapArgs, opts?: pulumi.ComponentResourceOptions) {
    super("gke-microservices:index:CertificateMap", name, {}, opts);
    const { project, stack } = args;
    const parent = { parent: this };
    const labels = labelsOf(pulumi.getProject(), stack);
    const dependsOn = enableApis(name, project, ["certificatemanager"], this);
    const common = (what: string) => ({ project, labels, name: googleName(`${stack}-${what}`, 63) });

    // One record authorizes both a domain and its wildcard.
    const domains = [...new Set(args.names.map((each) => each.replace(/^\*\./, "")))];
    const authorizations = new Map(
      domains.map((domain) => [
        domain,
        new gcp.certificatemanager.DnsAuthorization(
          `${name}-authorization-${domain}`,
          // Another project, such as the previous owner of the domain, may have its own record beside it.
          { ...common(domain), domain, type: "PER_PROJECT_RECORD" },
          { ...parent, dependsOn },
        ),
      ]),
    );

    const map = new gcp.certificatemanager.CertificateMap(`${name}-map`, common("gateway"), { ...parent, dependsOn });
    const certificates = args.names.map((each) => {
      const authorization = authorizations.get(each.replace(/^\*\./, ""));
      const certificate = new gcp.certificatemanager.Certificate(
        `${name}-certificate-${each}`,
        { ...common(each), managed: { domains: [each], dnsAuthorizations: authorization ? [authorization.id] : [] } },
        parent,
      );
      return { each, id: certificate.id, name: certificate.name, managed: certificate.managed };
    });
    this.statuses = pulumi.all(certificates.map(({ each, name, managed }) => ({ each, name, managed }))).apply((all) =>
      Object.fromEntries(
        all.map(({ each, name, managed }) => {
          const status = managed?.state === "ACTIVE" ? "issued" : "provisioning";
          return [each, { name, status }] as const;
        }),
      ),
    );
    const pending = pendingOf(this.statuses);
    const fallback = args.fallback?.(fallbackNames(pending, args.names));
    const own =
      fallback &&
      new gcp.certificatemanager.Certificate(
        `${name}-fallback`,
        {
          project,
          labels,
          name: fallbackName(stack, fallback),
          selfManaged: { pemCertificate: fallback.crt, pemPrivateKey: fallback.key },
        },
        { ...parent, dependsOn, ...createFirst },
      );

    const entries = certificates.map(({ each, id }) => {
      const serving =
        own === undefined
          ? id
          : pulumi
              .all([pending, id, own.id])
              .apply(([names, managed, last]) => (names.includes(each) ? last : managed));
      return new gcp.certificatemanager.CertificateMapEntry(
        `${name}-entry-${each}`,
        { ...common(each), map: map.name, hostname: each, certificates: [serving] },
        parent,
      );
    });
    const filled = pulumi.all(entries.map((entry) => entry.id));
    this.mapName = pulumi.all([map.name, filled]).apply(([mapName]) => mapName);
    this.records = Object.fromEntries(
      [...authorizations].map(([domain, { dnsResourceRecords }]) => [domain, dnsResourceRecords.apply(onlyRecord)]),
    );
    this.registerOutputs({ mapName: this.mapName, records: this.records, statuses: this.statuses });
  }
}

function onlyRecord([record]: readonly AuthorizationRecord[]): AuthorizationRecord {
  if (record === undefined) throw new Error("Google named no record for a DNS authorisation");
  return record;
}
