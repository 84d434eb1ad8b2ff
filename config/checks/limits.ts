/** Sizes that Kubernetes or Linux refuse only after the preview. */
import { Buffer } from "node:buffer";
import { renderRoutes } from "../../nginx/routes.ts";
import { literal } from "../../names/kubernetes.ts";
import { plainFiles } from "../files.ts";
import { problem, type ConfigProblem } from "../problems.ts";
import { proxyRoutes } from "../routes.ts";
import type { ServiceSettings, Settings } from "../schema.ts";
import { namesIn, secretsOf, textOf } from "../variables.ts";

/** Data of a ConfigMap or Secret. https://kubernetes.io/docs/concepts/configuration/configmap/#motivation */
const dataBytes = 1024 * 1024;
/** Left of it for the names of the keys, and for the metrics' config beside the routes. */
const reservedBytes = 4096;

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

/** All annotations of an object. https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/ */
const annotationBytes = 256 * 1024;
/** Left of it for the program's own. */
const ownAnnotationBytes = 4096;

const contentFix = "put the content into the image, or let the service fetch it";
const bytes = (text: string) => Buffer.byteLength(text);
const count = (value: number) => value.toLocaleString("en");
const sum = (entries: Readonly<Record<string, string>>) =>
  Object.entries(entries).reduce((total, [key, value]) => total + bytes(key) + bytes(value), 0);

/** Call it with settings that have no other problem: they are rendered, and their files are read. */
export function checkLimits(settings: Settings, projectDir: string): ConfigProblem[] {
  return [
    ...checkRoutesSize(settings),
    ...checkProgram(settings),
    ...checkFiles(settings, projectDir),
    ...checkAnnotations(settings),
  ];
}

/** A ConfigMap holds the files of a service, and a Secret those that are secret. */
function checkFiles(settings: Settings, projectDir: string): ConfigProblem[] {
  return Object.entries(settings.services).flatMap(([name, service]) => {
    const plain = Object.values(plainFiles(service, projectDir)).map((file) =>
      "text" in file ? bytes(file.text) : Buffer.byteLength(file.base64, "base64"),
    );
    const secret = Object.values(secretsOf(name, settings).files).map(bytes);
    return [plain, secret].flatMap((sizes) => {
      const all = sizes.reduce((total, size) => total + size, 0);
      return all <= dataBytes - reservedBytes
        ? []
        : [
            problem(
              ["services", name, "files"],
              Object.keys(service.files),
              `have ${count(all)} bytes together, and Kubernetes takes ${count(dataBytes - reservedBytes)}`,
              "put large ones into the image, or let the service fetch them",
            ),
          ];
    });
  });
}

function checkRoutesSize(settings: Settings): ConfigProblem[] {
  const routes = proxyRoutes(settings);
  const size = bytes(renderRoutes(routes));
  const most = dataBytes - reservedBytes;
  if (size <= most) return [];
  return [
    problem(
      ["services"],
      { services: Object.keys(settings.services).length, routes: routes.routes.length },
      `make ${count(size)} bytes of nginx config, and a ConfigMap has room for ${count(most)}`,
      "use fewer routes, or find services by name with proxy.wildcards",
    ),
  ];
}

/** What runs in the pods of an object, and the keys below the service that say so. */
interface Runs {
  readonly kind: "Deployment" | "CronJob" | "Job";
  readonly command: readonly [key: string, words: readonly string[]];
  readonly args: readonly [key: string, words: readonly string[]];
}

function runsOf({ command = [], args = [], schedule, release }: ServiceSettings): Runs[] {
  const own = { command: ["command", command], args: ["args", args] } as const;
  const job: Runs | undefined = release && {
    kind: "Job",
    command: release.command === undefined ? own.command : ["release.command", release.command],
    args: release.args === undefined ? own.args : ["release.args", release.args],
  };
  return [{ kind: schedule === undefined ? "Deployment" : "CronJob", ...own }, ...(job === undefined ? [] : [job])];
}

/** The long parts of such an object, by their place below the service. */
function longTexts({ env, health, annotations }: ServiceSettings, { kind, command, args }: Runs) {
  const { exec = [], headers = {} } = typeof health === "object" && kind === "Deployment" ? health : {};
  return {
    env: Object.entries(env).flatMap(([key, value]) => [key, key, literal(textOf(value))]),
    [command[0]]: command[1],
    [args[0]]: args[1],
    "health.exec": exec,
    "health.headers": Object.entries(headers).flat(),
    annotations: Object.entries(annotations).flat(),
  };
}
const bytesOfAll = (texts: readonly string[]) => texts.reduce((total, text) => total + bytes(text), 0);

/** Text as the program gets it: `$(NAME)` is a variable's value. */
const withValues = (text: string, values: Readonly<Record<string, string>>) =>
  namesIn(text).reduce((all, name) => all.replaceAll(`$(${name})`, () => values[name] ?? `$(${name})`), text);

