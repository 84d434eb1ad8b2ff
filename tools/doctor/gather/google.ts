/** Reads the state of the address, the load balancer's backends and the certificates from Google's REST APIs. */
import { run } from "../../cli/run.ts";
import type { ManagedState } from "../diagnose/certificate.ts";

export interface GoogleState {
  /** The reserved address. @default - the project has no such address */
  readonly address?: { readonly name: string; readonly status: string; readonly users: readonly string[] };
  /** State by backend service: HEALTHY if one of its endpoints is. */
  readonly health: Readonly<Record<string, string>>;
  /** State of the managed certificate by host. */
  readonly certificates: Readonly<Record<string, ManagedState>>;
}

export interface GoogleQuestion {
  readonly project: string;
  readonly address: string | undefined;
  /** Names of the backend services, from the annotation of the Ingress or Gateway. */
  readonly backends: readonly string[];
  /** Names of the managed certificates by host, from the stack's output. */
  readonly certificates: Readonly<Record<string, string>>;
  /** Whether the certificates are in Certificate Manager. */
  readonly byManager: boolean;
}

const compute = () => process.env["GOOGLE_COMPUTE_CUSTOM_ENDPOINT"] ?? "https://compute.googleapis.com/compute/v1/";
const manager = () =>
  process.env["GOOGLE_CERTIFICATE_MANAGER_CUSTOM_ENDPOINT"] ?? "https://certificatemanager.googleapis.com/v1/";

/** @returns the state, or why it could not be read */
export async function googleState(question: GoogleQuestion): Promise<GoogleState | string> {
  const token = await accessToken();
  if (token === undefined) return "no Google Cloud credentials (gcloud auth login)";
  const api = new Api(token);
  const { project, address, backends, certificates, byManager } = question;
  try {
    const found = address === undefined ? undefined : await addressOf(api, project, address);
    const health = await Promise.all(backends.map(async (name) => [name, await healthOf(api, project, name)] as const));
    const states = await Promise.all(
      Object.entries(certificates).map(async ([host, name]) => {
        const state = byManager ? await managerState(api, project, name) : await computeState(api, project, name, host);
        return [host, state] as const;
      }),
    );
    return {
      ...(found && { address: found }),
      health: Object.fromEntries(health),
      certificates: Object.fromEntries(states),
    };
  } catch (error) {
    return `Google's API: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** A token from the variables that Google's tools and Pulumi's provider read, otherwise from the gcloud CLI. */
async function accessToken(): Promise<string | undefined> {
  for (const name of ["GOOGLE_OAUTH_ACCESS_TOKEN", "CLOUDSDK_AUTH_ACCESS_TOKEN"]) {
    const value = process.env[name];
    if (value !== undefined && value !== "") return value;
  }
  try {
    return (await run("gcloud", ["auth", "print-access-token", "--quiet"], { timeout: 15_000 })).trim();
  } catch {
    return undefined;
  }
}

class Api {
  readonly #token: string;
  constructor(token: string) {
    this.#token = token;
  }

  async ask<T>(url: string, body?: object): Promise<T> {
    const response = await fetch(url, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${this.#token}`, "content-type": "application/json" },
      signal: AbortSignal.timeout(15_000),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as T & { error?: { message?: string } };
    if (!response.ok) throw new Error(`${response.status} ${answer.error?.message ?? ""} (${new URL(url).pathname})`);
    return answer;
  }
}

const last = (link: string) => link.split("/").at(-1) ?? link;

/** https://cloud.google.com/compute/docs/reference/rest/v1/globalAddresses/list */
async function addressOf(api: Api, project: string, address: string): Promise<GoogleState["address"]> {
  const filter = encodeURIComponent(`address="${address}"`);
  const { items = [] } = await api.ask<{
    items?: { name: string; address: string; status: string; users?: string[] }[];
  }>(`${compute()}projects/${project}/global/addresses?filter=${filter}`);
  const found = items.find((item) => item.address === address);
  return found && { name: found.name, status: found.status, users: (found.users ?? []).map(last) };
}

/** https://cloud.google.com/compute/docs/reference/rest/v1/backendServices/getHealth */
async function healthOf(api: Api, project: string, name: string): Promise<string> {
  const url = `${compute()}projects/${project}/global/backendServices/${name}`;
  const { backends = [] } = await api.ask<{ backends?: { group: string }[] }>(url);
  const states = await Promise.all(
    backends.map(async ({ group }) => {
      const { healthStatus = [] } = await api.ask<{ healthStatus?: { healthState?: string }[] }>(`${url}/getHealth`, {
        group,
      });
      return healthStatus.map(({ healthState = "UNKNOWN" }) => healthState);
    }),
  );
  const all = states.flat();
  return all.includes("HEALTHY") ? "HEALTHY" : (all[0] ?? "no endpoints");
}

/** https://cloud.google.com/compute/docs/reference/rest/v1/sslCertificates/get */
async function computeState(api: Api, project: string, name: string, host: string): Promise<ManagedState> {
  const { managed = {} } = await api.ask<{ managed?: { status?: string; domainStatus?: Record<string, string> } }>(
    `${compute()}projects/${project}/global/sslCertificates/${name}`,
  );
  return { status: managed.status ?? "UNKNOWN", ofHost: managed.domainStatus?.[host] };
}

/** https://cloud.google.com/certificate-manager/docs/reference/certificate-manager/rest/v1/projects.locations.certificates */
async function managerState(api: Api, project: string, name: string): Promise<ManagedState> {
  const { managed = {} } = await api.ask<{
    managed?: {
      state?: string;
      provisioningIssue?: { reason?: string };
      authorizationAttemptInfo?: { state?: string; failureReason?: string }[];
    };
  }>(`${manager()}projects/${project}/locations/global/certificates/${name}`);
  const failed = managed.authorizationAttemptInfo?.find(({ state }) => state === "FAILED");
  return { status: managed.state ?? "UNKNOWN", ofHost: failed?.failureReason ?? managed.provisioningIssue?.reason };
}
