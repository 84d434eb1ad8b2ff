/** Which base images of this project a Dockerfile gets, in place of those that it would pull. */
import type { Base } from "./baseImages.ts";

/** By the name of an image, without its registry, folders and tag. The first that matches counts. */
const byName: readonly (readonly [RegExp, Base | "scratch"])[] = [
  [/nginx/, "nginx"],
  [/node/, "node"],
  [/python/, "python"],
  [/^go(lang)?\b/, "go"],
  [/postgres/, "postgres"],
  [/redis/, "redis"],
  [/^static\b/, "scratch"], // for programs that need no other file
];

/**
 * The build arguments from which a Dockerfile starts a stage (`FROM ${NAME}`), by the defaults that it gives them:
 * `ARG BASE=python:3.13` gets this project's Python. A default of another name stays, so that the build says what it
 * would have to pull.
 * @param unnamed what an argument without a default gets
 */
export function baseArguments(dockerfile: string, unnamed: Base): Record<string, Base | "scratch"> {
  const [beforeStages = ""] = dockerfile.split(/^FROM\s/im);
  const starts = [...dockerfile.matchAll(/^FROM\s+(?:--\S+\s+)*\$\{?(\w+)\}?(?:\s|$)/gim)];
  return Object.fromEntries(
    starts.flatMap(([, argument = ""]) => {
      const declared = new RegExp(`^ARG\\s+${argument}(?:=["']?([^\\s"']+))?`, "im").exec(beforeStages);
      if (declared === null) return [];
      const [, image] = declared;
      const base = image === undefined ? unnamed : localBase(image);
      return base === undefined ? [] : [[argument, base]];
    }),
  );
}

function localBase(image: string): Base | "scratch" | undefined {
  const [name = ""] = (image.split("/").at(-1) ?? "").split(/[:@]/);
  return byName.find(([pattern]) => pattern.test(name))?.[1];
}
