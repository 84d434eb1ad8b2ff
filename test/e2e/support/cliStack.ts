/** A stack by the Pulumi CLI alone, without `npm start`: with a state and a config file of its own. */
import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { TestContext } from "node:test";
import { projectDir } from "../../../tools/cli/paths.ts";
import { command, type Outcome } from "./commands.ts";
import { killAfter, type Killed } from "./kill.ts";

export interface CliStack {
  /** Runs a command of the CLI that takes the config, such as `up`. */
  run(...args: string[]): Promise<Outcome>;
  /** Kills such a command after some milliseconds, with its plugins or alone. */
  kill(milliseconds: number, whole: boolean, ...args: string[]): Promise<Killed>;
  /** Releases the lock that a killed command left. */
  cancel(): Promise<Outcome>;
  /** What the state knows. */
  state(): Promise<State>;
}

export interface State {
  readonly resources: readonly { readonly urn: string }[];
  readonly pending_operations?: readonly unknown[];
}

/** @param config text below `config:` in the stack's file, and that line */
export async function cliStack(context: TestContext, program: string, name: string, config: string): Promise<CliStack> {
  const folder = mkdtempSync(join(tmpdir(), `stack-${name}-`));
  context.after(() => {
    rmSync(folder, { recursive: true });
  });
  const env = {
    PULUMI_BACKEND_URL: `file://${folder}`,
    PULUMI_CONFIG_PASSPHRASE: "x",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PATH: `${join(projectDir, "node_modules/.bin")}${delimiter}${process.env["PATH"] ?? ""}`, // The pinned node.
  };
  copyFileSync(join(projectDir, "Pulumi.yaml"), join(folder, "Pulumi.yaml"));
  const quiet = ["--non-interactive", "--color", "never"];
  const init = await command(program, ["stack", "init", name, "--no-select", "--cwd", folder, ...quiet], env);
  assert.equal(init.status, 0, init.text);
  const file = join(folder, `Pulumi.${name}.yaml`);
  writeFileSync(file, readFileSync(file, "utf8") + config);
  const withConfig = (args: readonly string[]) => [...args, "--stack", name, "--config-file", file, ...quiet];
  return {
    run: (...args) => command(program, withConfig(args), env),
    kill: (milliseconds, whole, ...args) => killAfter(milliseconds, program, withConfig(args), { env, whole }),
    cancel: () => command(program, ["cancel", "--yes", "--stack", name, ...quiet], env),
    state: async () => {
      const { status, text } = await command(program, ["stack", "export", "--stack", name, ...quiet], env);
      assert.equal(status, 0, text);
      return (JSON.parse(text) as { deployment: State }).deployment;
    },
  };
}
