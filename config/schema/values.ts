/** Schemas of single values. */
import ipaddr from "ipaddr.js";
import * as z from "zod";
import { projectId } from "../../names/google.ts";
import { hasDotSegment, isRoutePath } from "../../nginx/routeChecks.ts";
import { bytesOf } from "../../names/quantities.ts";
import { doc } from "./doc.ts";

// The program checks a config once per process: compiling the schemas would take longer than the check itself.
z.config({ jitless: true });

/**
 * Kubernetes names used in DNS (RFC 1035 label: begins with a letter).
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
 */
export const label = z
  .string()
  .regex(
    /^[a-z]([-a-z0-9]*[a-z0-9])?$/,
    "must be a DNS label: lower-case letters, digits and hyphens, starting with a letter",
  )
  .max(40, "must have at most 40 characters, so that the names made from it stay within 63");

export const domain = z
  .string()
  .max(200, "must have at most 200 characters")
  .regex(
    /^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)+[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/,
    "must be a lower-case DNS name with at least one dot, such as shop.example.com",
  );

export const host = z
  .string()
  .max(200, "must have at most 200 characters")
  .regex(
    /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/,
    "must be a label under the domain (hoge) or a full lower-case DNS name (hoge.example.com)",
  )
  // Browsers and nginx parse a name that ends in a number as an address.
  // https://url.spec.whatwg.org/#ends-in-a-number-checker
  .refine((value) => !/\.\d+$/.test(value), "must be a name, not an address: its last label must not be a number");

/** The characters that RFC 3986 allows unescaped in a path segment, without those special to nginx or a shell. */
export const path = z
  .string()
  .max(200, "must have at most 200 characters")
  .refine((value) => value.startsWith("/"), { error: "must start with /, such as /hoge/ or /v1:predict", abort: true })
  .refine((value) => !hasDotSegment(value), {
    error: "must not contain . or .. segments",
    abort: true,
  })
  .refine(
    isRoutePath,
    "must be a path such as /hoge/ or /v1:predict: segments of the characters of RFC 3986, without . and .., with all others encoded as UTF-8 in upper case, such as %C3%A9",
  );

/** `/hoge/*` of Google's Ingress is valid in RFC 3986, and would match this one path, with its asterisk. */
export const routePath = path.refine(
  (value) => !value.endsWith("/*"),
  "must not end with *: a path that ends with / matches everything below it",
);

/** https://pkg.go.dev/github.com/distribution/reference: labels of a host, and words of a path with single separators. */
const hostLabel = "[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?";
const registryHost = `(${hostLabel}(\\.${hostLabel})*|\\[[A-Fa-f0-9:]+\\])(:\\d{1,5})?`;
const imagePath = "[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*";
const digest = "@(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})";
/** Of the name, without tag and digest. */
const longestImageName = 255;

