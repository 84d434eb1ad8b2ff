/** The project's name comes only from Pulumi.yaml, and is the namespace of its config. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { checkConfig } from "../../config/config.ts";
import { fullKey, nameIn, project } from "../../names/project.ts";
import { projectDir, raw, refusal, valid } from "../config/refusal.ts";

test("a key without a namespace belongs to the project, any other keeps its namespace", () => {
  assert.equal(fullKey("domain"), `${project}:domain`);
  assert.equal(fullKey("gcp:project"), "gcp:project");
});

test("the project's name is found in every notation of Pulumi.yaml", () => {
  for (const name of [
    "name: shop",
    'name: "shop"',
    "name: 'shop'",
    "name:   shop # ours",
    "a: {name: no}\r\nname: shop\r\n",
  ])
    assert.equal(nameIn(`${name}\nruntime: nodejs\n`), "shop");
  assert.equal(nameIn("runtime:\n  name: nodejs\nname: my_shop.2-b\n"), "my_shop.2-b");
  assert.throws(() => nameIn("runtime:\n  name: nodejs\n"), /has no name/);
});

/** A valid config with keys under the project's old name. */
const oldConfig = Object.fromEntries(
  Object.entries(raw(valid)).map(([key, text]) => [key.replace(`${project}:`, "old-name:"), text]),
);

test("config under the project's old name is refused key by key, each with the new key", () => {
  const message = refusal({}, oldConfig);
  assert.match(message, /^6 problems in the config of stack test; nothing was changed:/);
  for (const name of Object.keys(valid))
    assert.ok(
      message.includes(
        `  old-name:${name}\n    "old-name" is not the name of this project, which is "${project}" in Pulumi.yaml; ` +
          `write ${project}:${name}, or ${name} alone\n`,
      ),
      message,
    );
});

test("other problems appear in the same message, and no existing key is reported as missing", () => {
  const message = refusal({}, { ...oldConfig, "old-name:domain": "no domain" });
  assert.match(message, /[\w-]+:domain\n\s+"no domain" must be/);
  assert.doesNotMatch(message, /missing/);
});

test("if a key is under both names, the current one counts and the old one is still refused", () => {
  const message = refusal(valid, { "old-name:domain": "no domain" });
  assert.match(message, /^1 problem in/);
  assert.match(message, /old-name:domain\n\s+"old-name" is not the name of this project/);
});

test("a secret under the old name is not shown", () => {
  const config = { ...oldConfig, "old-name:domain": "canary", "old-name:services": "canary" };
  assert.throws(
    () => checkConfig(config, "test", projectDir, ["old-name:domain", "old-name:services"]),
    (error: Error) => pulumi.RunError.isInstance(error) && !error.message.includes("canary"),
  );
});
