import assert from "node:assert/strict";
import { test } from "node:test";
import { podSpec, resourceRequirements, rollingUpdate, rolloutTimeouts } from "../../../components/workloads/pod.ts";

test("a pod is restricted, has no permissions in the cluster, spreads, and drains before it stops", () => {
  const spread = (topologyKey: string) => ({
    topologyKey,
    maxSkew: 1,
    whenUnsatisfiable: "ScheduleAnyway",
    labelSelector: { matchLabels: { "app.kubernetes.io/name": "hoge" } },
  });
  // Exact, to prove that host namespaces, added capabilities and privileged containers are absent.
  assert.deepEqual(podSpec("hoge", { drainSeconds: 40 }, { name: "hoge", image: "registry.example.com/hoge:1" }), {
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
    // The last request may take half a minute.
    terminationGracePeriodSeconds: 80,
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

test("a workload's own settings extend the shared ones", () => {
  const volumes = [{ name: "tmp", emptyDir: {} }];
  const spec = podSpec("hoge", { drainSeconds: 10 }, { name: "hoge" }, { volumes });
  assert.deepEqual(spec.volumes, volumes);
  assert.equal(spec.automountServiceAccountToken, false);
});

test("the memory limit equals the request, the disk limit covers logs, and CPU has no limit", () => {
  assert.deepEqual(resourceRequirements({ cpu: "100m", memory: "128Mi" }, false), {
    requests: { cpu: "100m", memory: "128Mi", "ephemeral-storage": "64Mi" },
    limits: { memory: "128Mi", "ephemeral-storage": "512Mi" },
  });
});

test("on Autopilot the disk's request is its limit, which Autopilot would lower otherwise", () => {
  for (const [storage, ...given] of [["512Mi"], ["1536Mi", "1536Mi"]])
    assert.deepEqual(resourceRequirements({ cpu: "50m", memory: "52Mi" }, true, ...given), {
      requests: { cpu: "50m", memory: "52Mi", "ephemeral-storage": storage },
      limits: { memory: "52Mi", "ephemeral-storage": storage },
    });
});

test("a rollout never stops a pod before its successor is ready, and fails after its timeout", () => {
  assert.deepEqual(rollingUpdate(1), { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } });
  assert.deepEqual(rolloutTimeouts(90), { create: "90s", update: "90s" });
});