function checkProgram(settings: Settings): ConfigProblem[] {
  return Object.entries(settings.services).flatMap(([name, service]) => {
    const secretEnv = secretsOf(name, settings).env;
    const written = Object.fromEntries(Object.entries(service.env).map(([key, value]) => [key, textOf(value)]));
    const values = { ...written, ...secretEnv };
    const env = Object.fromEntries(
      Object.entries(service.env).map(([key, value]) => [
        key,
        typeof value === "object" && value.expand !== undefined ? withValues(value.expand, values) : textOf(value),
      ]),
    );
    const runs = runsOf(service);
    const asWritten = new Map(runs.flatMap(({ command, args }) => [command, args]));
    const words = new Map(
      [...asWritten].map(([key, all]) => [key, all.map((word) => withValues(word, values))] as const),
    );
    const found = [
      ...checkVariables(["services", name, "env"], env, written),
      ...checkVariables(["secrets", name], secretEnv, secretEnv),
      ...[...words].flatMap(([key, all]) =>
        checkWords(["services", name, ...key.split(".")], all, asWritten.get(key) ?? []),
      ),
      ...(typeof service.health === "object"
        ? checkWords(["services", name, "health", "exec"], service.health.exec ?? [], service.health.exec ?? [])
        : []),
    ];
    if (found.length > 0) return found;
    const wordsOf = ({ command, args }: Runs) => [command[0], args[0]].flatMap((key) => words.get(key) ?? []);
    return [
      ...runs.flatMap((each) => checkObject(name, service, each)),
      ...runs.flatMap((each) => checkStart(name, { ...env, ...secretEnv }, wordsOf(each))),
    ].slice(0, 1);
  });
}

/** @param written what to show: the values may hold secrets of others */
function checkVariables(
  path: readonly string[],
  values: Readonly<Record<string, string>>,
  written: Readonly<Record<string, string>>,
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
  return sum(written) <= dataBytes
    ? []
    : [
        problem(
          path,
          Object.keys(values),
          `have ${count(sum(written))} bytes together, and Kubernetes takes ${count(dataBytes)}`,
          contentFix,
        ),
      ];
}

function checkWords(path: readonly string[], words: readonly string[], written: readonly string[]): ConfigProblem[] {
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

function checkObject(name: string, service: ServiceSettings, runs: Runs): ConfigProblem[] {
  const parts = Object.entries(longTexts(service, runs)).map(([key, texts]) => ({
    key,
    texts,
    size: bytesOfAll(texts) + (key === "env" ? Object.keys(service.env).length : texts.length) * frameBytes,
  }));
  const size = parts.reduce((total, part) => total + part.size, 0);
  if (size <= objectBytes - otherObjectBytes) return [];
  const { key, texts } = parts.reduce((a, b) => (b.size > a.size ? b : a));
  return [
    problem(
      ["services", name, ...key.split(".")],
      key === "env" ? Object.keys(service.env) : texts,
      `make a ${runs.kind} of about ${count(size + otherObjectBytes)} bytes, and Kubernetes takes ${count(objectBytes)}`,
      "put some into the image, or let the service fetch it",
    ),
  ];
}

function checkStart(
  name: string,
  variables: Readonly<Record<string, string>>,
  words: readonly string[],
): ConfigProblem[] {
  const all =
    sum(variables) +
    Object.keys(variables).length * (pointerBytes + 1) +
    bytesOfAll(words) +
    words.length * pointerBytes;
  return all <= programBytes - ownVariableBytes
    ? []
    : [
        problem(
          ["services", name, "env"],
          Object.keys(variables),
          `have ${count(all)} bytes with secrets.${name}, command and args, and Linux starts a program with at most ${count(programBytes)}`,
          "put some into the image, or let the service fetch it",
        ),
      ];
}

/** Annotations of the edge's objects, and of a service's pods. */
function checkAnnotations({ edge, services }: Settings): ConfigProblem[] {
  const { annotations = {}, grpcServiceAnnotations = {} } = edge.kind === "ingress" ? edge : {};
  const all: readonly (readonly [path: readonly string[], Readonly<Record<string, string>>])[] = [
    [["edge", "annotations"], annotations],
    [["edge", "grpcServiceAnnotations"], grpcServiceAnnotations],
    ...Object.entries(services).map(
      ([name, service]) => [["services", name, "annotations"], service.annotations] as const,
    ),
  ];
  return all.flatMap(([path, values]) =>
    sum(values) <= annotationBytes - ownAnnotationBytes
      ? []
      : [
          problem(
            path,
            Object.keys(values),
            `have ${count(sum(values))} bytes together, and there is room for ${count(annotationBytes - ownAnnotationBytes)} of the ${count(annotationBytes)} that Kubernetes takes`,
            "remove some of them",
          ),
        ],
  );
}
