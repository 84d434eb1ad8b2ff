/**
 * What a Google Cloud project needs once, before the first `pulumi up` in it: the steps as data, so that they are shown,
 * run and tested from one list (which is why this file is long). Each may be run again: it changes nothing that is
 * already so.
 */
import { googleName } from "../../names/google.ts";

export interface BootstrapArgs {
  readonly stack: string;
  /** Id of the Google Cloud project. */
  readonly project: string;
  /** Region of the state bucket and the key, as in `asia-northeast1`. */
  readonly region: string;
  /** Name of the bucket that keeps Pulumi's state. */
  readonly bucket: string;
  /** Full names of the roles that the program grants to nodes and services. */
  readonly grants: readonly string[];
  /** Full name of the key that encrypts the cluster's secrets. @default - none */
  readonly encryptionKey?: string | undefined;
  /** Whether the stack has a Cloud DNS zone, certificates of the Certificate Manager, and people let in by IAP. */
  readonly dns: boolean;
  readonly certificateManager: boolean;
  readonly iap: boolean;
  readonly requestMetrics: boolean;
  /** The one GitHub repository whose workflows may deploy and preview, as `owner/name`. @default - none */
  readonly repository?: string | undefined;
  /** The branch of it that deploys. */
  readonly branch: string;
}

export interface Step {
  /** What it does and what for, as one line. */
  readonly why: string;
  readonly command: readonly string[];
  /** Succeeds where the step has been done; a step without it changes nothing when it is run again. */
  readonly exists?: readonly string[];
}

/** Stands in a command for the project's number, which Google gives and only the pool's names need. */
export const projectNumber = "$PROJECT_NUMBER";

export const projectNumberCommand = (project: string): readonly string[] =>
  gcloud("projects describe", project, "--format=value(projectNumber)");

