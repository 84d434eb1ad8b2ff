/** Every resource of every stack keeps every rule of the policy pack that stops an update. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { suite, test } from "node:test";
import { appliesTo } from "../../policy/predicate.ts";
import { allPredicates, findings } from "../../policy/predicates.ts";
import { record } from "./recorded.ts";
import { projectDir } from "./rendered.ts";

const stacks = readdirSync(projectDir).flatMap(
  (file) => /^Pulumi\.(local|staging|production)\.yaml$/.exec(file)?.[1] ?? [],
);
assert.ok(stacks.includes("local") && stacks.includes("staging"));

const seen = new Set<string>();
for (const stack of stacks) {
  const { resources } = (await record(stack)).recording;
  for (const { type } of resources) seen.add(type);
  suite(`stack ${stack}`, () => {
    test("no rule that stops is broken", () => {
      assert.ok(resources.length > 12);
      const found = resources.flatMap(({ type, name, inputs }) =>
        findings(type, inputs).map((finding) => ({ name, ...finding })),
      );
      assert.deepEqual(found, []);
    });
  });
}

test("the rules are about resources that the stacks have", () => {
  const idle = allPredicates.filter(({ resource }) => ![...seen].some((type) => appliesTo(resource, type)));
  // Choices that no stack here takes, and what no stack should ever have.
  const choices = ["dns-signed", "edge-armor-log4j", "iam-no-account-keys"];
  assert.deepEqual(
    idle.map(({ id }) => id).filter((id) => !choices.includes(id)),
    [],
  );
});
