/** Valid names for Google Cloud resources. */
import { createHash } from "node:crypto";

/**
 * A Google resource name of at most `max` characters: lower case letters, digits and hyphens, beginning with a letter.
 * If the text must change to fit, a hash of it is appended: different texts keep different names.
 */
export function googleName(text: string, max: number): string {
  if (text.length <= max && /^[a-z]([a-z0-9-]*[a-z0-9])?$/.test(text)) return text;
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 6);
  const plain = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+/, "");
  const head = plain.slice(0, max - hash.length - 1).replace(/-+$/, "");
  return `${head === "" ? "x" : head}-${hash}`;
}

const dnsLabel = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";

/**
 * The ID of a project, as a regular expression without anchors. An old one may have a domain: `example.com:shop`.
 * https://cloud.google.com/resource-manager/docs/creating-managing-projects and
 * https://github.com/hashicorp/terraform-provider-google/blob/main/google/verify/validation.go
 */
export const projectId = `(?:(?:${dnsLabel}\\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?:[a-z](?:[a-z0-9-]{0,28}[a-z0-9])?|[a-z][a-z0-9-]{4,28}[a-z0-9])`;

/** The host of a region's Docker registry, and the path of a project in it: a slash instead of a domain's colon. */
export const registryOf = (region: string, project: string) => ({
  host: `${region}-docker.pkg.dev`,
  path: project.replace(":", "/"),
});

/** Name of the repository for the images that a stack builds. */
export const repositoryOf = (stack: string): string => googleName(`${stack}-images`, 63);

/** Labels that show on a bill or in a search which project and stack own a Google resource. */
export function labelsOf(project: string, stack: string): Record<string, string> {
  return { project: googleName(project, 63), stack: googleName(stack, 63) };
}

/**
 * The address of a service account. In a domain-scoped project, such as `example.com:shop`, the domain comes last:
 * `pulumi-deployer@shop.example.com.iam.gserviceaccount.com`. https://cloud.google.com/iam/docs/service-account-types
 */
export function serviceAccountEmail(account: string, project: string): string {
  return `${account}@${project.split(":").reverse().join(".")}.iam.gserviceaccount.com`;
}
