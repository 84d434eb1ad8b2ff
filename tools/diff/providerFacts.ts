/** What the providers do with a changed input: facts from their sources, in providerFacts.json. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface TypeFacts {
  /**
   * Inputs whose change replaces the resource. `a.*` is any key of the map `a`. A block is here if it must neither
   * appear nor disappear: what may change in it is not.
   */
  readonly replacing: readonly string[];
  /** Optional inputs that keep their value when they are removed from the program, because the provider computes one. */
  readonly kept?: readonly string[];
  /** Lists whose order means nothing. */
  readonly sets?: readonly string[];
  /** Values of absent inputs. */
  readonly defaults?: Readonly<Record<string, unknown>>;
  /** Whether an update in place changes outputs that others use. */
  readonly newOutputs?: boolean;
  /** Whether a replacement deletes first, whatever the program says. */
  readonly deletesFirst?: boolean;
}

interface Facts {
  /** Versions of the npm packages that the facts hold for. */
  readonly versions: Readonly<Record<string, string>>;
  /** By type token. Paths are without indices, such as `secondaryIpRanges.rangeName`. */
  readonly types: Readonly<Record<string, TypeFacts>>;
}

export const providerFacts = JSON.parse(readFileSync(join(import.meta.dirname, "providerFacts.json"), "utf8")) as Facts;

/** @returns undefined for a type that the program did not use when the facts were collected */
export const factsOf = (type: string): TypeFacts | undefined => providerFacts.types[type];
