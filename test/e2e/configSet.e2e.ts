/** Every `pulumi config set` that a guide or a message prints stores what it says, if the Pulumi CLI is installed. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { keyOf, valueAt } from "../../config/problems.ts";
import { fullKey } from "../../names/project.ts";
import { projectDir } from "../../tools/cli/paths.ts";
import { findPulumi } from "../../tools/stack/pulumiCli.ts";
import { readStackFile, stackFile } from "../../tools/stack/stackFile.ts";

const program = findPulumi();
const options = { skip: program === undefined ? "no Pulumi CLI on PATH" : false };

const folder = mkdtempSync(join(tmpdir(), "config-set-"));
after(() => {
  rmSync(folder, { recursive: true });
});
cpSync(join(projectDir, "Pulumi.yaml"), join(folder, "Pulumi.yaml"));

/** Runs the line as a shell does, in a folder with the project's stack files. */
function run(line: string, input = ""): string {
  const env = {
    ...process.env,
    PULUMI_BACKEND_URL: `file://${folder}`,
    PULUMI_CONFIG_PASSPHRASE: "x",
    IMAGE: "registry.example.com/apps/a:1.4",
  };
  const shell = line.replace(/^npx pulumi/, `${program ?? ""} --non-interactive`);
  const { status, stdout, stderr } = spawnSync("sh", ["-c", shell], { cwd: folder, env, input, encoding: "utf8" });
  assert.equal(status, 0, `${line}\n${stdout}${stderr}`);
  return stdout + stderr;
}

/** The config of a stack in that folder, as the program gets it: by key, parsed. */
const configOf = (stack: string): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(readStackFile(stackFile(stack, folder))).map(([key, text]) => {
      try {
        return [key, JSON.parse(text) as unknown];
      } catch {
        return [key, text];
      }
    }),
  );

test("the lines of the guides", options, () => {
  for (const stack of ["staging", "production"]) {
    // As after `npm run full-keys`, since the CLI looks for full keys.
    const text = readFileSync(join(projectDir, `Pulumi.${stack}.yaml`), "utf8");
    writeFileSync(join(folder, `Pulumi.${stack}.yaml`), text.replaceAll(/^ {2}(\w+):(?= |$)/gm, `  ${fullKey("$1")}:`));
    run(`npx pulumi stack init ${stack} --no-select`);
  }
  const guides = [
    "README.md",
    ...readdirSync(join(projectDir, "docs"))
      .filter((file) => file.endsWith(".md"))
      .map((file) => `docs/${file}`),
  ];
  const lines = guides.flatMap((guide) =>
    [...readFileSync(join(projectDir, guide), "utf8").matchAll(/^npx pulumi config set .*$/gm)].map(([line]) => line),
  );
  assert.ok(lines.length >= 7, lines.join("\n"));
  for (const line of lines) {
    const [, stack = "", rest = ""] = /-s (\w+) (.*?)(?: *#.*)?$/.exec(line) ?? assert.fail(line);
    const words = rest.split(" ").filter((word) => !word.startsWith("--"));
    const [key = "", value = "the secret"] = words[1] === "<" ? [words[0]] : words;
    run(line.replace(/ < \S+$/, "").replace(/ +#.*$/, ""), "the secret");
    const stored = at(configOf(stack), key);
    const expected = value === '"$IMAGE"' ? "registry.example.com/apps/a:1.4" : value;
    if (line.includes("--secret")) assert.match(String(stored), /^\(secret/, line);
    else assert.equal(String(stored), expected, line);
  }
});

test("the key of a message is a key for --path, whatever the names in it", options, () => {
  run("npx pulumi stack init keys --no-select");
  const names = ["discovery.type", "example.com/team", "a b", 'a"b', "a\\b", "a[0]", "0", "ключ", "-x", "a'b"];
  for (const name of names) {
    const path = ["services", "hoge", "env", name];
    const key = keyOf(path).replaceAll("'", "'\\''");
    run(`npx pulumi config set --stack keys --path -- '${key}' 'some text'`);
    const [top = "", ...rest] = path;
    assert.equal(valueAt(configOf("keys")[fullKey(top)], rest), "some text", keyOf(path));
  }
});

test("with --type string, as messages say, text stays text", options, () => {
  const values = ["1", "0.5", "1e3", "1.10", "0123", "0777", "0x1F", "1_000", "1234567890123456789", "2026-01-02", "~"];
  run("npx pulumi stack init values --no-select");
  for (const value of [...values, "yes", "no", "null", "true", "NaN", ".5", "+1", "+4912345", "1:30"]) {
    run(`npx pulumi config set --stack values --path services.hoge.env.VALUE --type string '${value}'`);
    assert.equal(valueAt(configOf("values")[fullKey("services")], ["hoge", "env", "VALUE"]), value);
  }
});

/** The value at a key such as `services.hoge.image`, with or without the project's name. */
function at(config: Record<string, unknown>, key: string): unknown {
  const [top = "", ...rest] = key.split(".");
  return valueAt(config[fullKey(top)], rest);
}
