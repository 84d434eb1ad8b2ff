/** Schema of what runs in a service's pods: program, health, writable folders, files, variables. */
import * as z from "zod";
import { bytesOf } from "../../names/quantities.ts";
import { doc, exactlyOne } from "./doc.ts";
import { distinct, envName, envValue, label, labelKey, labelValue, path, safeText } from "./values.ts";

/** `pulumi config set --path 'args[0]' 8080` stores a number. */
export const words = z.array(envValue).min(1, "must have at least one word").max(500);

export const command = words
  .optional()
  .meta(
    doc(
      "Program that runs instead of the image's `ENTRYPOINT`, one word an item. `$(NAME)` is the value of a variable of `env` or `secrets`; everything else is text.",
      ["bundle", "exec"],
      "0.3.0",
    ),
  );
export const args = words
  .optional()
  .meta(
    doc(
      "Arguments instead of the image's `CMD`, one word an item. `$(NAME)` is the value of a variable of `env` or `secrets`; everything else is text.",
      ["sidekiq", "--queue=mail"],
      "0.3.0",
    ),
  );

export const portNumber = z.int().min(1).max(65535);

export const port = (standard: number) =>
  z
    .union([portNumber, z.literal("none")], { error: "must be a port from 1 to 65535, or none for a worker" })
    .default(standard)
    .meta(
      doc(
        "Port that the container listens on. It is also in the variable `PORT`. `none` makes a worker, which nobody calls: it has no Service, no routes and no health check over the network.",
        3000,
      ),
    );

export const servicePort = portNumber
  .optional()
  .meta(doc("Port of the Service, which callers use. Without it: that of the container.", 80, "0.3.0"));

