/** Address of the edge in an existing cluster, from the status of the stack's Ingress or Gateway. */
import { setTimeout as sleep } from "node:timers/promises";
import { gatewayName, ingressName } from "../../names/kubernetes.ts";
import type { Settings } from "../../config/schema.ts";
import { kubectlObjects, type KubectlTarget } from "../cli/kubectl.ts";
import { Problem } from "../cli/problem.ts";

/** How long to wait for the controller. A cloud's load balancer takes longer: name it by --address. */
const seconds = 60;

/** An Ingress has `loadBalancer`, a Gateway has `addresses`. */
interface Status {
  readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[] };
  readonly addresses?: readonly { readonly value: string }[];
}

/** @throws Problem if there is none in time */
export async function edgeAddress(target: KubectlTarget, { edge, namespace }: Settings): Promise<string> {
  const object =
    edge.kind === "gateway" ? `gateways.gateway.networking.k8s.io/${gatewayName}` : `ingress/${ingressName}`;
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const [found] = await kubectlObjects(target, ["get", object, "-n", namespace]);
    const status = found?.["status"] as Status | undefined;
    const first = status?.loadBalancer?.ingress?.[0];
    const address = first?.ip ?? first?.hostname ?? status?.addresses?.[0]?.value;
    if (address !== undefined) return address;
    if (Date.now() > end)
      throw new Problem(
        `The ${edge.kind === "gateway" ? "Gateway" : "Ingress"} has no address after ${seconds} s: no controller of its class handles it, or the controller reports no address.`,
        "Check edge.className in Pulumi.local.yaml, or name the address with --address.",
      );
    await sleep(1000);
  }
}
