import * as gcp from "@pulumi/gcp";
import * as pulumi from "@pulumi/pulumi";
import { enableApis } from "../googleApis.ts";
import { googleName } from "../../names/google.ts";
import { contentHash } from "../../names/kubernetes.ts";
import type { Certificate } from "../tlsSecret.ts";

/** Status of a host's certificate. */
export interface CertificateStatus {
  /** Name in Google Cloud, if it is a Google resource. */
  readonly name?: string;
  /** Google issues a certificate after it is attached and DNS resolves to the address. */
  readonly status: "issued" | "provisioning";
  /** Expiry, as RFC 3339 text. */
  readonly expires?: string;
}

export interface ManagedCertificatesArgs {
  /** ID of the Google Cloud project. */
  readonly project: string;
  /** Name of the stack: the prefix of the certificates' names. */
  readonly stack: string;
  /** Host names; with the fallback at most 15 certificates: the limit of a load balancer. */
  readonly hosts: readonly string[];
  /** Makes the certificate that serves the hosts until Google has issued theirs. @default - none serves them */
  readonly fallback?: FallbackFor | undefined;
}

/** @param names those that the certificate has to cover */
export type FallbackFor = (names: pulumi.Output<string[]>) => Certificate;

/**
 * Certificates that Google issues and renews, one for each host. Google's certificates are immutable, and a new one is
 * useless until issued. So each has one host: a change of the hosts adds and removes certificates, and keeps those in
 * use.
 *
 * Does not wait until they are issued, because that needs the Ingress that they are attached to.
 * https://cloud.google.com/load-balancing/docs/ssl-certificates/google-managed-certs
 */
export class ManagedCertificates extends pulumi.ComponentResource {
  /**
   * Names in Google Cloud, in the order of the hosts: the first serves clients without SNI. Last the fallback, until all
   * are issued.
   */
  readonly names: pulumi.Output<string[]>;
  /** By host, as of the last `up` or `refresh`. Google reports an expiry after it has issued the certificate. */
  readonly statuses: pulumi.Output<Record<string, CertificateStatus>>;

  constructor(name: string, args: ManagedCertificatesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("gke-microservices:index:ManagedCertificates", name, {}, opts);
    const { project, stack } = args;
    const dependsOn = enableApis(name, project, ["compute"], this);
    const certificates = args.hosts.map((host) => {
      const certificate = new gcp.compute.ManagedSslCertificate(
        `${name}-${host}`,
        { project, name: googleName(`${stack}-${host}`, 63), managed: { domains: [host] } },
        { parent: this, dependsOn },
      );
      return { host, name: certificate.name, expires: certificate.expireTime };
    });

    const managed = pulumi.all(certificates.map((certificate) => certificate.name));
    this.statuses = pulumi
      .all(certificates)
      .apply((all) => Object.fromEntries(all.map(({ host, name, expires }) => [host, { name, ...issued(expires) }])));
    const pending = pendingOf(this.statuses);
    const fallback = args.fallback?.(fallbackNames(pending, args.hosts));
    const own =
      fallback &&
      new gcp.compute.SSLCertificate(
        `${name}-fallback`,
        { project, name: fallbackName(stack, fallback), certificate: fallback.crt, privateKey: fallback.key },
        { parent: this, dependsOn, ...createFirst },
      );
    this.names = pulumi
      .all([managed, pending, own?.name])
      .apply(([names, hosts, last]) => (last === undefined || hosts.length === 0 ? names : [...names, last]));
    this.registerOutputs({ names: this.names, statuses: this.statuses });
  }
}

/** Hosts, or wildcards, whose certificates Google has not issued yet. */
export function pendingOf(statuses: pulumi.Output<Record<string, CertificateStatus>>): pulumi.Output<string[]> {
  return statuses.apply((all) => Object.keys(all).filter((each) => all[each]?.status === "provisioning"));
}

/**
 * The names that a fallback covers: a second certificate for a host that has its own could win. If none is pending it
 * serves none, and covers all, as on the first day: this spares a new one.
 */
export function fallbackNames(pending: pulumi.Output<string[]>, all: readonly string[]): pulumi.Output<string[]> {
  return pending.apply((names) => (names.length === 0 ? [...all] : names));
}

/**
 * For a certificate whose name depends on its content: the new one before the old one is deleted. The provider would
 * delete a resource with a given name first. Then the engine would also replace the Ingress whose annotation has that
 * name, because the name of the Ingress is in the same property.
 */
export const createFirst = { deleteBeforeReplace: false };

/** Google's certificates are immutable: new content gets a new name, beside the old one. */
export function fallbackName(stack: string, { crt }: Certificate): pulumi.Output<string> {
  return pulumi
    .unsecret(pulumi.output(crt))
    .apply((pem) => googleName(`${stack}-fallback-${contentHash({ pem })}`, 63));
}

/** @param expires undefined or empty until the certificate is issued, contrary to the SDK's types */
function issued(expires: string | undefined): Pick<CertificateStatus, "status" | "expires"> {
  return expires === undefined || expires === "" ? { status: "provisioning" } : { status: "issued", expires };
}
