/** What keeps a pod from becoming ready: the words that the diagnoses of pods share. */

import type { Health } from "../../../components/workloads/health.ts";

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
}

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

/** How long a pod may take to start before it counts as a problem. Seconds. */
export const patience = ({ health }: Pick<Workload, "health">): number => Math.max(60, health?.startSeconds ?? 0);

/** At most 200 characters. Of a longer message, the cause is at the end: `failed to pull: failed to resolve: … refused`. */
export const short = (text = ""): string => (text.length > 200 ? `${text.slice(0, 79)}…${text.slice(-120)}` : text);

/** What to fix if a service's image is wrong: its key, or the folder that it is built from. */
export const imageOf = ({ key, folder }: Workload): string =>
  folder === undefined ? `${key}.image` : `the program in ${folder}`;

/** A fix for what is right in the config, and was changed or deleted in the cluster. */
export const restore = ({ apply }: Remedies, what: string): string => `${apply}   # restores ${what}`;
