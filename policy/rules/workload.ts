/**
 * Rules for Kubernetes objects: the `restricted` pod security standard
 * (https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted) and the project's own rules.
 */
import {
  all,
  at,
  isSet,
  isObject,
  oneOf,
  rulesFor,
  unknown,
  type Check,
  type Properties,
  type Violation,
} from "../rule.ts";

const workload = {
  name: "workload",
  types: /^kubernetes:(apps\/v1:(Deployment|StatefulSet|DaemonSet)|batch\/v1:(Job|CronJob))$/,
};
const job = { name: "Job, CronJob", types: ["kubernetes:batch/v1:Job", "kubernetes:batch/v1:CronJob"] };
const service = { name: "Service", types: ["kubernetes:core/v1:Service"] };
const namespace = { name: "Namespace", types: ["kubernetes:core/v1:Namespace"] };
const account = { name: "ServiceAccount", types: ["kubernetes:core/v1:ServiceAccount"] };
const content = { name: "Secret, ConfigMap", types: ["kubernetes:core/v1:Secret", "kubernetes:core/v1:ConfigMap"] };
const namespaced = {
  name: "namespaced object",
  types: /^kubernetes:(?!core\/v1:Namespace(Patch)?$|rbac.*:Cluster|.*(Class|CustomResourceDefinition)$)/,
};

/** Runs the check on what stands at a path, and names properties from the root. */
function below(path: string, props: Properties, { check }: Pick<Check, "check">): readonly Violation[] {
  const value = at(props, path);
  if (value === unknown) return [];
  return check(isObject(value) ? value : {}).map((found) => ({ ...found, property: `${path}.${found.property}` }));
}

/** A CronJob makes Jobs: what makes the pods is deeper in it. */
const specOf = (props: Properties) => (at(props, "spec.jobTemplate") === undefined ? "spec" : "spec.jobTemplate.spec");

/** The check holds for the pod of a workload. */
const inPod = ({ required, check }: Check): Check => ({
  required: `in the pod: ${required}`,
  check: (props) => below(`${specOf(props)}.template.spec`, props, { check }),
});
/** The check holds for a Job, or for those of a CronJob. */
const inJob = ({ required, check }: Check): Check => ({
  required: `of the Job: ${required}`,
  check: (props) => below(specOf(props), props, { check }),
});

/** Runs the check for each container of a pod, including init containers. */
function eachContainer({ required, check }: Check): Check {
  return {
    required: `in each container: ${required}`,
    check: (pod) =>
      ["containers", "initContainers"].flatMap((kind) => {
        const containers = at(pod, kind);
        if (!Array.isArray(containers)) return [];
        return containers.flatMap((container: unknown, index) =>
          isObject(container) ? below(`${kind}[${index}]`, pod, { check }) : [],
        );
      }),
  };
}

const containers = (check: Check): Check => {
  const each = eachContainer(check);
  return { ...inPod(each), required: each.required };
};

/** A container's setting overrides the pod's. */
function inPodOrContainer(property: string, allowed: string | boolean): Check {
  return {
    required: `\`securityContext.${property}\` of each container, or else of its pod, is \`${allowed}\``,
    check: (pod) => {
      const ofPod = at(pod, `securityContext.${property}`);
      const { check } = eachContainer({
        required: "",
        check: (container) => {
          const value = at(container, `securityContext.${property}`) ?? ofPod;
          if (value === unknown || value === allowed) return [];
          return [{ property: `securityContext.${property}`, value, fix: `set it to ${JSON.stringify(allowed)}` }];
        },
      });
      return check(pod);
    },
  };
}

/** A tag other than `latest`, or a digest. */
const pinnedImage: Check = {
  required: "`image` has a tag other than `latest`, or a digest",
  check: (container) => {
    const value = at(container, "image");
    if (value === unknown) return [];
    const pinned = typeof value === "string" && /(@sha256:[0-9a-f]{64}|:(?!latest$)[\w][\w.-]{0,127})$/.test(value);
    return pinned ? [] : [{ property: "image", value, fix: "give a tag other than latest, or a digest" }];
  },
};

/** A user ID, if set, must not be root's. */
const notUserZero: Check = {
  required: "`runAsUser` is not 0",
  check: (pod) => [...eachContainer({ required: "", check: userZero }).check(pod), ...userZero(pod)],
};
function userZero(holder: unknown): Violation[] {
  const value = at(holder, "securityContext.runAsUser");
  return value === 0 ? [{ property: "securityContext.runAsUser", value, fix: "give an id above 0" }] : [];
}

const volumeKinds = [
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "persistentVolumeClaim",
  "projected",
  "secret",
];
const safeVolumes: Check = {
  required: `each of \`volumes\` is ${volumeKinds.slice(0, -1).join(", ")} or ${volumeKinds.at(-1) ?? ""}`,
  check: (pod) => {
    const volumes = at(pod, "volumes");
    if (!Array.isArray(volumes)) return [];
    return volumes.flatMap((volume: unknown, index) => {
      const bad = isObject(volume)
        ? Object.entries(volume).filter(([key, value]) => ![...volumeKinds, "name"].includes(key) && value !== unknown)
        : [];
      return bad.map(([kind, value]) => ({
        property: `volumes[${index}].${kind}`,
        value,
        fix: `use one of ${volumeKinds.join(", ")}`,
      }));
    });
  },
};

