/** What a change means for who is let in: addresses by Cloud Armor, people by Identity-Aware Proxy. */
import { at } from "../../policy/rule.ts";
import type { Consequence, Registrations } from "./consequence.ts";

export function accessConsequences(before: Registrations, after: Registrations): Consequence[] {
  return [
    ...ofAddresses(allowed(before), allowed(after)),
    ...ofRates(rate(before), rate(after)),
    ...ofPeople(iap(before), iap(after)),
  ];
}

function ofRates(before: string | undefined, after: string | undefined): Consequence[] {
  if (after === undefined || before === after) return [];
  const former = before === undefined ? "" : `; so far ${before}`;
  return [{ text: `Clients get 429 above a rate: ${after} from one address${former}.` }];
}

function ofAddresses(before: readonly string[] | undefined, after: readonly string[] | undefined): Consequence[] {
  if (after === undefined) return before === undefined ? [] : [{ text: "Clients of all addresses are let in." }];
  return before?.join() === after.join()
    ? []
    : [{ text: "Cloud Armor lets in only clients of these addresses, and others get 403", names: after }];
}

const policyType = "gcp:compute/securityPolicy:SecurityPolicy";

const rulesOf = ({ resources = [] }: Registrations) =>
  list(at(resources.find(({ type }) => type === policyType)?.inputs, "rules"));

/** `3000 requests in 60 s` */
function rate(side: Registrations): string | undefined {
  const threshold = rulesOf(side)
    .map((rule) => at(rule, "rateLimitOptions.rateLimitThreshold"))
    .find((each) => each !== undefined);
  const [count, seconds] = [at(threshold, "count"), at(threshold, "intervalSec")];
  return typeof count === "number" && typeof seconds === "number" ? `${count} requests in ${seconds} s` : undefined;
}

/** The only ranges that a policy lets in; undefined if everybody is. */
function allowed(side: Registrations): string[] | undefined {
  const rules = rulesOf(side);
  if (!rules.some((rule) => ranges(rule).includes("*") && String(at(rule, "action")).startsWith("deny")))
    return undefined;
  return rules.flatMap(ranges).filter((range) => range !== "*");
}

const ranges = (rule: unknown) => list(at(rule, "match.config.srcIpRanges")).map(String);
const list = (value: unknown) => (Array.isArray(value) ? (value as unknown[]) : []);

type Iap = "on" | "off" | "unsaid" | "none";

function ofPeople(before: Iap, after: Iap): Consequence[] {
  if (before === after) return [];
  if (after === "on")
    return [{ text: "Identity-Aware Proxy is turned on: only its members get in, after they sign in to Google." }];
  if (before !== "on") return [];
  // The controller keeps what a BackendConfig no longer says, and the members' grants are gone.
  return after === "unsaid"
    ? [
        {
          text: "Identity-Aware Proxy stays on without members, so nobody gets in: to turn it off, set edge.iap.enabled to false instead.",
        },
      ]
    : [{ text: "Identity-Aware Proxy is turned off: everybody gets in without signing in." }];
}

/** `none` without a load balancer that has it. */
function iap({ objects }: Registrations): Iap {
  const backend = objects.find(({ kind }) => kind === "BackendConfig");
  if (backend === undefined) return "none";
  const enabled = at(backend, "spec.iap.enabled");
  return enabled === undefined ? "unsaid" : enabled === true ? "on" : "off";
}
