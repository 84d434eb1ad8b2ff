/** The order of the folders: which may import which, and no import cycles, not even of types. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { ESLint } from "eslint";
import ts from "typescript";
import { projectDir } from "../../../tools/cli/paths.ts";

const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "*.ts", "*.js"], {
  cwd: projectDir,
  encoding: "utf8",
})
  .trim()
  .split("\n")
  .filter((file) => !file.startsWith("services/") && existsSync(join(projectDir, file)));

/** By file, the files of the project that it imports: values, types, and dynamic imports. */
const graph = new Map(
  files.map((file) => {
    const { importedFiles } = ts.preProcessFile(readFileSync(join(projectDir, file), "utf8"), true, true);
    const own = importedFiles.map(({ fileName }) => fileName).filter((name) => name.startsWith("."));
    return [file, own.map((name) => normalize(join(dirname(file), name)))];
  }),
);

/** An import cycle that starts at a file. */
function cycle(from: string, seen: Set<string>, path: readonly string[] = []): readonly string[] | undefined {
  if (path.includes(from)) return [...path.slice(path.indexOf(from)), from];
  if (seen.has(from)) return undefined;
  for (const next of graph.get(from) ?? []) {
    const found = cycle(next, seen, [...path, from]);
    if (found !== undefined) return found;
  }
  seen.add(from);
  return undefined;
}

test("there is no import cycle, not even of types", () => {
  assert.ok(graph.size > 400 && [...graph.values()].flat().length > 1500);
  const seen = new Set<string>();
  for (const file of files) assert.equal(cycle(file, seen)?.join(" → "), undefined);
});

test("every imported file exists", () => {
  for (const [file, imported] of graph)
    for (const each of imported) assert.ok(existsSync(join(projectDir, each)), `${file}: ${each}`);
});

const eslint = new ESLint({ cwd: projectDir });
/** The lint's messages for such a text in such a file. The rules need no types. */
async function messages(file: string, text: string): Promise<string[]> {
  const [result] = await eslint.lintText(text, { filePath: join(projectDir, file) });
  const rules = ["rooms/imports", "no-restricted-properties"];
  return (result?.messages ?? []).filter(({ ruleId }) => rules.includes(ruleId ?? "")).map(({ message }) => message);
}

const wrong = [
  [
    "names/google.ts",
    'import { a } from "../nginx/text.ts";',
    /names\/google\.ts must not import nginx\/text\.ts: .*imports nothing/,
  ],
  ["nginx/model.ts", 'import type { a } from "./text.ts";', /imports nothing/],
  ["nginx/text.ts", 'import { a } from "../components/googleApis.ts";', /imports only names\//],
  ["components/tlsSecret.ts", 'import type { a } from "../config/schema.ts";', /as arguments from index\.ts/],
  [
    "config/flows.ts",
    'import { a } from "../components/workloads/pod.ts";',
    /imports only types from components\/ \(import type\)/,
  ],
  ["config/flows.ts", 'import { type A, b } from "../components/workloads/pod.ts";', /only types/],
  ["config/flows.ts", 'export { a } from "../tools/cli/paths.ts";', /config\/ builds the arguments of components/],
  ["index.ts", 'import { a } from "./tools/cli/paths.ts";', /nothing from tools\/ or test\//],
  ["index.ts", 'await import("./tools/cli/paths.ts");', /nothing from tools\/ or test\//],
  ["policy/rule.ts", 'import { a } from "../tools/cli/paths.ts";', /the nginx program/],
  ["tools/cli/paths.ts", 'import { a } from "../programs/nginx.ts";', /no other tool/],
  ["tools/doctor/report.ts", 'import { a } from "../commands/stop.ts";', /nobody imports a command/],
  ["tools/commands/stop.ts", 'import "./start.ts";', /nobody imports a command/],
  [
    "tools/testing/mocks.ts",
    'import { a } from "../../test/podTemplate.ts";',
    /nobody imports tools\/commands\/ or test\//,
  ],
  ["tools/doctor/report.ts", "console.log(process.argv);", /Only a command reads its arguments/],
] as const;
for (const [file, text, message] of wrong)
  test(`forbidden in ${file}: ${text}`, async () => {
    const [first = "", ...more] = await messages(file, text);
    assert.deepEqual(more, []);
    assert.match(first, message);
  });

test("a type of a component, the nginx program for the policy pack, and a command's arguments are allowed", async () => {
  assert.deepEqual(await messages("config/flows.ts", 'import type { A } from "../components/workloads/pod.ts";'), []);
  assert.deepEqual(await messages("config/flows.ts", 'import { type A } from "../components/workloads/pod.ts";'), []);
  assert.deepEqual(await messages("policy/rule.ts", 'import { a } from "../tools/programs/nginx.ts";'), []);
  assert.deepEqual(await messages("tools/commands/stop.ts", "console.log(process.argv);"), []);
});
