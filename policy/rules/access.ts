/** Rules for IAM grants and image registries. */
import { all, at, isSet, oneOf, rulesFor, unknown, type Properties, type Check } from "../rule.ts";

/** `…:IAMMember`, `…:RepositoryIamBinding` and so on, for any resource. */
const grant = { name: "IAM grant", types: /^gcp:.+iam(member|binding)$/i };
const projectGrant = {
  name: "IAM grant",
  types: /^gcp:(projects|folder|organizations)\/iam(member|binding):/i,
};
const accountKey = { name: "service account key", types: ["gcp:serviceaccount/key:Key"] };
const repository = {
  name: "Artifact Registry repository",
  types: ["gcp:artifactregistry/repository:Repository"],
};

const everybody = ["allUsers", "allAuthenticatedUsers"];

const notEverybody: Check = {
  required: "`member` and `members` are not `allUsers` or `allAuthenticatedUsers`",
  check: (props: Properties) => {
    const members = at(props, "members");
    const named: [string, unknown][] = [["member", at(props, "member")]];
    if (Array.isArray(members)) members.forEach((member, index) => named.push([`members[${index}]`, member]));
    return named
      .filter(([, member]) => everybody.includes(member as string))
      .map(([property, value]) => ({ property, value, fix: "name who needs it" }));
  },
};

const notRole = (roles: readonly string[], fix: string): Check => ({
  required: `\`role\` is not ${roles.map((role) => `\`${role}\``).join(" or ")}`,
  check: (props) => {
    const value = at(props, "role");
    return value !== unknown && roles.includes(value as string) ? [{ property: "role", value, fix }] : [];
  },
});

export const accessRules = [
  ...rulesFor(grant, {
    "iam-nobody-public": {
      title: "No right is given to the whole world: no public image repository, no public bucket",
      benchmark: ["CKV_GCP_28", "CKV_GCP_101", "CKV_GCP_112"],
      severity: "critical",
      ...notEverybody,
    },
  }),
  ...rulesFor(projectGrant, {
    "iam-no-basic-roles": {
      title: "No basic roles, which reach over every service",
      benchmark: ["CKV_GCP_115", "CKV_GCP_116", "CKV_GCP_117"],
      severity: "high",
      ...notRole(["roles/owner", "roles/editor", "roles/viewer"], "give the roles of the services that are needed"),
    },
    "iam-no-impersonation": {
      title: "Nobody may act as every service account of the project",
      benchmark: ["CKV_GCP_41", "CKV_GCP_49"],
      severity: "high",
      ...notRole(
        ["User", "TokenCreator", "OpenIdTokenCreator", "Admin", "KeyAdmin"]
          .map((role) => `roles/iam.serviceAccount${role}`)
          .concat("roles/iam.workloadIdentityUser"),
        "give it on the one service account that is meant",
      ),
    },
  }),
  ...rulesFor(accountKey, {
    "iam-no-account-keys": {
      title: "Service accounts have no keys that could be copied",
      severity: "high",
      required: "there is none",
      check: (props) => [
        { property: "serviceAccountId", value: at(props, "serviceAccountId"), fix: "use workload identity" },
      ],
    },
  }),
  ...rulesFor(repository, {
    "registry-scan": {
      title: "Images are searched for known weaknesses",
      benchmark: ["CIS GKE 5.1.1"],
      severity: "medium",
      choice: "Google charges for each image",
      ...oneOf("vulnerabilityScanningConfig.enablementConfig", ["INHERITED"], "set registry.scan to true"),
    },
    "registry-cleanup": {
      title: "Old images go",
      severity: "low",
      ...all(isSet("cleanupPolicies", "set registry.keep"), oneOf("cleanupPolicyDryRun", [false])),
    },
  }),
];