/** https://kubernetes.io/docs/concepts/services-networking/service/#field-spec-ports: IANA service names. */
const portName = z
  .string()
  .regex(
    /^(?!.*--)(?=.*[a-z])[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$/,
    "must be the name of a port: at most 15 lower-case letters, digits and single hyphens",
  )
  .refine((name) => name !== "http", "must not be http: that is the name of port");

export const ports = z
  .record(portName, portNumber)
  .refine((all) => distinct(Object.values(all)), "must name each port once")
  .refine((all) => Object.keys(all).length <= 20, "must have at most 20 ports")
  .default({})
  .meta(doc("Further ports by name, for services that call this one.", { admin: 9090 }, "0.3.0"));

export const startSeconds = { standard: 60, most: 3000 };

const headerName = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/, "must be the name of a header, such as X-Health");
const hostName = z
  .string()
  .max(253, "must have at most 253 characters")
  .regex(/^[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?(:\d{1,5})?$/, "must be a host name, such as shop.example.com");
/** Frameworks have their health at `/health?full=true`. */
const healthPath = z
  .string()
  .max(400, "must have at most 400 characters")
  .refine((value) => path.safeParse(value.replace(/\?.*/s, "")).success, {
    error: "must be a path such as /readyz, and may have a query such as /readyz?full=true",
    abort: true,
  })
  .refine(
    (value) => /^[!-~]*$/.test(value) && !value.includes("#"),
    "must have a query of the characters of RFC 3986, with all others encoded, such as %20",
  );

const healthKinds = ["path", "grpc", "tcp", "exec"] as const;
const healthObject = z
  .strictObject({
    path: healthPath
      .optional()
      .meta(doc("Path that answers 200 to 399 when the pod is ready.", "/readyz?full=true", "0.3.0")),
    headers: z
      .record(headerName, safeText)
      .optional()
      .meta(doc("Headers of the request for `path`.", { "X-Health": "1" }, "0.3.0")),
    host: hostName
      .optional()
      .meta(doc("Host of the request for `path`. Without it: the pod's address.", "shop.example.com", "0.3.0")),
    grpc: z
      .string()
      .max(253)
      .optional()
      .meta(doc('Service to ask in grpc.health.v1; `""` is the whole server.', "shop.v1.Orders", "0.3.0")),
    tcp: z
      .boolean()
      .refine((value) => value, "must be true, or be left out")
      .optional()
      .meta(doc("Ready when the port accepts connections.", true, "0.3.0")),
    exec: words
      .optional()
      .meta(doc("Command in the container that ends with 0 when the pod is ready.", ["pg_isready"], "0.3.0")),
    port: portNumber.optional().meta(doc("Port to ask. Without it: `port`.", 9090, "0.3.0")),
    startSeconds: z
      .int()
      .min(1)
      .max(startSeconds.most)
      .default(startSeconds.standard)
      .meta(doc("Seconds that the program may take to start, before Kubernetes restarts it.", 150, "0.3.0")),
  })
  .refine(
    (value) => healthKinds.filter((kind) => value[kind] !== undefined).length <= 1,
    `must have at most one of ${healthKinds.join(", ")}`,
  )
  .refine(
    (value) => value.path !== undefined || (value.headers === undefined && value.host === undefined),
    "must have headers and host only with path",
  )
  .refine((value) => value.exec === undefined || value.port === undefined, "must have no port with exec");

const healthWord = z
  .string()
  .refine((value) => value.startsWith("/"), "must be a path such as /readyz, or one of grpc, tcp and none");

export const health = z
  .union([z.enum(["grpc", "tcp", "none"]), healthWord.pipe(healthPath), healthObject], {
    error: "must be a path such as /readyz, grpc, tcp, none, or a map with path, grpc, tcp or exec",
  })
  .optional()
  .meta(
    doc(
      "How to see that a pod is ready: a path, `grpc` (grpc.health.v1), `tcp`, `none`, or a map with details. Without it: `/healthz`, or `grpc` if the service has only gRPC routes; `none` for a worker.",
      { path: "/readyz", startSeconds: 150 },
      "0.3.0",
    ),
  );

/** A folder or file in the container. */
export const place = z
  .string()
  .max(250, "must have at most 250 characters")
  .regex(/^\//, { error: "must be an absolute path in the container, such as /app/tmp", abort: true })
  .regex(/^[^:,\p{Cc}]+$/u, "must have no colon, comma or control character")
  .refine(
    (value) =>
      value
        .split("/")
        .slice(1)
        .every((part) => !["", ".", ".."].includes(part)),
    "must have no empty part and no dots between slashes, and no slash at its end, such as /app/tmp",
  )
  .refine(
    (value) => !/^\/(proc|sys|dev(?!\/shm$))(\/|$)/.test(value),
    "must not be below /proc, /sys or /dev, which are the kernel's, but for /dev/shm",
  )
  .refine(
    (value) => !/^\/(var\/)?run\/secrets\/kubernetes\.io(\/|$)/.test(value),
    "must not be where Kubernetes puts the token of an account",
  );

const sizeForm = /^(?=.*[1-9])\d{1,12}((\.\d{1,3})?(Ki|Mi|Gi|Ti|k|M|G|T))?$/;
const size = z
  .string()
  .regex(sizeForm, "must be an amount of bytes above 0, such as 256Mi or 1Gi")
  .refine(
    (value) => !sizeForm.test(value) || bytesOf(value) >= 2 ** 16,
    "must be at least 64Ki: without a unit it is bytes",
  );

export const scratch = z
  .record(
    place,
    z.union(
      [
        size.transform((value) => ({ size: value, memory: false })),
        z.strictObject({
          size: size.meta(doc("Most that may be in it.", "1Gi", "0.3.0")),
          memory: z
            .boolean()
            .default(false)
            .meta(doc("Keep it in memory; it counts in `resources.memory`.", true, "0.3.0")),
        }),
      ],
      { error: "must be a size such as 1Gi, or a map with size and memory" },
    ),
  )
  .refine((all) => Object.keys(all).length <= 20, "must have at most 20 folders")
  .default({})
  .meta(
    doc(
      "Folders that the program may write to, by path with their size. They are empty at each start of a pod, and a pod that exceeds its size is replaced. `/tmp` with 256Mi is always there.",
      { "/app/tmp": "1Gi" },
      "0.3.0",
    ),
  );

const fileKinds = ["from", "text", "secret"] as const;
export const files = z
  .record(
    place,
    z
      .strictObject({
        from: z
          .string()
          .min(1)
          .max(400)
          .optional()
          .meta(doc("File with the content, relative to the project.", "./config/shop.yaml", "0.3.0")),
        text: z
          .string()
          .optional()
          .meta(doc("The content itself.", "level: info", "0.3.0")),
        secret: envName
          .optional()
          .meta(doc("Key of `secrets.<service>`, or of `secrets.shared`, that holds the content.", "JWT_KEY", "0.3.0")),
      })
      .refine(
        (value) => fileKinds.filter((kind) => value[kind] !== undefined).length === 1,
        `must have exactly one of ${fileKinds.join(", ")}`,
      )
      .meta(exactlyOne(...fileKinds)),
  )
  .refine((all) => Object.keys(all).length <= 50, "must have at most 50 files")
  .default({})
  .meta(
    doc(
      "Files in the container, by path; the program can read them, not write. A changed file rolls out like a release.",
      { "/etc/shop/app.yaml": { from: "./config/shop.yaml" }, "/keys/jwt.pem": { secret: "JWT_KEY" } },
      "0.3.0",
    ),
  );

/** What a pod knows of itself. https://kubernetes.io/docs/concepts/workloads/pods/downward-api/#available-fields */
export const podFields = {
  name: "metadata.name",
  namespace: "metadata.namespace",
  ip: "status.podIP",
  hostIp: "status.hostIP",
  node: "spec.nodeName",
} as const;
export type PodField = keyof typeof podFields;

const sources = ["pod", "secret", "service", "url", "pods", "expand"] as const;
const source = z
  .strictObject({
    pod: z
      .enum(Object.keys(podFields) as [PodField, ...PodField[]])
      .optional()
      .meta(doc("What the pod knows of itself: `name`, `namespace`, `ip`, `hostIp` or `node`.", "name", "0.3.0")),
    secret: envName.optional().meta(doc("Key of `secrets.<service>`, or of `secrets.shared`.", "DB_PASSWORD", "0.3.0")),
    service: z
      .string()
      .optional()
      .meta(doc("Address of another service, as `cart:8080`; it also allows the call.", "cart", "0.3.0")),
    url: z
      .string()
      .optional()
      .meta(doc("URL of another service, as `http://cart:8080`; it also allows the call.", "cart", "0.3.0")),
    pods: z
      .string()
      .optional()
      .meta(
        doc(
          "Name and port of another service's pods, as `pods-cart:8080`, for a gRPC client that spreads its calls; it also allows them.",
          "cart",
          "0.3.0",
        ),
      ),
    expand: safeText
      .optional()
      .meta(
        doc(
          "Text in which `$(NAME)` is the value of another variable, also of a secret one.",
          "postgres://app:$(DB_PASSWORD)@10.1.2.3/shop",
          "0.3.0",
        ),
      ),
  })
  .refine(
    (value) => sources.filter((each) => value[each] !== undefined).length === 1,
    `must have exactly one of ${sources.join(", ")}`,
  )
  .meta(exactlyOne(...sources));

export const serviceEnv = z
  .record(
    envName,
    z.union([envValue, source], {
      error: `must be text, a number, true, false, or a map with one of ${sources.join(", ")}`,
    }),
  )
  .default({})
  .meta(
    doc(
      "Environment variables: text, or a map that says where the value comes from. Secret values go under `secrets`.",
      { LOG_LEVEL: "info", POD: { pod: "name" }, CART_URL: { url: "cart" } },
    ),
  );
export type EnvValue = z.output<typeof serviceEnv>[string];

export const shutdownSeconds = z
  .int()
  .min(1)
  .max(3600)
  .default(40)
  .meta(
    doc(
      "Seconds that the program has after SIGTERM, before it is killed. A pod that receives requests gets SIGTERM 40 s after it stops receiving them; a worker gets it at once.",
      120,
      "0.3.0",
    ),
  );

export const user = z
  .int()
  .min(1, "must be at least 1: root is not allowed")
  .max(2_147_483_647)
  .optional()
  .meta(doc("User and group ID that the program runs as. Without it: 65532.", 999, "0.3.0"));

export const metrics = z
  .strictObject({
    port: portNumber.optional().meta(doc("Port of the metrics. Without it: the service's own.", 9100, "0.3.0")),
    path: path.default("/metrics").meta(doc("Path of the metrics.", "/actuator/prometheus", "0.3.0")),
  })
  .optional()
  .meta(
    doc(
      "The program's own metrics in Prometheus' format. Who scrapes the proxy (`proxy.metrics.scrape`) scrapes them too.",
      { port: 9100 },
      "0.3.0",
    ),
  );

export const nodes = z
  .strictObject({
    pool: label.optional().meta(doc("A pool of `cluster.nodePools`, whose taints the pods accept.", "batch", "0.3.0")),
    spot: z
      .boolean()
      .default(false)
      .meta(doc("Spot VMs, which Google may stop within 25 s.", true, "0.3.0")),
    arch: z
      .enum(["amd64", "arm64"])
      .optional()
      .meta(doc("Architecture of the image.", "arm64", "0.3.0")),
    gpu: z
      .strictObject({
        type: label
          .optional()
          .meta(
            doc("GKE's name of the kind, from the label `cloud.google.com/gke-accelerator`.", "nvidia-l4", "0.3.0"),
          ),
        count: z
          .int()
          .min(1)
          .max(16)
          .default(1)
          .meta(doc("GPUs of each pod.", 2, "0.3.0")),
      })
      .optional()
      .meta(doc("GPUs of NVIDIA, for each pod.", { type: "nvidia-l4" }, "0.3.0")),
    labels: z
      .record(labelKey, labelValue)
      .default({})
      .meta(doc("Labels that a node must have.", { "example.com/disk": "fast" }, "0.3.0")),
  })
  .optional()
  .meta(doc("The nodes that pods may run on. Without it: any without taints.", { pool: "batch" }, "0.3.0"));

export const rollout = z
  .enum(["rolling", "recreate"])
  .default("rolling")
  .meta(
    doc(
      "`recreate` stops the old pods before it starts new ones, for a program that must not run twice. Requests fail meanwhile.",
      "recreate",
      "0.3.0",
    ),
  );

/** https://kubernetes.io/docs/reference/labels-annotations-taints/: these prefixes are Kubernetes' and Google's own. */
const isReserved = (key: string): boolean => {
  const [prefix = ""] = key.includes("/") ? key.split("/") : [];
  return (
    /(^|\.)(kubernetes\.io|k8s\.io|gke\.io|networking\.gke\.io|pulumi\.com)$/.test(prefix) ||
    prefix === "gke-microservices"
  );
};
const reserved = "must not have a prefix of Kubernetes, Google, Pulumi or this program";

export const podLabels = z
  .record(
    labelKey.refine((key) => !isReserved(key), reserved),
    labelValue,
  )
  .default({})
  .meta(doc("Labels of the pods, beside the program's own.", { team: "checkout" }, "0.3.0"));

export const podAnnotations = z
  .record(
    z
      .string()
      .refine(
        (key) => labelKey.safeParse(key.toLowerCase()).success,
        "must be the key of an annotation, such as example.com/team: at most 63 letters, digits and - _ . behind the prefix",
      )
      .refine((key) => !isReserved(key), reserved),
    safeText,
  )
  .default({})
  .meta(doc("Annotations of the pods.", { "example.com/team": "checkout" }, "0.3.0"));
