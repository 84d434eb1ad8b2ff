/** The table of docs/security.md; `npm run rules` writes it there. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { allPredicates } from "./predicates.ts";

export const page = join(import.meta.dirname, "../docs/security.md");
/** What stands before it on the page is written by hand. */
export const mark = "<!-- Written by `npm run rules` from the folder policy. -->\n\n";

/** Every rule in the order of its id. */
export function table(): string {
  const rows = allPredicates
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map(({ id, title, resource, required, benchmark, choice }) =>
      [
        `\`${id}\``,
        title,
        `${resource.name}: ${required}`,
        benchmark.join(", "),
        choice === undefined ? "stops" : `warns: ${choice}`,
      ]
        .map((cell) => cell.replaceAll("|", "\\|"))
        .join(" | "),
    );
  return ["rule | what holds | what is required | benchmark | when broken", "--- | --- | --- | --- | ---", ...rows]
    .map((row) => `| ${row} |\n`)
    .join("");
}

if (process.argv[1] === import.meta.filename) {
  const { main } = await import("../local/cli.ts");
  await main("npm run rules\n\nWrites the table of security rules into docs/security.md.", {}, () => {
    const [written = ""] = readFileSync(page, "utf8").split(mark);
    writeFileSync(page, written + mark + table());
    return Promise.resolve();
  });
}
