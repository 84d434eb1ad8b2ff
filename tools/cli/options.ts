/** Values of options that more than one command takes. */
import { Problem } from "./problem.ts";

/** @throws Problem where the text is no port */
export function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 65535)
    throw new Problem(`${text} is not a port.`, "Name a number from 1 to 65535.");
  return value;
}
