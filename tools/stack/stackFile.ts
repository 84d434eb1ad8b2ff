/** Reads a stack file, `Pulumi.<stack>.yaml`, into the form in which Pulumi passes it to the program. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { checkConfig, plainSecretsWarning, refuse, type CheckedConfig } from "../../config/config.ts";
import { lostText } from "../../config/input.ts";
import { nearest, step } from "../../config/problems.ts";
import { parseStackFile, StackFileError, type StackFile } from "../../config/stackFile.ts";
import { fullKey, project } from "../../names/project.ts";
import { projectDir, stacksDir, tlsDir } from "../cli/paths.ts";
import { Problem } from "../cli/problem.ts";

export const stackFile = (stack: string, folder = stacksDir): string => join(folder, `Pulumi.${stack}.yaml`);

/**
 * The validated config of a stack.
 * @param certificates which certificate files to replace by a placeholder, see `withPlaceholderFiles`
 * @throws Problem if the file is missing or not a stack file, RunError with all errors in it
 */
export function loadStackFile(stack: string, certificates: Placeholders = "replaceable"): CheckedConfig {
  const path = stackFile(stack);
  const file = parsed(textOf(path), path);
  const config = configOf(file, path, "placeholder");
  const encrypted = [...file.values].flatMap(([key, value]) => (hasEncrypted(value) ? [key] : []));
  const checked = checkConfig(withPlaceholderFiles(config, certificates), stack, projectDir, encrypted);
  const isPlain = hasPlainText(file.values.get(fullKey("secrets")));
  return isPlain ? { ...checked, warnings: [...checked.warnings, ...plainSecretsWarning(checked.settings)] } : checked;
}

/** Placeholder for a value that only the Pulumi CLI or Google knows. */
export const notShown = (what: string) => `(${what} not shown)`;

export type RawConfig = Record<string, string>;

/**
 * Reads a stack file. Only the Pulumi CLI can read encrypted values: they become placeholders, or are refused if the
 * result will be applied.
 * @throws Problem
 */
export function readStackFile(path: string, encrypted: "placeholder" | "refuse" = "placeholder"): RawConfig {
  return stackConfig(textOf(path), path, encrypted);
}

/** Why `npm start` does not apply a stack file that is valid for the Pulumi CLI; undefined if it does. */
export function startProblem(path: string): string | undefined {
  try {
    readStackFile(path, "refuse");
    return undefined;
  } catch (error) {
    if (error instanceof Problem) return `npm start does not apply this stack. ${error.message} ${error.fix}`;
    throw error;
  }
}

/**
 * What to say about a stack file that was edited after it was read.
 * @param path of the file
 * @param used the config that was read from it
 * @param readAt when
 * @returns undefined if the file still has the same config; comments do not count
 */
export function editedMeanwhile(path: string, used: RawConfig, readAt: Date): string | undefined {
  let now: RawConfig | undefined;
  try {
    now = readStackFile(path, "refuse");
  } catch {
    now = undefined; // It has an error now, or is gone: the next start reports it.
  }
  return isDeepStrictEqual(now, used)
    ? undefined
    : `${basename(path)} was edited meanwhile. This start used it as it was at ${readAt.toTimeString().slice(0, 8)}: run npm start again to apply the rest.`;
}

/** @throws Problem with the stacks that have a file */
export function textOf(path: string): string {
  if (existsSync(path)) return readFileSync(path, "utf8");
  throw new Problem(`There is no ${path}.`, `Name a stack that has a file, or copy one. ${stacksBeside(path)}`);
}

/** The stacks with a file in the same folder, and the one that a mistyped name may mean. */
function stacksBeside(path: string): string {
  const stackOf = (file: string) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1];
  const folder = dirname(path);
  const files = existsSync(folder) ? readdirSync(folder) : [];
  const stacks = files.flatMap((file) => stackOf(file) ?? []).sort();
  if (stacks.length === 0) return `No stack has a file in ${folder}.`;
  // A file's name instead of the stack's, too.
  const given = stackOf(basename(path)) ?? "";
  const meant = nearest(stackOf(basename(given)) ?? given, stacks);
  return `Stacks: ${stacks.join(", ")}.${meant === undefined ? "" : ` Did you mean "${meant}"?`}`;
}

