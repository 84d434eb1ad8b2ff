/** What the sentences about a change are made of. */
import type { KubernetesObject, Registered } from "../stack/evaluate.ts";

export interface Consequence {
  /** Without markup. */
  readonly text: string;
  /** Names that the sentence is about. @default - none */
  readonly names?: readonly string[];
}

/** What the program registers before or after the change. */
export interface Registrations {
  readonly objects: readonly KubernetesObject[];
  /** Everything else too. @default - the program cannot list it */
  readonly resources?: readonly Pick<Registered, "type" | "inputs">[] | undefined;
}
