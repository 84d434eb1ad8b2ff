/** Options of the local Kubernetes' node. */
import type { ListenAddress } from "./envoySettings.ts";

export interface NodeOptions extends ListenAddress {
  /** Namespace of the stack. Contour reads every Ingress, but only the Gateway that its config names. */
  readonly namespace: string;
  /** Parent cgroup of the pods' cgroups. */
  readonly cgroup: string;
  /** Folder of the unpacked Debian packages. */
  readonly root: string;
  readonly cache: string;
  /** Folders in the cache that contain programs. */
  readonly programs: readonly string[];
  /** Folder in the cache for metrics-server, which may not be there yet. */
  readonly metricsServer: string;
  /** containerd's snapshotter: "native" copies image layers, if the kernel cannot stack overlays. */
  readonly snapshotter: "overlayfs" | "native";
}
