import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { projectDir } from "../../../tools/cli/paths.ts";

// The state is a checkout's own: here one with nothing but the modules.
const checkout = mkdtempSync(join(tmpdir(), "checkout-"));
after(() => {
  rmSync(checkout, { recursive: true });
});
for (const part of ["tools", "names", "config", "nginx", "Pulumi.yaml", "package.json"])
  cpSync(join(projectDir, part), join(checkout, part), { recursive: true });
symlinkSync(join(projectDir, "node_modules"), join(checkout, "node_modules"));
const { applied, chooseEngine, leftElsewhere, recordApplied } = (await import(
  join(checkout, "tools/apply/engine.ts")
)) as typeof import("../../../tools/apply/engine.ts");

/** Works where `pulumi` is found on PATH (it is not run), or where it is not. */
function withPulumi(there: boolean, work: () => void): void {
  const [path, home] = [process.env["PATH"], process.env["PULUMI_HOME"]];
  const programs = join(checkout, "programs");
  mkdirSync(programs, { recursive: true });
  if (there) writeFileSync(join(programs, "pulumi"), "");
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

test("the engine is the one on PATH at first, and then the one that was used there", (context) => {
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

test("Pulumi, whose state is of one cluster, is not turned to another", (context) => {
  context.after(forget);
  recordApplied("kind-one", { engine: "pulumi", namespace: "apps", outlivesStop: true });
  withPulumi(true, () => {
    assert.equal(chooseEngine("auto", "kind-one").name, "pulumi");
    assert.throws(() => chooseEngine("auto"), /Pulumi's state here is of the stack in the cluster of "kind-one"/);
    assert.equal(chooseEngine("kubectl").name, "kubectl");
  });
});

test("a stop tells of what it leaves in clusters of others, and of nothing else", (context) => {
  context.after(forget);
  assert.deepEqual(leftElsewhere(), []);
  recordApplied("gke-microservices-local", { engine: "kubectl", namespace: "apps", outlivesStop: false });
  recordApplied("kind-one", { engine: "kubectl", namespace: "shop", outlivesStop: true });
  assert.deepEqual(Object.keys(applied()), ["gke-microservices-local", "kind-one"]);
  assert.deepEqual(leftElsewhere(), [
    'The stack in the cluster of the context "kind-one" stays. To remove it: kubectl --context kind-one delete namespace shop',
  ]);
});
