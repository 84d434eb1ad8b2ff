/** The two places a local stack can run: the Kubernetes that this project starts, and one that is there already. */
import { allowed } from "../config/report.ts";
import { kubectlPath } from "./build.ts";
import { startCluster } from "./cluster.ts";
import { CommandError, run } from "./command.ts";
import { imagesInNode, importImage } from "./inNode.ts";
import { kubectl, type Place } from "./kubectl.ts";
import { Problem } from "./problem.ts";
import type { Progress } from "./progress.ts";

export interface Cluster {
  readonly place: Place;
  /** Where its ingress controller answers. @default - what the Ingress says */
  readonly address?: string;
  /** Makes an image known to the nodes. */
  loadImage(archive: string, reference: string): Promise<void>;
}

export async function embeddedCluster(
  ports: { httpPort: number; httpsPort: number },
  progress: Progress,
): Promise<Cluster> {
  const address = "127.0.0.1";
  const { kubeconfig, context } = await startCluster({ ...ports, address }, progress);
  const known = await imagesInNode();
  return {
    place: { kubectl: kubectlPath, kubeconfig, context },
    address,
    loadImage: async (archive, reference) => {
      if (!known.includes(reference)) await importImage(archive);
    },
  };
}

/** @throws Problem when kubectl or the context is not there */
export async function existingCluster(context: string): Promise<Cluster> {
  const place = { kubectl: "kubectl", context };
  const contexts = await contextNames();
  if (!contexts.includes(context))
    throw new Problem(`There is no kubectl context "${context}".`, `${allowed(context, contexts)}.`);
  try {
    await kubectl(place, ["version", "--request-timeout=10s"]);
  } catch (error) {
    throw new Problem(
      `The cluster of the context "${context}" does not answer:\n${error instanceof CommandError ? error.output : String(error)}`,
      "Start it, or name another context.",
    );
  }
  return { place, loadImage: (archive, reference) => load(context, archive, reference) };
}

async function contextNames(): Promise<string[]> {
  try {
    return (await run("kubectl", ["config", "get-contexts", "-o", "name"])).split("\n").filter((name) => name !== "");
  } catch (error) {
    if (error instanceof CommandError)
      throw new Problem(`kubectl cannot read its contexts:\n${error.output}`, "Mend the kubeconfig.");
    throw new Problem(
      "There is no kubectl on PATH.",
      "Install it, or leave --context out: npm start then brings its own.",
    );
  }
}

/** The clusters that people run on their own machine take images from a file, each by a command of its own. */
async function load(context: string, archive: string, reference: string): Promise<void> {
  const [kind, k3d] = [/^kind-(.+)$/.exec(context)?.[1], /^k3d-(.+)$/.exec(context)?.[1]];
  try {
    if (kind !== undefined) await run("kind", ["load", "image-archive", archive, "--name", kind]);
    else if (k3d !== undefined) await run("k3d", ["image", "import", archive, "--cluster", k3d]);
    else if (context.startsWith("minikube")) await run("minikube", ["--profile", context, "image", "load", archive]);
    else throw new Error(`nothing is known of how to give an image to the cluster of "${context}"`);
  } catch (error) {
    const why = error instanceof CommandError ? error.output : error instanceof Error ? error.message : String(error);
    throw new Problem(
      `The image ${reference} cannot be loaded: ${why}`,
      "Push it to a registry that the cluster pulls from and set image: instead of build: in Pulumi.local.yaml.",
    );
  }
}
