/** The steps that set up a Google Cloud project before its first `pulumi up`. Each step is idempotent. */
import { googleName } from "../../names/google.ts";
import { googleApis, serviceOf, type GoogleApi } from "../../names/googleApis.ts";
import { gcloud, projectNumber, type Step, type TakeBack, type Words } from "./commands.ts";
import {
  conditionFlag,
  email,
  grantSteps,
  lineOf,
  listGrants,
  memberOf,
  onlyGranting,
  sameCondition,
  secretsReader,
  type GrantArgs,
  type Identity,
} from "./grants.ts";
import { keyRing } from "./keyName.ts";

export interface BootstrapArgs extends GrantArgs {
  readonly stack: string;
  /** Region of the state bucket and the key, such as `asia-northeast1`. */
  readonly region: string;
  /** Name of the Pulumi project. */
  readonly pulumiProject: string;
  /** Name of the key that encrypts secrets in config and state. */
  readonly keyName: string;
  /** Name of the bucket for Pulumi's state. */
  readonly bucket: string;
  /** Whether the stack scans its images. */
  readonly scan: boolean;
  /** Full name of the key that encrypts the cluster's secrets. @default - none */
  readonly encryptionKey?: string | undefined;
  /** GitHub repository whose workflows may deploy and preview, as `owner/name`. @default - none */
  readonly repository?: string | undefined;
  /** Branch of the repository that deploys. */
  readonly branch: string;
}

/**
 * The same in every copy of this project, whatever its name, as is the title of conditional grants: a later run finds by
 * them what an earlier one granted, and takes it back.
 */
const pool = "gke-microservices";
const keyLender = "pulumiKeyLender";

/** All steps in the order to run them. */
export function bootstrapSteps(args: BootstrapArgs): (Step | TakeBack)[] {
  return [
    ...apis(args),
    ...state(args),
    ...identities(args),
    ...clusterKey(args),
    ...github(args),
    ...pulumiStack(args),
  ];
}