/** The same for the text of a stack file. @throws Problem, RunError for text that would be lost, see `lostText` */
export const stackConfig = (
  text: string,
  path: string,
  encrypted: "placeholder" | "refuse" = "placeholder",
): RawConfig => configOf(parsed(text, path), path, encrypted);

function configOf(
  { values, rewritten, usesEnvironment }: StackFile,
  path: string,
  encrypted: "placeholder" | "refuse",
): RawConfig {
  if (usesEnvironment)
    console.error(`warning: ${path} uses an environment: only the Pulumi CLI can read the values that it adds.`);
  const beside = localSecrets(path);
  const config: RawConfig = {
    ...projectConfig(join(dirname(path), "Pulumi.yaml")),
    ...Object.fromEntries(
      [...values].map(([key, value]) => [
        key,
        asText(
          withoutSecrets(value, key, (where, secure) => {
            if (!ciphertext.test(secure))
              throw new Problem(
                `${path}: the text below ${where}.secure was not encrypted by the Pulumi CLI.`,
                `Set the value again, which asks for it and encrypts it: npx pulumi config set --secret --path '${where}'`,
              );
            if (encrypted === "placeholder") return notShown(`secret ${where}`);
            throw new Problem(
              `${path} holds an encrypted value, which only the Pulumi CLI can read: ${where}.`,
              "Write a plain-text value for this machine there, or apply the stack with `npx pulumi up`.",
            );
          }),
        ),
      ]),
    ),
  };
  if (beside !== undefined) config[secretsKey] = withLocalSecrets(objectAt(config, "secrets"), beside.secrets);
  const lost = lostText(config, [...rewritten, ...(beside?.rewritten ?? [])]);
  refuse(basename(path).replace(/^Pulumi\.|\.yaml$/g, ""), lost);
  return config;
}

const secretsKey = fullKey("secrets");
/** Secrets of the stack `local` on this machine, for who has no Pulumi CLI: git ignores the file. */
export const localSecretsFile = "secrets.local.yaml";

/** @throws Problem if the file has anything but secrets */
function localSecrets(
  path: string,
): { secrets: Record<string, unknown>; rewritten: StackFile["rewritten"] } | undefined {
  const file = join(dirname(path), localSecretsFile);
  if (basename(path) !== "Pulumi.local.yaml" || !existsSync(file)) return undefined;
  const { values, rewritten } = parsed(readFileSync(file, "utf8"), file);
  const secrets = values.get(secretsKey);
  if (!isObject(secrets) || values.size > 1)
    throw new Problem(
      `${file} has ${[...values.keys()].join(", ") || "nothing"}, and may have secrets alone.`,
      `Write "config:", below it "secrets:", and below that the services, as in Pulumi.local.yaml.`,
    );
  return { secrets, rewritten };
}

/** The two by service and name; those of the machine count. */
function withLocalSecrets(written: Record<string, unknown>, local: Record<string, unknown>): string {
  const merged = Object.entries(local).map(([service, values]) => {
    const before = written[service];
    return [service, isObject(before) && isObject(values) ? { ...before, ...values } : values];
  });
  return toJson({ ...written, ...Object.fromEntries(merged) });
}

/** Anything but text below `secure` is no secret to the CLI. */
const isSecure = (value: Readonly<Record<string, unknown>>): value is { readonly secure: string } =>
  Object.keys(value).join() === "secure" && typeof value["secure"] === "string";

/**
 * What the CLI writes: with a version before it, or base64 of nonce, content and tag, 28 bytes without the content.
 * https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/config/crypt.go
 */
const ciphertext = /^(?:v\d+:\S+|[A-Za-z0-9+/_-]{38,}={0,2})$/;

const hasEncrypted = (value: unknown): boolean =>
  Array.isArray(value)
    ? value.some(hasEncrypted)
    : isObject(value) && (isSecure(value) || Object.values(value).some(hasEncrypted));

