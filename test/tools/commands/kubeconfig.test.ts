/** `npm run kubeconfig -- STACK`, with a script on PATH instead of the Pulumi CLI. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { stringify } from "yaml";
import { project } from "../../../names/project.ts";
import { kubeconfig } from "../../../components/cluster/kubeconfig.ts";
import { accessIn } from "../../../tools/stack/kubeconfig.ts";
import { projectDir } from "../../../tools/cli/paths.ts";

const output = kubeconfig({ contextName: "gke_acme-staging_asia-northeast1_staging-cluster-1", host: "new.gke.goog" });
const context = `${project}-staging`;
const others = stringify({
  "current-context": "work",
  clusters: [{ name: "work", cluster: { server: "https://work.example" } }],
  contexts: [{ name: "work", context: { cluster: "work", user: "me" } }],
  users: [{ name: "me", user: { token: "0123" } }],
});

const compileCache = join(projectDir, "node_modules/.cache/compile");

interface Machine {
  readonly home: string;
  readonly run: (
    args: string[],
    env?: Record<string, string>,
  ) => Promise<{ status: number | null; out: string; err: string }>;
  /** Puts a program on PATH. */
  readonly install: (program: string, script: string) => Promise<void>;
}

/** An empty home folder, and a PATH with only the programs that a test installs. */
async function machine(context: TestContext): Promise<Machine> {
  const home = await mkdtemp(join(tmpdir(), "kubeconfig-"));
  context.after(() => rm(home, { recursive: true, force: true }));
  await mkdir(join(home, "bin"));
  return {
    home,
    install: async (program, script) => {
      await writeFile(join(home, "bin", program), `#!/bin/sh\n${script}\n`);
      await chmod(join(home, "bin", program), 0o755);
    },
    run: async (args, env = {}) => {
      const child = spawn(process.execPath, [join(projectDir, "tools/commands/kubeconfig.ts"), ...args], {
        cwd: home,
        env: {
          HOME: home,
          PATH: join(home, "bin"),
          NODE_COMPILE_CACHE: compileCache,
          TESTED_CHECKOUT: projectDir,
          ...env,
        },
        stdio: ["ignore", "pipe", "pipe"],
        timeout: 60_000,
      });
      const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
      return { status: child.exitCode, out, err };
    },
  };
}

/** A script that prints the output, and logs its arguments. */
const answering = (home: string) => `echo "$@" >> ${home}/asked\n/bin/cat <<'END'\n${output}END`;

test("a stack's context is written to a private file, and updated in place", async (t) => {
  const { home, run, install } = await machine(t);
  await install("pulumi", answering(home));
  const file = join(home, ".kube/config");
  const { status, out, err } = await run(["staging"]);
  assert.equal(status, 0, err);
  assert.match(out, new RegExp(`^Wrote the context ${context} to ${file}\\.\\n  kubectl --context ${context} `));
  assert.equal(
    await readFile(join(home, "asked"), "utf8"),
    "stack output kubeconfig --show-secrets --stack staging --non-interactive --color never\n",
  );
  const written = await readFile(file, "utf8");
  assert.deepEqual(accessIn(written, file, context), accessIn(output, "the output"));
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(join(home, ".kube")), ["config"]);

  await run(["staging"]);
  assert.equal(await readFile(file, "utf8"), written);
});

test("the first file of KUBECONFIG is written, a symlink stays a symlink, and other contexts stay", async (t) => {
  const { home, run, install } = await machine(t);
  await install("pulumi", answering(home));
  await writeFile(join(home, "real"), others, { mode: 0o644 });
  await symlink("real", join(home, "link"));
  await writeFile(join(home, "second"), others);
  const { status, err } = await run(["staging"], { KUBECONFIG: `:${home}/link:${home}/second` });
  assert.equal(status, 0, err);
  const written = await readFile(join(home, "real"), "utf8");
  assert.ok(written.includes("current-context: work"));
  assert.deepEqual(accessIn(written, "file"), accessIn(others, "file"));
  assert.deepEqual(accessIn(written, "file", context), accessIn(output, "the output"));
  assert.equal((await stat(join(home, "real"))).mode & 0o777, 0o600);
  assert.equal(await readFile(join(home, "link"), "utf8"), written);
  assert.equal(await readFile(join(home, "second"), "utf8"), others);
});

test("a missing plugin is a warning that says how to get it", async (t) => {
  const { home, run, install } = await machine(t);
  await install("pulumi", answering(home));
  assert.match(
    (await run(["staging"])).err,
    /^warning: .*gke-gcloud-auth-plugin, which is not on PATH\. Install .*https:/,
  );
  await install("gke-gcloud-auth-plugin", "exit 0");
  assert.equal((await run(["staging"])).err, "");
});

const problems: [string, string[], string | undefined, RegExp][] = [
  ["no stack named", [], "exit 0", /Name exactly one stack\.\nRun for example: npm run kubeconfig -- staging/],
  ["a stack without a file", ["stagin"], "exit 0", /There is no .*Pulumi\.stagin\.yaml\./],
  ["no Pulumi CLI", ["staging"], undefined, /there is no Pulumi CLI on PATH\.\nInstall it/],
  [
    "a stack that the backend does not have",
    ["staging"],
    "echo \"error: no stack named 'staging' found\" >&2; exit 255",
    /Pulumi's backend has no stack staging\.\n.*pulumi login/,
  ],
  [
    "a stack without a cluster yet",
    ["staging"],
    "echo \"error: current stack does not have output property 'kubeconfig'\" >&2; exit 255",
    /The stack staging has no kubeconfig yet\.\nCreate its cluster: npx pulumi up --stack staging/,
  ],
  [
    "any other error of Pulumi",
    ["staging"],
    "echo 'error: passphrase must be set' >&2; exit 255",
    /Pulumi failed with status 255:\nerror: passphrase must be set\nFix what it names/,
  ],
  [
    "an output that is not a kubeconfig",
    ["staging"],
    "echo '[secret]'",
    /The output of stack staging is not a kubeconfig/,
  ],
];

for (const [what, args, script, message] of problems)
  test(`a problem: ${what}; nothing is written`, async (t) => {
    const { home, run, install } = await machine(t);
    if (script !== undefined) await install("pulumi", script);
    const { status, out, err } = await run(args);
    assert.equal(status, 1);
    assert.equal(out, "");
    assert.match(err, message);
    assert.doesNotMatch(err, /^\s+at /m);
    assert.ok(!(await readdir(home)).includes(".kube"));
  });

test("an invalid kubeconfig is left unchanged", async (t) => {
  const { home, run, install } = await machine(t);
  await install("pulumi", answering(home));
  const file = join(home, "config");
  await writeFile(file, "clusters: [");
  const { status, err } = await run(["staging"], { KUBECONFIG: file });
  assert.equal(status, 1);
  assert.match(err, /config is not a kubeconfig: .*\nFix it, or move it away; nothing was written\./);
  assert.equal(await readFile(file, "utf8"), "clusters: [");
});

test("--help prints the usage", async (t) => {
  const { status, out } = await (await machine(t)).run(["--help"]);
  assert.equal(status, 0);
  assert.match(out, /^npm run kubeconfig -- STACK\n/);
});
