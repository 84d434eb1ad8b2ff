/** Keys of other tools are answered with what to write here; values are shown as YAML. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import {
  keysOfBuild,
  keysOfEgress,
  keysOfEnv,
  keysOfFiles,
  keysOfHealth,
  keysOfInit,
  keysOfNodes,
  keysOfReplicas,
  keysOfResources,
  keysOfRoutes,
  keysOfScratch,
  keysOfServices,
  keysOfSidecars,
} from "../../config/otherKeys.ts";
import { asYaml } from "../../config/problems.ts";
import { schema } from "../../config/schema.ts";
import { hoge, projectDir, refusal } from "./refusal.ts";

const service = (more: object) => schema.shape.services.safeParse({ hoge: { image: "a/b:1", ...more } }).success;

test("each key of another tool is unknown here, and its advice replaces the list of keys", () => {
  const tables = [
    ["", keysOfServices, (key: string) => ({ [key]: "x" })],
    [".resources", keysOfResources, (key: string) => ({ resources: { [key]: "x" } })],
    [".health", keysOfHealth, (key: string) => ({ health: { [key]: "x" } })],
    [".replicas", keysOfReplicas, (key: string) => ({ replicas: { min: 1, max: 2, [key]: "x" } })],
    [".nodes", keysOfNodes, (key: string) => ({ nodes: { [key]: "x" } })],
    [".build", keysOfBuild, (key: string) => ({ build: { context: "./services/sample", [key]: "x" } })],
    [".egress[0]", keysOfEgress, (key: string) => ({ egress: [{ cidr: "203.0.113.0/24", ports: [1], [key]: "x" }] })],
    ['.files["/a"]', keysOfFiles, (key: string) => ({ files: { "/a": { text: "", [key]: "x" } } })],
    ['.scratch["/a"]', keysOfScratch, (key: string) => ({ scratch: { "/a": { size: "1Gi", [key]: "x" } } })],
    [".env.A", keysOfEnv, (key: string) => ({ env: { A: { pod: "name", [key]: "x" } } })],
    [".sidecars.sql", keysOfSidecars, (key: string) => ({ sidecars: { sql: { image: "a/b:1", [key]: "x" } } })],
    [".init[0]", keysOfInit, (key: string) => ({ init: [{ name: "wait", image: "a/b:1", [key]: "x" }] })],
    [
      ".sidecars.sql.health",
      keysOfHealth,
      (key: string) => ({ sidecars: { sql: { image: "a/b:1", health: { tcp: true, port: 1, [key]: "x" } } } }),
    ],
    [
      ".init[0].resources",
      keysOfResources,
      (key: string) => ({ init: [{ name: "wait", image: "a/b:1", resources: { [key]: "x" } }] }),
    ],
    [
      ".sidecars.env.env.A",
      keysOfEnv,
      (key: string) => ({ sidecars: { env: { image: "a/b:1", env: { A: { pod: "name", [key]: "x" } } } } }),
    ],
    [".routes[0]", keysOfRoutes, (key: string) => ({ routes: [{ path: "/a/", [key]: "x" }] })],
  ] as const;
  for (const [place, table, more] of tables)
    for (const [key, advice] of Object.entries(table)) {
      const message = refusal(hoge(more(key)));
      assert.ok(
        message.includes(`services.hoge${place}.${key}\n    is not a key that is known here; ${advice}\n`),
        message,
      );
    }
});

test("a key of another tool is known in each of its forms", () => {
  for (const key of ["health_check", "healthCheck", "health-check", "HEALTHCHECK", "readinessProbe"])
    assert.match(refusal(hoge({ [key]: "/x" })), /; write health$/m, key);
  for (const key of ["proxy-body-size", "client_max_body_size"])
    assert.match(refusal(hoge({ routes: [{ path: "/a/", [key]: "8m" }] })), /; write maxBodyMb, a number$/m, key);
  assert.match(refusal(hoge({ routeDefaults: { timeout: "5s" } })), /; write timeoutSeconds, a number$/m);
});

test("the heading that an advice names is in the guide", () => {
  const tables = [keysOfServices, keysOfRoutes, keysOfResources, keysOfBuild, keysOfEgress, keysOfSidecars];
  const references = tables
    .flatMap((table) => Object.values(table))
    .flatMap((advice) => [...advice.matchAll(/see "([^"]+)" in (\S+\.md)$/g)]);
  assert.ok(references.length > 0);
  for (const [advice, heading, file] of references)
    assert.match(readFileSync(join(projectDir, file ?? ""), "utf8"), new RegExp(`^#+ ${heading}$`, "m"), advice);
});

test("a key that the advice says to write is taken", () => {
  assert.ok(
    service({ env: {}, health: "/x", port: 8080, replicas: 1, resources: {}, calls: [], egress: [], roles: [] }),
  );
  assert.ok(service({ routeDefaults: { timeoutSeconds: 5 }, resources: { cpu: "250m", memory: "256Mi" } }));
  const route = { path: "/a/", host: "b", keepPrefix: true, timeoutSeconds: 5, maxBodyMb: 1, responseHeaders: {} };
  assert.ok(service({ routes: [{ ...route, protocol: "http", limit: { requestsPerSecond: 1 } }] }));
});

test("a value is shown as YAML that reads as the same value", () => {
  const values = fc.jsonValue({
    maxDepth: 3,
    stringUnit: fc.constantFrom(...Array.from("aZ019.:/_-+~ #,[]{}'\"!&*|>%@`?=\\n\\ty")),
  });
  fc.assert(
    fc.property(values, (value) => {
      for (const version of ["1.1", "1.2"] as const)
        assert.deepEqual(parse(`a: ${asYaml(value)}`, { version }), {
          a: JSON.parse(JSON.stringify(value)) as unknown,
        });
    }),
    { numRuns: 2000 },
  );
});
