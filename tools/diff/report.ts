/** The comment's text, in Markdown. What is deleted or replaced stands first and is never cut; diffs are, where it is long. */
import type { Change, Operation } from "./compare.ts";
import { code, details, fence, htmlCode, listed, visible } from "./markdown.ts";
import type { Planned, Preview } from "./preview.ts";
import type { RuleBroken } from "./rules.ts";

export interface ReportArgs {
  readonly stack: string;
  /** What the change is compared with, as it was named, and the commit that this means. */
  readonly base: string;
  readonly commit: string;
  /** The commit that is looked at, so that a text which is older than the change can be told. @default - it is not named */
  readonly looked?: string | undefined;
  /** Why there are no objects of the change, in the words of the program: its config is refused. */
  readonly refused?: string | undefined;
  /** What a reader should know of the comparison: that the stack is new, that the base cannot be rendered. */
  readonly notes: readonly string[];
  /** With the hunks of each. */
  readonly changes: readonly (Change & { readonly diff: string })[];
  /** Keys of encrypted values that differ. */
  readonly secrets: readonly string[];
  /** @default - there are no objects to look at */
  readonly rules?: readonly RuleBroken[] | undefined;
  /** What `pulumi preview` said; null where it came to nothing. @default - it was not asked */
  readonly preview?: Preview | null | undefined;
  /** Longest text in UTF-16 units, at least 20,000. */
  readonly limit: number;
}

/** GitHub takes 65,536 characters. */
export const commentLimit = 65_000;

/** By which the comment of a stack is found again: the first line of the text. */
export const marker = (stack: string): string => `<!-- gke-microservices diff: ${stack} -->`;

export function report(args: ReportArgs): string {
  const room = Math.floor(args.limit / 10);
  const at = args.looked === undefined ? "" : ` at ${code(args.looked.slice(0, 12))}`;
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

/** What is lost, and what stops the update. */
function alarm({ refused, changes, preview: planned, rules: broken }: ReportArgs, room: number): string {
  const objects = (operation: Operation) =>
    changes.filter((change) => change.operation === operation).map(({ object, because }) => because_(object, because));
  const resources = (operation: Planned["operation"]) =>
    (planned?.planned ?? [])
      .filter((step) => step.operation === operation)
      .map(({ resource, because }) => because_(resource, because));
  const lists: [string, string[]][] = [
    ["**THIS DELETES**, as the config says:", objects("deleted")],
    ["**THIS REPLACES**, which takes away what runs and makes it again, as the config says:", objects("replaced")],
    ["**`pulumi up` WOULD DELETE**:", resources("deleted")],
    ["**`pulumi up` WOULD REPLACE**:", resources("replaced")],
    [
      "**RULES THAT STOP AN UPDATE** are broken:",
      (broken ?? []).filter(({ stops }) => stops).map(({ id, where }) => `${code(id)} by ${code(where)}`),
    ],
  ];
  const told = lists.filter(([, items]) => items.length > 0).map(([what, items]) => `${what}\n${listed(items, room)}`);
  const failed = [
    ...(refused === undefined ? [] : ["**THE PROGRAM REFUSES THIS**: nothing would be changed."]),
    ...(planned === null || (planned?.failed.length ?? 0) > 0 ? ["**`pulumi preview` FAILED**, see below."] : []),
  ];
  return alert([...failed, ...told].flatMap((part, index) => (index === 0 ? [part] : ["", part])));
}

const because_ = (what: string, keys: readonly string[]) =>
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
    ...(secrets.length === 0 ? [] : [`Encrypted values differ, which no diff shows: ${names(secrets, 20)}.`]),
  ];
}

/** Each as long as all may be, so that a long one does not take the place of the others. */
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
  return missing === 0 ? texts : [...texts, `Not shown for want of room: ${missing} more diffs.`];
}

/** As many lines of the diff as there is room for; nothing where that is none. */
function cut({ summary: title, lines }: { summary: string; lines: readonly string[] }, size: number): string[] {
  const text = (count: number) =>
    details(
      `${title} (cut)`,
      `${fence(lines.slice(0, count).join("\n"), "diff")}\n\n… and ${lines.length - count} more lines, not shown for want of room.`,
    );
  let [fits, over] = [0, lines.length];
  while (over - fits > 1) {
    const middle = Math.floor((fits + over) / 2);
    if (text(middle).length <= size) fits = middle;
    else over = middle;
  }
  return fits === 0 ? [] : [text(fits)];
}

function rules({ rules: broken }: ReportArgs, room: number): string {
  if (broken === undefined) return "";
  const stops = broken.filter((each) => each.stops);
  const warns = broken.filter((each) => !each.stops);
  const list = (of: readonly RuleBroken[]) =>
    listed(
      of.map(({ id, where, text }) => `${code(id)} by ${code(where)}: ${code(text, 300)}`),
      room,
    );
  return [
    "### Rules",
    `Broken: ${stops.length} that stop an update, ${warns.length} that warn.`,
    ...(stops.length === 0 ? [] : [list(stops)]),
    ...(warns.length === 0 ? [] : [details("those that warn", list(warns))]),
  ].join("\n\n");
}

function preview({ preview: planned }: ReportArgs, room: number): string {
  if (planned === undefined) return "";
  const title = "### Pulumi preview";
  const log =
    "Its words may hold values, so they are not repeated here: the log of the run has them where the repository is private, and `npx pulumi preview` shows them.";
  if (planned === null) return `${title}\n\nIt came to no result. ${log}`;
  const failed =
    planned.failed.length === 0
      ? []
      : [`It failed, so more may change than is listed: ${names(planned.failed, 10)}. ${log}`];
  const operations: Planned["operation"][] = ["deleted", "replaced", "renewed", "changed", "created"];
  const of = (operation: Planned["operation"]) => planned.planned.filter((step) => step.operation === operation);
  const rows = operations.map((operation) => `| ${operation} | ${of(operation).length} |`);
  const lists = operations
    .filter((operation) => of(operation).length > 0)
    .map((operation) =>
      details(
        `${operation}: ${of(operation).length}`,
        listed(
          of(operation).map(({ resource, because }) => because_(resource, because)),
          room / operations.length,
        ),
      ),
    );
  const table = ["| resources | |", "|---|---|", ...rows, `| unchanged | ${planned.unchanged} |`].join("\n");
  return [title, ...failed, table, ...lists].join("\n\n");
}
