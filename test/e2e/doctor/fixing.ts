/** Asks the doctor of the running local stack, breaks things of it, and fixes them as the doctor says. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { kubectl, kubectlObjects, type LiveObject } from "../../../tools/cli/kubectl.ts";
import { projectDir } from "../../../tools/cli/paths.ts";
import { firstFailure, hopKinds, type Hop, type HopKind, type Report } from "../../../tools/doctor/report.ts";
import { command, place } from "../support/commands.ts";
import { start } from "../support/path.ts";

export async function doctor(...args: string[]): Promise<{ status: number | null; report: Report }> {
  const { status, text } = await command(process.execPath, [
    join(projectDir, "tools/commands/doctor.ts"),
    "local",
    "--json",
    ...args,
  ]);
  const json = text.indexOf("{\n");
  assert.ok(json >= 0, text);
  return { status, report: JSON.parse(text.slice(json)) as Report };
}

/** Asks until the hop to fix is the expected one, as the cluster needs a moment for what was done to it. */
export async function expectFailure(kind: HopKind, seen: RegExp, ...args: string[]): Promise<Hop> {
  const end = Date.now() + 60_000;
  for (;;) {
    const { status, report } = await doctor(...args);
    const failure = firstFailure(report);
    if (failure?.kind === kind && seen.test(failure.seen)) {
      assert.equal(status, hopKinds[kind].exitCode);
      assert.ok(failure.means !== undefined && failure.fix !== undefined);
      return failure;
    }
    assert.ok(Date.now() < end, `${kind} ${String(seen)} was expected, and found: ${JSON.stringify(report, null, 1)}`);
    await sleep(500);
  }
}

export async function expectWell(): Promise<Report> {
  const end = Date.now() + 60_000;
  for (;;) {
    const { status, report } = await doctor();
    if (status === 0 && report.hops.every(({ state }) => state === "ok")) return report;
    assert.ok(Date.now() < end, JSON.stringify(report, null, 1));
    await sleep(500);
  }
}

export const apps = (...args: string[]) => kubectl(place, ["-n", "apps", ...args]);
export const patch = (object: string, change: unknown) =>
  apps("patch", object, "--type=merge", "--patch", JSON.stringify(change));

export async function live(object: string): Promise<LiveObject> {
  const [found] = await kubectlObjects(place, ["-n", "apps", "get", object]);
  return found ?? assert.fail(`there is no ${object}`);
}

/** An object as it can be made again. */
function bare({ apiVersion, kind, metadata: { name, namespace, labels, annotations }, spec }: LiveObject) {
  return { apiVersion, kind, metadata: { name, namespace, labels, annotations }, spec };
}

/** Puts an object back as it was, whatever became of it. */
export async function putBack(object: LiveObject): Promise<void> {
  const name = `${object.kind}/${object.metadata.name}`;
  const there = await apps("get", name, "--ignore-not-found", "-o", "name");
  const args = there === "" ? ["create", "-f", "-"] : ["replace", "-f", "-"];
  await kubectl(place, args, { input: JSON.stringify(bare(object)) });
}

export const endPods = (name: string) =>
  apps("delete", "pods", "-l", `app.kubernetes.io/name=${name}`, "--force", "--grace-period=0", "--wait=false");

export async function endLeaving(name: string): Promise<void> {
  const pods = await kubectlObjects(place, ["-n", "apps", "get", "pods", "-l", `app.kubernetes.io/name=${name}`]);
  const leaving = pods.flatMap(({ metadata }) => (metadata["deletionTimestamp"] === undefined ? [] : metadata.name));
  if (leaving.length > 0) await apps("delete", "pods", ...leaving, "--force", "--grace-period=0");
}

interface DeploymentSpec {
  readonly template: { readonly spec: { readonly containers: readonly Record<string, unknown>[] } };
}

/** With `Recreate` the pods of the release before do not serve on, which they would otherwise. */
export async function breakPods(name: string, container: Record<string, unknown>): Promise<() => Promise<void>> {
  const was = await live(`deployment/${name}`);
  const { template } = was["spec"] as DeploymentSpec;
  const containers = template.spec.containers.map((one) => ({ ...one, ...container }));
  await patch(`deployment/${name}`, {
    spec: { strategy: { type: "Recreate", rollingUpdate: null }, template: { spec: { containers } } },
  });
  await endPods(name);
  return async () => {
    await putBack(was);
    await endPods(name);
    await apps("rollout", "status", `deployment/${name}`, "--timeout=60s");
    await endLeaving(name); // Broken pods that are on their way out still answer those who know their address.
  };
}

/** Does what the doctor has printed, in another shell as it were. @returns whether that is all that there is to do */
export async function applyFix({ fix = "" }: Hop): Promise<boolean> {
  const [printed = ""] = fix.split("   # ");
  if (printed === "npm start") {
    const { status, text } = await start();
    assert.equal(status, 0, text);
    return true;
  }
  const [program, option, kubeconfig, ...args] = printed.split(" ");
  if (!args.includes("scale")) return false;
  assert.deepEqual([program, option, kubeconfig], ["kubectl", "--kubeconfig", ".local/kubeconfig"]);
  await kubectl(place, args);
  return true;
}
