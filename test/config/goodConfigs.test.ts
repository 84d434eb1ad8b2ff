/** The random configs that the tests mutate use every key: a new one is not left out. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { configSchema } from "../../tools/reference/jsonSchema.ts";
import { keysOf } from "../../tools/reference/page.ts";
import { good } from "./goodConfigs.ts";

const keys = new Set(keysOf(configSchema()).map(({ path }) => path));
/** They name a file, a folder or a certificate that a random host would have to fit. */
const leftOut = [
  ...["cluster.kubeconfig", "proxy.build", "proxy.build.context"],
  ...[
    "services.NAME.build",
    "services.NAME.build.context",
    "services.NAME.files.NAME.from",
    "services.NAME.nodes.pool",
  ],
  ...["tls.certFile", "tls.keyFile"],
  ...["secrets.tls", "secrets.tls.crt", "secrets.tls.key"],
];

/** The paths of all values, as the config reference writes them. */
function pathsIn(value: unknown, path = ""): string[] {
  if (typeof value !== "object" || value === null) return [path];
  const below = Array.isArray(value)
    ? value.flatMap((each) => pathsIn(each, `${path}[]`))
    : Object.entries(value).flatMap(([name, each]) => {
        const key = path === "" ? name : `${path}.${name}`;
        return pathsIn(each, keys.has(key) ? key : `${path}.NAME`);
      });
  return [path, ...below];
}

test("the random configs use every key, but those of files", () => {
  const used = new Set(fc.sample(good, { numRuns: 1000, seed: 1 }).flatMap((config) => pathsIn(config)));
  assert.deepEqual(
    [...keys].filter((key) => !used.has(key)).sort(),
    leftOut.sort(),
    `Add to test/config/goodConfigs.ts: ${[...keys].filter((key) => !used.has(key) && !leftOut.includes(key)).join(", ")}`,
  );
});
