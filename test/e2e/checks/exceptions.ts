/** What the checks find and what stays as it is, each with its reason. An entry that finds nothing any more is an error too. */

export interface Exception {
  /** The tool's own id of the check. */
  readonly check: string;
  /** Which of its findings are meant, by what they say of which object. @default - all */
  readonly only?: RegExp;
  readonly reason: string;
}

const noCpuLimit = "a limit slows a pod down although its node is idle; requests keep pods from each other's share";
const pullIfAbsent =
  "images are named by digest or by a version that never means anything else: asked for at each start, a registry that is away would keep pods from starting";

export const exceptions: readonly Exception[] = [
  // kube-score
  { check: "container-resources", only: /CPU limit is not set/, reason: noCpuLimit },
  { check: "container-image-pull-policy", reason: pullIfAbsent },
  {
    check: "pod-probes-identical",
    only: / Deployment\/apps\/v1\/apps\/nginx-proxy /,
    reason:
      "nginx answers by itself whatever its services do, so being ready waits for nothing that a restart would not fix; a restart takes a minute without an answer",
  },
  {
    check: "deployment-has-host-podantiaffinity",
    reason: "topologySpreadConstraints spread the pods over nodes and zones; this check knows anti-affinity alone",
  },
  // Checkov, Kubernetes
  { check: "CKV_K8S_11", reason: noCpuLimit },
  { check: "CKV_K8S_15", reason: pullIfAbsent },
  {
    check: "CKV_K8S_43",
    only: /^(local|production) /,
    reason:
      "what the program builds runs by digest; an image that a stack names is named as its team likes, by digest or by version, and one that is on the local node by the hash of its content",
  },
  // Checkov, Dockerfiles
  {
    check: "CKV_DOCKER_2",
    reason: "Kubernetes has probes of its own and ignores HEALTHCHECK; the images have no shell to run one",
  },
  {
    check: "CKV_DOCKER_7",
    reason: "the base is an argument, which the check does not follow; each has a digest as its default, see below",
  },
];
