/** Sizes that Kubernetes or Linux refuse only after the preview. */
import { Buffer } from "node:buffer";
import { renderRoutes } from "../../nginx/routes.ts";
import { plainFiles } from "../files.ts";
import { problem, type ConfigProblem } from "../problems.ts";
import { proxyRoutes } from "../routes.ts";
import type { Settings } from "../schema.ts";
import { secretsOf } from "../variables.ts";
import { bytes, checkPrograms, count, dataBytes, sum } from "./programLimits.ts";

/** Left of a ConfigMap or Secret for the names of the keys, and for the metrics' config beside the routes. */
const reservedBytes = 4096;

/** All annotations of an object. https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/ */
const annotationBytes = 256 * 1024;
/** Left of it for the program's own. */
const ownAnnotationBytes = 4096;

/** Call it with settings that have no other problem: they are rendered, and their files are read. */
export function checkLimits(settings: Settings, projectDir: string): ConfigProblem[] {
  return [
    ...checkRoutesSize(settings),
    ...checkPrograms(settings),
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