const dropAll: Check = {
  required: "`securityContext.capabilities` drops `ALL` and adds at most `NET_BIND_SERVICE`",
  check: (container) => {
    const [drop, add] = ["drop", "add"].map((what) => at(container, `securityContext.capabilities.${what}`));
    const dropped = drop === unknown || (Array.isArray(drop) && (drop.includes("ALL") || drop.includes(unknown)));
    const added = Array.isArray(add) ? add.filter((name) => name !== unknown && name !== "NET_BIND_SERVICE") : [];
    return [
      ...(dropped ? [] : [{ property: "securityContext.capabilities.drop", value: drop, fix: "drop ALL" }]),
      ...(added.length === 0 ? [] : [{ property: "securityContext.capabilities.add", value: add, fix: "add none" }]),
    ];
  },
};

const notShared = (what: string) => oneOf(what, [undefined, false], "leave it out");

export const workloadRules = [
  ...rulesFor(workload, {
    "pod-not-root": {
      title: "Nothing runs as root",
      benchmark: ["CIS GKE 4.6.3", "CKV_K8S_23"],
      severity: "high",
      ...inPod(all(inPodOrContainer("runAsNonRoot", true), notUserZero)),
    },
    "pod-seccomp": {
      title: "System calls are filtered",
      benchmark: ["CIS GKE 4.6.2", "CKV_K8S_31"],
      severity: "medium",
      ...inPod(inPodOrContainer("seccompProfile.type", "RuntimeDefault")),
    },
    "pod-no-escalation": {
      title: "No process gets more rights than its parent",
      benchmark: ["CIS GKE 4.6.3", "CKV_K8S_16", "CKV_K8S_20"],
      severity: "high",
      ...containers(
        all(
          oneOf("securityContext.allowPrivilegeEscalation", [false]),
          oneOf("securityContext.privileged", [undefined, false], "leave it out"),
        ),
      ),
    },
    "pod-no-capabilities": {
      title: "Containers have none of root's capabilities",
      benchmark: ["CIS GKE 4.6.3", "CKV_K8S_28", "CKV_K8S_37"],
      severity: "high",
      ...containers(dropAll),
    },
    "pod-read-only": {
      title: "Containers cannot change their own files",
      benchmark: ["CKV_K8S_22"],
      severity: "medium",
      ...containers(oneOf("securityContext.readOnlyRootFilesystem", [true])),
    },
    "pod-host-apart": {
      title: "Pods share nothing with their node",
      benchmark: ["CIS GKE 4.2.1", "CKV_K8S_17", "CKV_K8S_18", "CKV_K8S_19"],
      severity: "critical",
      ...inPod(all(notShared("hostNetwork"), notShared("hostPID"), notShared("hostIPC"), safeVolumes)),
    },
    "pod-no-token": {
      title: "Pods hold no login to the cluster",
      benchmark: ["CIS GKE 4.1.5", "CKV_K8S_38"],
      severity: "high",
      ...inPod(oneOf("automountServiceAccountToken", [false])),
    },
    "pod-resources": {
      title: "Pods say what they need, and cannot take all of a node's memory or disk",
      benchmark: ["CKV_K8S_10", "CKV_K8S_12", "CKV_K8S_13"],
      severity: "medium",
      ...containers(
        all(
          ...["requests.cpu", "requests.memory", "limits.memory", 'limits["ephemeral-storage"]'].map((what) =>
            isSet(`resources.${what}`, "set resources in the service's config"),
          ),
        ),
      ),
    },
    "pod-pinned-image": {
      title: "An image that runs is known by more than its name",
      benchmark: ["CKV_K8S_14"],
      severity: "high",
      ...containers(pinnedImage),
    },
  }),
  ...rulesFor(job, {
    "job-ends": {
      title: "A run that hangs ends: it would hold up its release, or every run after it",
      severity: "medium",
      ...inJob(isSet("activeDeadlineSeconds", "set deadlineSeconds of the service, or timeoutSeconds of its release")),
    },
    "job-no-restarts": {
      title: "A run that fails leaves its pod, which says why",
      severity: "low",
      ...inJob(oneOf("template.spec.restartPolicy", ["Never"])),
    },
  }),
  ...rulesFor(account, {
    "account-no-token": {
      title: "An account hands out no login to the cluster",
      benchmark: ["CIS GKE 4.1.5"],
      severity: "high",
      ...oneOf("automountServiceAccountToken", [false]),
    },
  }),
  ...rulesFor(service, {
    "service-inside": {
      title: "The edge is the only way in: Services have addresses of the cluster alone",
      severity: "high",
      ...all(
        oneOf("spec.type", [undefined, "ClusterIP"], "use ClusterIP, and a route of the proxy"),
        oneOf("spec.externalIPs", [undefined], "leave it out"),
      ),
    },
  }),
  ...rulesFor(content, {
    "content-immutable": {
      title: "A new value is a new object, which rolls out and back like a release",
      severity: "low",
      ...oneOf("immutable", [true]),
    },
  }),
  ...rulesFor(namespace, {
    "namespace-restricted": {
      title: "Kubernetes itself refuses pods that are not restricted",
      benchmark: ["CIS GKE 4.2.1"],
      severity: "high",
      ...oneOf('metadata.labels["pod-security.kubernetes.io/enforce"]', ["restricted"]),
    },
  }),
  ...rulesFor(namespaced, {
    "namespace-own": {
      title: "Objects are in a namespace of the stack's own",
      benchmark: ["CIS GKE 4.6.4", "CKV_K8S_21"],
      severity: "low",
      ...isSet("metadata.namespace", "name the stack's namespace", ["default"]),
    },
  }),
];
