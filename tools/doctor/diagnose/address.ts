/** Checks that the address is reserved, and that the load balancer uses it. */
import type { GoogleState } from "../gather/google.ts";
import type { Objects } from "../gather/objects.ts";
import type { Finding } from "../report.ts";
import type { Subject } from "../subject.ts";

export interface AddressSeen {
  /** From the stack's outputs or --address. @default - unknown */
  readonly address: string | undefined;
  /** Why the outputs could not be read. @default - they could, or are not needed */
  readonly outputsError?: string | undefined;
  readonly google: GoogleState | string | undefined;
  readonly objects: Objects | string;
}

export function address({ address, outputsError, google, objects }: AddressSeen, subject: Subject): Finding {
  const { apply, kubectl, edge } = subject;
  const kind = edge.kind === "gateway" ? "Gateway" : "Ingress";
  const describe = `${kubectl} describe ${kind.toLowerCase()} ${kind.toLowerCase()}`;
  if (address === undefined)
    return outputsError !== undefined
      ? { state: "unknown", seen: `not checked: ${outputsError}` }
      : {
          state: "failed",
          seen: edge.onGoogle ? "the stack has no address" : `the ${kind} has no address`,
          means: edge.onGoogle
            ? "The stack has not been deployed, or only partly."
            : `No controller handles the ${kind}, or the controller reports no address.`,
          fix: edge.onGoogle ? apply : `${describe}   # or name the address: --address ADDRESS`,
        };
  if (!edge.onGoogle) return { state: "ok", seen: address };
  const reported = typeof objects === "string" ? undefined : reportedBy(objects);
  if (reported !== undefined && reported !== address)
    return {
      state: "failed",
      seen: `the ${kind} answers at ${reported}, but the stack's address is ${address}`,
      means: "The load balancer was created without the reserved address, which did not exist yet at that time.",
      fix: apply,
    };
  if (typeof google === "string" || google === undefined)
    return reported === address
      ? { state: "ok", seen: `${address}, which the ${kind} reports` }
      : { state: "unknown", seen: `${address}; not checked: ${google ?? "no access to Google's APIs"}` };
  const { address: found } = google;
  if (found === undefined)
    return {
      state: "failed",
      seen: `${address} is not a global address of the project ${edge.project}`,
      means: "It was released, or belongs to another project: the stack's state is outdated.",
      fix: apply,
    };
  if (found.status !== "IN_USE")
    return {
      state: "failed",
      seen: `${address} (${found.name}) is ${found.status}`,
      means: "The address exists, but nothing uses it: the load balancer is not created yet, or its creation failed.",
      fix: `${describe}   # its events say why`,
      passing: true,
    };
  return {
    state: "ok",
    seen: `${address} (${found.name}) is in use by ${found.users.join(", ") || "a forwarding rule"}`,
  };
}

/** The address that the controller reports in the status of the Ingress or Gateway. */
export function reportedBy({ ingress, gateway }: Objects): string | undefined {
  const first = ingress?.status?.loadBalancer?.ingress?.[0];
  return first?.ip ?? first?.hostname ?? gateway?.status?.addresses?.[0]?.value;
}
