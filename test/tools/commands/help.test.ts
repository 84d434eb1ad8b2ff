/** Every command has --help. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { projectDir } from "../../../tools/cli/paths.ts";

const { scripts } = JSON.parse(readFileSync(join(projectDir, "package.json"), "utf8")) as {
  scripts: Record<string, string>;
};
const commands = Object.keys(scripts)
  .filter((name) => name !== "help")
  .map((name) => ({
    name,
    file: `tools/commands/${name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase())}.ts`,
  }));

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

test("every script is a command, and the runner lists them in the order of package.json", async () => {
  for (const [name, script] of Object.entries(scripts)) assert.equal(script, `node tools/run.js ${name}`);
  const { status, stdout } = await run("tools/run.js");
  const listed = [...stdout.matchAll(/^ {2}(\S+) {2,}\S/gm)].map(([, name]) => name);
  assert.deepEqual([status, listed], [0, commands.map(({ name }) => name)]);
});

test("an unknown command is rejected with the list of commands", async () => {
  const { status, stderr } = await run("tools/run.js", "strat");
  assert.equal(status, 1);
  assert.match(stderr, /There is no command "strat"\.[^]*^ {2}start /m);
});

test("every file in tools/commands is a script", () => {
  const files = readdirSync(join(projectDir, "tools/commands"));
  assert.deepEqual(files.map((file) => `tools/commands/${file}`).sort(), commands.map(({ file }) => file).sort());
});

for (const { name, file } of commands)
  test(`npm run ${name} -- --help`, async () => {
    const { status, stdout, stderr } = await run(file, "--help");
    assert.deepEqual([status, stderr], [0, ""]);
    assert.match(stdout, new RegExp(String.raw`^npm (run )?${name}\b[^]*--verbose[^]*--help`));
  });

test("an unknown option is rejected with the usage", async () => {
  const { status, stderr } = await run("tools/commands/stop.ts", "--keep");
  assert.equal(status, 1);
  assert.match(
    stderr,
    /error: There is no option --keep here: did you mean --keep-cache\?\nSee the options:\nnpm stop \[-- --delete-cache\]/,
  );
});

for (const [words, message] of [
  [["--prot", "1"], "There is no option --prot here."],
  [["--http-prot", "1"], "There is no option --http-prot here: did you mean --http-port?"],
  [["--http"], "There is no option --http here."],
  [["-x"], "There is no option -x here."],
  [["--context"], "The option --context needs a value."],
  [["--context", "--address", "a"], "The option --context needs a value."],
  [["--verbose=yes"], "The option --verbose takes no value."],
] as const)
  test(`npm start -- ${words.join(" ")}: ${message}`, async () => {
    const { status, stderr } = await run("tools/commands/start.ts", ...words);
    assert.equal(status, 1);
    assert.ok(stderr.includes(`error: ${message}\nSee the options:\nnpm start [-- OPTIONS]`), stderr);
  });

/** As npm runs a command with options before which "--" is missing. */
const runByNpm = (command: string, args: readonly string[], ...kept: readonly string[]) =>
  spawnSync(process.execPath, [join(projectDir, `tools/commands/${command}.ts`), ...args], {
    encoding: "utf8",
    env: {
      ...process.env,
      npm_lifecycle_event: command,
      ...Object.fromEntries(kept.map((name) => [`npm_config_${name}`, "true"])),
    },
  });

for (const [command, args, kept, message] of [
  [
    "addService",
    ["orders", "worker"],
    ["kind"],
    'The "--" before the options is missing, so that npm kept --kind for itself.',
  ],
  [
    "doctor",
    ["staging", "10m"],
    ["wait", "json"],
    'The "--" before the options is missing, so that npm kept --wait and --json for itself.',
  ],
  ["start", ["90"], ["http_port"], 'The "--" before the options is missing, so that npm kept --http-port for itself.'],
  ["stop", [], ["delete_cache"], 'The "--" before the options is missing, so that npm kept --delete-cache for itself.'],
  ["bootstrap", ["staging"], ["run"], 'The "--" before the options is missing, so that npm kept --run for itself.'],
  ["render", ["staging", "a"], ["out"], 'The "--" before the options is missing, so that npm kept --out for itself.'],
  [
    "diff",
    ["main", "staging", "a"],
    ["preview"],
    'The "--" before the options is missing, so that npm kept --preview for itself.',
  ],
  ["e2e", ["pulumi"], ["engine"], 'The "--" before the options is missing, so that npm kept --engine for itself.'],
  ["bench", ["proxy"], ["json"], 'The "--" before the options is missing, so that npm kept --json for itself.'],
  ["diagram", ["staging", "a"], ["out"], 'The "--" before the options is missing, so that npm kept --out for itself.'],
  // npm takes this for --engine-strict, and passes on the value alone.
  ["start", ["kubectl"], ["engine_strict"], 'The argument "kubectl" has no meaning here.'],
  ["stop", ["all"], [], 'The argument "all" has no meaning here.'],
] as const)
  test(`options that npm kept are refused, and nothing is done: ${command} ${args.join(" ")}`, () => {
    const { status, stdout, stderr } = runByNpm(command, args, ...kept);
    assert.deepEqual([status, stdout], [1, ""]);
    assert.ok(stderr.startsWith(`\nerror: ${message}`), stderr);
    assert.match(stderr, /\n(?:Write it, as in: npm .* -- |Leave it out, or write "--" before the options:\n)/);
    assert.doesNotMatch(stderr, /\n\s+at /);
  });

test("an authority in the user's .npmrc is no option of ours", () => {
  assert.match(runByNpm("doctor", [], "ca").stderr, /Name exactly one stack/);
});

test("a mistyped stack is answered with the stacks, and the one that may be meant", async () => {
  const { status, stderr } = await run("tools/commands/check.ts", "prodution");
  assert.equal(status, 1);
  assert.match(
    stderr,
    /There is no \S+Pulumi\.prodution\.yaml\.\nName a stack that has a file, or copy one\. Stacks: .*local, production, .*staging\. Did you mean "production"\?\n$/,
  );
  assert.match((await run("tools/commands/check.ts", "Pulumi.staging.yaml")).stderr, /Did you mean "staging"\?\n$/);
  assert.doesNotMatch((await run("tools/commands/check.ts", "elsewhere")).stderr, /Did you mean/);
  for (const command of ["bootstrap", "diagram", "doctor", "fullKeys", "kubeconfig", "render"]) {
    const { stderr: said } = await run(`tools/commands/${command}.ts`, "stagng");
    assert.match(said, /^\nerror: There is no \S+\.\nName a stack .* Did you mean "staging"\?\n$/, command);
    const { stderr: without } = await run(`tools/commands/${command}.ts`);
    assert.match(without, /^\nerror: Name exactly one stack\./, command);
  }
});
