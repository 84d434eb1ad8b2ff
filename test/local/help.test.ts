/** Every command explains itself. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { projectDir } from "../../local/paths.ts";

const { scripts } = JSON.parse(readFileSync(join(projectDir, "package.json"), "utf8")) as {
  scripts: Record<string, string>;
};
/** Those that run a program of this project; `npm test` and `npm run format` run others'. */
const commands = Object.entries(scripts).flatMap(([name, script]) => {
  const [, file] = /(?:^|\s)node (\S+\.ts)$/.exec(script) ?? [];
  return file === undefined ? [] : [{ name, file }];
});

const run = (file: string, ...args: string[]) =>
  new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve) => {
    const child = spawn(process.execPath, [join(projectDir, file), ...args], { stdio: ["ignore", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.on("close", (status) => {
      resolve({ status, stdout, stderr });
    });
  });

test("every script of the project is a command, or checks and formats", () => {
  const others = Object.keys(scripts).filter((script) => !commands.some(({ name }) => name === script));
  assert.deepEqual(
    others.filter((name) => !name.startsWith("pre")),
    ["test", "format"],
  );
  for (const { name } of commands) assert.equal(scripts[`pre${name}`], "node local/install.js");
});

for (const { name, file } of commands)
  test(`npm run ${name} -- --help`, async () => {
    const { status, stdout, stderr } = await run(file, "--help");
    assert.deepEqual([status, stderr], [0, ""]);
    assert.match(stdout, new RegExp(String.raw`^npm (run )?${name}\b[^]*--verbose[^]*--help`));
  });

test("an option that is not known is refused with the usage", async () => {
  const { status, stderr } = await run("local/stop.ts", "--keep");
  assert.equal(status, 1);
  assert.match(stderr, /Unknown option '--keep'[^]*npm stop \[-- --keep-cache\]/);
});
