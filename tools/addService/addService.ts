/** Adds a microservice: a folder that builds and runs, and an entry in stack files. All of it, or nothing. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { checkConfig } from "../../config/config.ts";
import { schema } from "../../config/schema.ts";
import { servicePort } from "../../names/ports.ts";
import { projectDir } from "../cli/paths.ts";
import { Problem } from "../cli/problem.ts";
import { writeWhole } from "../cli/writeWhole.ts";
import { withService } from "../stack/editStackFile.ts";
import { stackConfig, stackFile, withPlaceholderFiles } from "../stack/stackFile.ts";

export const kinds = ["web", "worker"] as const;
/** Languages of the templates, and the file to edit in each. */
export const programs = { node: "main.mjs", python: "main.py", go: "main.go" } as const;
export type Language = keyof typeof programs;
const templates = join(import.meta.dirname, "template");

/** @throws Problem; nothing is written then */
export function addService(service: NewService, stacks: readonly string[]): void {
  const { name, port } = service;
  requireName(name);
  if (service.kind === "worker" && (service.path ?? service.host) !== undefined)
    throw new Problem("A worker has no route.", "Leave out --path and --host, or use --kind web.");
  if (!/^\d{1,5}$/.test(port)) throw new Problem(`${port} is not a port.`, "Name a number from 1 to 65535.");

  const edits = stacks.map((stack) => editOf(stack, service));
  const folder = join(projectDir, "services", name);
  if (service.image !== undefined) {
    for (const edit of edits) requireGood(edit, name);
    allOrNothing(
      () => {
        for (const { file, text } of edits) writeWhole(file, text);
      },
      edits.map(({ file }) => file),
    );
    return;
  }
  if (existsSync(folder))
    throw new Problem(`There is a folder services/${name} already.`, "Choose another name, or move that folder away.");
  allOrNothing(() => {
    writeFolder(folder, service);
    for (const edit of edits) requireGood(edit, name);
    for (const { file, text } of edits) writeWhole(file, text);
  }, [folder, ...edits.map(({ file }) => file)]);
}

export interface NewService {
  readonly name: string;
  readonly kind: (typeof kinds)[number];
  /** Of the program in the new folder. */
  readonly language: Language;
  /** A ready image. @default - one that is built from a new folder */
  readonly image: string | undefined;
  readonly port: string;
  readonly path: string | undefined;
  readonly host: string | undefined;
}

interface Edit {
  readonly stack: string;
  readonly file: string;
  /** New content of the file. */
  readonly text: string;
}

/** Checks the name before a path is built from it. */
function requireName(name: string): void {
  const { error } = schema.shape.services.safeParse({ [name]: { image: "a:1" } });
  const [issue] = error?.issues ?? [];
  if (issue === undefined) return;
  const reasons = "issues" in issue && Array.isArray(issue.issues) ? (issue.issues as { message: string }[]) : [];
  throw new Problem(
    `${JSON.stringify(name)} cannot be a service's name: it ${reasons.map(({ message }) => message).join("; ")}.`,
    "Choose another name, for example: npm run add-service -- orders",
  );
}

function editOf(stack: string, { name, kind, image, port, path, host }: NewService): Edit {
  const file = stackFile(stack);
  if (!existsSync(file)) throw new Problem(`There is no ${file}.`, "Name a stack that has a Pulumi.<stack>.yaml.");
  const before = readFileSync(file, "utf8");
  const { settings } = check(stack, file, before); // Report errors that the file already has.
  if (Object.hasOwn(settings.services, name))
    throw new Problem(`The stack ${stack} has a service ${name} already.`, "Choose another name.");
  const where = { path: path ?? (host === undefined ? `/${name}/` : undefined), host };
  const route = Object.entries(where).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}: ${/^[\w./~-]+$/.test(value) ? value : JSON.stringify(value)}`],
  );
  const lines = [
    image === undefined ? `build: { context: ./services/${name} }` : `image: ${JSON.stringify(image)}`,
    ...(kind === "worker"
      ? ["port: none"]
      : [
          ...(port === String(servicePort) ? [] : [`port: ${port}`]),
          "health: /healthz",
          `routes: [{ ${route.join(", ")} }]`,
        ]),
  ];
  return { stack, file, text: withService(before, file, name, lines) };
}

function check(stack: string, file: string, text: string) {
  return checkConfig(withPlaceholderFiles(stackConfig(text, file), "replaceable"), stack, projectDir);
}

/** Validates the whole config with the new service in it. */
function requireGood({ stack, file, text }: Edit, name: string): void {
  try {
    check(stack, file, text);
  } catch (error) {
    if (!pulumi.RunError.isInstance(error)) throw error;
    const problems = error.message.split("\n").slice(1, -1).join("\n");
    throw new Problem(
      `The stack ${stack} cannot have this service ${name}; nothing was written:\n${problems}`,
      "Choose another --image, --path, --host or --port, or another name.",
    );
  }
}

function writeFolder(folder: string, { name, kind, language, port }: NewService): void {
  const template = join(templates, language, kind);
  mkdirSync(folder);
  for (const file of readdirSync(template)) {
    const text = readFileSync(join(template, file), "utf8");
    writeFileSync(join(folder, file), text.replaceAll("new-service", name).replaceAll(String(servicePort), port));
  }
}

/** Restores `paths` if the work fails. @param paths files and folders that the work writes */
function allOrNothing(work: () => void, paths: readonly string[]): void {
  const before = paths.map((path) => ({ path, text: existsSync(path) ? readFileSync(path, "utf8") : undefined }));
  try {
    work();
  } catch (error) {
    for (const { path, text } of before)
      if (text === undefined) rmSync(path, { recursive: true, force: true });
      else if (readFileSync(path, "utf8") !== text) writeWhole(path, text);
    throw error;
  }
}
