/** The table of hops that commands print. */

export interface Row {
  /** What came of it, at most four characters. */
  readonly mark: string;
  readonly name: string;
  readonly seen: string;
}

/** One line for each row, on standard output. */
export function printTable(rows: readonly Row[]): void {
  const width = Math.max(...rows.map(({ name }) => name.length));
  for (const { mark, name, seen } of rows) console.log(`  ${mark.padEnd(4)}  ${name.padEnd(width)}  ${seen}`);
}
