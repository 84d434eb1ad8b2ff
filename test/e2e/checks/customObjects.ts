/** Objects of custom kinds, with every field that the program can set. */
import { record } from "../../../tools/testing/recorded.ts";

export interface CustomObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; namespace?: string };
  readonly spec: object;
}

const armor = { rateLimit: { requests: 1000 } };
const tls = { mode: "managed", wildcard: true };
const variants: readonly Readonly<Record<string, object>>[] = [
  { edge: { kind: "gce", armor, cdn: {} }, proxy: { metrics: { scrape: "google" } } },
  { edge: { kind: "gce", iap: { members: ["group:developers@example.com"] } } },
  { edge: { kind: "gateway", armor, cdn: {} }, tls },
  { edge: { kind: "gateway", timeoutSeconds: 60 }, proxy: { metrics: { scrape: "prometheus-operator" } } },
];

/** The groups of Kubernetes and of the Gateway API end in `k8s.io`, or have no dot. */
const isCustom = ({ apiVersion }: CustomObject) => /\..*\//.test(apiVersion) && !/k8s\.io\//.test(apiVersion);

export async function customObjects(): Promise<CustomObject[]> {
  const objects: CustomObject[] = [];
  for (const changes of variants) {
    const { recording } = await record("staging", changes);
    for (const { type, inputs } of recording.resources)
      if (type.startsWith("kubernetes:") && typeof inputs["apiVersion"] === "string")
        objects.push(structuredClone(inputs) as unknown as CustomObject);
  }
  return objects.filter(isCustom);
}
