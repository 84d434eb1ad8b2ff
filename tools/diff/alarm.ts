/** Renders the alert at the top of the comment: what users notice, what is lost, and what stops the update. */
import type { Change, Operation } from "./compare.ts";
import type { Consequence } from "./consequence.ts";
import { code, listed, names } from "./markdown.ts";
import type { Planned, Preview } from "./preview.ts";
import type { Reason, ResourceComparison } from "./resources.ts";
import type { Violation } from "./rules.ts";

export interface AlarmArgs {
  /** The program's error message, if it cannot render the change because the config is invalid. */
  readonly refused?: string | undefined;
  /** What the change means for users. */
  readonly consequences: readonly Consequence[];
  /** Changed Kubernetes objects. */
  readonly changes: readonly Change[];
  /** The other resources. @default - not compared, or the preview has them */
  readonly resources?: ResourceComparison | undefined;
  /** Violated rules. @default - there are no objects to check */
  readonly rules?: readonly Violation[] | undefined;
  /** Result of `pulumi preview`; null if it printed no result. @default - no preview */
  readonly preview?: Preview | null | undefined;
}

/** https://docs.github.com/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax#alerts */
function alert(lines: readonly string[]): string {
  if (lines.length === 0) return "";
  const quoted = ["[!CAUTION]", ...lines].join("\n").split("\n");
  return quoted.map((line) => `> ${line}`.trimEnd()).join("\n");
}

/** What the change means for users, what it deletes, and what stops the update. */
export function alarm(args: AlarmArgs, room: number): string {
  const { refused, preview: planned, rules: violations, resources } = args;
  const lists: [string, string[]][] = [
    ["**THIS MEANS FOR USERS**:", args.consequences.map(sentence)],
    ...(succeeded(planned) ? [] : accordingToConfig(args)),
    ["**`pulumi up` WOULD DELETE**:", plannedTo("deleted", planned)],
    ["**`pulumi up` WOULD REPLACE**:", plannedTo("replaced", planned)],
    [
      "**`pulumi up` WOULD FAIL**, because these are protected:",
      (resources?.changes ?? []).filter((change) => change.refused).map(({ resource }) => code(resource)),
    ],
    [
      "**RULES THAT STOP AN UPDATE** are violated:",
      (violations ?? []).filter(({ stops }) => stops).map(({ id, where }) => `${code(id)} by ${code(where)}`),
    ],
  ];
  const warnings = lists
    .filter(([, items]) => items.length > 0)
    .map(([what, items]) => `${what}\n${listed(items, room)}`);
  const failed = [
    ...(refused === undefined ? [] : ["**THE PROGRAM FAILS**: an update would change nothing."]),
    ...(planned === null || (planned?.failed.length ?? 0) > 0 ? ["**`pulumi preview` FAILED**, see below."] : []),
  ];
  return alert([...failed, ...warnings].flatMap((part, index) => (index === 0 ? [part] : ["", part])));
}

const sentence = ({ text, names: of }: Consequence) => (of === undefined ? text : `${text}: ${names(of, 10)}.`);

const succeeded = (planned: AlarmArgs["preview"]) =>
  planned !== undefined && planned !== null && planned.failed.length === 0;

function accordingToConfig({ changes, resources }: AlarmArgs): [string, string[]][] {
  const items = (operation: Operation) => [
    ...(resources?.changes ?? [])
      .filter((change) => change.operation === operation)
      .map(({ resource, because }) => withReasons(resource, because)),
    ...changes
      .filter((change) => change.operation === operation)
      .map(({ object, because }) => withReasons(object, because)),
  ];
  const withCluster =
    resources === undefined || resources.replacedObjects === 0 ? [] : [inIt(resources.replacedObjects)];
  return [
    ["**THIS DELETES**, according to the config:", items("deleted")],
    ["**THIS REPLACES** (deletes and creates again), according to the config:", [...items("replaced"), ...withCluster]],
  ];
}

const inIt = (count: number) => `${count} Kubernetes objects, because of their cluster`;

/** Objects that go with their cluster are only counted. */
function plannedTo(operation: "deleted" | "replaced", planned: AlarmArgs["preview"]): string[] {
  const steps = (planned?.planned ?? []).filter((step) => step.operation === operation);
  const cluster = steps.some(({ resource }) => resource.startsWith("gcp:container/cluster:Cluster "));
  const goes = ({ resource }: Planned) => cluster && resource.startsWith("kubernetes:");
  const count = steps.filter(goes).length;
  return [
    ...steps.filter((step) => !goes(step)).map(({ resource, because }) => withReasons(resource, because)),
    ...(count > 0 ? [inIt(count)] : []),
  ];
}

/** What changes, and the inputs that it changes because of. */
export const withReasons = (what: string, reasons: readonly (Reason | string)[]) => {
  const [shown, more] = [reasons.slice(0, 5).map(reason), reasons.length - 5];
  const all = [...shown, ...(more > 0 ? [`${more} more`] : [])];
  return all.length === 0 ? code(what) : `${code(what)}, because of ${all.join(", ")}`;
};

function reason(input: Reason | string): string {
  const { path, values, source }: Reason = typeof input === "string" ? { path: input } : input;
  const [before, after] = (values ?? []).map((value) => code(value));
  if (before !== undefined && after !== undefined) return `${code(path, 80)} (${before} → ${after})`;
  return source === undefined ? code(path, 80) : `${code(path, 80)} of ${code(source, 80)}`;
}
