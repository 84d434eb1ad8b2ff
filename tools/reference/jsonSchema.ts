/** The stack config's shape as JSON Schema, by which editors complete and check `Pulumi.<stack>.yaml`. */
import * as z from "zod";
import { schema } from "../../config/schema.ts";

export type JsonSchema = z.core.JSONSchema.JSONSchema;

/** Where editors look for it: named in the first line of each stack file. */
export const schemaFile = "config.schema.json";

/** Of what a person writes: defaults need not be given. Limits that JSON Schema cannot say are left to `npm run check`. */
export function configSchema(): JsonSchema {
  return z.toJSONSchema(schema, {
    io: "input",
    target: "draft-7",
    unrepresentable: "any",
    // Of a key that is transformed, its meaning and its default would be lost with the transformation.
    override: ({ zodSchema, jsonSchema }) => {
      const { description, examples } = (z.globalRegistry.get(zodSchema) ?? {}) as Described;
      if (description !== undefined) Object.assign(jsonSchema, { description, examples });
      const { def } = zodSchema._zod;
      if (def.type === "default" || def.type === "prefault") jsonSchema.default ??= plain(def.defaultValue);
    },
  });
}

type Described = Pick<JsonSchema, "description" | "examples">;

const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as JsonSchema["default"];

/** Providers' own keys are theirs to check. */
const providers = "^(gcp|kubernetes|docker|tls|pulumi):";

/** Of a whole stack file. A key may have the project's name in front, whatever that is. */
export function stackFileSchema(): JsonSchema {
  const { properties = {} } = configSchema();
  const keys = Object.entries(properties).map(([name, value]) => [
    `^([\\w.-]+:)?${name}$`,
    name === "secrets" && typeof value === "object" ? encryptable(value) : value,
  ]);
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "A stack of this project",
    description: "docs/config.md has the same as a page; npm run check finds what is wrong beyond this.",
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

/** `pulumi config set --secret` writes `{secure: …}` in the place of a text. */
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
