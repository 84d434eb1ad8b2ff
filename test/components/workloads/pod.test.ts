import assert from "node:assert/strict";
import { test } from "node:test";
import { podSpec, resourceRequirements, rollingUpdate, rolloutTimeouts } from "../../../components/workloads/pod.ts";

test("a pod is restricted, has no rights in the cluster, spreads, and drains before it stops", () => {
  const spread = (topologyKey: string) => ({
    topologyKey,
    maxSkew: 1,
    whenUnsatisfiable: "ScheduleAnyway",
    labelSelector: { matchLabels: { "app.kubernetes.io/name": "hoge" } },
  });
  // Exact, so that host namespaces, added capabilities and privileged containers are known to be absent.
  assert.deepEqual(podSpec("hoge", 40, { name: "hoge", image: "registry.example.com/hoge:1" }), {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      fsGroup: 65532,
      seccompProfile: { type: "RuntimeDefault" },
    },
    topologySpreadConstraints: [spread("topology.kubernetes.io/zone"), spread("kubernetes.io/hostname")],
    // A request that came in last may take half a minute.
    terminationGracePeriodSeconds: 75,
    containers: [
      {
        name: "hoge",
        image: "registry.example.com/hoge:1",
        lifecycle: { preStop: { sleep: { seconds: 40 } } },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          runAsNonRoot: true,
          capabilities: { drop: ["ALL"] },
          seccompProfile: { type: "RuntimeDefault" },
        },
      },
    ],
  });
});

test("what a workload adds is kept beside what all have in common", () => {
  const volumes = [{ name: "tmp", emptyDir: {} }];
  const spec = podSpec("hoge", 10, { name: "hoge" }, { volumes });
  assert.deepEqual(spec.volumes, volumes);
  assert.equal(spec.automountServiceAccountToken, false);
});

test("memory is limited to what is asked for, the disk to what logs may need, CPU is not limited", () => {
  assert.deepEqual(resourceRequirements({ cpu: "100m", memory: "128Mi" }), {
    requests: { cpu: "100m", memory: "128Mi", "ephemeral-storage": "64Mi" },
    limits: { memory: "128Mi", "ephemeral-storage": "512Mi" },
  });
});

test("a rollout never takes a pod away before its successor is ready, and fails in the time that was given", () => {
  assert.deepEqual(rollingUpdate(1), { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } });
  assert.deepEqual(rolloutTimeouts(90), { create: "90s", update: "90s" });
});
