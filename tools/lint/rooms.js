/**
 * Which folder may import which: the rule `rooms/imports` of eslint.config.js. What is deployed stands at the root and imports nothing
 * from `tools/`; what everybody uses imports nothing.
 */
import { relative, resolve, dirname } from "node:path";

/** The tools, each row may import those above it and its own folder. */
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

/** By folder or file, the longest that fits: what it may import beside itself, and the reason for people. */
const rooms = {
  names: { may: [], why: "names/ is what all others stand on: it imports nothing of the project" },
  "nginx/model.ts": { may: [], why: "nginx/model.ts has the types that all of nginx/ shares: it imports nothing" },
  nginx: { may: ["names"], why: "nginx/ renders text from values that it is given: it imports names/ alone" },
  components: {
    may: ["names", "nginx"],
    why: "components/ get what they need as arguments, from index.ts: they import names/ and nginx/ alone",
  },
  config: {
    may: ["names", "nginx"],
    types: ["components"],
    why: "config/ says what components are given: of components/ it imports types alone (import type), otherwise names/ and nginx/",
  },
  policy: {
    may: ["names", "tools/programs/nginx.ts"],
    why: "policy/ looks at resources whoever made them: it imports names/, and the nginx program that reads the routes",
  },
  "index.ts": { may: deployed, why: "what is deployed imports nothing from tools/ or test/" },
  "main.js": { may: ["index.ts"], why: "what is deployed imports nothing from tools/ or test/" },
  "tools/commands": {
    may: [...deployed, "tools"],
    why: "each command is a file of its own: what two need goes to another folder of tools/",
    alone: true,
  },
  "tools/run.js": { may: [], why: "the runner works before anything is installed: it imports nothing" },
  test: {
    may: [...deployed, "tools", "main.js", "eslint.config.js"],
    why: "tests import all but tools/commands/: they run commands",
  },
  "eslint.config.js": { may: ["tools/lint"], why: "" },
};
for (const [level, folders] of layers.entries())
  for (const folder of folders)
    rooms[`tools/${folder}`] ??= {
      may: [...deployed, ...layers.slice(0, level).flatMap((below) => below.map((name) => `tools/${name}`))],
      why: `tools/${folder}/ may import what is deployed and ${level === 0 ? "no other tool" : `the tools below it: ${layers.slice(0, level).flat().join(", ")}`}; nobody imports tools/commands/ or test/`,
    };

const isIn = (file, place) => file === place || file.startsWith(`${place}/`);
const roomOf = (file) =>
  Object.keys(rooms)
    .filter((place) => isIn(file, place))
    .sort((a, b) => b.length - a.length)[0];

/**
 * @param from a file of the project, from its root
 * @param to what it imports, from the root
 * @returns which way is right, where this one is wrong
 */
function wrongWay(from, to, isType = false) {
  const room = roomOf(from);
  if (room === undefined) return `${from} is in no folder that tools/lint/rooms.js knows: add it there`;
  const { may, types = [], why, alone = false } = rooms[room];
  if (isIn(to, "tools/commands")) return `nobody imports a command; ${why}`;
  if (isIn(to, room) && !alone) return undefined;
  if ([...may, ...(isType ? types : [])].some((place) => isIn(to, place))) return undefined;
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
      const why = wrongWay(from, to, isType);
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
