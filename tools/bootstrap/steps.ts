/**
 * The steps that set up a Google Cloud project before its first `pulumi up`. They are data, so that one list is shown,
 * run and tested (which is why this file is long). Each step is idempotent.
 */
import { googleName } from "../../names/google.ts";

export interface BootstrapArgs {
  readonly stack: string;
  /** Id of the Google Cloud project. */
  readonly project: string;
  /** Region of the state bucket and the key, such as `asia-northeast1`. */
  readonly region: string;
  /** Name of the bucket for Pulumi's state. */
  readonly bucket: string;
  /** Full names of the roles that the program grants to nodes and services. */
  readonly grants: readonly string[];
  /** Full name of the key that encrypts the cluster's secrets. @default - none */
  readonly encryptionKey?: string | undefined;
  /** Whether the stack has a Cloud DNS zone. */
  readonly dns: boolean;
  /** Whether the stack has certificates of Certificate Manager. */
  readonly certificateManager: boolean;
  /** Whether the stack uses Identity-Aware Proxy. */
  readonly iap: boolean;
  /** Whether the stack has a log-based metric of requests. */
  readonly requestMetrics: boolean;
  /** GitHub repository whose workflows may deploy and preview, as `owner/name`. @default - none */
  readonly repository?: string | undefined;
  /** Branch of the repository that deploys. */
  readonly branch: string;
}

export interface Step {
  /** What the step does and why, on one line. */
  readonly why: string;
  readonly command: readonly string[];
  /** Command that succeeds if the step is already done. @default - the step itself is idempotent */
  readonly exists?: readonly string[];
}

/** Placeholder in a command for the project number, which Google assigns. Only names of the pool need it. */
export const projectNumber = "$PROJECT_NUMBER";

export const projectNumberCommand = (project: string): readonly string[] =>
  gcloud("projects describe", project, "--format=value(projectNumber)");

/** What each role grants: https://cloud.google.com/iam/docs/roles-permissions */
const deployerRoles = {
  "roles/container.admin": "the cluster, its nodes and everything that runs in it",
  "roles/compute.networkAdmin": "network, NAT, address and the parts of the load balancer",
  "roles/compute.securityAdmin": "certificates, SSL policy, firewall and Cloud Armor rules",
  "roles/artifactregistry.admin": "the image repository, and push to it",
  "roles/serviceusage.serviceUsageAdmin": "which APIs are enabled",
};
const previewerRoles = {
  "roles/container.viewer": "the cluster and the objects in it",
  "roles/compute.viewer": "network, address, load balancer and nodes",
  "roles/artifactregistry.reader": "the image repository",
  "roles/iam.serviceAccountViewer": "the accounts of nodes and services",
  "roles/iam.securityReviewer": "which roles they have",
  "roles/serviceusage.serviceUsageViewer": "which APIs are enabled",
};

const keyRing = "pulumi";
const keyName = "gke-microservices";
const pool = "gke-microservices";
const secretsReader = "pulumiSecretsReader";

/** All steps in the order to run them. */
export function bootstrapSteps(args: BootstrapArgs): Step[] {
  return [...state(args), ...identities(args), ...github(args), ...pulumiStack(args)];
}

/** Commands that set the repository variables which the workflows in .github read. None is a secret. */
export function workflowVariables({ stack, project, repository, bucket }: BootstrapArgs): string[][] {
  if (repository === undefined) return [];
  const prefix = stack.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_");
  const values = {
    STATE: `gs://${bucket}`,
    DEPLOYER: email("deployer", project),
    PREVIEWER: email("previewer", project),
    // Set this one last: it makes the workflows use the others.
    IDENTITY_PROVIDER: `projects/${projectNumber}/locations/global/workloadIdentityPools/${pool}/providers/${providerOf(repository)}`,
  };
  return Object.entries(values).map(([name, value]) => [
    ...["gh", "variable", "set", `${prefix}_${name}`],
    ...["--repo", repository, "--body", value],
  ]);
}

function state({ project, region, bucket }: BootstrapArgs): Step[] {
  const apis = ["serviceusage", "cloudresourcemanager", "iam", "iamcredentials", "sts", "storage", "cloudkms"];
  const closed = ["--uniform-bucket-level-access", "--public-access-prevention"];
  const at = [`--location=${region}`, `--project=${project}`];
  const url = `gs://${bucket}`;
  return [
    {
      why: "Enable the APIs that these steps use; the program enables the others",
      command: gcloud("services enable", ...apis.map((api) => `${api}.googleapis.com`), `--project=${project}`),
    },
    {
      why: "A bucket for Pulumi's state",
      exists: gcloud("storage buckets describe", url),
      command: gcloud("storage buckets create", url, ...at, ...closed),
    },
    {
      why: "Uniform bucket-level access, no public access, and all versions of the state kept",
      command: gcloud("storage buckets update", url, ...closed, "--versioning"),
    },
    {
      why: "A key ring for the key below",
      exists: gcloud("kms keyrings describe", keyRing, ...at),
      command: gcloud("kms keyrings create", keyRing, ...at),
    },
    {
      why: "The key that encrypts secrets in config and state, rotated every 90 days",
      exists: gcloud("kms keys describe", keyName, `--keyring=${keyRing}`, ...at),
      command: [
        ...gcloud("kms keys create", keyName, `--keyring=${keyRing}`, ...at),
        ...["--purpose=encryption", "--rotation-period=90d", "--next-rotation-time=+p90d"],
      ],
    },
  ];
}

