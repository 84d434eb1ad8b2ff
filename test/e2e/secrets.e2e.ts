/** Secrets stay in Secrets: searches for canary values in everything that the project prints, logs, starts and applies. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, test } from "node:test";
import { kubectl } from "../../tools/cli/kubectl.ts";
import { authorityDir, kubeconfigPath, logsDir, projectDir, stateDir, tlsDir } from "../../tools/cli/paths.ts";
import { allProcesses, commandLine } from "../../tools/cli/procfs.ts";
import { command, editStack, local, localTarget, stop } from "./support/commands.ts";
import { start } from "./support/path.ts";

after(stop);

/** A line from the middle of a PEM text, plain and as part of the text's base64. */
function samples(pem: string): string[] {
  const line = pem.split("\n")[2];
  assert.ok(line !== undefined && line.length >= 20, "this is not a key");
  // A slice of the base64 of the whole text.
  const encoded = Buffer.from(pem).toString("base64");
  return [line, encoded.slice(80, 140)];
}

/** The output of the project's other commands for the local stack. */
async function commandOutputs(): Promise<Map<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), "secrets-"));
  const page = join(folder, "doctor.html");
  try {
    const all = new Map<string, string>();
    for (const words of [
      "tools/commands/render.ts local --verbose",
      "tools/commands/check.ts local --verbose",
      "tools/commands/doctor.ts local --verbose --json",
      `tools/commands/doctor.ts local --html ${page}`,
      "tools/commands/diff.ts HEAD local --verbose",
      "tools/commands/diagram.ts local --verbose",
    ]) {
      const [script = "", ...args] = words.split(" ");
      const { text } = await command(process.execPath, [join(projectDir, script), ...args]);
      assert.ok(text.length > 20 && !/^usage|is no option/i.test(text), `${words}: ${text}`);
      all.set(words, text);
    }
    all.set("the doctor's page", readFileSync(page, "utf8"));
    return all;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((file) => join(folder, file))
    .filter((file) => statSync(file).isFile());
}

test(
  "secrets are only in Secrets: not in output, errors, logs, process lists or other objects",
  { timeout: 25 * 60_000 },
  async (context) => {
    const value = `canary-${randomBytes(16).toString("hex")}`;
    const encoded = Buffer.from(value).toString("base64");
    const withSecret = (text: string) => `${text}  secrets:\n    hoge:\n      API_KEY: ${value}\n`;
    editStack(context, withSecret);

    const seen = new Map<string, string>();
    const listed = new Set<string>();
    const sampler = setInterval(() => {
      for (const pid of allProcesses()) listed.add(commandLine(pid).join(" "));
    }, 100);
    seen.set("start", (await start()).text);
    editStack(context, (text) =>
      text
        .replace("config:", "config:\n  rolloutSeconds: 10")
        .replace(/(hoge:\n +)build: .*/, "$1image: localhost/nowhere/hoge:1"),
    );
    const failed = await start("--verbose");
    assert.equal(failed.status, 1);
    seen.set("a start that fails", failed.text);
    editStack(context, (text) => text.replace("API_KEY", "API KEY"));
    const refused = await local("render.ts", "local");
    assert.equal(refused.status, 1);
    seen.set("a config that is refused", refused.text);
    editStack(context, (text) => text.replace("API KEY", "API_KEY"));
    const rendered = await local("render.ts", "local");
    assert.equal(rendered.status, 0, rendered.text);
    seen.set("render", rendered.text);
    for (const [what, text] of await commandOutputs()) seen.set(what, text);
    clearInterval(sampler);
    seen.set("process lists", [...listed].join("\n"));

    for (const file of filesBelow(logsDir)) seen.set(file, readFileSync(file, "utf8"));
    const objects = "configmaps,deployments,replicasets,pods,services,ingresses,events,networkpolicies";
    seen.set("objects", await kubectl(localTarget, ["--namespace", "apps", "get", objects, "--output", "yaml"]));
    for (const name of ["hoge", "web", "nginx-proxy"])
      seen.set(
        `log of ${name}`,
        await kubectl(localTarget, ["--namespace", "apps", "logs", `deployment/${name}`, "--all-containers"]),
      );

    const adminKey = /"client-key-data": "([\w+/=]+)"/.exec(readFileSync(kubeconfigPath, "utf8"))?.[1] ?? assert.fail();
    const keys = [tlsDir, authorityDir, join(stateDir, "pki")]
      .flatMap(filesBelow)
      .filter((name) => name.endsWith(".key"));
    for (const name of ["tls.key", "ca.key", "accounts.key", "apiserver.key"])
      assert.ok(
        keys.some((file) => basename(file) === name),
        `there is no ${name}`,
      );
    const canaries = {
      "a service's secret": [value, encoded],
      "the kubeconfig's key": [adminKey, ...samples(Buffer.from(adminKey, "base64").toString())],
      ...Object.fromEntries(keys.map((file) => [file, samples(readFileSync(file, "utf8"))])),
    };
    for (const [what, texts] of Object.entries(canaries))
      for (const [where, text] of seen)
        assert.ok(!texts.some((canary) => text.includes(canary)), `${what} is in: ${where}`);

    // The search works: the canary is in the Secret.
    assert.ok(
      (await kubectl(localTarget, ["--namespace", "apps", "get", "secrets", "--output", "yaml"])).includes(encoded),
    );
    for (const file of [...keys, kubeconfigPath]) assert.equal(statSync(file).mode & 0o077, 0, file);
  },
);

test("no key and no kubeconfig is in the repository", async () => {
  const { status, text } = await command("git", [
    "grep",
    "-lE",
    "^-----BEGIN [A-Z ]*PRIVATE KEY|client-key-data: [A-Za-z0-9]",
  ]);
  assert.equal(status, 1, `found in ${text}`);
});
