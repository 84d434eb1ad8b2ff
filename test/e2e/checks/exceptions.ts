/** Accepted findings of the checkers, each with its reason. An entry without a finding is an error too. */

export interface Exception {
  /** The tool's id of the check. */
  readonly check: string;
  /** Matches the accepted findings, by object and message. @default - all */
  readonly only?: RegExp;
  readonly reason: string;
}

const noCpuLimit = "a limit slows a pod down even if its node is idle; requests already protect each pod's share";
const pullIfAbsent =
  "images have a digest or an immutable version; pulling at each start would keep pods from starting while the registry is unavailable";

export const exceptions: readonly Exception[] = [
  // kube-score
  { check: "container-resources", only: /CPU limit is not set/, reason: noCpuLimit },
  { check: "container-image-pull-policy", reason: pullIfAbsent },
  {
    check: "pod-probes-identical",
    only: / Deployment\/apps\/v1\/apps\/nginx-proxy /,
    reason:
      "nginx does not depend on its services, so a restart fixes whatever makes it not ready; it restarts only after a minute without an answer",
  },
  {
    check: "deployment-has-host-podantiaffinity",
    reason: "topologySpreadConstraints spread the pods over nodes and zones; this check knows only anti-affinity",
  },
  // Checkov, Kubernetes
  { check: "CKV_K8S_11", reason: noCpuLimit },
  { check: "CKV_K8S_15", reason: pullIfAbsent },
  {
    check: "CKV_K8S_43",
    only: /^(local|production) /,
    reason:
      "images that the program builds have a digest; a team may name its images by digest or by version; images on the local node have a hash of their content as tag",
  },
  // Checkov, Dockerfiles
  {
    check: "CKV_DOCKER_2",
    reason: "Kubernetes has its own probes and ignores HEALTHCHECK",
  },
  {
    check: "CKV_DOCKER_7",
    reason: "the check does not resolve the base, which is a build argument; its default has a digest",
  },
];
