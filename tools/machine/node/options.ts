/** What the node of the local Kubernetes is started with. */
import type { ListenAddress } from "./envoySettings.ts";

export interface NodeOptions extends ListenAddress {
  /** Of the stack's objects: Contour reads the one Gateway that is named to it, and every Ingress. */
  readonly namespace: string;
  /** The group that kubelet makes the pods' groups below. */
  readonly cgroup: string;
  /** The unpacked Debian packages, the cache, and the folders of it that hold programs. */
  readonly root: string;
  readonly cache: string;
  readonly programs: readonly string[];
  /** containerd's way to stack image layers: "native" copies them, where the kernel cannot stack overlays. */
  readonly snapshotter: "overlayfs" | "native";
}
