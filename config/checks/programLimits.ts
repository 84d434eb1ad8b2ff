/** Sizes of what a container of a service is started with, which Kubernetes or Linux refuse only after the preview. */
import { Buffer } from "node:buffer";
import { literal } from "../../names/kubernetes.ts";
import { containersOf } from "../containers.ts";
import { problem, type ConfigProblem } from "../problems.ts";
import type { ServiceSettings, Settings } from "../schema.ts";
import { containerSecrets, namesIn, secretsOf, textOf } from "../variables.ts";

/** Data of a ConfigMap or Secret. https://kubernetes.io/docs/concepts/configuration/configmap/#motivation */
export const dataBytes = 1024 * 1024;
/**
 * An argument, or `NAME=value` of a variable, with its end: MAX_ARG_STRLEN, 32 pages of 4 KiB.
 * https://man7.org/linux/man-pages/man2/execve.2.html
 */
const wordBytes = 32 * 4096;

/**
 * Variables and arguments of a program together: a quarter of the stack's 8 MiB. Each has its end and a pointer.
 * https://man7.org/linux/man-pages/man2/execve.2.html
 */
const programBytes = 2 * 1024 * 1024;
const pointerBytes = 9;
/** Left for the image's own variables, and for those of Kubernetes. */
const ownVariableBytes = 64 * 1024;

/** Request of an object to etcd. https://etcd.io/docs/latest/dev-guide/limit/#request-size-limit */
const objectBytes = 1.5 * 1024 * 1024;
/** Of a Deployment, Job or CronJob: what else it has, and for each variable or other text its frame and its entry in `managedFields`. */
const [otherObjectBytes, frameBytes] = [64 * 1024, 80];

const contentFix = "put the content into the image, or let the service fetch it";
export const bytes = (text: string) => Buffer.byteLength(text);
export const count = (value: number) => value.toLocaleString("en");
export const sum = (entries: Readonly<Record<string, string>>) =>
  Object.entries(entries).reduce((total, [key, value]) => total + bytes(key) + bytes(value), 0);

/** A container of a service's pods, as far as its texts go. */
interface Program {
  /** Of the service, or of what is beside its program. */
  readonly path: readonly PropertyKey[];
  /** Where command and args are written. @default - below the path */
  readonly words?: Readonly<Record<"command" | "args", readonly PropertyKey[]>>;
  readonly env: ServiceSettings["env"];
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly health?: ServiceSettings["health"];
  readonly secretEnv: Readonly<Record<string, string>>;
  /** Where the secret values are written; undefined for those that are named one by one. */
  readonly secretPath?: readonly PropertyKey[];
}

function programsOf(name: string, service: ServiceSettings, settings: Settings): [Program, ...Program[]] {
  const path = ["services", name];
  const { env, command = [], args = [], health } = service;
  return [
    { path, env, command, args, health, secretEnv: secretsOf(name, settings).env, secretPath: ["secrets", name] },
    ...containersOf(service).map((container) => {
      const { env, command = [], args = [] } = container.settings;
      const check = container.kind === "sidecar" ? container.settings.health : undefined;
      const secretEnv = containerSecrets(name, { env }, settings);
      return { path: [...path, ...container.path], env, command, args, health: check, secretEnv };
    }),
  ];
}

/** An object that makes pods. */
interface PodMaker {
  readonly kind: "Deployment" | "CronJob" | "Job";
  readonly programs: readonly [Program, ...Program[]];
}

/** What a service's pods are made from: itself, and the job of its releases. */
function podMakersOf(service: ServiceSettings, programs: readonly [Program, ...Program[]]): PodMaker[] {
  const { schedule, release } = service;
  const own: PodMaker = { kind: schedule === undefined ? "Deployment" : "CronJob", programs };
  if (release === undefined) return [own];
  const [program, ...others] = programs;
  const { health: _, ...rest } = program;
  const at = (key: "command" | "args") => [...program.path, ...(release[key] === undefined ? [] : ["release"]), key];
  const { command = program.command, args = program.args } = release;
  const job: Program = { ...rest, command, args, words: { command: at("command"), args: at("args") } };
  return [own, { kind: "Job", programs: [job, ...others] }];
}

const pathOf = ({ path, words }: Program, key: string): readonly PropertyKey[] =>
  key === "command" || key === "args" ? (words?.[key] ?? [...path, key]) : [...path, ...key.split(".")];

/** The long parts of a container, by their place below it. */
function longTexts({ env, command, args, health }: Program) {
  const { exec = [], headers = {} } = typeof health === "object" ? health : {};
  return {
    env: Object.entries(env).flatMap(([key, value]) => [key, key, literal(textOf(value))]),
    command: [...command],
    args: [...args],
    "health.exec": exec,
    "health.headers": Object.entries(headers).flat(),
  };
}
const bytesOfAll = (texts: readonly string[]) => texts.reduce((total, text) => total + bytes(text), 0);

/** Text as the program gets it: `$(NAME)` is a variable's value. */
const withValues = (text: string, values: Readonly<Record<string, string>>) =>
  namesIn(text).reduce((all, name) => all.replaceAll(`$(${name})`, () => values[name] ?? `$(${name})`), text);

