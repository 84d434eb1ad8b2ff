import * as gcp from "@pulumi/gcp";
import * as pulumi from "@pulumi/pulumi";

import { enableApis } from "../googleApis.ts";

export interface GlobalAddressArgs {
  /** ID of the Google Cloud project. */
  readonly project: string;
}

/** The stack's public IPv4 address, used by DNS records and by the Ingress or Gateway. */
export class GlobalAddress extends pulumi.ComponentResource {
  /** The address's name in Google Cloud, for the Ingress or Gateway. */
  readonly addressName: pulumi.Output<string>;
  /** The IPv4 address. */
  readonly address: pulumi.Output<string>;

  constructor(name: string, args: GlobalAddressArgs, opts?: pulumi.ComponentResourceOptions) {
    super("gke-microservices:index:GlobalAddress", name, {}, opts);

    const address = new gcp.compute.GlobalAddress(
      `${name}-ip`,
      { project: args.project, addressType: "EXTERNAL", ipVersion: "IPV4" },
      { parent: this, dependsOn: enableApis(name, args.project, ["compute"], this) },
    );

    this.addressName = address.name;
    this.address = address.address;
    this.registerOutputs({ addressName: this.addressName, address: this.address });
  }
}
