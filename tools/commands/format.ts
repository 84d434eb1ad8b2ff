/** `npm run format`: formats all files as `npm test` requires. */
import { run } from "../cli/run.ts";
import { join } from "node:path";
import { main } from "../cli/main.ts";
import { projectDir } from "../cli/paths.ts";

await main("npm run format\n\nFormats all files with Prettier.", {}, async () => {
  await run(join(projectDir, "node_modules/.bin/prettier"), ["--write", "--log-level", "warn", "."], {
    cwd: projectDir,
  });
});
