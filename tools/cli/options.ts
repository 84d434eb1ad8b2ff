/** Option values that several commands share. */
import { Problem } from "./problem.ts";

/** @throws Problem if the text is not a port number */
export function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 65535)
    throw new Problem(`${text} is not a port.`, "Name a number from 1 to 65535.");
  return value;
}
