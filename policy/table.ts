/** The table of docs/security.md; `npm run rules` writes it there. */
import { allRules } from "./allRules.ts";

/** What stands before it on the page is written by hand. */
export const mark = "<!-- Written by `npm run rules` from the folder policy. -->\n\n";

/** Every rule in the order of its id. */
export function table(): string {
  const rows = allRules
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
