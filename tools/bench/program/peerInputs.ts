/** Writes the same objects as each peer's users would: if the tool has loops, the objects of a service are written once. */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { KubernetesObject } from "../../stack/evaluate.ts";
import { objectYaml, toYaml } from "../../stack/yaml.ts";
import { cacheDir } from "../../cli/paths.ts";
import { digest } from "../../programs/cache.ts";
import { imageOf, serviceName } from "./stack.ts";

export const peerNames = ["Helm", "kustomize", "cdk8s"] as const;
export type PeerName = (typeof peerNames)[number];

export const source = join(import.meta.dirname, "peers");
export const pins = ["package.json", "package-lock.json"];
/** Contains cdk8s's `node_modules`. */
export const cdk8sDir = join(cacheDir, "bench", `cdk8s-${digest(pins.map((file) => join(source, file)))}`);

export type PeerFolders = Readonly<Record<PeerName, string>>;

/** @param objects this project's rendering of a stack with `count` services */
export function writePeerInputs(folder: string, objects: readonly KubernetesObject[], count: number): PeerFolders {
  const folders: PeerFolders = {
    Helm: join(folder, "helm"),
    kustomize: join(folder, "kustomize"),
    cdk8s: join(folder, "cdk8s"),
  };
  const services = Array.from({ length: count }, (_, index) => ({ name: serviceName(index), image: imageOf(index) }));
  const named = new Set(services.flatMap(({ name }) => objectNames(name)));
  const fixed = objects.filter(({ metadata }) => !named.has(metadata.name));
  const repeated = objects.filter(({ metadata }) => named.has(metadata.name));
  const one = repeated.filter(({ metadata }) => objectNames(serviceName(0)).includes(metadata.name));
  writeHelm(folders.Helm, fixed, one, services);
  writeKustomize(folders.kustomize, [...fixed, ...repeated]);
  writeCdk8s(folders.cdk8s, fixed, one, services);
  return folders;
}

type Services = readonly { readonly name: string; readonly image: string }[];

const objectNames = (service: string) => [service, `pods-${service}`, `${service}.from.nginx-proxy`];

/** The text of one service, with the tool's placeholders for name and image. */
const template = (text: string, image: string, name: string) =>
  text.replaceAll(imageOf(0), image).replaceAll(serviceName(0), name);

/** A chart: a loop over the values, and the other objects literally. */
function writeHelm(folder: string, fixed: readonly object[], one: readonly object[], services: Services): void {
  mkdirSync(join(folder, "templates"), { recursive: true });
  const write = (file: string, text: string) => {
    writeFileSync(join(folder, file), text);
  };
  write("Chart.yaml", objectYaml({ apiVersion: "v2", name: "bench", version: "1.0.0" }));
  write("values.yaml", objectYaml({ services }));
  write("templates/fixed.yaml", toYaml(fixed));
  const loop = one.map((object) => `---\n${template(objectYaml(object), "{{ .image }}", "{{ .name }}")}`).join("");
  write("templates/services.yaml", `{{- range .Values.services }}\n${loop}{{- end }}\n`);
}

/** All objects literally, because kustomize has no loops, without the common namespace and label. */
function writeKustomize(folder: string, objects: readonly KubernetesObject[]): void {
  mkdirSync(join(folder, "base"), { recursive: true });
  const isNamespace = ({ kind }: KubernetesObject) => kind === "Namespace";
  const labels: Record<string, string> = {};
  const without = objects.filter((object) => !isNamespace(object)).map((object) => withoutShared(object, labels));
  const namespaces = objects.filter(isNamespace);
  writeFileSync(join(folder, "namespace.yaml"), toYaml(namespaces));
  writeFileSync(join(folder, "kustomization.yaml"), objectYaml({ resources: ["namespace.yaml", "base"] }));
  writeFileSync(join(folder, "base", "objects.yaml"), toYaml(without));
  const base = {
    namespace: namespaces[0]?.metadata.name,
    labels: [{ pairs: labels, includeTemplates: true }],
    resources: ["objects.yaml"],
  };
  writeFileSync(join(folder, "base", "kustomization.yaml"), objectYaml(base));
}

const shared = "app.kubernetes.io/part-of";

/** @param labels receives the label that was removed */
function withoutShared(object: object, labels: Record<string, string>): object {
  return JSON.parse(JSON.stringify(object), (key, value: unknown) => {
    if (key !== "labels" && key !== "metadata") return value;
    const { namespace: _, [shared]: label, ...rest } = value as Record<string, unknown>;
    if (typeof label === "string") labels[shared] = label;
    return rest;
  }) as object;
}

/** A JavaScript loop over one object literal. */
function writeCdk8s(folder: string, fixed: readonly object[], one: readonly object[], services: Services): void {
  mkdirSync(folder, { recursive: true });
  symlinkSync(join(cdk8sDir, "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "fixed.json"), JSON.stringify(fixed));
  writeFileSync(join(folder, "services.json"), JSON.stringify(services));
  const literal = template(JSON.stringify(one, null, 2), "${image}", "${name}").replaceAll(
    /"([^"\n]*\$\{[^"\n]*)"/g,
    "`$1`",
  );
  const main = `import { readFileSync } from "node:fs";
import { ApiObject, App, Chart } from "cdk8s";

const read = (file) => JSON.parse(readFileSync(new URL(file, import.meta.url), "utf8"));
const objects = ({ name, image }) => ${literal};
const app = new App();
const chart = new Chart(app, "bench");
for (const object of [...read("fixed.json"), ...read("services.json").flatMap(objects)])
  new ApiObject(chart, \`\${object.kind}-\${object.metadata.name}\`, object);
process.stdout.write(app.synthYaml());
`;
  writeFileSync(join(folder, "main.mjs"), main);
}
