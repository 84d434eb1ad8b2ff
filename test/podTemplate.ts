/** The part of a pod template that tests read. */
export interface PodTemplate {
  readonly metadata: { readonly labels: Record<string, string> };
  readonly spec: {
    readonly securityContext: Record<string, unknown>;
    readonly automountServiceAccountToken: boolean;
    readonly serviceAccountName?: string;
    readonly containers: readonly {
      readonly name: string;
      readonly image: string;
      readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
      readonly securityContext: Record<string, unknown>;
      readonly readinessProbe?: { readonly httpGet?: { readonly path: string; readonly port: string } };
      readonly resources: { readonly requests: Record<string, string>; readonly limits: Record<string, string> };
      readonly volumeMounts?: readonly { readonly name: string }[];
      readonly envFrom?: readonly { readonly secretRef: { readonly name: string } }[];
    }[];
    readonly initContainers?: PodTemplate["spec"]["containers"];
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
