/** Every error that a user can meet, by its place in the code. Read from the source text, so that a new one cannot be left out. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as ts from "typescript";
import { projectDir } from "./rendered.ts";

export interface ErrorPlace {
  /** `file:line`. */
  readonly place: string;
  /** All that the error can say, `unknown` where a part is computed. */
  readonly texts: readonly string[];
}

/** Stands for what is only known when the error is made. */
export const unknown = "…";

function sourceFiles(rooms: readonly string[]): ts.SourceFile[] {
  const files = rooms.flatMap((room) =>
    room.endsWith(".ts")
      ? [room]
      : readdirSync(join(projectDir, room), { recursive: true, encoding: "utf8" })
          .filter((file) => file.endsWith(".ts") && !file.includes("node_modules"))
          .map((file) => join(room, file)),
  );
  return files.map((file) =>
    ts.createSourceFile(file, readFileSync(join(projectDir, file), "utf8"), ts.ScriptTarget.ESNext, true),
  );
}

/** All texts that an expression can be, `unknown` where a part is computed. */
function textsOf(node: ts.Expression, constants: ReadonlyMap<string, ts.Expression>): string[] {
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isParenthesizedExpression(node)) return textsOf(node.expression, constants);
  if (ts.isConditionalExpression(node))
    return [...textsOf(node.whenTrue, constants), ...textsOf(node.whenFalse, constants)];
  if (ts.isTemplateExpression(node))
    return node.templateSpans.reduce<string[]>(
      (before, { expression, literal }) =>
        before.flatMap((text) => textsOf(expression, constants).map((part) => text + part + literal.text)),
      [node.head.text],
    );
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken)
    return textsOf(node.left, constants).flatMap((left) => textsOf(node.right, constants).map((right) => left + right));
  const constant = ts.isIdentifier(node) ? constants.get(node.text) : undefined;
  return constant === undefined ? [unknown] : textsOf(constant, constants);
}

function constantsOf(file: ts.SourceFile): Map<string, ts.Expression> {
  const constants = new Map<string, ts.Expression>();
  visit(file, (node) => {
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer !== undefined)
      constants.set(node.name.text, node.initializer);
  });
  return constants;
}

function visit(node: ts.Node, action: (node: ts.Node) => void): void {
  action(node);
  ts.forEachChild(node, (child) => {
    visit(child, action);
  });
}

/** @param textsOfNode the texts that a node makes an error of, by the part that says it; undefined where it makes none */
function places(
  rooms: readonly string[],
  textsOfNode: (node: ts.Node, file: string, texts: (node: ts.Expression) => string[]) => string[] | undefined,
): ErrorPlace[] {
  return sourceFiles(rooms).flatMap((file) => {
    const constants = constantsOf(file);
    const found: ErrorPlace[] = [];
    visit(file, (node) => {
      const texts = textsOfNode(node, file.fileName, (part) => textsOf(part, constants));
      if (texts === undefined) return;
      const { line } = file.getLineAndCharacterOfPosition(node.getStart());
      found.push({ place: `${file.fileName}:${line + 1}`, texts });
    });
    return found;
  });
}

const isCallOf = (node: ts.Node, name: string): node is ts.CallExpression | ts.NewExpression =>
  (ts.isCallExpression(node) || ts.isNewExpression(node)) && node.expression.getText() === name;

/** `new Problem(what, fix)`, which a command ends with. */
export const commandErrors = (): (ErrorPlace & { readonly fixes: readonly string[] })[] =>
  ["components", "config", "nginx", "names", "tools"].flatMap((room) => {
    const argument = (index: number) =>
      places([room], (node, _, texts) => {
        if (!isCallOf(node, "Problem")) return undefined;
        const part = node.arguments?.[index];
        return part === undefined ? [] : texts(part);
      });
    const fixes = argument(1);
    return argument(0).map((place, index) => ({ ...place, fixes: fixes[index]?.texts ?? [] }));
  });

/** What the schema refuses a value with: it continues a sentence that begins with the value. */
export const schemaErrors = (): ErrorPlace[] =>
  places(["config/schema", "config/schema.ts"], (node, _, texts) => {
    const parent = node.parent as ts.Node | undefined;
    const isMessage =
      parent !== undefined &&
      ((ts.isCallExpression(parent) &&
        parent.arguments[1] === node &&
        ts.isPropertyAccessExpression(parent.expression) &&
        ["min", "max", "regex", "refine", "startsWith"].includes(parent.expression.name.text)) ||
        (ts.isPropertyAssignment(parent) &&
          ["error", "message"].includes(parent.name.getText()) &&
          parent.initializer === node));
    return isMessage && !ts.isObjectLiteralExpression(node) ? texts(node as ts.Expression) : undefined;
  });

/** What the checks between keys refuse a value with: `problem(key, value, rule, fix)`, and pairs of `found` and `fix`. */
export const checkErrors = (): ErrorPlace[] =>
  places(["config", "names"], (node, _, texts) => {
    const pair = ["problem", "add", "refuse"].some((name) => isCallOf(node, name))
      ? (node as ts.CallExpression).arguments.slice(-2)
      : pairIn(node);
    const [rule, fix] = pair ?? [];
    if (rule === undefined || fix === undefined) return undefined;
    const all = texts(rule).flatMap((rule) => texts(fix).map((fix) => `${rule}; ${fix}`));
    // A pair that is made elsewhere is collected there.
    return all.every((text) => text === `${unknown}; ${unknown}`) ? undefined : all;
  });

function pairIn(node: ts.Node): ts.Expression[] | undefined {
  if (!ts.isObjectLiteralExpression(node)) return undefined;
  const part = (name: string) =>
    node.properties.find((property) => ts.isPropertyAssignment(property) && property.name.getText() === name);
  const [found, fix] = [part("found"), part("fix")];
  return found !== undefined && fix !== undefined && ts.isPropertyAssignment(found) && ts.isPropertyAssignment(fix)
    ? [found.initializer, fix.initializer]
    : node.properties.some(
          (property) => ts.isShorthandPropertyAssignment(property) && property.name.text === "found",
        ) &&
        fix !== undefined &&
        ts.isPropertyAssignment(fix)
      ? [ts.factory.createIdentifier("found"), fix.initializer]
      : undefined;
}
