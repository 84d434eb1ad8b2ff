import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { projectDir } from "../../../tools/cli/paths.ts";
import { copyStacks } from "../../e2e/support/checkout.ts";

// The state belongs to a checkout: use a copy with only the modules.
const checkout = mkdtempSync(join(tmpdir(), "checkout-"));
after(() => {
  rmSync(checkout, { recursive: true });
});
for (const part of ["tools", "names", "config", "nginx", "package.json"])
  cpSync(join(projectDir, part), join(checkout, part), { recursive: true });
copyStacks(checkout);
symlinkSync(join(projectDir, "node_modules"), join(checkout, "node_modules"));
const { applied, chooseEngine, remainingStacks, recordApplied } = (await import(
  join(checkout, "tools/apply/engine.ts")
)) as typeof import("../../../tools/apply/engine.ts");

/** Runs the work with or without a `pulumi` on PATH (which is not run). */
function withPulumi(exists: boolean, work: () => void): void {
  const [path, home] = [process.env["PATH"], process.env["PULUMI_HOME"]];
  const programs = join(checkout, "programs");
  mkdirSync(programs, { recursive: true });
  if (exists) writeFileSync(join(programs, "pulumi"), "");
  process.env["PATH"] = process.env["PULUMI_HOME"] = programs;
  try {
    work();
  } finally {
    process.env["PATH"] = path;
    if (home === undefined) delete process.env["PULUMI_HOME"];
    else process.env["PULUMI_HOME"] = home;
    rmSync(programs, { recursive: true });
  }
}

function forget(): void {
  rmSync(join(checkout, ".local"), { recursive: true, force: true });
}

test("the first start uses the engine on PATH, later ones the engine of that cluster", (context) => {
  context.after(forget);
  withPulumi(false, () => {
    assert.equal(chooseEngine("auto").name, "kubectl");
    assert.throws(() => chooseEngine("pulumi"), /There is no Pulumi CLI on PATH/);
    assert.throws(() => chooseEngine("helm"), /"helm" is not an engine/);
  });
  withPulumi(true, () => {
    assert.equal(chooseEngine("auto").name, "pulumi");
    recordApplied("gke-microservices-local", { engine: "kubectl", namespace: "apps", outlivesStop: false });
    assert.equal(chooseEngine("auto").name, "kubectl");
    assert.throws(() => chooseEngine("pulumi"), /applied by kubectl, not by pulumi/);
    assert.equal(chooseEngine("pulumi", "another").name, "pulumi");
  });
});

test("Pulumi's state of one cluster is not used for another", (context) => {
  context.after(forget);
  recordApplied("kind-one", { engine: "pulumi", namespace: "apps", outlivesStop: true });
  withPulumi(true, () => {
    assert.equal(chooseEngine("auto", "kind-one").name, "pulumi");
    assert.throws(() => chooseEngine("auto"), /Pulumi's local state belongs to the stack in the cluster of "kind-one"/);
    assert.equal(chooseEngine("kubectl").name, "kubectl");
  });
});

test("a stop lists only the stacks that it leaves in other clusters", (context) => {
  context.after(forget);
  assert.deepEqual(remainingStacks(), []);
  recordApplied("gke-microservices-local", { engine: "kubectl", namespace: "apps", outlivesStop: false });
  recordApplied("kind-one", { engine: "kubectl", namespace: "shop", outlivesStop: true });
  assert.deepEqual(Object.keys(applied()), ["gke-microservices-local", "kind-one"]);
  assert.deepEqual(remainingStacks(), [
    'The stack in the cluster of the context "kind-one" stays. To remove it: kubectl --context kind-one delete namespace shop',
  ]);
});
