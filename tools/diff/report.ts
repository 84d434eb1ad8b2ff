/** Renders the comment as Markdown. Deleted and replaced objects come first and are never cut; long diffs are cut. */
import type { Change, Operation } from "./compare.ts";
import { code, details, fence, htmlCode, listed, visible } from "./markdown.ts";
import type { Planned, Preview } from "./preview.ts";
import type { Violation } from "./rules.ts";

export interface ReportArgs {
  readonly stack: string;
  /** The base revision as the user named it, and its commit. */
  readonly base: string;
  readonly commit: string;
  /** The commit of the change, so that readers can recognize an outdated comment. @default - not named */
  readonly headCommit?: string | undefined;
  /** The program's error message, if it cannot render the change because the config is invalid. */
  readonly refused?: string | undefined;
  /** Notes on the comparison: that the stack is new, or that the base cannot be rendered. */
  readonly notes: readonly string[];
  /** Changed objects, each with its diff. */
  readonly changes: readonly (Change & { readonly diff: string })[];
  /** Keys of encrypted values that differ. */
  readonly secrets: readonly string[];
  /** Violated rules. @default - there are no objects to check */
  readonly rules?: readonly Violation[] | undefined;
  /** Result of `pulumi preview`; null if it printed no result. @default - no preview */
  readonly preview?: Preview | null | undefined;
  /** Longest text in UTF-16 code units, at least 20,000. */
  readonly limit: number;
}

/** Just below GitHub's limit of 65,536 characters. */
export const commentLimit = 65_000;

/** First line of the text, by which the workflow finds the comment of a stack again. */
export const marker = (stack: string): string => `<!-- gke-microservices diff: ${stack} -->`;

export function report(args: ReportArgs): string {
  const room = Math.floor(args.limit / 10);
  const at = args.headCommit === undefined ? "" : ` at ${code(args.headCommit.slice(0, 12))}`;
  const before = [
    `${marker(args.stack)}\n## Stack ${code(args.stack)}${at}`,
    alarm(args, room),
    ...summary(args, room),
  ];
  const after = [rules(args, room), preview(args, room)];
  const fixed = [...before, ...after].join("\n\n").length;
  const text = [...before, ...diffs(args.changes, args.limit - fixed - 500), ...after];
  return `${text.filter((part) => part !== "").join("\n\n")}\n`;
}

/** https://docs.github.com/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax#alerts */
function alert(lines: readonly string[]): string {
  if (lines.length === 0) return "";
  const quoted = ["[!CAUTION]", ...lines].join("\n").split("\n");
  return quoted.map((line) => `> ${line}`.trimEnd()).join("\n");
}

