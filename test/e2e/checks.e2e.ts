/**
 * Third-party checkers for manifests, Dockerfiles, workflows and dependencies. The suite needs a network, but no cluster.
 * Accepted findings are in `checks/exceptions.ts`, with the reason.
 */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { projectDir } from "../../tools/cli/paths.ts";
import { manifests, stacks } from "./checks/manifests.ts";
import { exceptions } from "./checks/exceptions.ts";
import { actionlint, checkov, kubeScore, type Finding } from "./checks/tools.ts";
import { command } from "./support/commands.ts";

const dockerfiles = globSync(
  ["nginx/Dockerfile", "services/*/Dockerfile", "tools/addService/template/*/*/Dockerfile"],
  { cwd: projectDir },
).sort();
const workflows = globSync(".github/workflows/*.{yml,yaml}", { cwd: projectDir }).sort();
const used = new Set<unknown>();
let folder: string;
let files: string[];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "checks-"));
  files = await Promise.all(
    stacks.map(async (stack) => {
      const file = join(folder, `${stack}.yaml`);
      await writeFile(file, await manifests(stack));
      return file;
    }),
  );
});
after(() => rm(folder, { recursive: true, force: true }));

/** The findings without an exception. */
function unexplained(findings: readonly Finding[]): string[] {
  const unexcepted = findings.filter(({ check, text }) => {
    const found = exceptions.filter((each) => each.check === check && each.only?.test(text) !== false);
    for (const each of found) used.add(each);
    return found.length === 0;
  });
  return unexcepted.map(({ check, text }) => `${check}: ${text}`);
}

test("kube-score and Checkov find nothing in the manifests without an exception", async () => {
  const found = await Promise.all([...files.map(kubeScore), checkov("kubernetes", files)]);
  assert.ok(found.flat().length > 0, "some findings are expected");
  assert.deepEqual(unexplained(found.flat()), []);
});

test("the checkers find real problems: a privileged pod, an image without a version", async () => {
  const bad = join(folder, "bad.yaml");
  const spec = { containers: [{ name: "a", image: "a", securityContext: { privileged: true } }], hostNetwork: true };
  await writeFile(bad, JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name: "a" }, spec }));
  const checks = [...(await kubeScore(bad)), ...(await checkov("kubernetes", [bad]))].map(({ check }) => check);
  for (const check of ["container-security-context-privileged", "container-image-tag", "CKV_K8S_16", "CKV_K8S_14"])
    assert.ok(checks.includes(check), `${check} is not among ${[...new Set(checks)].join(", ")}`);
});

test("Checkov finds nothing in the Dockerfiles without an exception, and each base has a digest", async () => {
  assert.ok(dockerfiles.length >= 3);
  assert.deepEqual(unexplained(await checkov("dockerfile", dockerfiles)), []);
  for (const file of dockerfiles) {
    const text = readFileSync(join(projectDir, file), "utf8");
    const bases = [...text.matchAll(/^ARG (\w+)=\S+@sha256:[0-9a-f]{64}$/gm)].map(([, argument]) => argument);
    assert.equal(bases.at(-1), "BASE", file);
    const starts = [...text.matchAll(/^FROM (\S+)/gm)].map(([, start]) => start);
    assert.deepEqual(
      starts,
      bases.map((argument) => `\${${argument ?? ""}}`),
      file,
    );
  }
});

test("every exception matches a finding", () => {
  assert.deepEqual(
    exceptions.filter((each) => !used.has(each)),
    [],
  );
});

test("actionlint finds nothing in the workflows, and each action is pinned to a commit", async (context) => {
  if (workflows.length === 0) {
    context.diagnostic("there are no workflows");
    return;
  }
  const { status, text } = await actionlint(workflows);
  assert.equal(status, 0, text);
  for (const file of workflows)
    for (const [, action = ""] of readFileSync(join(projectDir, file), "utf8").matchAll(/^[\s-]*uses:\s*(\S+)/gm))
      assert.match(action, /^\.\/|@[0-9a-f]{40}$/, `${file}: ${action}`);
});

test("no dependency has a known vulnerability", async (context) => {
  const { text } = await command("npm", ["audit", "--json"]);
  const report = JSON.parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1)) as {
    readonly statusCode?: number;
    readonly message?: string;
    readonly vulnerabilities?: Readonly<Record<string, unknown>>;
  };
  if (report.statusCode === 404 || report.statusCode === 405) {
    // A mirror without audits. Any other error is a failure.
    context.skip(`the registry has no audits (${report.message ?? ""}); the workflow "Test" runs the audit too`);
    return;
  }
  assert.deepEqual(report.vulnerabilities, {}, text);
});

test("the lockfile has a hash for every dependency", () => {
  const { packages } = JSON.parse(readFileSync(join(projectDir, "package-lock.json"), "utf8")) as {
    readonly packages: Readonly<Record<string, { readonly integrity?: string; readonly link?: boolean }>>;
  };
  const installed = Object.entries(packages).filter(([path]) => path !== "");
  assert.ok(installed.length > 100);
  for (const [path, { integrity }] of installed) assert.match(integrity ?? "", /^sha512-/, path);
});
