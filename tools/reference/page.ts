/** Renders docs/config.md: every key with its meaning, type and limits, default and an example. */
import { asYaml } from "../../config/problems.ts";
import type { JsonSchema } from "./jsonSchema.ts";

export interface Key {
  /** As in `services.NAME.routes[].path`. */
  readonly path: string;
  /** The alternatives that the key belongs to, outermost first, as in `cluster.kind: gke`. */
  readonly choices: readonly string[];
  readonly schema: JsonSchema;
}

const isSchema = (value: unknown): value is JsonSchema => typeof value === "object" && value !== null;

/** Every key in the order of the schema. The keys of a map or list follow the map or list. */
export function keysOf(schema: JsonSchema, path = "", choices: readonly string[] = []): Key[] {
  const below = (name: string) => (path === "" ? name : `${path}.${name}`);
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, value]) =>
    isSchema(value) ? [{ path: below(name), choices, schema: value }, ...keysOf(value, below(name), choices)] : [],
  );
  const alternatives = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].filter(isSchema);
  return [
    ...own,
    ...alternatives.flatMap((each) => keysOf(each, path, [...choices, ...choiceOf(each, path)])),
    ...(isSchema(schema.additionalProperties) ? keysOf(schema.additionalProperties, below("NAME"), choices) : []),
    ...(isSchema(schema.items) ? keysOf(schema.items, `${path}[]`, choices) : []),
  ];
}

/** The key that distinguishes alternatives, with its value. */
function choiceOf({ properties = {} }: JsonSchema, path: string): string[] {
  const [found] = Object.entries(properties).filter(([, value]) => isSchema(value) && value.const !== undefined);
  if (found === undefined) return [];
  const [name, value] = found;
  return [`${path}.${name}: ${String((value as JsonSchema).const)}`];
}

/** A value as in a stack file: a time or number that is a string gets quotes. */
const code = (value: unknown): string =>
  `\`${typeof value === "string" ? (/^\d[\d.:TZ-]*$/.test(value) ? JSON.stringify(value) : value) : asYaml(value)}\``;

function typeOf(schema: JsonSchema): string {
  const { type, minimum, maximum, enum: values, minItems, maxItems, maxLength, items } = schema;
  if (schema.const !== undefined) return code(schema.const);
  if (values !== undefined) return values.map(code).join(", ");
  // Beside a type, they only say which keys must be there.
  const alternatives = type === undefined ? [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].filter(isSchema) : [];
  if (alternatives.length > 0) return [...new Set(alternatives.map(typeOf))].join(" or ");
  if (type === "integer" || type === "number") return range("number", minimum, maximum);
  if (type === "array")
    return range(`list of ${isSchema(items) ? typeOf(items).replace(/^map$/, "maps") : "values"}`, minItems, maxItems);
  if (type === "object") return isSchema(schema.additionalProperties) ? "map by name" : "map";
  if (type === "boolean") return "true or false";
  return maxLength === undefined ? "text" : `text of at most ${maxLength} characters`;
}

function range(what: string, from: number | undefined, to: number | undefined): string {
  // The largest safe integer is not a limit of the config.
  const most = to === undefined || to >= Number.MAX_SAFE_INTEGER ? undefined : to.toLocaleString("en");
  if (from !== undefined && from > 0)
    return most === undefined ? `${what}, at least ${from}` : `${what}, ${from} to ${most}`;
  return most === undefined ? what : `${what}, at most ${most}`;
}

const cell = (text: string): string => text.replaceAll("|", "\\|");

function table(keys: readonly Key[]): string {
  const rows = keys.map(({ path, schema }) => [
    `\`${path}\``,
    schema.description ?? "",
    typeOf(schema),
    schema.default === undefined || JSON.stringify(schema.default) === "{}" ? "" : code(schema.default),
    schema.examples?.[0] === undefined ? "" : code(schema.examples[0]),
  ]);
  return [["key", "meaning", "type and limits", "default", "example"], ["---", "---", "---", "---", "---"], ...rows]
    .map((row) => `| ${row.map(cell).join(" | ")} |\n`)
    .join("");
}

/** Markdown. */
export function page(schema: JsonSchema): string {
  const keys = keysOf(schema);
  const sections = Object.keys(schema.properties ?? {}).map((name) => {
    const of = keys.filter(({ path }) => path === name || path.startsWith(`${name}.`) || path.startsWith(`${name}[`));
    const conditionOf = (key: Key) => key.choices.map((each) => `\`${each}\``).join(" and ");
    const tables = [...Map.groupBy(of, conditionOf)].map(([condition, rows]) =>
      condition === "" ? table(rows) : `With ${condition}:\n\n${table(rows)}`,
    );
    return `## ${name}\n\n${tables.join("\n")}`;
  });
  return `# Config reference

<!-- Written by \`npm run reference\` from config/schema. -->

Every key of \`Pulumi.<stack>.yaml\`, below \`config:\`. A key may have the project's name in front (\`gke-microservices:domain\`), as the Pulumi CLI
writes it. Two keys are Google's own: \`gcp:project\` and \`gcp:region\`, which a stack on Google needs. A key that is newer than 0.1.0 says since when it exists.

\`NAME\` stands for a name of yours, \`[]\` for each entry of a list. A key without a default may be left out, unless its meaning says
otherwise; every stack needs \`domain\` and \`services\`. Editors complete and check the same keys by
[\`config.schema.json\`](../config.schema.json), which the first line of each stack file names; VS Code reads that line with the YAML extension by
Red Hat. \`npm run check -- STACK\` checks what is between keys as well.

The Pulumi CLI reads some text as a number or a time: \`0777\` is 511 to it. Such text needs quotes, and is refused without them.

${sections.join("\n")}`;
}
