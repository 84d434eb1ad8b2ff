/** Finds the kubeconfig of a stack: in Pulumi's state, or in the file that the stack's config names. */
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fullKey } from "../../names/project.ts";
import { CommandError, run } from "../cli/run.ts";
import { accessIn, type Access } from "./kubeconfig.ts";
import { readStackFile, stackFile } from "./stackFile.ts";
import { Problem } from "../cli/problem.ts";
import { findPulumi } from "./pulumiCli.ts";

/**
 * The cluster and user of a stack.
 * @param project folder of the stack files
 * @throws Problem
 */
export async function accessTo(stack: string, project: string): Promise<Access> {
  const config = readStackFile(stackFile(stack, project));
  const cluster = JSON.parse(config[fullKey("cluster")] ?? "{}") as {
    kind?: string;
    context?: string;
    kubeconfig?: string;
  };
  if (cluster.kind !== "existing")
    return accessIn(await kubeconfigOutput(stack, project), `The output of stack ${stack}`);
  const { context = "" } = cluster;
  if (cluster.kubeconfig === undefined)
    throw new Problem(
      `The stack ${stack} has no kubeconfig of its own: it uses the context "${context}" of your kubeconfig.`,
      `Use it: kubectl --context ${context} get pods --all-namespaces`,
    );
  const file = resolve(project, cluster.kubeconfig);
  if (!existsSync(file))
    throw new Problem(
      `There is no ${file}: the cluster of stack ${stack} does not exist.`,
      `Start it with "npm start".`,
    );
  return accessIn(readFileSync(file, "utf8"), file, context);
}

/** @throws Problem with Pulumi's output */
const kubeconfigOutput = (stack: string, project: string) => output(stack, project, ["kubeconfig"]);

/**
 * All outputs of a stack, including secrets.
 * @throws Problem with Pulumi's output
 */
export const stackOutputs = async (stack: string, project: string): Promise<Record<string, unknown>> =>
  JSON.parse(await output(stack, project, ["--json"])) as Record<string, unknown>;

async function output(stack: string, project: string, what: readonly string[]): Promise<string> {
  const program = findPulumi();
  if (program === undefined)
    throw new Problem(
      `The outputs of stack ${stack} are in Pulumi's state, and there is no Pulumi CLI on PATH.`,
      `Install it (https://www.pulumi.com/docs/install/), or run "npx pulumi version" once.`,
    );
  const args = ["stack", "output", ...what, "--show-secrets", "--stack", stack];
  try {
    return await run(program, [...args, "--non-interactive", "--color", "never"], {
      cwd: project,
      env: { PULUMI_SKIP_UPDATE_CHECK: "true" },
      timeout: 120_000,
      confidential: true,
    });
  } catch (error) {
    if (error instanceof CommandError) throw explained(stack, error);
    throw error;
  }
}

function explained(stack: string, { output, status }: CommandError): Problem {
  if (/no stack named/.test(output))
    return new Problem(
      `Pulumi's backend has no stack ${stack}.`,
      `Name one that "npx pulumi stack ls" lists, or select another backend: npx pulumi login`,
    );
  if (/does not have output property/.test(output))
    return new Problem(
      `The stack ${stack} has no kubeconfig yet.`,
      `Create its cluster: npx pulumi up --stack ${stack}`,
    );
  return new Problem(
    `Pulumi failed with ${status === null ? "a signal" : `status ${status}`}:\n${output}`,
    "Fix what it names and run this again.",
  );
}
