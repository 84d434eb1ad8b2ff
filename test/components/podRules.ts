/** The `restricted` pod security standard and this project's own rules, for whole objects. */
import assert from "node:assert/strict";

export interface PodTemplate {
  readonly metadata: { readonly labels: Record<string, string> };
  readonly spec: {
    readonly securityContext: Record<string, unknown>;
    readonly automountServiceAccountToken: boolean;
    readonly containers: readonly {
      readonly name: string;
      readonly image: string;
      readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
      readonly securityContext: Record<string, unknown>;
      readonly resources: { readonly requests: Record<string, string>; readonly limits: Record<string, string> };
      readonly volumeMounts?: readonly { readonly name: string }[];
      readonly envFrom?: readonly { readonly secretRef: { readonly name: string } }[];
    }[];
    readonly initContainers?: unknown;
    readonly hostNetwork?: boolean;
    readonly hostPID?: boolean;
    readonly hostIPC?: boolean;
    readonly volumes?: readonly {
      readonly name: string;
      readonly configMap?: { readonly name: string };
      readonly emptyDir?: object;
    }[];
  };
}

/** https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted */
export function assertRestricted(what: string, { spec }: PodTemplate): void {
  assert.equal(spec.automountServiceAccountToken, false, `${what} has a token of the cluster`);
  assert.deepEqual([spec.hostNetwork, spec.hostPID, spec.hostIPC, spec.initContainers], Array(4).fill(undefined), what);
  assert.equal(spec.securityContext["runAsNonRoot"], true, what);
  assert.deepEqual(spec.securityContext["seccompProfile"], { type: "RuntimeDefault" }, what);
  assert.ok(Number(spec.securityContext["runAsUser"]) > 0, `${what} runs as root`);
  for (const { configMap, emptyDir, name } of spec.volumes ?? [])
    assert.ok(configMap ?? emptyDir, `${what}: volume ${name} is of a kind that is not allowed`);
  assert.ok(spec.containers.length > 0, what);
  for (const { name, image, securityContext, resources } of spec.containers) {
    assert.deepEqual(
      securityContext,
      {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        runAsNonRoot: true,
        capabilities: { drop: ["ALL"] },
        seccompProfile: { type: "RuntimeDefault" },
      },
      `${what}/${name}`,
    );
    assert.deepEqual(Object.keys(resources.requests).sort(), ["cpu", "memory"], `${what}/${name}`);
    assert.deepEqual(resources.limits, { memory: resources.requests["memory"] }, `${what}/${name}`);
    assert.doesNotMatch(image, /:latest$/, `${what}/${name}`);
  }
}
