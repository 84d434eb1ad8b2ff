/** `npm run reference`: writes docs/config.md and config.schema.json from the schema. */
import { join } from "node:path";
import { format } from "prettier";
import { main } from "../cli/main.ts";
import { projectDir } from "../cli/paths.ts";
import { writeWhole } from "../cli/writeWhole.ts";
import { configSchema, schemaFile, stackFileSchema } from "../reference/jsonSchema.ts";
import { page } from "../reference/page.ts";

const usage = `npm run reference

Writes the config reference from config/schema: docs/config.md for people, ${schemaFile} for editors.`;

await main(usage, {}, async () => {
  const json = await format(JSON.stringify(stackFileSchema()), { parser: "json", printWidth: 120 });
  writeWhole(join(projectDir, schemaFile), json);
  writeWhole(join(projectDir, "docs/config.md"), page(configSchema()));
});
