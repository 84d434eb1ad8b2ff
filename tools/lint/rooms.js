/**
 * The lint rule `rooms/imports`: which folder may import which. The deployed program is at the root and imports nothing
 * from `tools/`. Folders that everything uses import nothing.
 */
import { relative, resolve, dirname } from "node:path";

/** Folders of tools/. Each may import the rows above it, and itself. */
const layers = [
  ["cli"],
  ["programs"],
  ["stack", "images", "machine", "release", "reference", "lint"],
  ["verify", "apply", "testing"],
  ["diagram", "diff", "bootstrap", "addService"],
  ["doctor"],
  ["bench"],
  ["commands"],
];
const deployed = ["names", "nginx", "components", "config", "policy", "index.ts"];

/** By folder or file (the longest match counts): what it may import besides itself, and the reason to print. */
const rooms = {
  names: { may: [], why: "everything imports names/, so it imports nothing of the project" },
  "nginx/model.ts": { may: [], why: "nginx/model.ts has the types that all of nginx/ shares: it imports nothing" },
  nginx: { may: ["names"], why: "nginx/ renders text from its arguments: it imports only names/" },
  components: {
    may: ["names", "nginx"],
    why: "components/ get their settings as arguments from index.ts: they import only names/ and nginx/",
  },
  config: {
    may: ["names", "nginx"],
    types: ["components"],
    why: "config/ builds the arguments of components/: it imports only types from components/ (import type), and names/ and nginx/",
  },
  policy: {
    may: ["names", "tools/programs/nginx.ts"],
    why: "policy/ checks resources of any origin: it imports only names/, and the nginx program that tests the routes",
  },
  "index.ts": { may: deployed, why: "the deployed program imports nothing from tools/ or test/" },
  "main.js": { may: ["index.ts"], why: "the deployed program imports nothing from tools/ or test/" },
  "tools/commands": {
    may: [...deployed, "tools"],
    why: "commands do not import each other: move shared code to another folder of tools/",
    alone: true,
  },
  "tools/run.js": { may: [], why: "the runner works before anything is installed: it imports nothing" },
  test: {
    may: [...deployed, "tools", "main.js", "eslint.config.js"],
    why: "tests run the commands of tools/commands/ instead of importing them",
  },
  "eslint.config.js": { may: ["tools/lint"], why: "" },
};
for (const [level, folders] of layers.entries())
  for (const folder of folders)
    rooms[`tools/${folder}`] ??= {
      may: [...deployed, ...layers.slice(0, level).flatMap((below) => below.map((name) => `tools/${name}`))],
      why: `tools/${folder}/ may import the deployed program and ${level === 0 ? "no other tool" : `the tools below it: ${layers.slice(0, level).flat().join(", ")}`}; nobody imports tools/commands/ or test/`,
    };

const isIn = (file, path) => file === path || file.startsWith(`${path}/`);
const roomOf = (file) =>
  Object.keys(rooms)
    .filter((path) => isIn(file, path))
    .sort((a, b) => b.length - a.length)[0];

/**
 * @param from path of a file, relative to the project's root
 * @param to path of the file that it imports, relative to the root
 * @returns why the import is forbidden; undefined if it is allowed
 */
function whyForbidden(from, to, isType = false) {
  const room = roomOf(from);
  if (room === undefined) return `tools/lint/rooms.js does not list the folder of ${from}: add it there`;
  const { may, types = [], why, alone = false } = rooms[room];
  if (isIn(to, "tools/commands")) return `nobody imports a command; ${why}`;
  if (isIn(to, room) && !alone) return undefined;
  if ([...may, ...(isType ? types : [])].some((path) => isIn(to, path))) return undefined;
  return why;
}

const root = resolve(import.meta.dirname, "../..");

export const imports = {
  meta: { type: "problem", schema: [], messages: { wrong: "{{from}} must not import {{to}}: {{why}}." } },
  create(context) {
    const check = (node, source, isType) => {
      if (typeof source?.value !== "string" || !source.value.startsWith(".")) return;
      const from = relative(root, context.filename);
      const to = relative(root, resolve(dirname(context.filename), source.value));
      const why = whyForbidden(from, to, isType);
      if (why !== undefined) context.report({ node, messageId: "wrong", data: { from, to, why } });
    };
    const isType = (node) =>
      node.importKind === "type" ||
      (node.specifiers.length > 0 && node.specifiers.every((specifier) => specifier.importKind === "type"));
    return {
      ImportDeclaration: (node) => check(node, node.source, isType(node)),
      ExportNamedDeclaration: (node) => check(node, node.source, node.exportKind === "type"),
      ExportAllDeclaration: (node) => check(node, node.source, node.exportKind === "type"),
      ImportExpression: (node) => check(node, node.source, false),
      TSImportType: (node) => check(node, node.source ?? node.argument?.literal, true),
    };
  },
};
