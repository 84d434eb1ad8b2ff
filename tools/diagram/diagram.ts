/** The picture of a stack, from its file. */
import { join } from "node:path";
import { checkConfig } from "../../config/config.ts";
import { readStackFile, withPlaceholderFiles } from "../stack/evaluate.ts";
import { projectDir } from "../cli/paths.ts";
import { layoutOf } from "./layout.ts";
import { diagramOf } from "./model.ts";
import type { Diagram } from "./shapes.ts";
import { svgOf } from "./svg.ts";

/** @throws Problem without such a stack, RunError for a config that is refused */
export function stackDiagram(stack: string): Diagram {
  const raw = withPlaceholderFiles(readStackFile(join(projectDir, `Pulumi.${stack}.yaml`)), "replaceable");
  return diagramOf(stack, checkConfig(raw, stack, projectDir));
}

export const drawn = async (diagram: Diagram): Promise<string> => svgOf(diagram, await layoutOf(diagram));
