/** The form of the bootstrap steps: data, so that one list is shown, run and tested. */

/** A command by words. A word may contain variables of the script. */
export type Words = readonly string[];

export interface Step {
  /** What the step does and why, on one line. */
  readonly why: string;
  readonly command: Words;
  /** Command that succeeds if the step is already done. @default - the step itself is idempotent */
  readonly exists?: Words;
  /** Variable for what the command prints. @default - none */
  readonly variable?: Variable;
}

/** Takes back grants of an earlier run that are no longer needed. It touches no grant of anybody else. */
export interface TakeBack {
  readonly why: string;
  /** Prints a line for each grant. */
  readonly list: Words;
  /** Variables for the words of a line. The last one takes the rest. */
  readonly fields: readonly Variable[];
  /** Lines to keep. */
  readonly keep: readonly string[];
  /** Lines to take back, unless they are kept. One that ends in `*` stands for all that begin like it. */
  readonly remove: readonly { readonly lines: readonly string[]; readonly command: Words }[];
}

/** The variables that the script may expand in a word. */
export const variables = ["PROJECT_NUMBER", "role", "title", "expression", "member"] as const;
export type Variable = (typeof variables)[number];

/** Placeholder for the project number, which Google assigns. */
export const projectNumber = "$PROJECT_NUMBER";

/** A gcloud command: its name is split at spaces, the other words are passed on unchanged. */
export const gcloud = (name: string, ...words: string[]): string[] => ["gcloud", ...name.split(" "), ...words];
