/** `--verbose`: every program that is run, and what it prints as it comes, on standard error. */
import { basename } from "node:path";

let write: ((text: string) => void) | undefined;

/** From now on all is told. @param to where. @default - standard error, so that standard output stays for results */
export function beVerbose(to = (text: string): void => void process.stderr.write(text)): void {
  write = to;
}

export const isVerbose = (): boolean => write !== undefined;

/** Programs run side by side, so each line says whose it is. */
export interface Told {
  readonly output: (chunk: string) => void;
  readonly ended: (status: number | null) => void;
}

/** @param confidential whether what it prints may hold secrets: then only how much it was is told */
export function tell(command: string, args: readonly string[], confidential = false): Told {
  const name = basename(command);
  const line = (text: string) => write?.(`${name} | ${text}\n`);
  let rest = "";
  let length = 0;
  write?.(`$ ${[command, ...args].map(quoted).join(" ")}\n`);
  return {
    output(chunk) {
      length += chunk.length;
      if (confidential) return;
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      lines.forEach(line);
    },
    ended(status) {
      if (rest !== "") line(rest);
      if (confidential) line(`(${length} characters that this command reads, and that may hold secrets)`);
      if (status !== 0) line(status === null ? "ended by a signal" : `ended with status ${status}`);
    },
  };
}

/** As a shell would take it. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
