/** Configs that pass validation are valid for Kubernetes and nginx too: mutated configs against a real API server and nginx. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, test } from "node:test";
import fc from "fast-check";
import { checkConfig } from "../../config/config.ts";
import { CommandError, kubectl } from "../../tools/cli/kubectl.ts";
import { syntaxProblem } from "../../tools/programs/nginx.ts";
import { projectDir } from "../../tools/cli/paths.ts";
import { google, hostileConfigs, seed } from "../config/hostile.ts";
import { raw } from "../config/refusal.ts";
import { recordConfig } from "../../tools/testing/recorded.ts";
import { defineKinds, kindOf, undefinedKinds } from "./checks/kinds.ts";
import { localTarget, stop } from "./support/commands.ts";
import { start } from "./support/path.ts";

/** Number of configs; a quarter when all suites run. */
const runs = process.env["SHORT"] === undefined ? 2000 : 500;
/** Objects per kubectl call. */
const batchSize = 200;
const namespace = "hostile";

interface Sent {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; namespace?: string };
  readonly data?: Readonly<Record<string, string>>;
}

after(stop);

test(
  `of ${runs} mutated configs, the valid ones give objects that pass a strict dry run, and routes that nginx accepts`,
  { timeout: 30 * 60_000 },
  async (context) => {
    assert.equal((await start()).status, 0);
    await kubectl(localTarget, ["create", "namespace", namespace]);
    context.diagnostic(`SEED=${seed}`);
    const kinds = await defineKinds(localTarget);
    const unknown = new Set<string>();
    const objects = new Map<string, Sent>();
    let accepted = 0;
    for (const { config, changes, isHarmless } of fc.sample(hostileConfigs, { numRuns: runs, seed })) {
      const rawConfig = raw(config, google);
      assert.ok(changes.length > 0);
      try {
        checkConfig(rawConfig, "test", projectDir);
      } catch {
        assert.ok(!isHarmless, JSON.stringify(config));
        continue; // test/config/hostile.test.ts checks the errors.
      }
      accepted += 1;
      const { recording } = await recordConfig("test", rawConfig);
      for (const { type, inputs } of recording.resources) {
        if (!type.startsWith("kubernetes:") || inputs["kind"] === undefined) continue;
        const object = structuredClone(inputs) as unknown as Sent;
        if (!kinds.has(kindOf(object))) {
          unknown.add(kindOf(object));
          continue;
        }
        // A dry run does not create the namespace, so use an existing one.
        if (object.metadata.namespace !== undefined) object.metadata.namespace = namespace;
        objects.set(createHash("sha256").update(JSON.stringify(object)).digest("hex"), object);
      }
    }
    context.diagnostic(`${accepted} of ${runs} configs are valid, with ${objects.size} different objects`);
    context.diagnostic(`not validated, because there is no definition: ${[...unknown].join(", ")}`);
    assert.ok(accepted >= runs * 0.3);
    assert.deepEqual(
      [...unknown].filter((kind) => !undefinedKinds.includes(kind)),
      [],
    );

    const all = [...objects.values()];
    const routes = all.flatMap(({ data }) => data?.["routes.conf"] ?? []);
    assert.ok(routes.length > 100);
    for (const each of routes) assert.equal(await syntaxProblem(each), undefined, `SEED=${seed}:\n${each}`);

    for (let first = 0; first < all.length; first += batchSize) {
      const input = JSON.stringify({ apiVersion: "v1", kind: "List", items: all.slice(first, first + batchSize) });
      await kubectl(
        localTarget,
        ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f", "-"],
        {
          input,
        },
      ).catch((error: unknown) => {
        assert.fail(`SEED=${seed}: ${error instanceof CommandError ? error.message.slice(0, 4000) : String(error)}`);
      });
    }
  },
);