/** https://cloud.google.com/iam/docs/roles-permissions says what each role may. */
const deployerRoles = {
  "roles/container.admin": "the cluster, its nodes and all that runs in it",
  "roles/compute.networkAdmin": "network, NAT, address and what belongs to the load balancer",
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

/** The steps in the order in which they are to be done. */
export function bootstrapSteps(args: BootstrapArgs): Step[] {
  return [...state(args), ...identities(args), ...github(args), ...pulumiStack(args)];
}

/** The repository's variables that the workflows in .github read, as commands for who may set them. None is a secret. */
export function workflowVariables({ stack, project, repository, bucket }: BootstrapArgs): string[][] {
  if (repository === undefined) return [];
  const prefix = stack.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_");
  const values = {
    STATE: `gs://${bucket}`,
    DEPLOYER: email("deployer", project),
    PREVIEWER: email("previewer", project),
    // The last one: with it the workflows begin to use the others.
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
      why: "Rights on it only for the bucket as a whole, never public, and every version of the state kept",
      command: gcloud("storage buckets update", url, ...closed, "--versioning"),
    },
    {
      why: "A key ring for the key below",
      exists: gcloud("kms keyrings describe", keyRing, ...at),
      command: gcloud("kms keyrings create", keyRing, ...at),
    },
    {
      why: "The key that encrypts secrets in config and state, renewed every 90 days",
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
    why: `The identity that ${does}`,
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
    why: "The deployer may let GKE use the key of the cluster's secrets, but nobody else",
    command: gcloud(
      "kms keys add-iam-policy-binding",
      ...[name, ...grant("deployer", "roles/cloudkms.admin")],
      `--condition=${onlyGranting(["roles/cloudkms.cryptoKeyEncrypterDecrypter"], "gke-uses-key")}`,
    ),
  });

  return [
    account("deployer", "changes things: `pulumi up` from the deploying branch"),
    ...Object.entries({
      ...deployerRoles,
      ...(dns && { "roles/dns.admin": "the DNS zone and its records" }),
      ...(certificateManager && { "roles/certificatemanager.owner": "the certificates and their authorisations" }),
      ...(iap && { "roles/iap.admin": "who is let in by Identity-Aware Proxy" }),
      ...(requestMetrics && { "roles/logging.configWriter": "the metric that is made from the access log" }),
    }).map(([role, what]) => may("deployer", role, `manage ${what}`)),
    may("deployer", "roles/compute.viewer", "see the groups of machines that a node pool is made of"),
    may("deployer", "roles/iam.serviceAccountUser", "let nodes run as the account made for them"),
    // Without their conditions these two would let it make itself the owner of the project.
    // https://cloud.google.com/iam/docs/setting-limits-on-granting-roles
    may(
      "deployer",
      "roles/iam.serviceAccountAdmin",
      "make accounts for nodes and services, and let pods act as them, but nobody else",
      onlyGranting(["roles/iam.workloadIdentityUser"], "pods-act-as-accounts"),
    ),
    may(
      "deployer",
      "roles/resourcemanager.projectIamAdmin",
      "grant these roles to nodes and services, and no other: run this again when a service gets a new one",
      onlyGranting(grants, "roles-of-gke-microservices"),
    ),
    ...(encryptionKey === undefined ? [] : [mayLendKey(encryptionKey)]),
    onState("deployer", "roles/storage.objectUser", "read and write"),
    onKey("deployer", "roles/cloudkms.cryptoKeyEncrypterDecrypter", "encrypt and decrypt"),

    account("previewer", "only looks: `pulumi preview` of pull requests"),
    ...Object.entries({
      ...previewerRoles,
      ...(dns && { "roles/dns.reader": "the DNS zone and its records" }),
      ...(certificateManager && { "roles/certificatemanager.viewer": "the certificates and their authorisations" }),
      ...(requestMetrics && { "roles/logging.viewer": "the metric that is made from the access log" }),
    }).map(([role, what]) => may("previewer", role, `read ${what}`)),
    {
      why: "A role that reads Kubernetes Secrets: Google's own that do also write",
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
      "compare Secrets with the state, which holds the same values",
    ),
    // A preview takes no lock of a state that is in a bucket, and writes no history:
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
  // The names of both sides are in what the grants below ask for, so that another provider in the pool gives nobody more.
  const mapping = [
    "google.subject=assertion.sub",
    "attribute.ref=assertion.repository + '/' + assertion.ref",
    "attribute.event=assertion.repository + '/' + assertion.event_name",
  ];
  const acts = (name: Identity, who: string, attribute: string): Step => ({
    why: `${who} act as the ${name}, without any key`,
    command: gcloud(
      "iam service-accounts add-iam-policy-binding",
      ...[email(name, project), `--project=${project}`, "--role=roles/iam.workloadIdentityUser"],
      `--member=principalSet://iam.googleapis.com/projects/${projectNumber}/locations/global/workloadIdentityPools/${pool}/${attribute}`,
    ),
  });
  return [
    {
      why: "A pool for identities that come from GitHub",
      exists: gcloud("iam workload-identity-pools describe", pool, ...at),
      command: gcloud("iam workload-identity-pools create", pool, ...at),
    },
    {
      // pull_request_target runs on the base branch with a stranger's pull request at hand: it must not deploy.
      why: `The workflows of ${repository} alone are let in`,
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
    { why: "Use this state from here on", command: ["npx", "pulumi", "login", `gs://${bucket}`] },
    {
      why: "Keys by their full names: the CLI would write them so as well, but without the comments",
      command: ["npm", "run", "--silent", "full-keys", "--", stack],
    },
    {
      why: `The stack; commit what this adds to Pulumi.${stack}.yaml`,
      exists: ["npx", "pulumi", "stack", "select", stack],
      command: ["npx", "pulumi", "stack", "init", stack, "--secrets-provider", `gcpkms://${key}`],
    },
  ];
}

/** A gcloud command: its name, then words that are passed on as they are. */
const gcloud = (name: string, ...words: string[]): string[] => ["gcloud", ...name.split(" "), ...words];

type Identity = "deployer" | "previewer";

const email = (name: Identity, project: string) => `pulumi-${name}@${project}.iam.gserviceaccount.com`;
const providerOf = (repository: string) => googleName(`github-${repository.replace("/", "-")}`, 32);

/**
 * A condition, as gcloud takes it, under which a right to grant covers these roles alone. A list may have ten roles;
 * each change of the program grants one. https://cloud.google.com/sdk/gcloud/reference/topic/escaping for the bars.
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
