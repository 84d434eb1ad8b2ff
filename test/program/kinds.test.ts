/** What the program makes and Kubernetes has not, `npm run e2e -- manifests` checks against definitions of its own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { customObjects } from "../e2e/checks/customObjects.ts";
import { definedKinds, kindOf, undefinedKinds } from "../e2e/checks/kinds.ts";

test("every kind that Kubernetes has not is defined for the checks, or known not to be, and no other is", async () => {
  const made = new Set((await customObjects()).map(kindOf));
  assert.deepEqual([...made].sort(), [...definedKinds, ...undefinedKinds].sort());
});
