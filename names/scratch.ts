/** Folders of a pod that it may write to: bounded, and gone with the pod. */
import { bytesOf } from "./quantities.ts";

export interface ScratchFolder {
  /** Kubernetes quantity. */
  readonly size: string;
  /** In memory, which counts in the container's limit. */
  readonly memory: boolean;
}
/** By path in the container. */
export type Scratch = Readonly<Record<string, ScratchFolder>>;

/** Most programs write to it, and the root is read-only. */
export const temporary: Scratch = { "/tmp": { size: "256Mi", memory: false } };

/** Bytes on the node's disk, of all folders or of those chosen. */
export const diskBytes = (scratch: Scratch): number =>
  Object.values(scratch).reduce((sum, { size, memory }) => sum + (memory ? 0 : bytesOf(size)), 0);
