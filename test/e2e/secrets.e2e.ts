/** What is secret stays where it belongs: canary values are looked for in all that the project prints, logs, starts and applies. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { kubectl } from "../../local/kubectl.ts";
import { logsDir, tlsDir } from "../../local/paths.ts";
import { allProcesses, commandLine } from "../../local/processes.ts";
import { command, editStack, local, place } from "./commands.ts";
import { start } from "./path.ts";

after(() => local("stop.ts", "--keep-cache"));

/** The middle of a PEM file's text: long enough to be found, and in one line. */
const heart = (file: string) => readFileSync(file, "utf8").split("\n")[3] ?? assert.fail(`${file} is no key`);

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((file) => join(folder, file))
    .filter((file) => statSync(file).isFile());
}

test(
  "secrets are in Secrets alone: not in output, errors, logs, process lists or other objects",
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
        .replace("build: { context: ./services/hoge }", "image: localhost/nowhere/hoge:1"),
    );
    const failed = await start();
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
    clearInterval(sampler);
    seen.set("process lists", [...listed].join("\n"));

    for (const file of filesBelow(logsDir)) seen.set(file, readFileSync(file, "utf8"));
    const objects = "configmaps,deployments,replicasets,pods,services,ingresses,events,networkpolicies";
    seen.set("objects", await kubectl(place, ["--namespace", "apps", "get", objects, "--output", "yaml"]));
    for (const name of ["hoge", "web", "nginx-proxy"])
      seen.set(
        `log of ${name}`,
        await kubectl(place, ["--namespace", "apps", "logs", `deployment/${name}`, "--all-containers"]),
      );

    const canaries = {
      "a service's secret": [value, encoded],
      "the certificate's key": [heart(join(tlsDir, "tls.key"))],
      "the CA's key": [heart(join(tlsDir, "ca.key"))],
    };
    for (const [what, texts] of Object.entries(canaries))
      for (const [where, text] of seen)
        assert.ok(!texts.some((canary) => text.includes(canary)), `${what} is in: ${where}`);

    // The canary is real: it is where it belongs.
    assert.ok((await kubectl(place, ["--namespace", "apps", "get", "secrets", "--output", "yaml"])).includes(encoded));
    for (const file of filesBelow(tlsDir).filter((name) => name.endsWith(".key")))
      assert.equal(statSync(file).mode & 0o077, 0, file);
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