/** Commands that set the repository variables which the workflows in .github read. None is a secret. */
export function workflowVariables({
  stack,
  project,
  repository,
  bucket,
}: Pick<BootstrapArgs, "stack" | "project" | "repository" | "bucket">): string[][] {
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

/** What answers only if the API does; undefined for those that no command of an owner calls. */
const probes = (region: string): Readonly<Record<GoogleApi, Words | undefined>> => ({
  serviceusage: ["services list", "--enabled", "--limit=1"],
  cloudresourcemanager: undefined, // The project's number, below.
  iam: ["iam service-accounts list", "--limit=1"],
  iamcredentials: undefined,
  sts: undefined,
  storage: ["storage buckets list", "--limit=1"],
  cloudkms: ["kms keyrings list", `--location=${region}`, "--limit=1"],
  compute: [`compute regions describe ${region}`],
  container: ["container clusters list", `--region=${region}`, "--limit=1"],
  binaryauthorization: ["container binauthz policy export"],
  artifactregistry: ["artifacts repositories list", `--location=${region}`, "--limit=1"],
  dns: ["dns managed-zones list", "--limit=1"],
  certificatemanager: ["certificate-manager maps list", "--limit=1"],
  iap: ["iap web get-iam-policy"],
  logging: ["logging metrics list", "--limit=1"],
  containerscanning: undefined,
});

function apis({ project, region, scan }: BootstrapArgs): Step[] {
  const inProject = `--project=${project}`;
  const all = Object.keys(googleApis) as GoogleApi[];
  return [
    {
      why: "Enable every API that a stack can need",
      command: gcloud(
        "services enable",
        ...all.filter((api) => api !== "containerscanning" || scan).map(serviceOf),
        inProject,
      ),
    },
    // Google enables an API before all its servers know it.
    ...all.flatMap((api) => {
      const [name, ...options] = probes(region)[api] ?? [];
      return name === undefined
        ? []
        : [{ why: `Wait until the API ${api} answers`, command: gcloud(name, ...options, inProject) }];
    }),
    {
      why: "The project's number, which names of Google's own accounts contain",
      variable: "PROJECT_NUMBER",
      command: gcloud("projects describe", project, "--format=value(projectNumber)"),
    },
  ];
}

function state({ project, region, bucket, keyName }: BootstrapArgs): Step[] {
  const closed = ["--uniform-bucket-level-access", "--public-access-prevention"];
  const at = [`--location=${region}`, `--project=${project}`];
  const url = `gs://${bucket}`;
  return [
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

function identities(args: BootstrapArgs): (Step | TakeBack)[] {
  const { project, region, bucket, pulumiProject, keyName } = args;
  const inProject = `--project=${project}`;
  const account = (name: Identity, does: string): Step => ({
    why: `The service account that ${does}`,
    exists: gcloud("iam service-accounts describe", email(name, project), inProject),
    command: gcloud(
      "iam service-accounts create",
      ...[`pulumi-${name}`, inProject, `--display-name=Pulumi ${name} of ${pulumiProject}`],
    ),
  });
  const grant = (name: Identity, role: string) => [`--role=${role}`, `--member=${memberOf(name, project)}`];
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
  return [
    account("deployer", "deploys: `pulumi up` from the deploying branch"),
    ...grantSteps("deployer", args),
    onState("deployer", "roles/storage.objectUser", "read and write"),
    onKey("deployer", "roles/cloudkms.cryptoKeyEncrypterDecrypter", "encrypt and decrypt"),

    account("previewer", "only reads: `pulumi preview` of pull requests"),
    role(secretsReader, project, {
      why: "A role that only reads Kubernetes Secrets (Google's roles that read them also write)",
      title: "Pulumi secrets reader",
      permissions: ["container.secrets.get", "container.secrets.list"],
    }),
    ...grantSteps("previewer", args),
    // A preview does not lock a state in a bucket, and writes no history:
    // https://github.com/pulumi/pulumi/blob/master/pkg/backend/diy/backend.go
    onState("previewer", "roles/storage.objectViewer", "read"),
    onKey("previewer", "roles/cloudkms.cryptoKeyDecrypter", "decrypt"),
  ];
}

interface CustomRole {
  readonly why: string;
  readonly title: string;
  readonly permissions: readonly string[];
}

const role = (id: string, project: string, { why, title, permissions }: CustomRole): Step => ({
  why,
  exists: gcloud("iam roles describe", id, `--project=${project}`),
  command: gcloud(
    "iam roles create",
    ...[id, `--project=${project}`, `--title=${title}`, `--permissions=${permissions.join(",")}`],
  ),
});

/**
 * The key of the cluster's secrets. Only an owner can create GKE's service agent: no predefined role of the deployer has
 * the right. https://cloud.google.com/kubernetes-engine/docs/how-to/encrypting-secrets
 */
function clusterKey({ project, encryptionKey }: BootstrapArgs): (Step | TakeBack)[] {
  if (encryptionKey === undefined) return [];
  const keyProject = encryptionKey.split("/")[1] ?? project;
  const lending = `projects/${keyProject}/roles/${keyLender}`;
  const title = "gke-uses-key";
  const deployer = memberOf("deployer", project);
  const [condition] = onlyGranting(["roles/cloudkms.cryptoKeyEncrypterDecrypter"], title);
  const grant = (role: string, member: string, when?: typeof condition) =>
    gcloud(
      "kms keys add-iam-policy-binding",
      ...[encryptionKey, `--role=${role}`, `--member=${member}`, conditionFlag(when)],
    );
  return [
    {
      why: "GKE's service agent, which a new project may lack",
      command: gcloud("beta services identity create", `--service=${serviceOf("container")}`, `--project=${project}`),
    },
    {
      why: "GKE may encrypt and decrypt the cluster's secrets with the key",
      command: grant(
        "roles/cloudkms.cryptoKeyEncrypterDecrypter",
        `serviceAccount:service-${projectNumber}@container-engine-robot.iam.gserviceaccount.com`,
      ),
    },
    role(keyLender, keyProject, {
      why: "A role that only grants the use of a key (Google's role also destroys keys)",
      title: "Pulumi key lender",
      permissions: ["cloudkms.cryptoKeys.getIamPolicy", "cloudkms.cryptoKeys.setIamPolicy"],
    }),
    {
      why: "The deployer may keep that grant, and make no other (the program has it, so that nothing revokes it)",
      command: grant(lending, deployer, condition),
    },
    {
      why: "The deployer may no longer manage the key itself",
      list: listGrants(gcloud("kms keys get-iam-policy", encryptionKey), deployer),
      fields: ["role", "title", "expression"],
      keep: [lineOf({ role: lending, ...(condition && { condition }) })],
      remove: [
        {
          lines: [`roles/cloudkms.admin ${title} *`, `${lending} ${title} *`],
          command: gcloud(
            "kms keys remove-iam-policy-binding",
            ...[encryptionKey, "--role=$role", `--member=${deployer}`, sameCondition],
          ),
        },
      ],
    },
  ];
}

function github({ project, repository, branch }: BootstrapArgs): (Step | TakeBack)[] {
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
  const ofPool = `principalSet://iam.googleapis.com/projects/${projectNumber}/locations/global/workloadIdentityPools/${pool}/`;
  const acts = (name: Identity, who: string, attribute: string): [Step, TakeBack] => {
    const on = [email(name, project), `--project=${project}`];
    const use = (member: string) => [...on, "--role=roles/iam.workloadIdentityUser", `--member=${member}`];
    return [
      {
        why: `${who} act as the ${name}, without a key`,
        command: gcloud("iam service-accounts add-iam-policy-binding", ...use(`${ofPool}${attribute}`)),
      },
      {
        why: `No other workflows act as the ${name}`,
        list: [
          ...gcloud("iam service-accounts get-iam-policy", ...on, "--flatten=bindings[].members"),
          ...["--filter=bindings.role=roles/iam.workloadIdentityUser", "--format=value(bindings.members)"],
        ],
        fields: ["member"],
        keep: [`${ofPool}${attribute}`],
        remove: [
          {
            lines: [`${ofPool}*`],
            command: gcloud("iam service-accounts remove-iam-policy-binding", ...use("$member")),
          },
        ],
      },
    ];
  };
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
    ...acts("deployer", `Workflows on ${branch}`, `attribute.ref/${repository}/refs/heads/${branch}`),
    ...acts("previewer", "Workflows on pull requests", `attribute.event/${repository}/pull_request`),
  ];
}

function pulumiStack({ stack, project, region, bucket, keyName }: BootstrapArgs): Step[] {
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

const providerOf = (repository: string) => googleName(`github-${repository.replace("/", "-")}`, 32);
