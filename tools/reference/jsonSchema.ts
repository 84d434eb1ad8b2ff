/** The config as JSON Schema, with which editors complete and validate `Pulumi.<stack>.yaml`. */
import * as z from "zod";
import { isTakenOver, merged } from "../../config/like.ts";
import { schema } from "../../config/schema.ts";

export type JsonSchema = z.core.JSONSchema.JSONSchema;

/** The first line of each stack file names it for editors. */
export const schemaFile = "config.schema.json";

/** The schema of what people write: keys with defaults are optional. `npm run check` checks what JSON Schema cannot express. */
export function configSchema(): JsonSchema {
  return z.toJSONSchema(schema, {
    io: "input",
    target: "draft-7",
    unrepresentable: "any",
    // zod drops the description and the default of a key that has a transformation: add them again.
    override: ({ zodSchema, jsonSchema }) => {
      const { description, examples } = (z.globalRegistry.get(zodSchema) ?? {}) as Described;
      if (description !== undefined) Object.assign(jsonSchema, { description, examples });
      const { def } = zodSchema._zod;
      if (def.type === "default" || def.type === "prefault") jsonSchema.default ??= plain(def.defaultValue);
      if (mayBeNumber(jsonSchema)) jsonSchema.type = ["string", "number"] as unknown as "string";
    },
  });
}

/** Text that looks like a number needs no quotes, as in `cpu: 1`. */
const mayBeNumber = ({ type, const: only, enum: values, format, pattern, allOf = [] }: JsonSchema): boolean =>
  type === "string" &&
  only === undefined &&
  values === undefined &&
  format === undefined &&
  [pattern, ...allOf.map((each) => (typeof each === "object" ? each.pattern : undefined))].every(
    (each) => each === undefined || new RegExp(each).test("1"),
  );

type Described = Pick<JsonSchema, "description" | "examples">;

const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as JsonSchema["default"];

/** Providers validate their own keys. */
const providers = "^(gcp|kubernetes|docker|tls|pulumi):";

/** The schema of a whole stack file. Any project name may precede a key. */
export function stackFileSchema(): JsonSchema {
  const { properties = {} } = configSchema();
  const keys = Object.entries(properties).map(([name, value]) => [
    `^([\\w.-]+:)?${name}$`,
    name === "secrets" && typeof value === "object"
      ? encryptable(value)
      : name === "services" && typeof value === "object"
        ? removable(value)
        : value,
  ]);
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "A stack of this project",
    description: "See docs/config.md for the same as a page. npm run check validates more than this schema.",
    type: "object",
    properties: {
      config: {
        type: "object",
        patternProperties: { ...(Object.fromEntries(keys) as Record<string, JsonSchema>), [providers]: {} },
        additionalProperties: false,
      },
      // The Pulumi CLI writes these.
      encryptionsalt: { type: "string" },
      encryptedkey: { type: "string" },
      secretsprovider: { type: "string" },
      environment: {},
    },
    additionalProperties: false,
  };
}

const secure: JsonSchema = {
  type: "object",
  properties: { secure: { type: "string" } },
  required: ["secure"],
  additionalProperties: false,
};

/** `pulumi config set --secret` writes `{secure: …}` instead of a string. */
function encryptable(value: JsonSchema): JsonSchema {
  const { properties = {}, additionalProperties } = value;
  if (value.type !== "object") return { anyOf: [value, secure] };
  return {
    ...value,
    properties: Object.fromEntries(
      Object.entries(properties).map(([name, each]) => [name, typeof each === "object" ? encryptable(each) : each]),
    ),
    ...(typeof additionalProperties === "object" && { additionalProperties: encryptable(additionalProperties) }),
  };
}

/** In a service that is like another, `null` removes what it would take over. */
function removable(services: JsonSchema): JsonSchema {
  const service = services.additionalProperties;
  if (typeof service !== "object") throw new Error("services is not a map");
  const orNull = (value: JsonSchema): JsonSchema => ({ anyOf: [value, { type: "null" }] });
  const keys = Object.entries(service.properties ?? {}).map(([name, value]) => {
    if (typeof value !== "object" || !isTakenOver(name)) return [name, value] as const;
    const { additionalProperties: each } = value;
    const isMap = merged.includes(name) && typeof each === "object";
    return [name, orNull(isMap ? { ...value, additionalProperties: orNull(each) } : value)] as const;
  });
  return { ...services, additionalProperties: { ...service, properties: Object.fromEntries(keys) } };
}
