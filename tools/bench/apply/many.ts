/** The same objects by this project and by kubectl alone, each into a namespace of its own. */
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
  /** Until everything is applied and what is left over is gone, without the time that rollouts take. */
  readonly seconds: number;
  /** Of `kubectl apply --server-side --prune --applyset`. */
  readonly kubectlSeconds: number;
}

const most = 1000;
/** The program is evaluated once in a process: fewer services are taken from the objects of the most. */
let rendered: readonly KubernetesObject[] | undefined;

export async function measureMany(target: KubectlTarget, services: number, say: (text: string) => void): Promise<Many> {
  rendered ??= (await evaluate("local", stackOf(most, images[0]), "redacted")).objects;
  const numberIn = (name: string) => Number(/^(?:pods-)?s(\d+)(?:-flows)?$/.exec(name)?.[1] ?? 0);
  const first = rendered.filter(({ metadata }) => numberIn(metadata.name) <= services);
  const changes: Change[] = [];
  const measure = async (what: string, objects: readonly KubernetesObject[]) => {
    say(`${what}: this`);
    const seconds = await ours(target, `this-${services}`, objects);
    say(`${what}: kubectl`);
    changes.push({ what, seconds, kubectlSeconds: await peer(target, inNamespace(objects, `kubectl-${services}`)) });
  };
  await measure("all of it is new", first);
  await measure("nothing", first);
  const changed = first.map(withNewImage);
  await measure("one image", changed);
  await measure(
    "one service less",
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
  let [waited, waitsSince] = [0, NaN];
  const endWait = () => {
    if (!Number.isNaN(waitsSince)) waited += performance.now() - waitsSince;
    waitsSince = NaN;
  };
  await apply(target, await liveState(target, namespace), inNamespace(objects, namespace), 900, (step) => {
    endWait();
    if (step === waitingForRollouts) waitsSince = performance.now();
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
