/** `--verbose`: prints every program that is run, and its output as it arrives, on standard error. */
import { basename } from "node:path";

let write: ((text: string) => void) | undefined;

/** Switches verbose output on. @param to where to write. @default - standard error; standard output is for results */
export function beVerbose(to = (text: string): void => void process.stderr.write(text)): void {
  write = to;
}

export const isVerbose = (): boolean => write !== undefined;

/** The verbose output of one program. Programs run in parallel, so each line starts with the program's name. */
export interface Echo {
  readonly output: (chunk: string) => void;
  readonly ended: (status: number | null) => void;
}

/** @param confidential whether the output may contain secrets: then only its length is printed */
export function echo(command: string, args: readonly string[], confidential = false): Echo {
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
      if (confidential) line(`(${length} characters, not shown because they may contain secrets)`);
      if (status !== 0) line(status === null ? "ended by a signal" : `ended with status ${status}`);
    },
  };
}

/** Quoted for a shell. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
