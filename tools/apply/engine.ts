/** What was applied where: the next start goes on with the same engine, and a stop says what it leaves in other clusters. */
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
  /** Whether the cluster is another's, so that a stop here does not take it away. */
  readonly outlivesStop: boolean;
}

const file = join(stateDir, "applied.json");

/** @returns what was applied, by the kubectl context of the cluster */
export function applied(): Readonly<Record<string, Applied>> {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Record<string, Applied>) : {};
}

/** To be called before anything is applied, so that an interrupted start is on record too. */
export function recordApplied(context: string, what: Applied): void {
  writeWhole(file, JSON.stringify({ ...applied(), [context]: what }));
}

/**
 * Both engines would own the same objects, so a stack stays with the one that made it.
 * @param wanted auto, pulumi or kubectl
 * @param context where the stack is to be applied
 * @throws Problem
 */
export function chooseEngine(wanted: string, context = ownContext): Engine {
  if (!["auto", "pulumi", "kubectl"].includes(wanted))
    throw new Problem(`"${wanted}" is not an engine.`, "Allowed are auto, pulumi and kubectl.");
  const program = findPulumi();
  const used = applied()[context]?.engine;
  if (wanted !== "auto" && used !== undefined && used !== wanted) {
    throw new Problem(
      `The running stack was applied by ${used}, not by ${wanted}.`,
      `Run "npm stop -- --keep-cache" first, or leave --engine out.`,
    );
  }
  const name = wanted === "auto" ? (used ?? (program === undefined ? "kubectl" : "pulumi")) : wanted;
  const why =
    wanted !== "auto"
      ? "as asked"
      : used !== undefined
        ? "as before"
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
      `Pulumi's state here is of the stack in the cluster of "${elsewhere[0]}": an up elsewhere would take that one away.`,
      `Run "npm stop -- --keep-cache" first (it says what it leaves there), or use --engine kubectl.`,
    );
  return { name: "pulumi", program };
}

/** What a stop leaves: clusters of other people's contexts are not this project's to empty. */
export function leftElsewhere(): string[] {
  return Object.entries(applied())
    .filter(([, { outlivesStop }]) => outlivesStop)
    .map(
      ([context, { namespace }]) =>
        `The stack in the cluster of the context "${context}" stays. To remove it: kubectl --context ${context} delete namespace ${namespace}`,
    );
}
