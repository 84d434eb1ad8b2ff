/** Compares a stack of the working tree with the same stack of another revision. */
import { join } from "node:path";
import { projectDir } from "../cli/paths.ts";
import { Problem } from "../cli/problem.ts";
import { commitOf, withCheckout } from "./checkout.ts";
import { compare } from "./compare.ts";
import { consequences, type Step } from "./consequences.ts";
import { editedSecrets } from "./encrypted.ts";
import { details, fence } from "./markdown.ts";
import { sideOf, type Side } from "./objects.ts";
import { loadStackFile } from "../stack/stackFile.ts";
import { parsePreview, type Preview } from "./preview.ts";
import { report } from "./report.ts";
import { compareResources, type ResourceComparison } from "./resources.ts";
import { rulesOnObjects, rulesOnResources, rulesOnRoutes } from "./rules.ts";
import { unifiedDiffs } from "./unified.ts";

export interface DifferenceArgs {
  /** A git revision. */
  readonly base: string;
  readonly stack: string;
  /** Output of `pulumi preview --json`. @default - no preview */
  readonly preview?: string | undefined;
  /** Commit of the working tree, to name in the text. @default - not named */
  readonly headCommit?: string | undefined;
  /** Longest text. Characters. */
  readonly limit: number;
}

/** @returns Markdown, and whether the change must not be merged. @throws Problem */
export async function difference({ base, stack, preview: previewText, limit, headCommit }: DifferenceArgs) {
  const commit = await commitOf(base);
  const preview = previewText === undefined ? undefined : (parsePreview(previewText) ?? null);
  const { was, head, secrets } = await sides(commit, stack);
  const [before, after] = [objectsOf(was), objectsOf(head)];
  const comparable = !("refused" in head) && !("refused" in was);
  const changes = comparable ? compare(before, after) : [];
  const resources = comparable ? otherResources(was, head) : undefined;
  // The engine's word wins, because it knows the stack's state.
  const engine = preview !== undefined && preview !== null && preview.failed.length === 0 ? preview : undefined;
  const hunks = unifiedDiffs(changes.map((change) => [change.before, change.after]));
  const onRoutes = await rulesOnRoutes(after);
  const rules = [
    ...rulesOnObjects(after),
    ...(onRoutes ?? []),
    ...rulesOnResources(preview?.resources ?? registeredOf(head)),
  ];
  const text = report({
    stack,
    base,
    commit,
    headCommit,
    refused: "refused" in head ? head.refused : undefined,
    notes: [
      ...notes(head, was),
      ...(comparable && resources === undefined && engine === undefined
        ? ["Only Kubernetes objects were compared: the base's program cannot list its other resources yet."]
        : []),
      ...(onRoutes === undefined ? ["The routes were not tested, because there is no nginx here."] : []),
    ],
    changes: changes.map((change, index) => ({ ...change, diff: hunks[index] ?? "" })),
    objects: before.length + changes.filter(({ operation }) => operation === "created").length,
    resources: engine === undefined ? resources : undefined,
    consequences:
      "objects" in head ? consequences(stepsOf(engine, resources), { before: sided(was), after: sided(head) }) : [],
    secrets,
    warnings: "objects" in head ? loadStackFile(stack).warnings : [],
    rules: "objects" in head ? rules : undefined,
    preview,
    limit,
  });
  const failed = preview === null || (preview !== undefined && preview.failed.length > 0);
  const refused = engine === undefined && resources?.changes.some((change) => change.refused) === true;
  return { text, bad: "refused" in head || failed || refused || rules.some(({ stops }) => stops) };
}

async function sides(commit: string, stack: string) {
  return withCheckout(commit, async ({ folder, unusable }) => {
    const file = `Pulumi.${stack}.yaml`;
    const [head, was] = await Promise.all([
      sideOf(projectDir, stack),
      unusable === undefined ? sideOf(folder, stack) : Promise.resolve<Side>({ refused: unusable }),
    ]);
    if ("absent" in head && "absent" in was)
      throw new Problem(
        `There is no ${file} in the working tree, nor in the base revision.`,
        "Name a stack that has a Pulumi.<stack>.yaml.",
      );
    return { head, was, secrets: editedSecrets(join(folder, file), join(projectDir, file)) };
  });
}

/** @returns undefined if a side cannot list its resources */
function otherResources(was: Side, head: Side): ResourceComparison | undefined {
  const [before, after] = [was, head].map((side) => ("objects" in side ? side.resources : []));
  const compared = before && after && compareResources(before, after);
  if (compared === undefined || "objects" in head) return compared;
  // Without a stack file there is no update that the engine could refuse.
  return { ...compared, changes: compared.changes.map((change) => ({ ...change, refused: false })) };
}

const registeredOf = (side: Side) =>
  ("objects" in side ? (side.resources ?? []) : []).map(({ type, name, inputs }) => ({
    type,
    resource: `${type} ${name}`,
    inputs,
  }));

/** The engine's steps, if there are any; a preview leaves the inputs out. */
function stepsOf(engine: Preview | undefined, resources: ResourceComparison | undefined): Step[] {
  const changes = resources?.changes ?? [];
  if (engine === undefined) return [...changes];
  const inputs = new Map(changes.map((change) => [change.resource, change.inputs]));
  return engine.planned.flatMap(({ operation, resource }) =>
    operation === "renewed" ? [] : [{ operation, resource, inputs: inputs.get(resource) }],
  );
}

const sided = (side: Side) => ({ objects: objectsOf(side), resources: "objects" in side ? side.resources : undefined });

const objectsOf = (side: Side) => ("objects" in side ? side.objects : []);

function notes(head: Side, was: Side): string[] {
  if ("absent" in was) return ["The stack is new."];
  if ("absent" in head)
    return ["The stack file was deleted. The stack's resources stay until `pulumi destroy`, which needs the file."];
  if ("refused" in was)
    return [
      details(
        "The base cannot be rendered, so there is nothing to compare with.",
        fence(was.refused.slice(0, 2000), "text"),
      ),
    ];
  return [];
}
