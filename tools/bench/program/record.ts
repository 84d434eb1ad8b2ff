/**
 * Writes down what the program registers for a stack file, for the bare program to do the same. In a process of its own,
 * because the program changes its process. Its arguments are the stack file and the file to write.
 */
import { writeFileSync } from "node:fs";
import { readStackFile } from "../../stack/stackFile.ts";
import { recordConfig } from "../../testing/recorded.ts";

const [, , path = "", written = ""] = process.argv;
Error.stackTraceLimit = 1; // As `evaluate` has it.
const { recording } = await recordConfig("bench", readStackFile(path));
writeFileSync(written, JSON.stringify(recording.resources));
