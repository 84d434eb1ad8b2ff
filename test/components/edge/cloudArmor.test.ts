import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { armorRules, CloudArmor } from "../../../components/edge/cloudArmor.ts";
import { mockPulumi, settled, valueOf } from "../../../tools/testing/mocks.ts";

const type = "gcp:compute/securityPolicy:SecurityPolicy";
const everybody = { versionedExpr: "SRC_IPS_V1", config: { srcIpRanges: ["*"] } };
const log4j = {
  description: "Log4j, CVE-2021-44228",
  priority: 1000,
  action: "deny(403)",
  match: { expr: { expression: "evaluatePreconfiguredExpr('cve-canary')" } },
};
const others = { description: "Everybody else", priority: 2147483647, match: everybody };
const rateLimitOptions = {
  enforceOnKey: "IP",
  rateLimitThreshold: { count: 100, intervalSec: 60 },
  conformAction: "allow",
  exceedAction: "deny(429)",
};
const rateLimit = { requests: 100, seconds: 60 };

test("a policy in the project, with a generated name, as a child of its component", async () => {
  const recording = await mockPulumi();
  const armor = new CloudArmor("ingress-armor", { project: "acme-staging", log4j: true });
  const urn = await valueOf(armor.urn);
  await settled();
  assert.equal(urn, "urn:pulumi:test::gke-microservices::gke-microservices:index:CloudArmor::ingress-armor");
  const policy = recording.one(type, "ingress-armor-policy");
  assert.deepEqual(policy.inputs, {
    project: "acme-staging",
    type: "CLOUD_ARMOR",
    rules: [log4j, { ...others, action: "allow" }],
  });
  assert.equal(policy.parent, urn);
  const api = recording.one("gcp:projects/service:Service");
  assert.deepEqual([api.inputs["service"], api.parent], ["compute.googleapis.com", urn]);
  assert.ok(policy.dependencies.includes(api.urn));
  assert.equal(await valueOf(armor.policyName), "ingress-armor-policy-0000000");
});

test("a rate applies to each client address separately", () => {
  assert.deepEqual(armorRules({ log4j: false, rateLimit }), [
    {
      description: "Everybody, within the rate",
      priority: 2000,
      action: "throttle",
      rateLimitOptions,
      match: everybody,
    },
    { ...others, action: "allow" },
  ]);
});

test("an allow list blocks everybody else, and a rate applies to allowed clients", () => {
  const match = { versionedExpr: "SRC_IPS_V1", config: { srcIpRanges: ["203.0.113.0/24"] } };
  const letIn = { description: "Who is let in", priority: 2000, match };
  const allow = ["203.0.113.0/24"];
  const refuse = { ...others, action: "deny(403)" };
  assert.deepEqual(armorRules({ log4j: true, allow }), [log4j, { ...letIn, action: "allow" }, refuse]);
  assert.deepEqual(armorRules({ log4j: true, allow, rateLimit }), [
    log4j,
    { ...letIn, action: "throttle", rateLimitOptions },
    refuse,
  ]);
});

test("a list of any length is allowed: ten ranges per rule, unique priorities, and a last rule for the rest", () => {
  const ranges = fc.uniqueArray(
    fc.nat(255).map((third) => `198.51.${third}.0/24`),
    { minLength: 1, maxLength: 100 },
  );
  const limits = fc.option(fc.constant(rateLimit), { nil: undefined });
  fc.assert(
    fc.property(ranges, limits, fc.boolean(), (allow, limit, log4j) => {
      const rules = armorRules({ allow, log4j, rateLimit: limit });
      const admitting = rules.filter(({ description }) => description === "Who is let in");
      const lists = admitting.map(({ match }) => (match as { config: { srcIpRanges: string[] } }).config.srcIpRanges);
      assert.deepEqual(lists.flat(), allow);
      for (const list of lists) assert.ok(list.length >= 1 && list.length <= 10);
      const priorities = rules.map(({ priority }) => priority as number);
      assert.deepEqual(
        priorities,
        [...new Set(priorities)].sort((a, b) => a - b),
      );
      assert.equal(rules.at(-1)?.action, "deny(403)");
      assert.equal(priorities.at(-1), 2147483647);
    }),
  );
});
