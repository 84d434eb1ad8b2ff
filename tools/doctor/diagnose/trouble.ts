/** What keeps a pod from becoming ready: the words that the diagnoses of pods share. */

import type { Health } from "../../../components/workloads/health.ts";
import { partOf } from "../../apply/podStates.ts";

export interface Workload {
  /** Name of the Deployment, and of the Service. */
  readonly name: string;
  /** Its key in the stack's config, such as `services.hoge`. */
  readonly key: string;
  /** Whether the config says what to start, instead of the image. @default false */
  readonly hasCommand?: boolean;
  /** Its port; undefined for a worker. */
  readonly port?: number | undefined;
  /** Its health check, if it has one. */
  readonly health?: Health | undefined;
  /** Folder that its image is built from. @default - the image is a ready one */
  readonly folder?: string | undefined;
  /** Key of its image. @default - `image` below its own */
  readonly imageKey?: string;
  /** The health checks of its sidecars, by name. @default - none */
  readonly sidecars?: Readonly<Record<string, Health | undefined>>;
  /** What this is, if it is not a program but what runs beside one or before it. */
  readonly part?: { readonly kind: "sidecar" | "init"; readonly title: string };
}

/** A pod, as far as it says what its containers are. */
interface WithContainers {
  readonly spec: Omit<Parameters<typeof partOf>[0], "initContainers"> & {
    readonly initContainers?: readonly {
      readonly name: string;
      readonly image?: string;
      readonly restartPolicy?: string;
      readonly command?: readonly string[];
    }[];
  };
}

/** A container of a pod, as if it were a workload: the same, if it is the program's. */
export function workloadOf(workload: Workload, { spec }: WithContainers, container: string): Workload {
  const part = partOf(spec, container, workload.name);
  if (part === undefined) return workload;
  const key = `${workload.key}${part.key}`;
  const { command } = spec.initContainers?.find(({ name }) => name === container) ?? {};
  return {
    name: workload.name,
    key,
    part,
    hasCommand: command !== undefined,
    health: workload.sidecars?.[container],
    folder: part.ownImage ? workload.folder : undefined,
    imageKey: `${part.ownImage ? workload.key : key}.image`,
  };
}

/** What is seen of a sidecar or an init container begins with its name. */
export const titled = ({ part }: Workload, trouble: Trouble): Trouble =>
  part === undefined ? trouble : { ...trouble, seen: `${part.title}: ${trouble.seen}` };

/** Commands and texts for fixes. */
export interface Remedies {
  readonly kubectl: string;
  readonly apply: string;
  readonly edit: (key: string, what?: string) => string;
}

export interface Trouble {
  readonly seen: string;
  readonly means: string;
  readonly fix: string;
  readonly passing?: boolean;
}

/** How long a pod may take to start before it counts as a problem: its program starts after its sidecars. Seconds. */
export const patience = ({ health, sidecars = {} }: Pick<Workload, "health" | "sidecars">): number =>
  Object.values(sidecars).reduce(
    (seconds, sidecar) => seconds + (sidecar?.startSeconds ?? 0),
    Math.max(60, health?.startSeconds ?? 0),
  );

/** At most 200 characters. Of a longer message, the cause is at the end: `failed to pull: failed to resolve: … refused`. */
export const short = (text = ""): string => (text.length > 200 ? `${text.slice(0, 79)}…${text.slice(-120)}` : text);

/** What to fix if a service's image is wrong: its key, or the folder that it is built from. */
export const imageOf = ({ key, folder, imageKey = `${key}.image` }: Workload): string =>
  folder === undefined ? imageKey : `the program in ${folder}`;

/** A fix for what is right in the config, and was changed or deleted in the cluster. */
export const restore = ({ apply }: Remedies, what: string): string => `${apply}   # restores ${what}`;
