/** Any stack file is either refused with the wrong key, or accepted with routes that nginx accepts. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { checkConfig } from "../../config/config.ts";
import { proxyRoutes, routeTable } from "../../config/routes.ts";
import { readStackFile } from "../../tools/stack/stackFile.ts";
import { Problem } from "../../tools/cli/problem.ts";
import { renderRoutes } from "../../nginx/routes.ts";
import { google, hostileConfigs, seed } from "./hostile.ts";
import { projectDir, raw } from "./refusal.ts";

test("2,000 mutated configs are each refused with the key, or accepted and rendered", (t) => {
  t.diagnostic(`SEED=${seed}`);
  let taken = 0;
  const runs = 2000;
  fc.assert(
    fc.property(hostileConfigs, ({ config, changes, isHarmless }) => {
      assert.ok(changes.length > 0);
      let settings;
      try {
        settings = checkConfig(raw(config, google), "test", projectDir).settings;
      } catch (error) {
        assert.ok(pulumi.RunError.isInstance(error), error instanceof Error ? error.stack : String(error));
        assert.ok(!isHarmless, error.message);
        assert.match(
          error.message,
          /^\d+ problems? in the config of stack test; nothing was changed:\n {2}[\w-]+:.+\n {4}\S/,
        );
        assert.ok(error.message.length < 20_000, `a message of ${error.message.length} characters`);
        assert.doesNotMatch(error.message, /\n\s+at |undefined|\[object/);
        // Messages escape all input, so that it cannot mislead a reader or control a terminal.
        // eslint-disable-next-line no-control-regex
        assert.doesNotMatch(error.message, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
        return;
      }
      taken += 1;
      renderRoutes(proxyRoutes(settings));
      routeTable(settings);
    }),
    { numRuns: runs, seed },
  );
  t.diagnostic(`${taken} of ${runs} were accepted`);
  assert.ok(taken >= runs * 0.3, `${taken} of ${runs} were accepted`);
});

test("a stack file that is not a config is refused in a sentence", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "hostile-"));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, "Pulumi.test.yaml");
  const bomb = Array.from(
    { length: 12 },
    (_, n) => `  k${n}: &k${n} [${Array.from({ length: 10 }, () => (n === 0 ? "x" : `*k${n - 1}`)).join()}]`,
  );
  for (const text of [
    `config:\n${bomb.join("\n")}\n`,
    "config: [",
    "config:\n\ta: 1",
    "config: {a: 1, a: 2}",
    "config: *nowhere",
    "\u0000",
    "--- a\n--- b\n",
    "{".repeat(20_000),
  ]) {
    writeFileSync(file, text);
    assert.throws(
      () => readStackFile(file),
      (error) => error instanceof Problem && error.message.length < 500 && !/\n\s+at /.test(error.message),
      text.slice(0, 60),
    );
  }
});
