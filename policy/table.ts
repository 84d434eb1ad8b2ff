/** The table of rules in docs/security.md; `npm run rules` writes it. */
import { allRules } from "./allRules.ts";

/** The generated table follows this marker; the rest of the page is handwritten. */
export const mark = "<!-- Written by `npm run rules` from the folder policy. -->\n\n";

/** All rules, sorted by ID. */
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
