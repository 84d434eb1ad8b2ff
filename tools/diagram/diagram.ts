/** The picture of a stack, from its file. */
import { loadStackFile } from "../stack/stackFile.ts";
import { layoutOf } from "./layout.ts";
import { diagramOf } from "./model.ts";
import type { Diagram } from "./shapes.ts";
import { svgOf } from "./svg.ts";

/** @throws Problem without such a stack, RunError for a config that is refused */
export function stackDiagram(stack: string): Diagram {
  return diagramOf(stack, loadStackFile(stack));
}

export const drawn = (diagram: Diagram): string => svgOf(diagram, layoutOf(diagram));

/** As narrow as a phone, to stand in a page beside the other. */
export const drawnNarrow = (diagram: Diagram): string => svgOf(diagram, layoutOf(diagram, 330), "narrow-");
