/**
 * Parses `pulumi preview --json`: operations, resources, and the names of the properties that cause them. Values are
 * left out, so that a comment cannot contain a secret, even if the provider does not mark it as one.
 */
import { unknown, type Properties } from "../../policy/rule.ts";

export interface Planned {
  /** `renewed`: another object, because its name contains a hash of its content. */
  readonly operation: "deleted" | "replaced" | "renewed" | "changed" | "created";
  /** `gcp:container/cluster:Cluster staging` */
  readonly resource: string;
  /** Paths of the properties that differ; for a replacement, only of those that require it. */
  readonly because: readonly string[];
}

export interface Preview {
  /** In the order of each resource's first step. */
  readonly planned: readonly Planned[];
  readonly unchanged: number;
  /** Inputs of all resources after the update, for the rules. */
  readonly resources: readonly { readonly type: string; readonly resource: string; readonly inputs: Properties }[];
  /** Resources with errors; empty if the preview succeeded. */
  readonly failed: readonly string[];
}

/** The used part of https://www.pulumi.com/docs/iac/cli/commands/pulumi_preview/. Any of it may be missing. */
interface Digest {
  readonly steps?: readonly Step[];
  readonly diagnostics?: readonly { readonly urn?: string; readonly severity?: string }[];
}
interface Step {
  readonly op: string;
  readonly urn: string;
  readonly newState?: { readonly type?: string; readonly inputs?: Properties };
  readonly diffReasons?: readonly string[];
  readonly replaceReasons?: readonly string[];
  readonly detailedDiff?: Readonly<Record<string, { readonly kind: string }>> | null;
}

/** @returns undefined if the text is not the result of a preview, as when the preview failed early */
export function parsePreview(text: string): Preview | undefined {
  let digest: Digest | null;
  try {
    digest = JSON.parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1)) as Digest | null;
  } catch {
    return undefined;
  }
  if (digest === null || typeof digest !== "object") return undefined;
  const steps = digest.steps ?? [];
  const byUrn = Map.groupBy(steps, ({ urn }) => urn);
  const planned = [...byUrn].flatMap(([urn, of]) => {
    const operation = operationOf(urn, of);
    return operation === undefined ? [] : [{ operation, resource: resourceOf(urn), because: reasons(operation, of) }];
  });
  const errors = (digest.diagnostics ?? []).filter(({ severity }) => severity === "error");
  return {
    planned,
    unchanged: [...byUrn.values()].filter((of) => of.every(({ op }) => op === "same")).length,
    resources: steps.flatMap(({ urn, newState }) =>
      newState?.inputs === undefined
        ? []
        : [
            {
              type: newState.type ?? "",
              resource: resourceOf(urn),
              inputs: withUnknowns(newState.inputs) as Properties,
            },
          ],
    ),
    failed: [...new Set(errors.map(({ urn }) => (urn === undefined ? "the program" : resourceOf(urn))))],
  };
}

function operationOf(urn: string, steps: readonly Step[]): Planned["operation"] | undefined {
  const ops = steps.map(({ op }) => op);
  if (ops.some((op) => op.includes("replace"))) return isRenamed(urn, steps) ? "renewed" : "replaced";
  if (ops.includes("delete")) return "deleted";
  if (ops.includes("update")) return "changed";
  return ops.some((op) => op === "create" || op === "import") ? "created" : undefined;
}

/**
 * Whether the name contains a hash of the content. Then nothing that is in use is deleted: pods have the old object until
 * they end, and the job of a release before has ended.
 */
function isRenamed(urn: string, steps: readonly Step[]): boolean {
  const named = steps.some(({ replaceReasons }) => replaceReasons?.includes("metadata.name"));
  return named && /kubernetes:(core\/v1:(ConfigMap|Secret)|batch\/v1:Job)::/.test(urn);
}

function reasons(operation: Planned["operation"], steps: readonly Step[]): string[] {
  const differing = steps.flatMap(({ detailedDiff }) => Object.entries(detailedDiff ?? {}));
  const keys =
    operation === "replaced"
      ? [
          ...steps.flatMap(({ replaceReasons }) => replaceReasons ?? []),
          ...differing.filter(([, { kind }]) => kind.endsWith("-replace")).map(([path]) => path),
        ]
      : [
          ...differing.map(([path]) => path),
          ...(differing.length > 0 ? [] : steps.flatMap(({ diffReasons }) => diffReasons ?? [])),
        ];
  return [...new Set(keys)].filter((key) => !key.startsWith("__"));
}

/** `urn:pulumi:STACK::PROJECT::PARENTS$TYPE::NAME` */
function resourceOf(urn: string): string {
  const [, , types = "", ...name] = urn.split("::");
  return `${types.split("$").at(-1) ?? ""} ${name.join("::")}`;
}

/** The CLI's placeholders for unknown values and for secrets. */
const placeholders = ["04da6b54-80e4-46f7-96ec-b56ff0331ba9", "[secret]"];

function withUnknowns(value: unknown): unknown {
  if (typeof value === "string") return placeholders.includes(value) ? unknown : value;
  if (Array.isArray(value)) return value.map(withUnknowns);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withUnknowns(item)]));
}