/** Each container of a service, alone and in its Deployment, CronJob or release's Job. */
export function checkPrograms(settings: Settings): ConfigProblem[] {
  return Object.entries(settings.services).flatMap(([name, service]) => {
    const makers = podMakersOf(service, programsOf(name, service, settings));
    const programs = new Set(makers.flatMap((maker) => maker.programs));
    const found = [...programs].flatMap((program) => checkProgram(program));
    if (found.length > 0) return found;
    return [
      ...makers.flatMap((maker) => checkObject(name, service, maker)),
      ...[...programs].flatMap((program) => checkStart(name, program)),
    ].slice(0, 1);
  });
}

/** The variables as the program gets them. */
function valuesOf({ env, secretEnv }: Program) {
  const written = Object.fromEntries(Object.entries(env).map(([key, value]) => [key, textOf(value)]));
  const values = { ...written, ...secretEnv };
  const expanded = Object.fromEntries(
    Object.entries(env).map(([key, value]) => [
      key,
      typeof value === "object" && value.expand !== undefined ? withValues(value.expand, values) : textOf(value),
    ]),
  );
  return { written, values, expanded };
}

function checkProgram(program: Program): ConfigProblem[] {
  const { path, health, secretEnv, secretPath } = program;
  const { written, values, expanded } = valuesOf(program);
  const exec = typeof health === "object" ? (health.exec ?? []) : [];
  return [
    ...checkVariables([...path, "env"], expanded, written),
    ...checkVariables(
      secretPath ?? [...path, "env"],
      secretEnv,
      secretPath === undefined ? {} : secretEnv,
      sum(secretEnv),
    ),
    ...(["command", "args"] as const).flatMap((key) =>
      checkWords(
        pathOf(program, key),
        program[key].map((word) => withValues(word, values)),
        program[key],
      ),
    ),
    ...checkWords([...path, "health", "exec"], exec, exec),
  ];
}

/** @param written what to show: the values may hold secrets of others @param total bytes in their object */
function checkVariables(
  path: readonly PropertyKey[],
  values: Readonly<Record<string, string>>,
  written: Readonly<Record<string, string>>,
  total = sum(written),
): ConfigProblem[] {
  const long = Object.entries(values).filter(([key, value]) => bytes(`${key}=${value}`) >= wordBytes);
  if (long.length > 0)
    return long.map(([key, value]) =>
      problem(
        [...path, key],
        written[key] ?? "",
        `has ${count(bytes(value))} bytes, and Linux starts no program with a variable of ${count(wordBytes)} or more`,
        contentFix,
      ),
    );
  return total <= dataBytes
    ? []
    : [
        problem(
          path,
          Object.keys(values),
          `have ${count(total)} bytes together, and Kubernetes takes ${count(dataBytes)}`,
          contentFix,
        ),
      ];
}

function checkWords(
  path: readonly PropertyKey[],
  words: readonly string[],
  written: readonly string[],
): ConfigProblem[] {
  return words.flatMap((word, index) =>
    bytes(word) < wordBytes
      ? []
      : problem(
          [...path, index],
          written[index] ?? "",
          `has ${count(bytes(word))} bytes, and Linux starts no program with an argument of ${count(wordBytes)} or more`,
          "put the content into files, or into the image",
        ),
  );
}

function checkObject(name: string, service: ServiceSettings, { kind, programs }: PodMaker): ConfigProblem[] {
  const path = ["services", name];
  const parts = [
    ...programs.flatMap((program) =>
      Object.entries(longTexts(program)).map(([key, texts]) => ({
        path: pathOf(program, key),
        shown: key === "env" ? Object.keys(program.env) : texts,
        size: bytesOfAll(texts) + (key === "env" ? Object.keys(program.env).length : texts.length) * frameBytes,
      })),
    ),
    ...[Object.entries(service.annotations).flat()].map((texts) => ({
      path: [...path, "annotations"],
      shown: texts,
      size: bytesOfAll(texts) + texts.length * frameBytes,
    })),
  ];
  const size = parts.reduce((total, part) => total + part.size, 0);
  if (size <= objectBytes - otherObjectBytes) return [];
  const largest = parts.reduce((a, b) => (b.size > a.size ? b : a));
  return [
    problem(
      largest.path,
      largest.shown,
      `make a ${kind} of about ${count(size + otherObjectBytes)} bytes, and Kubernetes takes ${count(objectBytes)}`,
      "put some into the image, or let the service fetch it",
    ),
  ];
}

function checkStart(name: string, program: Program): ConfigProblem[] {
  const { values, expanded } = valuesOf(program);
  const variables = { ...expanded, ...program.secretEnv };
  const words = [...program.command, ...program.args].map((word) => withValues(word, values));
  const all =
    sum(variables) +
    Object.keys(variables).length * (pointerBytes + 1) +
    bytesOfAll(words) +
    words.length * pointerBytes;
  return all <= programBytes - ownVariableBytes
    ? []
    : [
        problem(
          [...program.path, "env"],
          Object.keys(variables),
          `have ${count(all)} bytes with secrets.${name}, command and args, and Linux starts a program with at most ${count(programBytes)}`,
          "put some into the image, or let the service fetch it",
        ),
      ];
}
