import * as gcp from "@pulumi/gcp";
import * as pulumi from "@pulumi/pulumi";
import type { AuthorizationRecord } from "./certificateMap.ts";
import { enableApis } from "../googleApis.ts";
import { labelsOf } from "../../names/google.ts";

export interface DnsRecordsArgs {
  /** Id of the Google Cloud project. */
  readonly project: string;
  readonly stack: string;
  /** The stack's domain; the zone holds it and what is under it. */
  readonly domain: string;
  /** Host names; for those outside the domain no record is made. */
  readonly hosts: readonly string[];
  /** IPv4 address that the records point at. */
  readonly address: pulumi.Input<string>;
  /** Name of a zone that is there already. @default - a zone for the domain is made */
  readonly zone?: string | undefined;
  /** A record for `*.<domain>` as well. */
  readonly wildcard: boolean;
  /** By which Google sees that a certificate may be issued, by domain; for those elsewhere none is made. @default - none */
  readonly authorizations?: Readonly<Record<string, pulumi.Output<AuthorizationRecord>>> | undefined;
}

/** Seconds for which resolvers may keep an answer, and so for which a moved address is still looked for at the old one. */
const ttl = 300;

const isUnder = (host: string, domain: string) => host === domain || host.endsWith(`.${domain}`);

/** Address records in Cloud DNS, and the zone where there is none. They go before the address is given back to Google. */
export class DnsRecords extends pulumi.ComponentResource {
  /** What the domain above has to delegate to, where a zone was made. */
  readonly nameServers: pulumi.Output<string[]> | undefined;
  /** Hosts outside the domain: somebody else's zone has to have their records. */
  readonly hostsElsewhere: readonly string[];

  constructor(name: string, args: DnsRecordsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("gke-microservices:index:DnsRecords", name, {}, opts);
    const { project, domain } = args;
    const dependsOn = enableApis(name, project, ["dns"], this);
    const zone =
      args.zone ??
      new gcp.dns.ManagedZone(
        `${name}-zone`,
        {
          project,
          dnsName: `${domain}.`,
          description: `Made by the stack ${args.stack}`,
          dnssecConfig: { state: "on" },
          // Records that others made keep the zone from being deleted.
          forceDestroy: false,
          labels: labelsOf(pulumi.getProject(), args.stack),
        },
        { parent: this, dependsOn },
      );

    const common = { project, managedZone: typeof zone === "string" ? zone : zone.name, ttl };
    const names = args.hosts.filter((host) => isUnder(host, domain));
    // The proxy may serve the wildcard, which is then among the hosts.
    for (const host of new Set(args.wildcard ? [...names, `*.${domain}`] : names))
      new gcp.dns.RecordSet(
        `${name}-${host}`,
        { ...common, name: `${host}.`, type: "A", rrdatas: [args.address] },
        { parent: this, dependsOn },
      );
    for (const [host, { name: recordName, type, data }] of Object.entries(args.authorizations ?? {}))
      if (isUnder(host, domain))
        new gcp.dns.RecordSet(
          `${name}-authorization-${host}`,
          { ...common, name: recordName, type, rrdatas: [data] },
          { parent: this, dependsOn },
        );

    this.nameServers = typeof zone === "string" ? undefined : zone.nameServers;
    this.hostsElsewhere = args.hosts.filter((host) => !isUnder(host, domain));
    this.registerOutputs({ nameServers: this.nameServers, hostsElsewhere: this.hostsElsewhere });
  }
}
