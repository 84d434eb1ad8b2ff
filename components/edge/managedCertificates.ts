import * as gcp from "@pulumi/gcp";
import * as pulumi from "@pulumi/pulumi";
import { enableApis } from "../googleApis.ts";
import { googleName } from "../../names/google.ts";

/** How far a host's certificate is. */
export interface CertificateStatus {
  /** What Google calls it, where Google has it. */
  readonly name?: string;
  /** Google issues a certificate some time after it is attached and DNS points at the address. */
  readonly status: "issued" | "provisioning";
  /** Its last moment, as RFC 3339 text. */
  readonly expires?: string;
}

export interface ManagedCertificatesArgs {
  /** Id of the Google Cloud project. */
  readonly project: string;
  /** Name of the stack; the certificates' names begin with it. */
  readonly stack: string;
  /** The names to serve, at most 15: more do not fit on a load balancer. */
  readonly hosts: readonly string[];
}

/**
 * Certificates that Google issues and renews, one for each host name. Google's certificates cannot be changed, only
 * replaced, and a new one serves nothing until it is issued; so each keeps to its host, and changing the hosts adds and
 * removes certificates without touching those that serve.
 *
 * Nothing here waits until they are issued: that needs the Ingress that they are attached to.
 * https://cloud.google.com/load-balancing/docs/ssl-certificates/google-managed-certs
 */
export class ManagedCertificates extends pulumi.ComponentResource {
  /** What Google calls them, in the order of the hosts: the first is for clients that name no host. */
  readonly names: pulumi.Output<string[]>;
  /** By host. As of the last `up` or `refresh`: Google tells an expiry once it has issued the certificate. */
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

    this.names = pulumi.all(certificates.map((certificate) => certificate.name));
    this.statuses = pulumi
      .all(certificates)
      .apply((all) => Object.fromEntries(all.map(({ host, name, expires }) => [host, { name, ...issued(expires) }])));
    this.registerOutputs({ names: this.names, statuses: this.statuses });
  }
}

/** @param expires missing or empty until the certificate is issued, whatever the SDK's types say */
function issued(expires: string | undefined): Pick<CertificateStatus, "status" | "expires"> {
  return expires === undefined || expires === "" ? { status: "provisioning" } : { status: "issued", expires };
}
