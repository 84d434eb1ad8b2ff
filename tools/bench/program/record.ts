/**
 * Records the resources that the program registers for a stack file, as input of the bare program. It runs in its own
 * process, because the program changes global state. Arguments: the stack file and the file to write.
 */
import { writeFileSync } from "node:fs";
import { readStackFile } from "../../stack/stackFile.ts";
import { recordConfig } from "../../testing/recorded.ts";

const [, , path = "", output = ""] = process.argv;
Error.stackTraceLimit = 1; // As in `evaluate`.
const { recording } = await recordConfig("bench", readStackFile(path));
writeFileSync(output, JSON.stringify(recording.resources));
