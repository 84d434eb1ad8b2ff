import * as gcp from "@pulumi/gcp";
import * as pulumi from "@pulumi/pulumi";
import { enableApis } from "../googleApis.ts";
import { googleName, labelsOf } from "../../names/google.ts";
import type { CertificateStatus } from "./managedCertificates.ts";

/** A record that has to be in DNS, as `_acme-challenge.shop.example.com.`, `CNAME`, `….authorize.certificatemanager.goog.`. */
export interface AuthorizationRecord {
  readonly name: string;
  readonly type: string;
  readonly data: string;
}

export interface CertificateMapArgs {
  /** Id of the Google Cloud project. */
  readonly project: string;
  /** Name of the stack; Google's names of all that is made here begin with it. */
  readonly stack: string;
  /** What certificates are for: host names, and wildcards such as `*.shop.example.com`. */
  readonly names: readonly string[];
}

/**
 * The names that serve all hosts. A wildcard stands for each label under the domain, so that a new host there needs no new
 * certificate; hosts elsewhere, and those more than one label deep, keep certificates of their own.
 *
 * @param hosts the domain first
 */
export function certificateNames(hosts: readonly string[], wildcard: boolean): string[] {
  const [domain] = hosts;
  if (!wildcard || domain === undefined) return [...hosts];
  const covered = (host: string) => host === domain || host.slice(host.indexOf(".") + 1) === domain;
  return [domain, `*.${domain}`, ...hosts.filter((host) => !covered(host))];
}

/**
 * Certificates that Google issues and renews, for a load balancer that a Gateway speaks for. Their names are authorised by
 * records in DNS, so they can be issued before anything is attached or any traffic comes. Each keeps to one name: changing
 * the names adds and removes certificates without touching those that serve.
 *
 * https://cloud.google.com/certificate-manager/docs/domain-authorization#dns-auth
 */
export class CertificateMap extends pulumi.ComponentResource {
  /** What a Gateway refers to; known when every name is in it. */
  readonly mapName: pulumi.Output<string>;
  /** What DNS has to hold before the certificates are issued, and as long as they are renewed; by domain. */
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

    // The record for a domain speaks for its wildcard too.
    const domains = [...new Set(args.names.map((each) => each.replace(/^\*\./, "")))];
    const authorizations = new Map(
      domains.map((domain) => [
        domain,
        new gcp.certificatemanager.DnsAuthorization(
          `${name}-authorization-${domain}`,
          // Another project, as the one that the domain moves from, may have a record of its own beside it.
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
      const entry = new gcp.certificatemanager.CertificateMapEntry(
        `${name}-entry-${each}`,
        { ...common(each), map: map.name, hostname: each, certificates: [certificate.id] },
        parent,
      );
      return { each, entry, name: certificate.name, managed: certificate.managed };
    });

    const filled = pulumi.all(certificates.map(({ entry }) => entry.id));
    this.mapName = pulumi.all([map.name, filled]).apply(([mapName]) => mapName);
    this.records = Object.fromEntries(
      [...authorizations].map(([domain, { dnsResourceRecords }]) => [domain, dnsResourceRecords.apply(onlyRecord)]),
    );
    this.statuses = pulumi.all(certificates.map(({ each, name, managed }) => ({ each, name, managed }))).apply((all) =>
      Object.fromEntries(
        all.map(({ each, name, managed }) => {
          const status = managed?.state === "ACTIVE" ? "issued" : "provisioning";
          return [each, { name, status }] as const;
        }),
      ),
    );
    this.registerOutputs({ mapName: this.mapName, records: this.records, statuses: this.statuses });
  }
}

function onlyRecord([record]: readonly AuthorizationRecord[]): AuthorizationRecord {
  if (record === undefined) throw new Error("Google named no record for a DNS authorisation");
  return record;
}
