/**
 * What the deployer and the previewer may do in the project. One list makes the grants, and finds those of earlier runs
 * that are no longer needed.
 */
import { serviceAccountEmail } from "../../names/google.ts";
import { gcloud, type Step, type TakeBack } from "./commands.ts";

export type Identity = "deployer" | "previewer";

/** What decides about grants in the project. The stacks of a project share the two identities. */
export interface GrantArgs {
  /** Id of the Google Cloud project. */
  readonly project: string;
  /** Full names of the roles that the program grants to nodes and services. */
  readonly grants: readonly string[];
  /** Whether a stack has a Cloud DNS zone. */
  readonly dns: boolean;
  /** Whether a stack has certificates of Certificate Manager. */
  readonly certificateManager: boolean;
  /** Whether a stack uses Identity-Aware Proxy. */
  readonly iap: boolean;
  /** Whether a stack has a log-based metric of requests. */
  readonly requestMetrics: boolean;
}

interface Grant {
  readonly role: string;
  /** Continues "The deployer may". */
  readonly what: string;
  /** @default - none */
  readonly condition?: Condition;
}

export interface Condition {
  /** Without spaces: `takeBack` splits lines at spaces. */
  readonly title: string;
  readonly expression: string;
}

export const email = (name: Identity, project: string): string => serviceAccountEmail(`pulumi-${name}`, project);
export const memberOf = (name: Identity, project: string): string => `serviceAccount:${email(name, project)}`;

export const secretsReader = "pulumiSecretsReader";

/** What each role grants: https://cloud.google.com/iam/docs/roles-permissions */
function grantsOf(name: Identity, args: GrantArgs): Grant[] {
  const { dns, certificateManager, iap, requestMetrics } = args;
  const may = (verb: string, roles: Readonly<Record<string, string>>) =>
    Object.entries(roles).map(([role, what]): Grant => ({ role, what: `${verb} ${what}` }));
  if (name === "previewer")
    return [
      ...may("read", {
        "roles/container.viewer": "the cluster and the objects in it",
        "roles/compute.viewer": "network, address, load balancer and nodes",
        "roles/artifactregistry.reader": "the image repository",
        "roles/iam.serviceAccountViewer": "the accounts of nodes and services",
        "roles/iam.securityReviewer": "which roles they have",
        "roles/serviceusage.serviceUsageViewer": "which APIs are enabled",
        ...(dns && { "roles/dns.reader": "the DNS zone and its records" }),
        ...(certificateManager && { "roles/certificatemanager.viewer": "the certificates and their authorisations" }),
        ...(requestMetrics && { "roles/logging.viewer": "the log-based metric of the access log" }),
      }),
      {
        role: `projects/${args.project}/roles/${secretsReader}`,
        what: "compare Secrets with the state, which has the same values",
      },
    ];
  return [
    ...may("manage", {
      "roles/container.admin": "the cluster, its nodes and everything that runs in it",
      "roles/compute.networkAdmin": "network, NAT, address and the parts of the load balancer",
      "roles/compute.securityAdmin": "certificates, SSL policy, firewall and Cloud Armor rules",
      "roles/artifactregistry.admin": "the image repository, and push to it",
      "roles/serviceusage.serviceUsageAdmin": "which APIs are enabled",
      ...(dns && { "roles/dns.admin": "the DNS zone and its records" }),
      ...(certificateManager && { "roles/certificatemanager.owner": "the certificates and their authorisations" }),
      ...(iap && { "roles/iap.admin": "the access through Identity-Aware Proxy" }),
      ...(requestMetrics && { "roles/logging.configWriter": "the log-based metric of the access log" }),
    }),
    ...may("see", { "roles/compute.viewer": "the instance groups of a node pool" }),
    ...may("let", { "roles/iam.serviceAccountUser": "nodes run as their service account" }),
    // Without conditions, these two roles would let the deployer make itself the owner of the project.
    // https://cloud.google.com/iam/docs/setting-limits-on-granting-roles
    ...onlyGranting(["roles/iam.workloadIdentityUser"], "pods-act-as-accounts").map((condition) => ({
      role: "roles/iam.serviceAccountAdmin",
      what: "create service accounts for nodes and services, and let pods, but nobody else, act as them",
      condition,
    })),
    ...onlyGranting(args.grants, "roles-of-gke-microservices").map((condition) => ({
      role: "roles/resourcemanager.projectIamAdmin",
      what: "grant only these roles to nodes and services (run this again if a service gets a new role)",
      condition,
    })),
  ];
}

/** The steps that grant, and the one that takes back what an earlier run granted in vain. */
export function grantSteps(name: Identity, args: GrantArgs): [...Step[], TakeBack] {
  const { project } = args;
  const on = (role: string) => [project, `--role=${role}`, `--member=${memberOf(name, project)}`];
  const grants = grantsOf(name, args);
  const possible = grantsOf(name, {
    ...{ project, grants: ["roles/any"] },
    ...{ dns: true, certificateManager: true, iap: true, requestMetrics: true },
  });
  return [
    ...grants.map(({ role, what, condition }) => ({
      why: `The ${name} may ${what}`,
      command: gcloud("projects add-iam-policy-binding", ...on(role), conditionFlag(condition)),
    })),
    {
      why: `The ${name} may no longer do what an earlier run allowed and no stack needs`,
      list: listGrants(gcloud("projects get-iam-policy", project), memberOf(name, project)),
      fields: ["role", "title", "expression"],
      keep: grants.map(lineOf),
      remove: [
        {
          lines: possible.filter(({ condition }) => condition === undefined).map(lineOf),
          command: gcloud("projects remove-iam-policy-binding", ...on("$role"), conditionFlag(undefined)),
        },
        {
          lines: possible.flatMap(({ role, condition }) => (condition ? [`${role} ${condition.title} *`] : [])),
          command: gcloud("projects remove-iam-policy-binding", ...on("$role"), sameCondition),
        },
      ],
    },
  ];
}

/** Role, title and expression of the condition, as `listGrants` prints them. */
export const lineOf = ({ role, condition }: Pick<Grant, "role" | "condition">): string =>
  `${role} ${condition?.title ?? ""} ${condition?.expression ?? ""}`;

/** Prints a member's grants in a policy. Grants without a condition have empty words. */
export const listGrants = (getPolicy: readonly string[], member: string): string[] => [
  ...getPolicy,
  "--flatten=bindings[].members",
  `--filter=bindings.members="${member}"`,
  '--format=value[separator=" "](bindings.role,bindings.condition.title,bindings.condition.expression)',
];

/** Delimiters: https://cloud.google.com/sdk/gcloud/reference/topic/escaping */
export const conditionFlag = (condition: Condition | undefined): string =>
  `--condition=${condition === undefined ? "None" : `^;^title=${condition.title};expression=${condition.expression}`}`;

/** The condition of the line that is taken back. */
export const sameCondition = conditionFlag({ title: "$title", expression: "$expression" });

/** A list in a condition can have ten roles, and a condition twelve operators: https://cloud.google.com/iam/quotas */
const [listLimit, lists] = [10, 10];

/** Conditions that limit the right to grant roles to these roles; each change of the program grants one. */
export function onlyGranting(roles: readonly string[], title: string): Condition[] {
  const sorted = [...new Set(roles)].sort();
  return chunks(chunks(sorted, listLimit), lists).map((some) => ({
    title,
    expression: some
      .map((list) => `api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(${literal(list)})`)
      .join(" || "),
  }));
}

const literal = (values: readonly string[]) => `[${values.map((value) => `'${value}'`).join(", ")}]`;

const chunks = <T>(items: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size));
