/** Registered resources for tests. */
import type { Registered } from "../../../tools/stack/evaluate.ts";

/** The mocks' URN: it names only the direct parent's type. */
export const urn = (type: string, name: string, parent = "") => {
  const [above = ""] = parent.split("::").slice(2, 3);
  const last = above.split("$").at(-1);
  return `urn:pulumi:staging::shop::${last ? `${last}$` : ""}${type}::${name}`;
};

export function registered(
  type: string,
  name: string,
  inputs: Registered["inputs"] = {},
  rest: Partial<Registered> = {},
): Registered {
  return {
    urn: urn(type, name, rest.parent),
    type,
    name,
    inputs,
    custom: true,
    parent: "",
    provider: "",
    sources: {},
    aliases: [],
    protect: false,
    deleteBeforeReplace: undefined,
    retainOnDelete: false,
    ignoreChanges: [],
    replaceOnChanges: [],
    ...rest,
  };
}