function identities(args: BootstrapArgs): Step[] {
  const { project, region, bucket, grants, dns, certificateManager, iap, requestMetrics, encryptionKey } = args;
  const inProject = `--project=${project}`;
  const account = (name: Identity, does: string): Step => ({
    why: `The service account that ${does}`,
    exists: gcloud("iam service-accounts describe", email(name, project), inProject),
    command: gcloud(
      "iam service-accounts create",
      ...[`pulumi-${name}`, inProject, `--display-name=Pulumi ${name} of gke-microservices`],
    ),
  });
  const grant = (name: Identity, role: string) => [`--role=${role}`, `--member=serviceAccount:${email(name, project)}`];
  const may = (name: Identity, role: string, what: string, condition = "None"): Step => ({
    why: `The ${name} may ${what}`,
    command: gcloud("projects add-iam-policy-binding", project, ...grant(name, role), `--condition=${condition}`),
  });
  const onState = (name: Identity, role: string, what: string): Step => ({
    why: `The ${name} may ${what} the state`,
    command: gcloud("storage buckets add-iam-policy-binding", `gs://${bucket}`, ...grant(name, role)),
  });
  const onKey = (name: Identity, role: string, what: string): Step => ({
    why: `The ${name} may ${what} secrets`,
    command: gcloud(
      "kms keys add-iam-policy-binding",
      ...[keyName, `--keyring=${keyRing}`, `--location=${region}`, inProject, ...grant(name, role)],
    ),
  });
  const mayLendKey = (name: string): Step => ({
    why: "The deployer may allow GKE, and nobody else, to use the key of the cluster's secrets",
    command: gcloud(
      "kms keys add-iam-policy-binding",
      ...[name, ...grant("deployer", "roles/cloudkms.admin")],
      `--condition=${onlyGranting(["roles/cloudkms.cryptoKeyEncrypterDecrypter"], "gke-uses-key")}`,
    ),
  });

  return [
    account("deployer", "deploys: `pulumi up` from the deploying branch"),
    ...Object.entries({
      ...deployerRoles,
      ...(dns && { "roles/dns.admin": "the DNS zone and its records" }),
      ...(certificateManager && { "roles/certificatemanager.owner": "the certificates and their authorisations" }),
      ...(iap && { "roles/iap.admin": "the access through Identity-Aware Proxy" }),
      ...(requestMetrics && { "roles/logging.configWriter": "the log-based metric of the access log" }),
    }).map(([role, what]) => may("deployer", role, `manage ${what}`)),
    may("deployer", "roles/compute.viewer", "see the instance groups of a node pool"),
    may("deployer", "roles/iam.serviceAccountUser", "let nodes run as their service account"),
    // Without conditions, these two roles would let the deployer make itself the owner of the project.
    // https://cloud.google.com/iam/docs/setting-limits-on-granting-roles
    may(
      "deployer",
      "roles/iam.serviceAccountAdmin",
      "create service accounts for nodes and services, and let pods, but nobody else, act as them",
      onlyGranting(["roles/iam.workloadIdentityUser"], "pods-act-as-accounts"),
    ),
    may(
      "deployer",
      "roles/resourcemanager.projectIamAdmin",
      "grant only these roles to nodes and services (run this again if a service gets a new role)",
      onlyGranting(grants, "roles-of-gke-microservices"),
    ),
    ...(encryptionKey === undefined ? [] : [mayLendKey(encryptionKey)]),
    onState("deployer", "roles/storage.objectUser", "read and write"),
    onKey("deployer", "roles/cloudkms.cryptoKeyEncrypterDecrypter", "encrypt and decrypt"),

    account("previewer", "only reads: `pulumi preview` of pull requests"),
    ...Object.entries({
      ...previewerRoles,
      ...(dns && { "roles/dns.reader": "the DNS zone and its records" }),
      ...(certificateManager && { "roles/certificatemanager.viewer": "the certificates and their authorisations" }),
      ...(requestMetrics && { "roles/logging.viewer": "the log-based metric of the access log" }),
    }).map(([role, what]) => may("previewer", role, `read ${what}`)),
    {
      why: "A role that only reads Kubernetes Secrets (Google's roles that read them also write)",
      exists: gcloud("iam roles describe", secretsReader, inProject),
      command: gcloud(
        "iam roles create",
        ...[secretsReader, inProject, "--title=Pulumi secrets reader"],
        "--permissions=container.secrets.get,container.secrets.list",
      ),
    },
    may(
      "previewer",
      `projects/${project}/roles/${secretsReader}`,
      "compare Secrets with the state, which has the same values",
    ),
    // A preview does not lock a state in a bucket, and writes no history:
    // https://github.com/pulumi/pulumi/blob/master/pkg/backend/diy/backend.go
    onState("previewer", "roles/storage.objectViewer", "read"),
    onKey("previewer", "roles/cloudkms.cryptoKeyDecrypter", "decrypt"),
  ];
}