/** Whether any value is not encrypted. */
const hasPlainText = (value: unknown): boolean =>
  isObject(value) ? !isSecure(value) && Object.values(value).some(hasPlainText) : value !== undefined;

function parsed(text: string, path: string, kind?: "project"): StackFile {
  try {
    return parseStackFile(text, kind);
  } catch (error) {
    if (!(error instanceof StackFileError)) throw error;
    throw new Problem(
      `${error.placeIn(path)}: ${error.message}.`,
      `${error.fix.charAt(0).toUpperCase()}${error.fix.slice(1)}.`,
    );
  }
}

/** The values that Pulumi.yaml gives to every stack. https://www.pulumi.com/docs/iac/concepts/projects/project-file/#config-options */
function projectConfig(path: string): RawConfig {
  if (!existsSync(path)) return {};
  const entries = [...parsed(readFileSync(path, "utf8"), path, "project").values].flatMap(([key, entry]) => {
    const value = isObject(entry) ? (entry["value"] ?? entry["default"]) : entry;
    return value === undefined ? [] : [[key, asText(value)] as const];
  });
  return Object.fromEntries(entries);
}

/** As the CLI passes a value: text as it is, anything else as JSON. */
export const asText = (value: unknown): string => (typeof value === "string" ? value : toJson(value));

/** JSON.stringify that writes a bigint as a number. */
function toJson(value: unknown): string {
  if (typeof value === "bigint") return String(value);
  if (Array.isArray(value)) return `[${value.map(toJson).join()}]`;
  if (!isObject(value)) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, item]) => `${JSON.stringify(key)}:${toJson(item)}`)
    .join()}}`;
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function withoutSecrets(value: unknown, key: string, instead: (key: string, secure: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item, index) => withoutSecrets(item, `${key}[${index}]`, instead));
  if (!isObject(value)) return value;
  if (isSecure(value)) return instead(key, value.secure);
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, withoutSecrets(item, `${key}${step(name)}`, instead)]),
  );
}

export type Placeholders = "missing" | "replaceable" | "always";

/**
 * Replaces certificate files by a placeholder, and secrets that were encrypted as a whole by none, or by a certificate if
 * the stack needs one.
 * @param when `missing`: if the files do not exist, as before the first `npm start`; `replaceable`: also if `npm start`
 *   would renew them; `always`: for the doctor, which examines the served certificate instead of the files
 */
export function withPlaceholderFiles(config: RawConfig, when: Placeholders = "missing"): RawConfig {
  const key = fullKey("secrets");
  return withPlaceholders(config[key] === notShown(`secret ${key}`) ? withoutWhole(config, key) : config, when);
}

function withoutWhole(config: RawConfig, key: string): RawConfig {
  const { mode, fallback, certFile } = objectAt(config, "tls");
  const usesSecret = mode === "supplied" ? certFile === undefined : mode === "managed" && fallback === "supplied";
  const tls = { crt: notShown(`secret ${key}.tls.crt`), key: notShown(`secret ${key}.tls.key`) };
  return { ...config, [key]: JSON.stringify(usesSecret ? { tls } : {}) };
}

function withPlaceholders(config: RawConfig, when: Placeholders): RawConfig {
  const { certFile, keyFile, ...rest } = objectAt(config, "tls");
  if (rest["mode"] !== "supplied" || typeof certFile !== "string" || typeof keyFile !== "string") return config;
  const path = join(projectDir, certFile);
  const replaceable = when === "always" || (when === "replaceable" && path === join(tlsDir, "tls.crt"));
  if (existsSync(path) && !replaceable) return config;
  const secrets = objectAt(config, "secrets");
  return {
    ...config,
    [`${project}:tls`]: JSON.stringify(rest),
    [`${project}:secrets`]: JSON.stringify({ ...secrets, tls: { crt: notShown(certFile), key: notShown(keyFile) } }),
  };
}

function objectAt(config: RawConfig, key: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(config[`${project}:${key}`] ?? "{}");
    return isObject(value) ? value : {};
  } catch {
    return {}; // The validation of the config reports the error.
  }
}
