/** The address is reserved, and the load balancer uses it. */
import type { GoogleState } from "../gather/google.ts";
import type { Objects } from "../gather/objects.ts";
import type { Finding } from "../report.ts";
import type { Subject } from "../subject.ts";

export interface AddressSeen {
  /** From the stack's outputs, or what was named for the doctor. @default - it is not known */
  readonly address: string | undefined;
  /** Why the outputs could not be read. @default - they were, or nobody needs them */
  readonly unread?: string | undefined;
  readonly google: GoogleState | string | undefined;
  readonly objects: Objects | string;
}

export function address({ address, unread, google, objects }: AddressSeen, subject: Subject): Finding {
  const { apply, kubectl, edge } = subject;
  const kind = edge.kind === "gateway" ? "Gateway" : "Ingress";
  const describe = `${kubectl} describe ${kind.toLowerCase()} ${kind.toLowerCase()}`;
  if (address === undefined)
    return unread !== undefined
      ? { state: "unknown", seen: `not looked at: ${unread}` }
      : {
          state: "failed",
          seen: edge.onGoogle ? "the stack has none" : `the ${kind} has none`,
          means: edge.onGoogle
            ? "The stack has not been made, or not as far as its address."
            : `No controller has taken the ${kind}, or it says nowhere where it answers.`,
          fix: edge.onGoogle ? apply : `${describe}   # or name the address: --address ADDRESS`,
        };
  if (!edge.onGoogle) return { state: "ok", seen: address };
  const reported = typeof objects === "string" ? undefined : reportedBy(objects);
  if (reported !== undefined && reported !== address)
    return {
      state: "failed",
      seen: `the ${kind} answers at ${reported}, and the stack's address is ${address}`,
      means:
        "The load balancer was made without the reserved address: its name was not there when the controller looked.",
      fix: apply,
    };
  if (typeof google === "string" || google === undefined)
    return reported === address
      ? { state: "ok", seen: `${address}, which the ${kind} reports` }
      : { state: "unknown", seen: `${address}; not looked at: ${google ?? "nobody to ask"}` };
  const { address: found } = google;
  if (found === undefined)
    return {
      state: "failed",
      seen: `${address} is not a global address of the project ${edge.project}`,
      means: "It was released, or belongs to another project: the stack's state is older than that.",
      fix: apply,
    };
  if (found.status !== "IN_USE")
    return {
      state: "failed",
      seen: `${address} (${found.name}) is ${found.status}`,
      means: "The address is there and nothing uses it: the load balancer is not made yet, or could not be.",
      fix: `${describe}   # its events say why`,
      passing: true,
    };
  return {
    state: "ok",
    seen: `${address} (${found.name}) is in use by ${found.users.join(", ") || "a forwarding rule"}`,
  };
}

/** What the controller reports on its object. */
export function reportedBy({ ingress, gateway }: Objects): string | undefined {
  const first = ingress?.status?.loadBalancer?.ingress?.[0];
  return first?.ip ?? first?.hostname ?? gateway?.status?.addresses?.[0]?.value;
}