/** An image by tag or digest. A reference without either, or with `latest`, may change its content any time. */
export const image = z
  .string()
  .max(600, "must have at most 600 characters")
  .refine((value) => !value.includes("@") || new RegExp(`${digest}$`).test(value), {
    error: "must have sha256: and 64 hexadecimal digits behind @, as the registry shows the digest",
    abort: true,
  })
  .regex(
    new RegExp(`^(${registryHost}/)?${imagePath}(/${imagePath})*(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(${digest})?$`),
    "must be an image reference such as registry.example.com/apps/hoge:1.4.2",
  )
  .refine((value) => Number(/^[^/]+:(\d+)\//.exec(value)?.[1] ?? 0) <= 65535, "must have a port of at most 65535")
  .refine((value) => value.includes("@") || /:[^/]+$/.test(value), "must have a tag or a digest, such as :1.4.2")
  .refine(
    (value) => value.replace(/@.*/, "").replace(/:[^/]*$/, "").length <= longestImageName,
    `must have a name of at most ${longestImageName} characters before tag and digest`,
  )
  .refine((value) => value.includes("@") || !value.endsWith(":latest"), "must not use the tag latest: name a version");

export const build = z.strictObject({
  context: z
    .string()
    .min(1)
    .max(200)
    .meta(doc("Folder with the Dockerfile, relative to the project.", "./services/sample")),
});

/** The host of a name or URL that stands where an address range belongs. */
function hostIn(value: unknown): string | undefined {
  const host = typeof value === "string" ? value.replace(/^[a-z][\w+.-]*:\/\//i, "").replace(/[/:?].*$/s, "") : "";
  return /^(?=.*[a-z])[a-z0-9-]+(\.[a-z0-9-]+)*$/i.test(host) ? host : undefined;
}

/** @param orElse what to write if the addresses of a name are not known */
const range = (orElse = "") =>
  z.union([z.cidrv4(), z.cidrv6()], {
    error: ({ input }) => {
      const host = hostIn(input);
      return host === undefined
        ? "must be an address range such as 10.0.0.0/8"
        : `must be an address range, and not a name; write each address of ${host}, such as 203.0.113.7/32${orElse}`;
    },
  });

export const cidr = range();

/** A range without host bits (10.0.0.0/8, not 10.0.0.1/8). Google rejects others, and only after the preview. */
const withoutHostBits = (ranges: typeof cidr) =>
  ranges.refine((value) => !hasHostBits(value), "must have no bits set behind its prefix: 10.0.0.0/8, not 10.0.0.1/8");

export const network = withoutHostBits(cidr);
/** Where a service may connect to. */
export const destination = withoutHostBits(
  range(", or 0.0.0.0/0 if they change; for a service of the stack, use calls"),
);

function hasHostBits(range: string): boolean {
  const [address] = ipaddr.parseCIDR(range);
  const network = (address.kind() === "ipv4" ? ipaddr.IPv4 : ipaddr.IPv6).networkAddressFromCIDR(range);
  return network.toString() !== address.toString();
}

/** Kubernetes rounds up to thousandths. https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#meaning-of-cpu */
const cpuForm = /^(?=.*[1-9])(\d{1,6}(\.\d{1,3})?|\.\d{1,3})m?$/;
/** As whole CPUs. More can be said in thousandths: without a unit it is a mistake for these. */
const mostWholeCpus = 100;
const cpuQuantity = z
  .string()
  .regex(cpuForm, "must be an amount of CPU above 0, such as 250m or 1.5")
  .refine(
    (value) => value.endsWith("m") || !cpuForm.test(value) || Number(value) < mostWholeCpus,
    `must be less than ${mostWholeCpus}, because without m it is whole CPUs; write more in thousandths, such as 128000m`,
  );

const memoryForm = /^(?=.*[1-9])\d{1,12}((\.\d{1,3})?(Ki|Mi|Gi|Ti|k|M|G|T))?$/;
/** With less, the container's runtime fails: https://github.com/moby/moby/pull/41168, https://github.com/kubernetes/kubernetes/issues/124841 */
const leastMemory = "6Mi";
/** Of Google's largest machine, x4-1920-32t-metal. https://cloud.google.com/compute/docs/memory-optimized-machines */
const mostMemory = "32768Gi";
const memoryQuantity = z
  .string()
  .regex(memoryForm, "must be an amount of memory above 0, such as 128Mi or 2Gi")
  .refine(
    (value) => !memoryForm.test(value) || bytesOf(value) >= bytesOf(leastMemory),
    `must be at least ${leastMemory}: no container starts with less, and without a unit it is bytes`,
  )
  .refine(
    (value) => !memoryForm.test(value) || bytesOf(value) <= bytesOf(mostMemory),
    `must be at most ${mostMemory}, which is what the largest machine has`,
  );

const memoryOf = (memory: string, since?: string) =>
  memoryQuantity.default(memory).meta(doc("Memory request and limit.", "256Mi", since));
const noCpuLimit = "CPU request. There is no limit: it would only throttle.";

/** @param of whose they are, and since when. @default - each pod's, from the beginning */
export const resources = (cpu: string, memory: string, of = "each pod", since?: string) =>
  z
    .strictObject({
      cpu: cpuQuantity.default(cpu).meta(doc(noCpuLimit, "250m", since)),
      memory: memoryOf(memory, since),
    })
    .prefault({})
    .meta(doc(`Resources of ${of}.`, { cpu: "250m", memory: "256Mi" }, since));

/** Those of a container whose CPU depends on the cluster. `inCluster` names the defaults. */
export const sidecarResources = (inCluster: string, memory: string) =>
  z
    .strictObject({
      cpu: cpuQuantity.optional().meta(doc(`${noCpuLimit} Without it: ${inCluster}.`, "250m")),
      memory: memoryOf(memory),
    })
    .prefault({})
    .meta(doc("Resources of each pod.", { cpu: "250m", memory: "256Mi" }));

/** `pulumi config set --path` stores 8080 as a number and true as a boolean, so env values allow both. */
export const envName = z
  .string()
  .regex(
    // https://kubernetes.io/docs/tasks/inject-data-application/define-environment-variable-container/
    /^(?!\.\.)(?!\.$)[-._A-Za-z][-._A-Za-z0-9]*$/,
    "must be the name of an environment variable, such as LOG_LEVEL: letters, digits and _ - ., with no digit and no .. at its start",
  )
  .max(253, "must have at most 253 characters");
/**
 * NUL ends an environment variable. The other characters pass through JSON unescaped. The API server then parses the
 * object as YAML: it rejects them, or changes them, as U+0085. https://yaml.org/spec/1.1/#id868524
 */
// eslint-disable-next-line no-control-regex
const unsafeCharacters = /[\u0000\u007f-\u009f\ufffe\uffff]/;
export const safeText = z
  .string()
  .refine(
    (value) => value.isWellFormed() && !unsafeCharacters.test(value),
    "must have no NUL, none of U+007F to U+009F, U+FFFE and U+FFFF, and no half of a surrogate pair: Kubernetes would not take them as they are; encode the value, as with base64",
  );
export const envValue = z
  .union([safeText, z.number(), z.boolean()], { error: "must be text, a number, true or false" })
  .transform(String);
/** The value is never shown, so the message has to say which level is missing. */
export const secretEnv = z.record(envName, envValue, {
  error: ({ code }) =>
    code === "invalid_type"
      ? "must be a map of names, below the name of the service that gets them, as in secrets.hoge.API_KEY"
      : undefined,
});

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set */
export const labelKey = z
  .string()
  .regex(
    /^(?:(?=[^/]{1,253}\/)(?:[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?\/)?[A-Za-z0-9](?:[-._A-Za-z0-9]{0,61}[A-Za-z0-9])?$/,
    "must be the key of a Kubernetes label, such as release or example.com/team",
  );
export const labelValue = z
  .string()
  .regex(
    /^([A-Za-z0-9]([-._A-Za-z0-9]{0,61}[A-Za-z0-9])?)?$/,
    "must be the value of a Kubernetes label: at most 63 letters, digits and - _ .",
  );

/** Keys have the form of a label's; a prefix may have capitals. https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/ */
export const annotations = z.record(
  z
    .string()
    .refine(
      (key) => labelKey.safeParse(key.toLowerCase()).success,
      "must be the key of an annotation, such as example.com/timeout: at most 63 letters, digits and - _ . behind the prefix",
    ),
  safeText,
);

/** Name of an object that may have dots. https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names */
export const objectName = z
  .string()
  .regex(
    /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
    "must be a name of lower-case letters, digits, hyphens and dots",
  )
  .max(253, "must have at most 253 characters");

/** For arrays in which duplicates are mistakes. */
export const distinct = (values: readonly unknown[]): boolean => new Set(values).size === values.length;

const podLimit = 100;
const percent = z.int().min(1).max(1000);

export const replicas = z.union(
  [
    z.int().min(1, "must be at least 1: to run none, remove it from the config").max(podLimit),
    z
      .strictObject({
        min: z
          .int()
          .min(1, "must be at least 1: the autoscaler does not go down to none")
          .max(podLimit)
          .meta(doc("Fewest pods.", 2, "0.3.0")),
        max: z
          .int()
          .min(2)
          .max(podLimit)
          .meta(doc("Most pods.", 10, "0.3.0")),
        cpu: percent
          .optional()
          .meta(
            doc(
              "Average use of `resources.cpu` in percent that the autoscaler aims at. Without it and `memory`: 70.",
              70,
              "0.3.0",
            ),
          ),
        memory: percent
          .max(100)
          .optional()
          .meta(doc("The same for `resources.memory`, of which a pod can have at most 100.", 80, "0.3.0")),
      })
      .refine(({ min, max }) => min <= max, "must have a min that is at most max")
      .transform(({ cpu, memory, ...bounds }) => ({
        ...bounds,
        cpu: cpu ?? (memory === undefined ? 70 : undefined),
        memory,
      })),
  ],
  { error: `must be a whole number from 1 to ${podLimit}, or a map with min and max for an autoscaler` },
);

/** https://cloud.google.com/iam/docs/roles-permissions: "lowest-level resources" of these are above a project. */
const aboveProjects =
  /^roles\/(resourcemanager\.(organization|folder)|billing\.(?!projectManager)|orgpolicy\.|iam\.organizationRole)/;

/** https://cloud.google.com/iam/docs/roles-overview: predefined roles have a dot, basic ones do not. */
const role = z
  .string()
  .regex(
    new RegExp(
      `^(roles/[a-z][A-Za-z0-9]*(\\.[a-z][A-Za-z0-9]*)*|(projects/${projectId}|organizations/\\d+)/roles/[A-Za-z0-9_.]{3,64})$`,
    ),
    "must be a Google role: roles/pubsub.publisher, projects/PROJECT/roles/ID or organizations/NUMBER/roles/ID",
  )
  .refine(
    (name) => !/^roles\/(owner|editor|viewer|admin|writer|reader)$/.test(name),
    "is a basic role, which reaches everything in the project; name the predefined role of the one API that the service calls, such as roles/pubsub.publisher",
  )
  .refine(
    (name) => !aboveProjects.test(name),
    "is granted on an organisation, a folder or a billing account, and services get roles on the project; give it there to the service's account",
  );

export const roles = z.array(role).max(30).refine(distinct, "must name each role once");
