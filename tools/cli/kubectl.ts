/** Runs kubectl against one cluster. */
import { run, CommandError, type CommandOptions } from "./run.ts";

export interface KubectlTarget {
  /** Path of the kubectl program. */
  readonly kubectl: string;
  /** Context in the kubeconfig. */
  readonly context: string;
  /** @default - the user's kubeconfig */
  readonly kubeconfig?: string | undefined;
}

/** @returns what kubectl printed. @throws CommandError */
export function kubectl(
  target: KubectlTarget,
  args: readonly string[],
  options: Pick<CommandOptions, "input" | "env" | "confidential" | "onOutput" | "signal"> = {},
): Promise<string> {
  const where = [
    "--context",
    target.context,
    ...(target.kubeconfig === undefined ? [] : ["--kubeconfig", target.kubeconfig]),
  ];
  return run(target.kubectl, [...where, ...args], { timeout: 600_000, ...options });
}

/** The objects in kubectl's JSON output, which is a list, one object or empty. */
export async function kubectlObjects(
  target: KubectlTarget,
  args: readonly string[],
  input?: string,
): Promise<LiveObject[]> {
  const options = { confidential: true, ...(input !== undefined && { input }) };
  const text = await kubectl(target, [...args, "-o", "json"], options);
  if (text.trim() === "") return [];
  const answer = JSON.parse(text) as LiveObject & { items?: LiveObject[] };
  return answer.items ?? [answer];
}

/** An object as the API server returns it. */
export interface LiveObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
    readonly [key: string]: unknown;
  };
  readonly [key: string]: unknown;
}

export { CommandError };
