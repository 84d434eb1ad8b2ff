import * as gcp from "@pulumi/gcp";
import * as pulumi from "@pulumi/pulumi";
import type { AuthorizationRecord } from "./certificateMap.ts";
import { enableApis } from "../googleApis.ts";
import { labelsOf } from "../../names/google.ts";
import { isUnder } from "../../names/hosts.ts";

export interface DnsRecordsArgs {
  /** ID of the Google Cloud project. */
  readonly project: string;
  readonly stack: string;
  /** The stack's domain; the zone covers it and everything under it. */
  readonly domain: string;
  /** Host names; those outside the domain get no record. */
  readonly hosts: readonly string[];
  /** IPv4 address for the records. */
  readonly address: pulumi.Input<string>;
  /** Name of an existing zone. @default - create a zone for the domain */
  readonly zone?: string | undefined;
  /** Whether to create a record for `*.<domain>` too. */
  readonly wildcard: boolean;
  /** Records that authorize certificates, by domain; domains outside the zone get none. @default - none */
  readonly authorizations?: Readonly<Record<string, pulumi.Output<AuthorizationRecord>>> | undefined;
}

/** Seconds that resolvers may cache an answer; clients may use an old address that long. */
const ttl = 300;

/** Address records in Cloud DNS, and optionally the zone. Pulumi deletes them before it releases the address. */
export class DnsRecords extends pulumi.ComponentResource {
  /** Name servers for the delegation from the parent domain, if the stack creates the zone. */
  readonly nameServers: pulumi.Output<string[]> | undefined;
  /** Hosts outside the domain: their records belong in another zone. */
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
          // Records from others prevent the deletion of the zone.
          forceDestroy: false,
          labels: labelsOf(pulumi.getProject(), args.stack),
        },
        { parent: this, dependsOn },
      );

    const common = { project, managedZone: typeof zone === "string" ? zone : zone.name, ttl };
    const names = args.hosts.filter((host) => isUnder(host, domain));
    // A proxy with a wildcard by subdomain already has the wildcard among its hosts.
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
