/** Environment variables of a service, and the secrets that it gets as variables and files. */
import type { EnvVar } from "../components/workloads/variables.ts";
import { literal, podsService } from "../names/kubernetes.ts";
import { containersOf } from "./containers.ts";
import type { ServiceSettings, Settings } from "./schema.ts";
import { podFields, type EnvValue } from "./schema/workload.ts";

type Services = Settings["services"];
type Secrets = Settings["secrets"];

/** The name under `secrets` of what every service may use. */
export const sharedSecrets = "shared";

/** The port that callers of a service use; undefined for a worker. */
export const portForCallers = ({ port, servicePort }: ServiceSettings): number | undefined =>
  port === "none" ? undefined : (servicePort ?? port);

/** The service whose address a variable holds. */
export const addressed = (value: EnvValue): string | undefined =>
  typeof value === "string" ? undefined : (value.service ?? value.url ?? value.pods);

type InPods = Pick<ServiceSettings, "env" | "sidecars" | "init">;

/** The variables of all containers of a service's pods. */
const valuesIn = ({ env, ...others }: InPods): EnvValue[] =>
  [{ env }, ...containersOf(others).map(({ settings }) => settings)].flatMap((each) => Object.values(each.env));

/** The services that a service calls: those that it names, and those whose addresses its containers get. */
export const callsOf = ({ calls, ...pods }: InPods & Pick<ServiceSettings, "calls">): string[] => [
  ...new Set([...calls, ...valuesIn(pods).flatMap((value) => addressed(value) ?? [])]),
];

/** The services whose pods callers find by DNS. */
export const calledByPod = (services: Services): ReadonlySet<string> =>
  new Set(
    Object.values(services).flatMap((service) =>
      valuesIn(service).flatMap((value) => (typeof value === "string" ? [] : (value.pods ?? []))),
    ),
  );

/** The text of a variable as far as the config has it: empty for what comes from elsewhere. */
export const textOf = (value: EnvValue): string =>
  typeof value === "string" ? value : (value.expand ?? addressed(value) ?? "");

/** The names in `$(NAME)`. */
export const namesIn = (text: string): string[] => [...text.matchAll(/\$\(([^()$]*)\)/g)].map(([, name = ""]) => name);

/**
 * The variables that are not in a Secret, in an order in which those come first that others name with `$(NAME)`.
 * @param secretNames the names of those in the Secret
 */
export function variablesOf(name: string, services: Services, secretNames: readonly string[]): EnvVar[] {
  const { env = {}, port = "none" } = services[name] ?? {};
  return variablesIn({ env, port }, services, secretNames);
}

/** The same for any container. @param port in its variable PORT */
export function variablesIn(
  { env, port }: Pick<ServiceSettings, "env" | "port">,
  services: Services,
  secretNames: readonly string[],
): EnvVar[] {
  const names = [...Object.keys(env), ...secretNames, ...(port === "none" ? [] : ["PORT"])];
  const of = (value: Exclude<EnvValue, string>): Omit<EnvVar, "name"> | undefined => {
    const target = addressed(value);
    if (value.pod !== undefined) return { valueFrom: { fieldRef: { fieldPath: podFields[value.pod] } } };
    if (value.expand !== undefined) return { value: literal(value.expand, names) };
    if (target === undefined) return undefined; // It is in the Secret.
    const called = services[target];
    // A Service without an address of its own has no ports of its own.
    if (value.pods !== undefined) return { value: `${podsService(target)}:${called?.port ?? ""}` };
    const address = `${target}:${(called && portForCallers(called)) ?? ""}`;
    return { value: value.url === undefined ? address : `http://${address}` };
  };
  const given = Object.entries(env).flatMap(([key, value]) => {
    const source = typeof value === "string" ? { value: literal(value) } : of(value);
    return source === undefined ? [] : [{ name: key, ...source }];
  });
  const isLast = (variable: EnvVar) => {
    const value = env[variable.name];
    return value !== undefined && typeof value !== "string" && value.expand !== undefined;
  };
  const saysPort = port === "none" || Object.hasOwn(env, "PORT") || secretNames.includes("PORT");
  return [
    ...given.filter((each) => !isLast(each)),
    ...(saysPort ? [] : [{ name: "PORT", value: String(port) }]),
    ...given.filter(isLast),
  ];
}

/** Values by the name of a variable, and by the path of a file. */
export interface ServiceSecrets {
  readonly env: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, string>>;
}

const below = (secrets: Secrets, name: string): Readonly<Record<string, string>> =>
  Object.hasOwn(secrets, name) ? (secrets[name] as Readonly<Record<string, string>>) : {};

/** The secrets that a service may name: its own, those of the service that it is like, and the shared ones. */
export function namedSecrets(name: string, { services, secrets }: Pick<Settings, "services" | "secrets">) {
  const like = services[name]?.like;
  const own = { ...(like !== undefined && below(secrets, like)), ...below(secrets, name) };
  return { own, all: { ...below(secrets, sharedSecrets), ...own } };
}

/** Where a service names a secret: below `env`, or below `files`. */
export interface SecretPlace {
  readonly path: readonly ["env" | "files", string];
  readonly secret: string;
}

/** Names of the secrets that the variables of a service's sidecars and init containers name. */
const secretsInContainers = (service: Pick<ServiceSettings, "sidecars" | "init">): string[] =>
  containersOf(service).flatMap(({ settings }) =>
    secretPlaces({ env: settings.env, files: {} }).map(({ secret }) => secret),
  );

/** All secrets that a service names, in any of its containers. */
export const secretsNamedBy = (service: ServiceSettings): ReadonlySet<string> =>
  new Set([...secretPlaces(service).map(({ secret }) => secret), ...secretsInContainers(service)]);

/** Values of the secret variables of a sidecar or an init container. @param name of its service */
export function containerSecrets(
  name: string,
  { env }: Pick<ServiceSettings, "env">,
  settings: Pick<Settings, "services" | "secrets">,
): Record<string, string> {
  const { all } = namedSecrets(name, settings);
  return Object.fromEntries(
    secretPlaces({ env, files: {} }).map(({ path: [, key], secret }) => [key, all[secret] ?? ""]),
  );
}

export const secretPlaces = ({ env, files }: Pick<ServiceSettings, "env" | "files">): SecretPlace[] => [
  ...Object.entries(env).flatMap(([key, value]) =>
    typeof value === "string" || value.secret === undefined
      ? []
      : [{ path: ["env", key] as const, secret: value.secret }],
  ),
  ...Object.entries(files).flatMap(([key, { secret }]) =>
    secret === undefined ? [] : [{ path: ["files", key] as const, secret }],
  ),
];

/** A secret that a variable of any container or a file names is only there; each other one of the service is a variable of its name. */
export function secretsOf(name: string, settings: Pick<Settings, "services" | "secrets">): ServiceSecrets {
  const { env = {}, files = {}, sidecars = {}, init = [] } = settings.services[name] ?? {};
  const { own, all } = namedSecrets(name, settings);
  const named = secretPlaces({ env, files });
  const taken = new Set([...named.map(({ secret }) => secret), ...secretsInContainers({ sidecars, init })]);
  const inPlace = (place: SecretPlace["path"][0]) =>
    named.flatMap(({ path: [where, key], secret }) => (where === place ? [[key, all[secret] ?? ""] as const] : []));
  return {
    env: Object.fromEntries([...Object.entries(own).filter(([key]) => !taken.has(key)), ...inPlace("env")]),
    files: Object.fromEntries(inPlace("files")),
  };
}
