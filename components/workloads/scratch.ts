/** Folders of a pod that it may write to: bounded, and gone with the pod. */
import type * as k8s from "@pulumi/kubernetes";
import type { Scratch } from "../../names/scratch.ts";
import type { Mount } from "./files.ts";

export function scratchVolumes(scratch: Scratch): {
  readonly volumes: k8s.types.input.core.v1.Volume[];
  readonly mounts: Mount[];
} {
  const entries = Object.entries(scratch)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, folder], index) => ({ path, ...folder, name: path === "/tmp" ? "tmp" : `scratch-${index}` }));
  return {
    volumes: entries.map(({ name, size, memory }) => ({
      name,
      emptyDir: { sizeLimit: size, ...(memory && { medium: "Memory" }) },
    })),
    mounts: entries.map(({ path, name }) => ({ name, mountPath: path })),
  };
}
