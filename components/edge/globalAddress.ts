import * as gcp from "@pulumi/gcp";
import * as pulumi from "@pulumi/pulumi";

import { enableApis } from "../googleApis.ts";

export interface GlobalAddressArgs {
  /** Id of the Google Cloud project. */
  readonly project: string;
}

/** The one public IPv4 address of a stack: DNS points at it, the ingress names it. */
export class GlobalAddress extends pulumi.ComponentResource {
  /** What Google calls the address; an Ingress refers to it by this name. */
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
