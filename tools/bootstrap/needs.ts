/** What the stacks of a Google Cloud project need of it. They share the two identities, so each run grants for all. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { Problem } from "../cli/problem.ts";
import { stacksDir } from "../cli/paths.ts";
import { loadStackFile, stackFile } from "../stack/stackFile.ts";
import { project as pulumiProject } from "../../names/project.ts";
import { keyNameOf } from "./keyName.ts";
import type { BootstrapArgs } from "./steps.ts";

type Needs = Omit<BootstrapArgs, "bucket" | "repository" | "branch">;

/**
 * Reads the stack, and the other stacks of this checkout in the same project.
 * @throws Problem if the stack is not on Google, or another one cannot be read
 */
export function needsOf(stack: string): Needs {
  const { cluster, ...settings } = loadStackFile(stack).settings;
  if (cluster.kind !== "gke")
    throw new Problem(
      `The stack ${stack} has nothing on Google Cloud: its cluster.kind is ${cluster.kind}.`,
      "Name a stack whose cluster.kind is gke.",
    );
  const { project, region, encryptionKey } = cluster;
  const all = [settings, ...others(stack, project).map((other) => settingsIn(other, project, stack))].filter(
    (each) => each !== undefined,
  );
  const roles = all.flatMap(({ services }) => Object.values(services).flatMap((service) => service.roles));
  const any = (test: (each: typeof settings) => boolean) => all.some(test);
  return {
    ...{ stack, project, region, encryptionKey, pulumiProject },
    keyName: keyNameOf({ pulumiProject, project, region }, readFileSync(stackFile(stack), "utf8")),
    grants: [...new Set(["roles/container.defaultNodeServiceAccount", "roles/artifactregistry.reader", ...roles])],
    scan: any(({ registry }) => registry.kind === "artifact-registry" && registry.scan),
    dns: any(({ dns }) => dns !== undefined),
    certificateManager: any(({ edge, tls }) => edge.kind === "gateway" && tls.mode === "managed"),
    requestMetrics: any(({ proxy }) => proxy.metrics.byService),
    iap: any(({ edge }) => "iap" in edge && edge.iap?.enabled === true),
  };
}

/** Stacks of the checkout whose files name the project, or may have it from Pulumi.yaml. */
function others(stack: string, project: string): string[] {
  const names = (file: string) => {
    try {
      return readFileSync(join(stacksDir, file), "utf8").includes(project);
    } catch {
      return false; // Deleted in the meantime.
    }
  };
  const isCommon = names("Pulumi.yaml");
  return readdirSync(stacksDir).flatMap((file) => {
    const [, other] = /^Pulumi\.(.+)\.yaml$/.exec(file) ?? [];
    return other !== undefined && other !== stack && (isCommon || names(file)) ? [other] : [];
  });
}

function settingsIn(other: string, project: string, stack: string) {
  try {
    const { cluster, ...settings } = loadStackFile(other).settings;
    return cluster.kind === "gke" && cluster.project === project ? settings : undefined;
  } catch (error) {
    if (!(error instanceof Problem) && !pulumi.RunError.isInstance(error)) throw error;
    throw new Problem(
      `The stack ${other} may share the project of ${stack}, and its file is not valid: ${error.message}`,
      `Fix Pulumi.${other}.yaml, or delete it if the stack is gone. Otherwise ${stack} would take its roles away.`,
    );
  }
}
