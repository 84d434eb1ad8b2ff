/** Finds the encrypted values of a stack file that differ. A rendering cannot show them, because it never sees them. */
import { existsSync, readFileSync } from "node:fs";
import { parseStackFile } from "../../config/stackFile.ts";

/** Keys such as `gke-microservices:secrets.hoge.API_KEY` whose encrypted value differs between the files. */
export function editedSecrets(before: string, after: string): string[] {
  const [old, now] = [encryptedIn(before), encryptedIn(after)];
  return [...new Set([...old.keys(), ...now.keys()])].filter((key) => old.get(key) !== now.get(key)).sort();
}

/** The ciphertexts by key. */
function encryptedIn(file: string): Map<string, string> {
  const found = new Map<string, string>();
  const walk = (value: unknown, key: string): void => {
    if (typeof value !== "object" || value === null) return;
    const { secure } = value as { readonly secure?: unknown };
    if (typeof secure === "string" && Object.keys(value).length === 1) found.set(key, secure);
    else for (const [name, item] of Object.entries(value)) walk(item, `${key}.${name}`);
  };
  try {
    if (existsSync(file)) parseStackFile(readFileSync(file, "utf8")).values.forEach(walk);
  } catch {
    return found; // The rendering reports what is wrong with the file.
  }
  return found;
}
