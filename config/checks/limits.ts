/** Sizes that Kubernetes or Linux refuse only after the preview. */
import { Buffer } from "node:buffer";
import { renderRoutes } from "../../nginx/routes.ts";
import { literal } from "../../names/kubernetes.ts";
import { plainFiles } from "../files.ts";
import { problem, type ConfigProblem } from "../problems.ts";
import { proxyRoutes } from "../routes.ts";
import type { Settings } from "../schema.ts";
import { secretsOf, textOf } from "../variables.ts";

/** Data of a ConfigMap or Secret. https://kubernetes.io/docs/concepts/configuration/configmap/#motivation */
const dataBytes = 1024 * 1024;
/** Left of it for the names of the keys, and for the metrics' config beside the routes. */
const reservedBytes = 4096;

/** `NAME=value` with its end: MAX_ARG_STRLEN, 32 pages of 4 KiB. https://man7.org/linux/man-pages/man2/execve.2.html */
const variableBytes = 32 * 4096;

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
/** Of a Deployment: what else it has, and for each variable its frame and its entry in `managedFields`. */
const [otherObjectBytes, frameBytes] = [64 * 1024, 80];

/** All annotations of an object. https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/ */
const annotationBytes = 256 * 1024;
/** Left of it for the program's own. */
const ownAnnotationBytes = 4096;

const bytes = (text: string) => Buffer.byteLength(text);
const count = (value: number) => value.toLocaleString("en");
const sum = (entries: Readonly<Record<string, string>>) =>
  Object.entries(entries).reduce((total, [key, value]) => total + bytes(key) + bytes(value), 0);

/** Call it with settings that have no other problem: they are rendered, and their files are read. */
export function checkLimits(settings: Settings, projectDir: string): ConfigProblem[] {
  return [
    ...checkRoutesSize(settings),
    ...checkEnv(settings),
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

function checkEnv(settings: Settings): ConfigProblem[] {
  return Object.entries(settings.services).flatMap(([name, service]) => {
    const env = Object.fromEntries(Object.entries(service.env).map(([key, value]) => [key, textOf(value)]));
    const secretEnv = secretsOf(name, settings).env;
    const places = [
      { path: ["services", name, "env"], values: env },
      { path: ["secrets", name], values: secretEnv },
    ];
    const found = places.flatMap(({ path, values }) => {
      const long = Object.entries(values).filter(([key, value]) => bytes(`${key}=${value}`) >= variableBytes);
      if (long.length > 0)
        return long.map(([key, value]) =>
          problem(
            [...path, key],
            value,
            `has ${count(bytes(value))} bytes, and Linux starts no program with a variable of ${count(variableBytes)} or more`,
            "put the content into the image, or let the service fetch it",
          ),
        );
      return sum(values) <= dataBytes
        ? []
        : [
            problem(
              path,
              Object.keys(values),
              `have ${count(sum(values))} bytes together, and Kubernetes takes ${count(dataBytes)}`,
              "put the content into the image, or let the service fetch it",
            ),
          ];
    });
    if (found.length > 0) return found;
    const [fix, kept] = ["put some into the image, or let the service fetch it", Object.keys({ ...env, ...secretEnv })];
    const written = Object.fromEntries(Object.entries(env).map(([key, value]) => [key, literal(value)]));
    const size = sum(written) + Object.entries(env).reduce((total, [key]) => total + bytes(key) + frameBytes, 0);
    if (size > objectBytes - otherObjectBytes)
      return [
        problem(
          ["services", name, "env"],
          Object.keys(env),
          `make a Deployment of about ${count(size + otherObjectBytes)} bytes, and Kubernetes takes ${count(objectBytes)}`,
          fix,
        ),
      ];
    const all = sum(env) + sum(secretEnv) + kept.length * (pointerBytes + 1);
    return all <= programBytes - ownVariableBytes
      ? []
      : [
          problem(
            ["services", name, "env"],
            kept,
            `have ${count(all)} bytes with secrets.${name}, and Linux starts a program with at most ${count(programBytes)}`,
            fix,
          ),
        ];
  });
}

function checkAnnotations({ edge }: Settings): ConfigProblem[] {
  if (edge.kind !== "ingress") return [];
  const { annotations, grpcServiceAnnotations } = edge;
  return Object.entries({ annotations, grpcServiceAnnotations }).flatMap(([key, values]) =>
    sum(values) <= annotationBytes - ownAnnotationBytes
      ? []
      : [
          problem(
            ["edge", key],
            Object.keys(values),
            `have ${count(sum(values))} bytes together, and there is room for ${count(annotationBytes - ownAnnotationBytes)} of the ${count(annotationBytes)} that Kubernetes takes`,
            "remove some of them",
          ),
        ],
  );
}
