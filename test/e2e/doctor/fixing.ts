/** Runs the doctor on the local stack, breaks parts of the stack, and applies the doctor's fixes. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { kubectl, kubectlObjects, type LiveObject } from "../../../tools/cli/kubectl.ts";
import { projectDir } from "../../../tools/cli/paths.ts";
import { firstFailure, hopKinds, type Hop, type HopKind, type Report } from "../../../tools/doctor/report.ts";
import { command, localTarget } from "../support/commands.ts";
import { start } from "../support/path.ts";

export interface Expected {
  readonly kind: HopKind;
  /** The service whose hop it is. @default - the hop is of no service, or of any */
  readonly service?: string;
  readonly seen: RegExp;
  readonly means?: RegExp;
  readonly fix: RegExp;
  /** @default failed */
  readonly state?: "failed" | "warning";
}

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

/**
 * Runs the doctor until it reports what is expected: the cluster needs a moment after a change. The first is the hop to
 * fix, which the exit status tells; the others fail by themselves, too.
 */
export async function expectFound(
  expected: readonly Expected[],
  ...args: string[]
): Promise<{ report: Report; found: Hop[] }> {
  const end = Date.now() + 60_000;
  for (;;) {
    const { status, report } = await doctor(...args);
    const found = expected.flatMap(({ kind, service, seen, state = "failed" }) =>
      report.hops
        .filter((hop) => hop.kind === kind && hop.state === state && hop.because === undefined)
        .filter((hop) => seen.test(hop.seen) && (service === undefined || hop.service === service))
        .slice(0, 1),
    );
    const [first] = found;
    const isFirst = first?.state === "warning" ? firstFailure(report) === undefined : firstFailure(report) === first;
    if (first !== undefined && isFirst && found.length === expected.length) {
      assert.equal(status, first.state === "warning" ? 0 : hopKinds[first.kind].exitCode);
      for (const [index, { means = /./, fix }] of expected.entries()) {
        assert.match(found[index]?.means ?? "", means);
        assert.match(found[index]?.fix ?? "", fix);
      }
      return { report, found };
    }
    const kinds = expected.map(({ kind, seen }) => `${kind} ${String(seen)}`).join(" and ");
    assert.ok(Date.now() < end, `${kinds} was expected, and found: ${JSON.stringify(report, null, 1)}`);
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

export const apps = (...args: string[]) => kubectl(localTarget, ["-n", "apps", ...args]);
export const patch = (object: string, change: unknown) =>
  apps("patch", object, "--type=merge", "--patch", JSON.stringify(change));

export async function live(object: string): Promise<LiveObject> {
  const [found] = await kubectlObjects(localTarget, ["-n", "apps", "get", object]);
  return found ?? assert.fail(`there is no ${object}`);
}

/** The part of an object that is needed to create it again. */
function bare({ apiVersion, kind, metadata: { name, namespace, labels, annotations }, spec }: LiveObject) {
  return { apiVersion, kind, metadata: { name, namespace, labels, annotations }, spec };
}

/** Restores an object, whether it was changed or deleted. */
export async function restore(object: LiveObject): Promise<void> {
  const name = `${object.kind}/${object.metadata.name}`;
  const existing = await apps("get", name, "--ignore-not-found", "-o", "name");
  const args = existing === "" ? ["create", "-f", "-"] : ["replace", "-f", "-"];
  await kubectl(localTarget, args, { input: JSON.stringify(bare(object)) });
}

export const endPods = (name: string) =>
  apps("delete", "pods", "-l", `app.kubernetes.io/name=${name}`, "--force", "--grace-period=0", "--wait=false");

export async function endTerminating(name: string): Promise<void> {
  const pods = await kubectlObjects(localTarget, ["-n", "apps", "get", "pods", "-l", `app.kubernetes.io/name=${name}`]);
  const terminating = pods.flatMap(({ metadata }) =>
    metadata["deletionTimestamp"] === undefined ? [] : metadata.name,
  );
  if (terminating.length > 0)
    await apps("delete", "pods", ...terminating, "--ignore-not-found", "--force", "--grace-period=0");
}

interface DeploymentSpec {
  readonly template: {
    readonly spec: Readonly<Record<string, unknown>> & { readonly containers: readonly Record<string, unknown>[] };
  };
}

/** Changes a container, and other parts of the pods. The strategy `Recreate` keeps the previous pods from serving. */
export async function breakPods(
  name: string,
  container: Readonly<Record<string, unknown>>,
  pod: (spec: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>> = () => ({}),
): Promise<() => Promise<void>> {
  const was = await live(`deployment/${name}`);
  const { template } = was["spec"] as DeploymentSpec;
  const containers = template.spec.containers.map((one) => ({ ...one, ...container }));
  await patch(`deployment/${name}`, {
    spec: {
      strategy: { type: "Recreate", rollingUpdate: null },
      template: { spec: { containers, ...pod(template.spec) } },
    },
  });
  await endPods(name);
  return async () => {
    await restore(was);
    await endPods(name);
    await apps("rollout", "status", `deployment/${name}`, "--timeout=60s");
    await endTerminating(name); // Broken pods still answer at their addresses while they terminate.
  };
}

/** Runs the command that the doctor printed. @returns whether that is the whole fix */
export async function applyFix({ fix = "" }: Hop): Promise<boolean> {
  const [printed = ""] = fix.split("   # ");
  if (printed === "npm start") {
    const { status, text } = await start();
    assert.equal(status, 0, text);
    return true;
  }
  const [program, option, kubeconfig, ...args] = printed.split(" ");
  if (!["scale", "uncordon", "resume"].some((word) => args.includes(word))) return false;
  assert.deepEqual([program, option, kubeconfig], ["kubectl", "--kubeconfig", ".local/kubeconfig"]);
  await kubectl(localTarget, args);
  return true;
}