function github({ project, repository, branch }: BootstrapArgs): Step[] {
  if (repository === undefined) return [];
  const at = ["--location=global", `--project=${project}`];
  const inPool = [`--workload-identity-pool=${pool}`, ...at];
  const provider = providerOf(repository);
  // The attributes contain the repository's name, so that another provider in the pool cannot match the grants below.
  const mapping = [
    "google.subject=assertion.sub",
    "attribute.ref=assertion.repository + '/' + assertion.ref",
    "attribute.event=assertion.repository + '/' + assertion.event_name",
  ];
  const acts = (name: Identity, who: string, attribute: string): Step => ({
    why: `${who} act as the ${name}, without a key`,
    command: gcloud(
      "iam service-accounts add-iam-policy-binding",
      ...[email(name, project), `--project=${project}`, "--role=roles/iam.workloadIdentityUser"],
      `--member=principalSet://iam.googleapis.com/projects/${projectNumber}/locations/global/workloadIdentityPools/${pool}/${attribute}`,
    ),
  });
  return [
    {
      why: "A workload identity pool for GitHub",
      exists: gcloud("iam workload-identity-pools describe", pool, ...at),
      command: gcloud("iam workload-identity-pools create", pool, ...at),
    },
    {
      // pull_request_target runs on the base branch, but for a pull request of anybody: it must not deploy.
      why: `A provider that admits only the workflows of ${repository}`,
      exists: gcloud("iam workload-identity-pools providers describe", provider, ...inPool),
      command: gcloud(
        "iam workload-identity-pools providers create-oidc",
        ...[provider, ...inPool, "--issuer-uri=https://token.actions.githubusercontent.com"],
        `--attribute-mapping=${mapping.join(",")}`,
        `--attribute-condition=assertion.repository == '${repository}' && assertion.event_name != 'pull_request_target'`,
      ),
    },
    acts("deployer", `Workflows on ${branch}`, `attribute.ref/${repository}/refs/heads/${branch}`),
    acts("previewer", "Workflows on pull requests", `attribute.event/${repository}/pull_request`),
  ];
}

function pulumiStack({ stack, project, region, bucket }: BootstrapArgs): Step[] {
  const key = `projects/${project}/locations/${region}/keyRings/${keyRing}/cryptoKeys/${keyName}`;
  return [
    { why: "Log in to this state", command: ["npx", "pulumi", "login", `gs://${bucket}`] },
    {
      why: "Prefix the keys of the stack file (the Pulumi CLI would do it too, but would drop the comments)",
      command: ["npm", "run", "--silent", "full-keys", "--", stack],
    },
    {
      why: `The stack (commit what this adds to Pulumi.${stack}.yaml)`,
      exists: ["npx", "pulumi", "stack", "select", stack],
      command: ["npx", "pulumi", "stack", "init", stack, "--secrets-provider", `gcpkms://${key}`],
    },
  ];
}

/** A gcloud command: its name is split at spaces, the other words are passed on unchanged. */
const gcloud = (name: string, ...words: string[]): string[] => ["gcloud", ...name.split(" "), ...words];

type Identity = "deployer" | "previewer";

const email = (name: Identity, project: string) => `pulumi-${name}@${project}.iam.gserviceaccount.com`;
const providerOf = (repository: string) => googleName(`github-${repository.replace("/", "-")}`, 32);

/**
 * A condition in gcloud's syntax that limits the right to grant roles to these roles. A list can have ten roles; each
 * change of the program grants one. Delimiters: https://cloud.google.com/sdk/gcloud/reference/topic/escaping
 */
function onlyGranting(roles: readonly string[], title: string): string {
  const sorted = [...new Set(roles)].sort();
  const lists = Array.from({ length: Math.ceil(sorted.length / 10) }, (_, at) => sorted.slice(at * 10, at * 10 + 10));
  const expression = lists
    .map((list) => `api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(${literal(list)})`)
    .join(" || ");
  return `^;^title=${title};expression=${expression}`;
}

const literal = (values: readonly string[]) => `[${values.map((value) => `'${value}'`).join(", ")}]`;
