/** Records which engine applied the stack to which cluster: the next start uses the same one, and a stop lists what stays. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { context as ownContext } from "../machine/node/credentials.ts";
import { stateDir } from "../cli/paths.ts";
import { Problem } from "../cli/problem.ts";
import { findPulumi } from "../stack/pulumiCli.ts";
import { writeWhole } from "../cli/writeWhole.ts";

export type Engine = { readonly name: "kubectl" } | { readonly name: "pulumi"; readonly program: string };

export interface Applied {
  readonly engine: Engine["name"];
  readonly namespace: string;
  /** Whether `npm stop` leaves the cluster running, because this checkout did not start it. */
  readonly outlivesStop: boolean;
}

const file = join(stateDir, "applied.json");

/** @returns what was applied, by the kubectl context of the cluster */
export function applied(): Readonly<Record<string, Applied>> {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Record<string, Applied>) : {};
}

/** Call it before applying anything, so that an interrupted start is recorded too. */
export function recordApplied(context: string, what: Applied): void {
  writeWhole(file, JSON.stringify({ ...applied(), [context]: what }));
}

/**
 * Chooses the engine. A stack stays with the engine that applied it first, since both would own the same objects.
 * @param requested auto, pulumi or kubectl
 * @param context kubectl context of the cluster
 * @throws Problem
 */
export function chooseEngine(requested: string, context = ownContext): Engine {
  if (!["auto", "pulumi", "kubectl"].includes(requested))
    throw new Problem(`"${requested}" is not an engine.`, "Use auto, pulumi or kubectl.");
  const program = findPulumi();
  const used = applied()[context]?.engine;
  if (requested !== "auto" && used !== undefined && used !== requested) {
    throw new Problem(
      `The running stack was applied by ${used}, not by ${requested}.`,
      `Run "npm stop" first, or leave --engine out.`,
    );
  }
  const name = requested === "auto" ? (used ?? (program === undefined ? "kubectl" : "pulumi")) : requested;
  const why =
    requested !== "auto"
      ? "by --engine"
      : used !== undefined
        ? "as in the last start"
        : program === undefined
          ? "there is no Pulumi CLI on PATH"
          : program;
  console.error(`Engine: ${name} (${why})`);
  if (name === "kubectl") return { name };
  if (program === undefined)
    throw new Problem(
      "There is no Pulumi CLI on PATH.",
      "Install it (https://www.pulumi.com/docs/install/), or use --engine kubectl.",
    );
  const elsewhere = Object.entries(applied()).find(([where, { engine }]) => engine === "pulumi" && where !== context);
  if (elsewhere !== undefined)
    throw new Problem(
      `Pulumi's local state belongs to the stack in the cluster of "${elsewhere[0]}": applying it elsewhere would delete that stack.`,
      `Run "npm stop" first (it lists what stays there), or use --engine kubectl.`,
    );
  return { name: "pulumi", program };
}

/** One line for each stack that `npm stop` leaves running, in a cluster that this project did not start. */
export function remainingStacks(): string[] {
  return Object.entries(applied())
    .filter(([, { outlivesStop }]) => outlivesStop)
    .map(
      ([context, { namespace }]) =>
        `The stack in the cluster of the context "${context}" stays. To remove it: kubectl --context ${context} delete namespace ${namespace}`,
    );
}
