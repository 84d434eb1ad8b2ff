/** A stack of fifty services with long names, many long routes, and calls. */
import { checkConfig } from "../../../config/config.ts";
import { diagramOf } from "../../../tools/diagram/model.ts";
import type { Diagram } from "../../../tools/diagram/shapes.ts";
import { projectDir, raw, valid } from "../../config/refusal.ts";

const services = Object.fromEntries(
  Array.from({ length: 50 }, (_, index) => [
    `a-rather-long-name-of-a-service-${index}`,
    {
      image: "registry.example.com/hoge:1.4.2",
      routes: Array.from({ length: index % 9 }, (_, path) => ({
        path: `/${index}/${"long/".repeat(index % 30)}${path}/`,
      })),
      calls: index % 5 === 4 ? [`a-rather-long-name-of-a-service-${index - 4}`] : [],
    },
  ]),
);

export const largeStack = (): Diagram =>
  diagramOf("large", checkConfig(raw({ ...valid, services }), "large", projectDir));
