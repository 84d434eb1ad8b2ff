/** The stacks that the checkout itself has, whatever services they have: they are valid, render, and break no rule. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

// All other tests use the stack files in test/stacks. Modules read the variable when they load, so they load after this.
delete process.env["TESTED_CHECKOUT"];
const { findings } = await import("../../policy/allRules.ts");
const { parseStackFile } = await import("../../config/stackFile.ts");
const { proxyRoutes } = await import("../../config/routes.ts");
const { renderRoutes } = await import("../../nginx/routes.ts");
const { refuseBadRoutes } = await import("../../tools/programs/nginx.ts");
const { loadStackFile, stackFile } = await import("../../tools/stack/stackFile.ts");
const { record } = await import("../../tools/testing/recorded.ts");
const { objectsOf, projectDir, stacksDir } = await import("./rendered.ts");

assert.equal(stacksDir, projectDir);
const stacks = readdirSync(projectDir).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);

for (const stack of stacks) {
  // Only the Pulumi CLI can read the values of an environment.
  const { usesEnvironment } = parseStackFile(readFileSync(stackFile(stack), "utf8"));
  test(`stack ${stack} is valid, renders, and breaks no mandatory rule`, { skip: usesEnvironment }, async () => {
    const { settings } = loadStackFile(stack);
    await refuseBadRoutes(renderRoutes(proxyRoutes(settings)));
    const deployments = (await objectsOf(stack)).of("Deployment").map(({ metadata }) => metadata.name);
    assert.deepEqual(deployments.sort(), [...Object.keys(settings.services), "nginx-proxy"].sort());
    const { resources } = (await record(stack)).recording;
    assert.deepEqual(
      resources.flatMap(({ type, name, inputs }) => findings(type, inputs).map((finding) => ({ name, ...finding }))),
      [],
    );
  });
}
