/** `npm run e2e -- manifests` checks kinds outside Kubernetes against its own definitions. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { customObjects } from "../e2e/checks/customObjects.ts";
import { definedKinds, kindOf, undefinedKinds } from "../e2e/checks/kinds.ts";

test("exactly the kinds outside Kubernetes are defined for the checks, or listed as undefined", async () => {
  const kinds = new Set((await customObjects()).map(kindOf));
  assert.deepEqual([...kinds].sort(), [...definedKinds, ...undefinedKinds].sort());
});
