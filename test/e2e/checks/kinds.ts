/** The kinds of objects that an API server can validate. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parse } from "yaml";
import { kubectl, type KubectlTarget } from "../../../tools/cli/kubectl.ts";

/**
 * CRDs for kinds of GKE and of an operator, written from their public documentation. The local Kubernetes does not
 * include the originals.
 */
const folder = join(import.meta.dirname, "definitions");

interface Definition {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string }[];
  };
}

/** `cloud.google.com/v1 BackendConfig` and so on. */
export const definedKinds: readonly string[] = readdirSync(folder).flatMap((file) => {
  const { spec } = parse(readFileSync(join(folder, file), "utf8")) as Definition;
  return spec.versions.map(({ name }) => `${spec.group}/${name} ${spec.names.kind}`);
});

/** Google documents this kind only by examples. https://cloud.google.com/kubernetes-engine/docs/how-to/configure-cdn-for-gateway */
export const undefinedKinds: readonly string[] = ["networking.gke.io/v1 GCPHTTPFilter"];

export const kindOf = ({ apiVersion, kind }: { readonly apiVersion: string; readonly kind: string }) =>
  `${apiVersion} ${kind}`;

/** Defines the missing kinds. @returns all kinds of the server, such as `apps/v1 Deployment` */
export async function defineKinds(localTarget: KubectlTarget): Promise<Set<string>> {
  await kubectl(localTarget, ["apply", "--server-side", "-f", folder]);
  await kubectl(localTarget, ["wait", "--for=condition=Established", "--timeout=60s", "-f", folder]);
  // Established kinds are listed with a delay.
  const end = Date.now() + 60_000;
  for (;;) {
    const kinds = await knownKinds(localTarget);
    const missing = definedKinds.filter((kind) => !kinds.has(kind));
    if (missing.length === 0) return kinds;
    if (Date.now() > end) throw new Error(`The server does not list ${missing.join(", ")}`);
    await setTimeout(200);
  }
}

async function knownKinds(localTarget: KubectlTarget): Promise<Set<string>> {
  const lines = (await kubectl(localTarget, ["api-resources", "--no-headers"])).trim().split("\n");
  // NAME SHORTNAMES APIVERSION NAMESPACED KIND; some have no short name.
  return new Set(lines.map((line) => line.split(/\s+/).slice(-3)).map(([version, , kind]) => `${version} ${kind}`));
}
