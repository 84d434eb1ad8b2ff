/** The two clusters that a local stack can run in: the Kubernetes that this project starts, or an existing cluster. */
import { allowed } from "../../config/problems.ts";
import { kubectlPath } from "../machine/kubernetes.ts";
import { startCluster } from "../machine/cluster.ts";
import { CommandError, run } from "../cli/run.ts";
import type { BuiltImage } from "../images/build.ts";
import { imagesInNode, importImage, sandboxInit } from "../machine/exec.ts";
import { kubectl, type KubectlTarget } from "../cli/kubectl.ts";
import { apiServer } from "../machine/node/addresses.ts";
import { context } from "../machine/node/credentials.ts";
import { Problem } from "../cli/problem.ts";
import type { Progress } from "../cli/progress.ts";
import { containerdReady } from "../machine/waitReady.ts";
import { findSandboxes } from "../machine/sandbox.ts";

export interface TargetCluster {
  readonly target: KubectlTarget;
  /** Whether `npm stop` leaves the cluster running, because this checkout did not start it. */
  readonly outlivesStop: boolean;
  /** Address of its ingress controller. @default - the one in the Ingress's status */
  readonly address?: string;
}

/** Loads images into the cluster's nodes. */
export type LoadImages = (images: Iterable<BuiltImage>) => Promise<void>;

/** Builds the images and loads them into a cluster. @param load undefined if that is not possible: its nodes pull from a registry */
export type PutImages = (load: LoadImages | undefined, context: string) => Promise<void>;

/** @param putImages called as soon as the cluster can import images, before it is ready */
export async function embeddedCluster(
  options: { namespace: string; autoscaling: boolean; httpPort: number; httpsPort: number },
  progress: Progress,
  putImages: PutImages,
): Promise<TargetCluster> {
  const address = "127.0.0.1";
  const load: LoadImages = async (images) => {
    await containerdReady();
    await importMissing(images);
  };
  const { kubeconfig } = await startCluster({ ...options, address }, progress, () => putImages(load, context));
  const target = { kubectl: kubectlPath, kubeconfig, context };
  return { target, outlivesStop: false, address };
}

/** @throws Problem if kubectl or the context does not exist */
export async function existingCluster(context: string, putImages: PutImages): Promise<TargetCluster> {
  const target = { kubectl: "kubectl", context };
  const contexts = await contextNames();
  if (contexts.length === 0)
    throw new Problem(
      "No context is known to kubectl.",
      "Create one with the tool of your cluster, or leave --context out: npm start then brings its own cluster.",
    );
  if (!contexts.includes(context))
    throw new Problem(`There is no kubectl context "${context}".`, `${allowed(context, contexts)}.`);
  try {
    await kubectl(target, ["version", "--request-timeout=10s"]);
  } catch (error) {
    throw new Problem(
      `The cluster of the context "${context}" does not answer:\n${error instanceof CommandError ? error.output : String(error)}`,
      "Start it, or name another context.",
    );
  }
  const embedded = findSandboxes().length > 0 && (await serverOf(target)) === apiServer;
  const outlivesStop = !(embedded && sandboxInit() !== undefined);
  await putImages(embedded ? importMissing : loaderOf(context), context);
  return { target, outlivesStop };
}

async function contextNames(): Promise<string[]> {
  try {
    return (await run("kubectl", ["config", "get-contexts", "-o", "name"])).split("\n").filter((name) => name !== "");
  } catch (error) {
    if (error instanceof CommandError)
      throw new Problem(`The kubeconfig cannot be read by kubectl:\n${error.output}`, "Fix the kubeconfig.");
    throw new Problem(
      "There is no kubectl on PATH.",
      "Install it, or leave --context out: npm start then brings its own.",
    );
  }
}

function serverOf(target: KubectlTarget): Promise<string> {
  return kubectl(target, ["config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}"]);
}

async function importMissing(images: Iterable<BuiltImage>): Promise<void> {
  const known = await imagesInNode();
  for (const { archive, reference } of images) if (!known.includes(reference)) await importImage(archive);
}

/** kind, k3d and minikube each have a command of their own that loads an image from a file. */
function loaderOf(context: string): LoadImages | undefined {
  const [, kind, name = ""] = /^(kind|k3d|minikube)-?(.*)$/.exec(context) ?? [];
  const command = {
    kind: (archive: string) => ["kind", "load", "image-archive", archive, "--name", name],
    k3d: (archive: string) => ["k3d", "image", "import", archive, "--cluster", name],
    minikube: (archive: string) => ["minikube", "--profile", context, "image", "load", archive],
  }[kind ?? ""];
  if (command === undefined) return undefined;
  return async (images) => {
    for (const { archive, reference } of images) {
      const [program = "", ...args] = command(archive);
      try {
        await run(program, args);
      } catch (error) {
        const why = error instanceof CommandError ? error.output : `there is no ${program} on PATH.`;
        throw new Problem(
          `The image ${reference} cannot be loaded into the cluster of "${context}": ${why}`,
          pullInstead,
        );
      }
    }
  };
}

export const pullInstead =
  "Push it to a registry that the cluster pulls from, and set image: instead of build: in Pulumi.local.yaml.";
