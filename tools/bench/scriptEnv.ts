/** What the scripts of package.json give to Node: without, a command is measured that nobody runs. */
import { join } from "node:path";
import { projectDir } from "../cli/paths.ts";

export const scriptEnv = { NODE_COMPILE_CACHE: join(projectDir, "node_modules/.cache/compile") };
