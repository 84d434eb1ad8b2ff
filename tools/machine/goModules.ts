/** The pinned Go modules from which the local Kubernetes is compiled. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Problem } from "../cli/problem.ts";
import { CommandError } from "../cli/run.ts";

export const source = join(import.meta.dirname, "kubernetes");
export const goMod = readFileSync(join(source, "go.mod"), "utf8");

/** Turns an error of Go into a Problem. */
export function goProblem(error: unknown, log: string): unknown {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") {
    return new Problem(
      "The local Kubernetes is compiled with Go, but there is no go on PATH.",
      `Install Go ${goVersion()} or newer (https://go.dev/dl), or use an existing cluster: npm start -- --context NAME`,
    );
  }
  if (!(error instanceof CommandError)) return error;
  const tooOld = /requires go >= ([\d.]+) \(running go ([\d.]+)/.exec(error.output);
  if (tooOld)
    return new Problem(
      `Go ${tooOld[2] ?? ""} is too old for the local Kubernetes.`,
      `Install Go ${tooOld[1] ?? goVersion()} or newer (https://go.dev/dl), or use an existing cluster: npm start -- --context NAME`,
    );
  return new Problem(
    `The local Kubernetes could not be compiled from its Go modules:\n${error.output}`,
    `Check the network and the module proxy ("go env GOPROXY"), then run the command again: it continues where it stopped. Full log: ${log}`,
  );
}

function goVersion(): string {
  return /^go (\S+)/m.exec(goMod)?.[1] ?? "";
}
