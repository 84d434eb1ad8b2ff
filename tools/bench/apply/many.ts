/** Measures the same objects, applied by this project and by kubectl alone, each into its own namespace. */
import { apply, liveState, waitingForRollouts } from "../../apply/apply.ts";
import { evaluate, type KubernetesObject } from "../../stack/evaluate.ts";
import { kubectl, type KubectlTarget } from "../../cli/kubectl.ts";
import { changing, images, stackOf } from "./stack.ts";

export interface Many {
  readonly services: number;
  readonly objects: number;
  readonly changes: readonly Change[];
}

export interface Change {
  readonly what: string;
  /** Until everything is applied and pruned, without the time of the rollouts. */
  readonly seconds: number;
  /** Time of `kubectl apply --server-side --prune --applyset`. */
  readonly kubectlSeconds: number;
}

const largest = 1000;
/** The program runs once per process, so smaller stacks are subsets of the objects of the largest. */
let rendered: readonly KubernetesObject[] | undefined;

export async function measureMany(target: KubectlTarget, services: number, say: (text: string) => void): Promise<Many> {
  rendered ??= (await evaluate("local", stackOf(largest, images[0]), "redacted")).objects;
  const numberIn = (name: string) => Number(/^(?:pods-)?s(\d+)(?:\.|$)/.exec(name)?.[1] ?? 0);
  const first = rendered.filter(({ metadata }) => numberIn(metadata.name) <= services);
  const changes: Change[] = [];
  const measure = async (what: string, objects: readonly KubernetesObject[]) => {
    say(`${what}: this`);
    const seconds = await ours(target, `this-${services}`, objects);
    say(`${what}: kubectl`);
    changes.push({ what, seconds, kubectlSeconds: await peer(target, inNamespace(objects, `kubectl-${services}`)) });
  };
  await measure("everything is new", first);
  await measure("nothing changes", first);
  const changed = first.map(withNewImage);
  await measure("one image changes", changed);
  await measure(
    "one service is removed",
    changed.filter(({ metadata }) => numberIn(metadata.name) !== services),
  );
  return { services, objects: first.length, changes };
}

function inNamespace(objects: readonly KubernetesObject[], namespace: string): KubernetesObject[] {
  return objects.map((object) => ({
    ...object,
    metadata: object.kind === "Namespace" ? { ...object.metadata, name: namespace } : { ...object.metadata, namespace },
  }));
}

function withNewImage(object: KubernetesObject): KubernetesObject {
  if (object.kind !== "Deployment" || object.metadata.name !== changing) return object;
  return JSON.parse(JSON.stringify(object).replaceAll(images[0], images[1])) as KubernetesObject;
}

async function ours(target: KubectlTarget, namespace: string, objects: readonly KubernetesObject[]): Promise<number> {
  const began = performance.now();
  let [waited, waitingSince] = [0, NaN];
  const endWait = () => {
    if (!Number.isNaN(waitingSince)) waited += performance.now() - waitingSince;
    waitingSince = NaN;
  };
  await apply(target, await liveState(target, namespace), inNamespace(objects, namespace), 900, (step) => {
    endWait();
    if (step === waitingForRollouts) waitingSince = performance.now();
  });
  endWait();
  return (performance.now() - began - waited) / 1000;
}

async function peer(target: KubectlTarget, objects: readonly KubernetesObject[]): Promise<number> {
  const [namespaces, members] = [true, false].map((is) => objects.filter(({ kind }) => (kind === "Namespace") === is));
  const namespace = namespaces?.[0]?.metadata.name ?? "";
  const list = (items: readonly KubernetesObject[] = []) => JSON.stringify({ apiVersion: "v1", kind: "List", items });
  const began = performance.now();
  await kubectl(target, ["apply", "--server-side", "-f", "-"], { input: list(namespaces) });
  await kubectl(target, ["apply", "--server-side", "--prune", "--applyset=peer", "-n", namespace, "-f", "-"], {
    input: list(members),
    env: { KUBECTL_APPLYSET: "true" },
  });
  return (performance.now() - began) / 1000;
}
