/** Which kinds of objects an API server can check. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parse } from "yaml";
import { kubectl, type KubectlTarget } from "../../../tools/cli/kubectl.ts";

/**
 * Kinds that only GKE has, or an operator brings. What their public sources allow is written down here, for neither
 * Google's definitions nor the operator's come with anything that is installed.
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

/** Google says what may be in it by examples alone. https://cloud.google.com/kubernetes-engine/docs/how-to/configure-cdn-for-gateway */
export const undefinedKinds: readonly string[] = ["networking.gke.io/v1 GCPHTTPFilter"];

export const kindOf = ({ apiVersion, kind }: { readonly apiVersion: string; readonly kind: string }) =>
  `${apiVersion} ${kind}`;

/** Tells the server of the kinds that it has not. @returns all that it has then, `apps/v1 Deployment` and so on */
export async function defineKinds(place: KubectlTarget): Promise<Set<string>> {
  await kubectl(place, ["apply", "--server-side", "-f", folder]);
  await kubectl(place, ["wait", "--for=condition=Established", "--timeout=60s", "-f", folder]);
  // What is established is listed a moment later.
  const end = Date.now() + 60_000;
  for (;;) {
    const kinds = await knownKinds(place);
    const missing = definedKinds.filter((kind) => !kinds.has(kind));
    if (missing.length === 0) return kinds;
    if (Date.now() > end) throw new Error(`The server does not list ${missing.join(", ")}`);
    await setTimeout(200);
  }
}

async function knownKinds(place: KubectlTarget): Promise<Set<string>> {
  const lines = (await kubectl(place, ["api-resources", "--no-headers"])).trim().split("\n");
  // NAME SHORTNAMES APIVERSION NAMESPACED KIND; some have no short name.
  return new Set(lines.map((line) => line.split(/\s+/).slice(-3)).map(([version, , kind]) => `${version} ${kind}`));
}
