/** The output of `npm run render` as objects: each run is a separate process, as for users. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parseAllDocuments } from "yaml";
import { projectDir, stacksDir } from "../../names/project.ts";
import type { PodTemplate } from "../podTemplate.ts";

export { projectDir, stacksDir };

export interface Rendering {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export async function render(...args: string[]): Promise<Rendering> {
  // Runs in another folder: paths in the config are relative to the project, not to the working folder.
  const child = spawn(process.execPath, [join(projectDir, "tools/commands/render.ts"), ...args], {
    cwd: tmpdir(),
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 60_000,
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { status: child.exitCode, stdout, stderr };
}

export interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly immutable?: boolean;
  readonly data?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
}
export interface Deployment extends Rendered {
  readonly spec: {
    readonly replicas: number;
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly template: PodTemplate;
  };
}
export interface Service extends Rendered {
  readonly spec: {
    readonly type: string;
    /** `None` for a headless Service. */
    readonly clusterIP?: string;
    readonly selector: Readonly<Record<string, string>>;
    readonly ports: readonly { readonly name: string; readonly port: number; readonly targetPort: string }[];
  };
}
export interface Ingress extends Rendered {
  readonly spec: {
    readonly tls?: readonly { readonly secretName: string; readonly hosts: readonly string[] }[];
    readonly rules: readonly {
      readonly host: string;
      readonly http: {
        readonly paths: readonly {
          readonly backend: { readonly service: { readonly name: string; readonly port: { readonly name: string } } };
        }[];
      };
    }[];
  };
}
export interface Gateway extends Rendered {
  readonly spec: {
    readonly listeners: readonly {
      readonly name: string;
      readonly tls?: { readonly certificateRefs: readonly { readonly name: string }[] };
    }[];
  };
}
export interface HttpRoute extends Rendered {
  readonly spec: {
    readonly parentRefs: readonly { readonly name: string; readonly sectionName: string }[];
    readonly hostnames?: readonly string[];
    readonly rules: readonly { readonly backendRefs?: readonly { readonly name: string; readonly port: number }[] }[];
  };
}
export interface DisruptionBudget extends Rendered {
  readonly spec: {
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly maxUnavailable?: number;
    readonly minAvailable?: number;
  };
}
export interface ServiceAccount extends Rendered {
  readonly automountServiceAccountToken: boolean;
}
/** A peer of a rule. https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/ */
export interface Peer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}
export interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}
interface Rule {
  readonly ports?: readonly { readonly protocol: string; readonly port: number }[];
}
export interface PolicySpec {
  readonly podSelector: Selector;
  readonly policyTypes: readonly string[];
  readonly ingress?: readonly (Rule & { readonly from?: readonly Peer[] })[];
  readonly egress?: readonly (Rule & { readonly to?: readonly Peer[] })[];
}
export interface NetworkPolicy extends Rendered {
  readonly spec: PolicySpec;
}
interface Kinds {
  NetworkPolicy: NetworkPolicy;
  Deployment: Deployment;
  Service: Service;
  Ingress: Ingress;
  Gateway: Gateway;
  HTTPRoute: HttpRoute;
  PodDisruptionBudget: DisruptionBudget;
  ConfigMap: Rendered;
  Secret: Rendered;
  ServiceAccount: ServiceAccount;
  Namespace: Rendered;
  FrontendConfig: Rendered;
  BackendConfig: Rendered;
}

export class Objects {
  readonly all: readonly Rendered[];

  constructor(yaml: string) {
    this.all = parseAllDocuments(yaml).map((document) => {
      assert.deepEqual(document.errors, []);
      return document.toJS() as Rendered;
    });
  }

  of<Kind extends keyof Kinds>(kind: Kind): Kinds[Kind][] {
    return this.all.filter((object): object is Kinds[Kind] => object.kind === kind);
  }

  /** The object of that kind and name; fails if there is none. */
  named<Kind extends keyof Kinds>(kind: Kind, name: string): Kinds[Kind] {
    const found = this.of(kind).find(({ metadata }) => metadata.name === name);
    return found ?? assert.fail(`there is no ${kind} ${name}`);
  }
}

export async function objectsOf(stack: string): Promise<Objects> {
  const { status, stdout, stderr } = await render(stack);
  assert.equal(status, 0, stderr);
  return new Objects(stdout);
}