/** What the change deletes, and what stops the update. */
function alarm({ refused, changes, preview: planned, rules: violations }: ReportArgs, room: number): string {
  const objects = (operation: Operation) =>
    changes
      .filter((change) => change.operation === operation)
      .map(({ object, because }) => withReasons(object, because));
  const resources = (operation: Planned["operation"]) =>
    (planned?.planned ?? [])
      .filter((step) => step.operation === operation)
      .map(({ resource, because }) => withReasons(resource, because));
  const lists: [string, string[]][] = [
    ["**THIS DELETES**, according to the config:", objects("deleted")],
    ["**THIS REPLACES** (deletes and creates again), according to the config:", objects("replaced")],
    ["**`pulumi up` WOULD DELETE**:", resources("deleted")],
    ["**`pulumi up` WOULD REPLACE**:", resources("replaced")],
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

const withReasons = (what: string, keys: readonly string[]) =>
  keys.length === 0 ? code(what) : `${code(what)}, because of ${names(keys, 5)}`;

function names(all: readonly string[], most: number): string {
  const shown = all.slice(0, most).map((name) => code(name, 80));
  return [...shown, ...(all.length > most ? [`${all.length - most} more`] : [])].join(", ");
}

function summary({ refused, changes, secrets, notes, base, commit }: ReportArgs, room: number): string[] {
  if (refused !== undefined) return [fence(visible(refused).slice(0, room), "text"), ...notes];
  const operations: Operation[] = ["deleted", "replaced", "changed", "created"];
  const rows = operations
    .map((operation) => [operation, changes.filter((change) => change.operation === operation)] as const)
    .filter(([, of]) => of.length > 0)
    .map(
      ([operation, of]) =>
        `| ${operation} | ${of.length} | ${names(
          of.map(({ object }) => object),
          10,
        )} |`,
    );
  const compared = `compared with ${code(base)} (${commit.slice(0, 12)})`;
  return [
    ...notes,
    rows.length === 0
      ? `No Kubernetes object differs, ${compared}.`
      : [`Kubernetes objects, ${compared}:`, "", "| | | |", "|---|---|---|", ...rows].join("\n"),
    ...(secrets.length === 0 ? [] : [`Encrypted values differ, which the diffs do not show: ${names(secrets, 20)}.`]),
  ];
}

/** Shares the space evenly between the diffs, so that a long one does not displace the others. */
function diffs(changes: ReportArgs["changes"], limit: number): string[] {
  const blocks = changes.map(({ operation, object, diff }) => ({
    summary: `${operation}: ${htmlCode(object)}`,
    lines: diff.trimEnd().split("\n"),
  }));
  const whole = blocks.map(({ summary: title, lines }) => details(title, fence(lines.join("\n"), "diff")));
  let left = limit;
  const room = new Map<number, number>();
  const shortest = [...whole.keys()].sort((a, b) => (whole[a]?.length ?? 0) - (whole[b]?.length ?? 0) || a - b);
  for (const [index, block] of shortest.entries()) {
    const size = Math.min((whole[block]?.length ?? 0) + 2, Math.floor(left / (shortest.length - index)));
    room.set(block, size);
    left -= size;
  }
  const texts = blocks.flatMap((block, index) => {
    const text = whole[index] ?? "";
    const size = (room.get(index) ?? 0) - 2;
    return text.length <= size ? [text] : cut(block, size);
  });
  const missing = changes.length - texts.length;
  return missing === 0 ? texts : [...texts, `${missing} more diffs are not shown, because the text would be too long.`];
}

/** As many lines of the diff as fit; an empty list if none fits. */
function cut({ summary: title, lines }: { summary: string; lines: readonly string[] }, size: number): string[] {
  const text = (count: number) =>
    details(
      `${title} (cut)`,
      `${fence(lines.slice(0, count).join("\n"), "diff")}\n\n… and ${lines.length - count} more lines.`,
    );
  let [fits, over] = [0, lines.length];
  while (over - fits > 1) {
    const middle = Math.floor((fits + over) / 2);
    if (text(middle).length <= size) fits = middle;
    else over = middle;
  }
  return fits === 0 ? [] : [text(fits)];
}

function rules({ rules: violations }: ReportArgs, room: number): string {
  if (violations === undefined) return "";
  const stops = violations.filter((each) => each.stops);
  const warns = violations.filter((each) => !each.stops);
  const list = (of: readonly Violation[]) =>
    listed(
      of.map(({ id, where, text }) => `${code(id)} by ${code(where)}: ${code(text, 300)}`),
      room,
    );
  return [
    "### Rules",
    `Violated: ${stops.length} that stop an update, ${warns.length} that warn.`,
    ...(stops.length === 0 ? [] : [list(stops)]),
    ...(warns.length === 0 ? [] : [details("rules that warn", list(warns))]),
  ].join("\n\n");
}

function preview({ preview: planned }: ReportArgs, room: number): string {
  if (planned === undefined) return "";
  const title = "### Pulumi preview";
  const log =
    "Its output may contain values, so it is not repeated here. See the log of the run if the repository is private, or run `npx pulumi preview`.";
  if (planned === null) return `${title}\n\nIt printed no result. ${log}`;
  const failed =
    planned.failed.length === 0
      ? []
      : [`It failed for ${names(planned.failed, 10)}, so more may change than is listed. ${log}`];
  const operations: Planned["operation"][] = ["deleted", "replaced", "renewed", "changed", "created"];
  const of = (operation: Planned["operation"]) => planned.planned.filter((step) => step.operation === operation);
  const rows = operations.map((operation) => `| ${operation} | ${of(operation).length} |`);
  const lists = operations
    .filter((operation) => of(operation).length > 0)
    .map((operation) =>
      details(
        `${operation}: ${of(operation).length}`,
        listed(
          of(operation).map(({ resource, because }) => withReasons(resource, because)),
          room / operations.length,
        ),
      ),
    );
  const table = ["| resources | |", "|---|---|", ...rows, `| unchanged | ${planned.unchanged} |`].join("\n");
  return [title, ...failed, table, ...lists].join("\n\n");
}
