/** Contents of the files in a service's pods, read from the project. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isUtf8 } from "node:buffer";
import type { FileContent } from "../components/workloads/files.ts";
import type { ServiceSettings } from "./schema.ts";

/**
 * The files that are not secret, by path in the container.
 * @throws Error of the file system for a file that cannot be read
 */
export function plainFiles({ files }: Pick<ServiceSettings, "files">, projectDir: string): Record<string, FileContent> {
  return Object.fromEntries(
    Object.entries(files).flatMap(([path, { from, text }]) => {
      if (text !== undefined) return [[path, { text }]];
      return from === undefined ? [] : [[path, contentOf(readFileSync(join(projectDir, from)))]];
    }),
  );
}

/** Text may hold only what Kubernetes' YAML keeps as it is; everything else is base64. */
function contentOf(bytes: Buffer): FileContent {
  const text = bytes.toString("utf8");
  // eslint-disable-next-line no-control-regex
  return isUtf8(bytes) && !/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]/.test(text)
    ? { text }
    : { base64: bytes.toString("base64") };
}
