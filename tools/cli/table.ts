/** The table of hops that `npm start` and the doctor print. */

export interface Row {
  /** Result of the hop, at most four characters. */
  readonly mark: string;
  readonly name: string;
  readonly seen: string;
}

/** Prints one line per row, on standard output. */
export function printTable(rows: readonly Row[]): void {
  const width = Math.max(...rows.map(({ name }) => name.length));
  for (const { mark, name, seen } of rows) console.log(`  ${mark.padEnd(4)}  ${name.padEnd(width)}  ${seen}`);
}
