/** Where the images come from. */
import type { StackSettings } from "../../config/config.ts";
import { registryOf, repositoryOf } from "../../names/google.ts";
import type { Arrow, Node } from "./shapes.ts";
import { count, shortened } from "./text.ts";

interface Images {
  readonly nodes: readonly Node[];
  readonly arrows: readonly Arrow[];
}

export function imagesOf(stack: string, settings: StackSettings): Images {
  const { cluster, registry, services, proxy } = settings;
  const sources = [proxy, ...Object.values(services)];
  const given = sources.flatMap(({ image }) => image ?? []);
  const built = sources.length - given.length;
  const nodes: Node[] = [];
  let others = given;
  if (registry.kind === "artifact-registry") {
    const { host, path } = registryOf(registry.region, registry.project);
    const own = `${host}/${path}/`;
    others = given.filter((image) => !image.startsWith(own));
    const used = given
      .filter((image) => image.startsWith(own))
      .map((image) => image.slice(own.length).split("/")[0] ?? "");
    const lines = counted([...Array<string>(built).fill(repositoryOf(stack)), ...used]);
    nodes.push({ id: "registry", kind: "registry", title: "Artifact Registry", lines, group: "google" });
  } else if (built > 0) {
    const lines = ["built by npm start, put on the node: no registry"];
    nodes.push({ id: "registry", kind: "registry", title: count(built, "image"), lines });
  }
  const hosts = counted(others.map(hostOf));
  if (hosts.length > 0)
    nodes.push({
      id: "registries",
      kind: "registry",
      title: hosts.length === 1 ? "Registry" : "Registries",
      lines: hosts,
    });
  const outermost = cluster.kind === "gke" ? "google" : "cluster";
  return {
    nodes,
    arrows: nodes.map(({ id, group }) => ({
      from: id,
      to: group === "google" ? "network" : outermost,
      kind: "images",
      lines: ["images"],
    })),
  };
}

/** Each name with how often it stands there. */
function counted(names: readonly string[]): string[] {
  const found = [...new Set(names)].map(
    (name) => `${name}: ${count(names.filter((each) => each === name).length, "image")}`,
  );
  return shortened(found, 3);
}

/** https://pkg.go.dev/github.com/distribution/reference: a first part without dot and port is not a host. */
function hostOf(image: string): string {
  const [first = "", ...rest] = image.split("/");
  return rest.length > 0 && /[.:]|^localhost$/.test(first) ? first : "docker.io";
}
