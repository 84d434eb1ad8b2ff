/** Who is let in before and after a change, by the rules and objects that the program makes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { armorRules, type ArmorRules } from "../../../components/edge/cloudArmor.ts";
import { accessConsequences } from "../../../tools/diff/access.ts";
import type { Registrations } from "../../../tools/diff/consequence.ts";

const policy = (rules: ArmorRules | undefined): Registrations => ({
  objects: [],
  resources:
    rules === undefined
      ? []
      : [{ type: "gcp:compute/securityPolicy:SecurityPolicy", inputs: { rules: armorRules(rules) } }],
});
const backend = (iap?: boolean): Registrations => ({
  objects: [
    { apiVersion: "cloud.google.com/v1", kind: "BackendConfig", metadata: { name: "a" }, spec: iap === undefined ? {} : { iap: { enabled: iap } } }, // prettier-ignore
  ],
});
const texts = (before: Registrations, after: Registrations) =>
  accessConsequences(before, after).map(({ text, names }) => (names ? `${text}: ${names.join(", ")}` : text));

const ofAddresses = (before: Registrations, after: Registrations) =>
  texts(before, after).filter((text) => !text.includes("429"));

test("a rate is said where it begins or changes, not where it ends", () => {
  const limit = (requests: number, seconds: number, allow?: string[]) =>
    policy({ log4j: true, rateLimit: { requests, seconds }, ...(allow && { allow }) });
  const none = policy({ log4j: true });
  assert.deepEqual(texts(none, limit(100, 60)), [
    "Clients get 429 above a rate: 100 requests in 60 s from one address.",
  ]);
  const slower = ["Clients get 429 above a rate: 100 requests in 60 s from one address; so far 3000 requests in 60 s."];
  assert.deepEqual(texts(limit(3000, 60), limit(100, 60)), slower);
  const ranges = ["203.0.113.0/24"];
  assert.deepEqual(texts(limit(3000, 60, ranges), limit(100, 60, ranges)), slower);
  assert.deepEqual(texts(limit(100, 60), limit(100, 60)), []);
  assert.deepEqual(texts(limit(100, 60), none), []);
});

test("addresses that Cloud Armor lets in, with and without a rate", () => {
  const only = (...ranges: string[]) =>
    `Cloud Armor lets in only clients of these addresses, and others get 403: ${ranges.join(", ")}`;
  const everybody = "Clients of all addresses are let in.";
  const open: (ArmorRules | undefined)[] = [
    undefined,
    { log4j: true },
    { log4j: false, rateLimit: { requests: 9, seconds: 60 } },
  ];
  const many = Array.from({ length: 12 }, (_, at) => `203.0.${at}.0/24`);
  for (const rate of [{}, { rateLimit: { requests: 9, seconds: 60 } }]) {
    const closed = (...allow: string[]) => policy({ log4j: true, allow, ...rate });
    for (const rules of open) {
      assert.deepEqual(ofAddresses(policy(rules), closed("203.0.113.0/24")), [only("203.0.113.0/24")]);
      assert.deepEqual(ofAddresses(closed("203.0.113.0/24"), policy(rules)), [everybody]);
      for (const other of open) assert.deepEqual(ofAddresses(policy(rules), policy(other)), []);
    }
    assert.deepEqual(texts(closed("203.0.113.0/24"), closed("203.0.113.0/24")), []);
    assert.deepEqual(texts(closed("203.0.113.0/24"), closed(...many)), [only(...many)]);
  }
});

test("Identity-Aware Proxy is turned on or off, or stays on where the config only drops it", () => {
  const [on, off, stays] = [
    "Identity-Aware Proxy is turned on: only its members get in, after they sign in to Google.",
    "Identity-Aware Proxy is turned off: everybody gets in without signing in.",
    "Identity-Aware Proxy stays on without members, so nobody gets in: to turn it off, set edge.iap.enabled to false instead.",
  ];
  const none: Registrations = { objects: [] };
  for (const before of [backend(), backend(false), none]) {
    assert.deepEqual(texts(before, backend(true)), [on]);
    for (const after of [backend(), backend(false), none]) assert.deepEqual(texts(before, after), []);
  }
  assert.deepEqual(texts(backend(true), backend(true)), []);
  assert.deepEqual(texts(backend(true), backend(false)), [off]);
  assert.deepEqual(texts(backend(true), backend()), [stays]);
  assert.deepEqual(texts(backend(true), none), [off]); // Another load balancer.
});
