/** Renders the comment as Markdown. Deleted and replaced objects come first and are never cut; long diffs are cut. */
import { alarm, withReasons, type AlarmArgs } from "./alarm.ts";
import type { Change, Operation } from "./compare.ts";
import { code, details, fence, htmlCode, listed, names, visible } from "./markdown.ts";
import type { Planned } from "./preview.ts";
import type { Violation } from "./rules.ts";

export interface ReportArgs extends AlarmArgs {
  readonly stack: string;
  /** The base revision as the user named it, and its commit. */
  readonly base: string;
  readonly commit: string;
  /** The commit of the change, so that readers can recognize an outdated comment. @default - not named */
  readonly headCommit?: string | undefined;
  /** Notes on the comparison: that the stack is new, or that the base cannot be rendered. */
  readonly notes: readonly string[];
  /** Changed objects, each with its diff. */
  readonly changes: readonly (Change & { readonly diff: string })[];
  /** Number of compared Kubernetes objects. */
  readonly objects: number;
  /** Keys of encrypted values that differ. */
  readonly secrets: readonly string[];
  /** What `npm run check` warns about. */
  readonly warnings: readonly string[];
  /** Longest text in UTF-16 code units, at least 20,000. */
  readonly limit: number;
}

/** Just below GitHub's limit of 65,536 characters. */
export const commentLimit = 65_000;

/** First line of the text, by which the workflow finds the comment of a stack again. */
export const marker = (stack: string): string => `<!-- gke-microservices diff: ${stack} -->`;

export function report(args: ReportArgs): string {
  const room = Math.floor(args.limit / 16);
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

function summary(args: ReportArgs, room: number): string[] {
  const { refused, changes, secrets, warnings, notes, base, commit, objects } = args;
  if (refused !== undefined) return [fence(visible(refused).slice(0, room), "text"), ...notes];
  const compared = `compared with ${code(base)} (${commit.slice(0, 12)})`;
  const rows = table(changes.map(({ operation, object }) => [operation, object]));
  const but = (args.resources?.replacedObjects ?? 0) > 0 ? " but for its cluster" : "";
  return [
    ...notes,
    rows === undefined
      ? `No Kubernetes object differs${but}, ${compared}: ${objects} in all.`
      : `Kubernetes objects, ${compared}: ${objects} in all.\n\n${rows}`,
    ...otherResources(args, room),
    ...(secrets.length === 0 ? [] : [`Encrypted values differ, which the diffs do not show: ${names(secrets, 20)}.`]),
    ...(warnings.length === 0
      ? []
      : [
          `Warnings of \`npm run check\`:\n\n${listed(
            warnings.map((warning) => code(warning, 1000)),
            room,
          )}`,
        ]),
  ];
}

/** @returns undefined if there is nothing */
function table(changes: readonly (readonly [Operation, string])[]): string | undefined {
  const rows = (["deleted", "replaced", "changed", "created"] as const)
    .map(
      (operation) => [operation, changes.filter((change) => change[0] === operation).map(([, name]) => name)] as const,
    )
    .filter(([, of]) => of.length > 0)
    .map(([operation, of]) => `| ${operation} | ${of.length} | ${names(of, 10)} |`);
  return rows.length === 0 ? undefined : ["| | | |", "|---|---|---|", ...rows].join("\n");
}

const providers: Readonly<Record<string, string>> = { gcp: "Google", tls: "TLS", docker: "Docker" };

/** Everything but Kubernetes objects. The alert has the reasons of what is deleted or replaced. */
function otherResources({ resources }: ReportArgs, room: number): string[] {
  if (resources === undefined || resources.compared.size === 0) return [];
  const { changes, compared, revalued, kept, retained } = resources;
  const all = [...compared]
    .sort(([, a], [, b]) => b - a)
    .map(([provider, count]) => `${count} of ${providers[provider] ?? code(provider)}`)
    .join(", ");
  const rows = table(changes.map(({ operation, resource }) => [operation, resource]));
  const changed = changes.filter(({ operation }) => operation === "changed");
  const unclear = changes.filter((change) => change.unclear).map(({ resource }) => resource);
  return [
    rows === undefined ? `No other resource differs: ${all}.` : `Other resources: ${all}.\n\n${rows}`,
    ...(unclear.length === 0 ? [] : [`Whether this replaces them is not known: ${names(unclear, 20)}.`]),
    ...(changed.length === 0
      ? []
      : [
          details(
            `changed: ${changed.length}`,
            listed(
              changed.map(({ resource, because }) => withReasons(resource, because)),
              room,
            ),
          ),
        ]),
    ...(kept.length === 0
      ? []
      : [
          `Removed from the config, but Google keeps the values: ${names(
            kept.map(({ resource, path }) => `${resource} ${path}`),
            20,
          )}.`,
        ]),
    ...(retained.length === 0
      ? []
      : [`Removed from the program, but what they made stays in Google: ${names(retained, 20)}.`]),
    ...(revalued.length === 0
      ? []
      : [
          `Kubernetes objects get new values of other resources, which the diffs do not show: ${names(
            revalued.map(({ object }) => object),
            20,
          )}.`,
        ]),
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
  // The alert lists what is deleted or replaced.
  const lists = operations
    .slice(2)
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
