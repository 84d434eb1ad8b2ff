/** Text that some reader of YAML takes for something else has quotes. `npm run e2e -- yaml` asks the readers themselves. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { objectYaml } from "../../../tools/stack/yaml.ts";

test("text that YAML 1.1 or 1.2 takes for something else has quotes", () => {
  const booleans = ["yes", "No", "ON", "off", "y", "N", "true", "FALSE"];
  const numbers = ["1", "0123", "0o17", "0x1F", "1_000", "190:20:30", "1e3", ".5", "+1", "-.inf", ".NaN"];
  for (const text of [...booleans, ...numbers, "null", "~", "", "2026-01-01", "=", "<<"])
    assert.equal(objectYaml({ a: text }), `a: ${JSON.stringify(text)}\n`);
});

test("other text has none", () => {
  for (const text of ["a", "yess", "onward", "1.2.3", "a=b", "==", "a:b", "/a/b", "sha256:abc"])
    assert.equal(objectYaml({ a: text }), `a: ${text}\n`);
});
