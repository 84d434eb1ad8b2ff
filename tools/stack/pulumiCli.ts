/** Runs the Pulumi CLI for the local stack, with its state in a folder of the checkout. */
import { randomBytes } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { CommandError, run } from "../cli/run.ts";
import type { RawConfig } from "./stackFile.ts";
import { projectDir, stateDir } from "../cli/paths.ts";
import { Problem } from "../cli/problem.ts";
import { fixFor } from "./pulumiMessages.ts";
import { writeWhole } from "../cli/writeWhole.ts";

const stack = "local";
const home = join(stateDir, "pulumi");
// A copy, because the CLI writes an encryption salt into its config file. The tracked file must not change.
const configFile = join(home, "project", `Pulumi.${stack}.yaml`);

/**
 * The Pulumi CLI: on PATH, or the version that the npm package `pulumi` has installed. The package's launcher in
 * node_modules is skipped, because it would download the CLI.
 */
export function findPulumi(): string | undefined {
  const { version } = JSON.parse(readFileSync(join(projectDir, "node_modules/pulumi/package.json"), "utf8")) as {
    version: string;
  };
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => !folder.includes("node_modules"));
  const pulumiHome = process.env["PULUMI_HOME"] ?? join(homedir(), ".pulumi");
  return [...folders, join(pulumiHome, "versions", version, "bin")]
    .map((folder) => join(folder, "pulumi"))
    .find((file) => existsSync(file));
}

export interface PulumiResult {
  /** Number of resources that were created, updated, replaced or deleted. */
  readonly changes: number;
}

async function pulumi(program: string, args: readonly string[]): Promise<string> {
  const passphrase = join(home, "passphrase");
  mkdirSync(home, { recursive: true, mode: 0o700 });
  if (!existsSync(passphrase)) writeWhole(passphrase, randomBytes(24).toString("base64url"), 0o600);
  try {
    return await run(program, [...args, "--non-interactive", "--color", "never"], {
      cwd: projectDir,
      env: {
        PULUMI_BACKEND_URL: `file://${home}`,
        PULUMI_CONFIG_PASSPHRASE_FILE: passphrase,
        PULUMI_CONFIG_PASSPHRASE: undefined, // Otherwise the user's value would take precedence over the file.
        PULUMI_SKIP_UPDATE_CHECK: "true",
        // The Pulumi CLI runs `node` from PATH: let it find the pinned version.
        PATH: `${join(projectDir, "node_modules/.bin")}${delimiter}${process.env["PATH"] ?? ""}`,
      },
      log: join(stateDir, "logs", "pulumi.log"),
    });
  } catch (error) {
    if (error instanceof CommandError)
      throw new Problem(
        `Pulumi failed with status ${String(error.status)}:\n${error.output}`,
        `${fixFor(error.output) ?? "Fix what it names and run this again."} The full output is in .local/logs/pulumi.log.`,
      );
    throw error;
  }
}

async function prepare(program: string, config: RawConfig): Promise<void> {
  const saltOf = () =>
    existsSync(configFile) ? /^encryptionsalt:.*$/m.exec(readFileSync(configFile, "utf8"))?.[0] : undefined;
  if (saltOf() === undefined) {
    rmSync(home, { recursive: true, force: true }); // What a killed "stack init" left has no resources.
    // "stack init" has no --config-file. It writes the salt next to the project file, so give it a copy of that.
    mkdirSync(dirname(configFile), { recursive: true, mode: 0o700 });
    copyFileSync(join(projectDir, "Pulumi.yaml"), join(dirname(configFile), "Pulumi.yaml"));
    await pulumi(program, ["stack", "init", stack, "--no-select", "--cwd", dirname(configFile)]);
  }
  const salt = saltOf();
  const values = Object.entries(config).map(([key, value]) => [key, asYaml(value)] as const);
  const text = `config: ${JSON.stringify(Object.fromEntries(values))}\n`;
  writeWhole(configFile, salt === undefined ? text : `${salt}\n${text}`);
}

/** Lists and maps are JSON texts; everything else is a plain string. */
function asYaml(value: string): unknown {
  return /^[[{]/.test(value) ? (JSON.parse(value) as unknown) : value;
}

const stackArgs = ["--stack", stack, "--config-file", configFile];

/** @throws Problem with Pulumi's output */
export async function up(program: string, config: RawConfig): Promise<PulumiResult> {
  await prepare(program, config);
  // The lock of a killed run. Another run cannot hold it: this process has the checkout's own lock.
  await pulumi(program, ["cancel", "--stack", stack, "--yes"]);
  // With its preview: what the API server refuses is then refused before anything changes.
  return { changes: countChanges(await pulumi(program, ["up", ...stackArgs, "--yes", "--refresh"])) };
}

/** @param text output of an update, preview included; its last summary is that of the update */
export function countChanges(text: string): number {
  const summary = text.slice(text.lastIndexOf("Resources:"));
  const counts = [...summary.matchAll(/^\s+[+~-]+\s*(\d+) (?:created|updated|replaced|deleted)/gm)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}

/** Number of resources that an update would change; 0 if cluster, state and config agree. */
export async function previewChanges(program: string): Promise<number> {
  const text = await pulumi(program, ["preview", ...stackArgs, "--refresh", "--json"]);
  const { changeSummary } = JSON.parse(text) as { changeSummary?: Record<string, number> };
  return Object.entries(changeSummary ?? {}).reduce(
    (sum, [operation, count]) => (operation === "same" ? sum : sum + count),
    0,
  );
}

export async function destroy(program: string): Promise<void> {
  await pulumi(program, ["destroy", ...stackArgs, "--yes", "--skip-preview", "--refresh"]);
  rmSync(home, { recursive: true, force: true });
}
