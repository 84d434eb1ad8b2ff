/** Keys that people bring from other tools, and what to write here instead. `npm run check` offers it for an unknown key. */

type Advice = Readonly<Record<string, string>>;

/** What several keys of other tools mean. */
const advice = (entries: readonly (readonly [names: string, advice: string])[]): Advice =>
  Object.fromEntries(entries.flatMap(([names, text]) => names.split(" ").map((name) => [name, text])));

const pullRights = 'there is no such key; see "Images in a private registry" in docs/add-a-service.md';
const noRoot = 'there is no such key; see "What an image must meet" in docs/add-a-service.md';
const cannot = 'there is no such key; see "What has no counterpart" in docs/from-yaml.md';

/** From Kubernetes, Compose, Helm charts, Cloud Run and App Engine. Lower case, without separators. */
export const keysOfServices = advice([
  ["environment envs envvars envvariables variables", "write env, as a map"],
  ["envfrom envfile secret secrets", "write secret variables under secrets, by service and name"],
  ["healthcheck healthcheckpath healthz liveness livenessprobe readiness readinessprobe", "write health"],
  ["startup startupprobe probe probes", "write health, with startSeconds for a slow start"],
  ["containerport containerports targetport expose listen", "write port, and further ones by name in ports"],
  ["scale instances count replicacount", "write replicas, a number"],
  ["entrypoint", "write command, a list of words"],
  ["cmd arguments", "write args, a list of words"],
  ["volumes volumemounts volume emptydir tmpfs", "write scratch for folders to write to, and files for files to read"],
  ["configs configmap configmaps config", "write files, with the content or the file that has it"],
  ["strategy", "write rollout: recreate to stop old pods first; by default new ones start first"],
  ["terminationgraceperiodseconds graceperiod stopgraceperiod", "write shutdownSeconds, a number"],
  ["runasuser uid", "write user, a number"],
  ["extends", "write like, with the name of another service"],
  ["mem limits requests deploy", "write resources, with cpu and memory"],
  ["dependson depends links", "write calls, with the services that it may call; pods start in no fixed order"],
  ["networks network networkpolicy", "write calls for services, and egress for other addresses"],
  ["ingress paths hosts hostname hostnames domain domains url prefix", "write routes, a list of paths and hosts"],
  ["dockerfile context", "write build, with the folder as context"],
  ["tag version repository", "write image, with registry, name and tag"],
  ["serviceaccount serviceaccountname identity", "write roles, with the Google roles that it needs"],
  ["timeout timeouts", "write timeoutSeconds in a route, or in routeDefaults"],
  ["headers ratelimit grpc websocket", "write it in a route, or in routeDefaults"],
  ["imagepullsecrets imagepullsecret pullsecret", pullRights],
  ["securitycontext podsecuritycontext capabilities privileged", noRoot],
  ["workingdir disk storage", cannot],
  [
    "autoscaling autoscaler hpa minreplicas maxreplicas mininstances maxinstances minscale maxscale",
    "write replicas, a map with min, max and cpu",
  ],
  ["initcontainers initcontainer", "write init, a list of containers with a name each"],
  ["sidecar sidecarcontainers containers container extracontainers", "write sidecars, a map of containers by name"],
  ["nodeselector tolerations affinity nodepool", "write nodes, with a pool or labels"],
  ["restart restartpolicy", "Kubernetes restarts a program that ends; there is nothing to write"],
  [
    "lifecycle prestop poststart",
    "write shutdownSeconds, a number; a program that needs more to stop listens to SIGTERM",
  ],
  ["podlabels", "write labels"],
  ["podannotations", "write annotations"],
  ["cpu cpus memory memlimit memreservation gpu gpus", "write resources, with cpu and memory; GPUs are in nodes.gpu"],
  ["host path", "write routes, a list of paths and hosts"],
  ["protocol", "write it in a route, or in routeDefaults"],
  ["poddisruptionbudget pdb", "two pods or more have one by themselves; there is nothing to write"],
  ["servicemonitor podmonitor prometheus", "write metrics, with a port and a path"],
  ["kind type", "a worker has port: none, and what runs at given times has schedule"],
  ["cron cronjob cronschedule crontab", "write schedule, with five fields of cron"],
  ["job migration migrate migrations predeploy releasecommand", "write release, with args or command"],
  ["concurrencypolicy", "write concurrency: forbid, allow or replace"],
  ["backofflimit", "write retries, a number"],
  ["activedeadlineseconds startingdeadlineseconds", "write deadlineSeconds, the most seconds that a run may take"],
  ["timezones tz", "write timeZone, such as Asia/Tokyo"],
  ["suspend", "remove the service, or leave out its schedule"],
  ["persistence", cannot],
]);

const ofPod = "write it in the service: it holds for the pod";
/** From Kubernetes, for a sidecar or an init container. */
const keysOfBoth = advice([
  ["environment envs variables", "write env, as a map"],
  ["envfrom envfile secrets secret", "write each in env, as { secret: KEY } of the service's secrets"],
  ["entrypoint", "write command, a list of words"],
  ["cmd arguments", "write args, a list of words"],
  [
    "volumemounts volumes mounts scratch files configs",
    "write scratch or files in the service, and their paths in shares",
  ],
  ["mem memory cpu limits requests", "write resources, with cpu and memory"],
  ["runasuser uid", "write user, a number"],
  ["securitycontext capabilities privileged", noRoot],
  [
    "build dockerfile context",
    "leave image out for the service's own image; another one must be ready: name it in image",
  ],
  ["calls egress roles labels annotations nodes shutdownseconds", ofPod],
  ["imagepullpolicy restartpolicy restart workingdir lifecycle", "leave it out: there is nothing to write"],
  ["dependson", "leave it out: sidecars start by name, then the init containers in their order, then the program"],
]);
export const keysOfSidecars = {
  ...keysOfBoth,
  ...advice([
    ["containerport containerports ports expose listen", "write port, a number"],
    ["healthcheck healthpath livenessprobe readinessprobe startupprobe liveness readiness probe", "write health"],
    ["name", "leave it out: its key is its name"],
  ]),
};
export const keysOfInit = {
  ...keysOfBoth,
  ...advice([
    [
      "port ports containerport containerports health healthcheck livenessprobe readinessprobe startupprobe",
      "leave it out, or make it a sidecar: an init container ends before the program starts",
    ],
  ]),
};

/** From Ingress, its annotations, Gateway API, Compose labels and nginx. */
export const keysOfRoutes = advice([
  ["timeout timeouts readtimeout proxyreadtimeout requesttimeout", "write timeoutSeconds, a number"],
  ["bodysize maxbodysize proxybodysize clientmaxbodysize maxbody", "write maxBodyMb, a number"],
  [
    "rewrite rewritetarget stripprefix strippath urlrewrite",
    "a path that ends with / is stripped; keepPrefix: true keeps it",
  ],
  ["websocket websockets ws sse", "websockets and server-sent events need no key"],
  ["headers addheaders header", "write responseHeaders, or versions to select a service by header"],
  ["ratelimit limits rps limitrps requestspersecond", "write limit, with requestsPerSecond"],
  ["hostname hostnames hosts domain subdomain", "write host, one in each route"],
  [
    "prefix url uri location pathprefix paths match",
    "write path, one in each route; with / at its end it matches everything below",
  ],
  ["pathtype exact", "a path that ends with / matches everything below it; any other matches exactly"],
  ["weight traffic split", "write canary, with service and percent"],
  ["grpc h2c backendprotocol", "write protocol: grpc"],
  ["backend service servicename port", "write the route in the service that answers it"],
  ["redirect redirects", "write it under proxy.redirects"],
]);

const oneCheck = "write health once: it is the start, the readiness and the liveness of the program";
/** From Kubernetes' probes and Compose. */
export const keysOfHealth = advice([
  ["httpget url", "write path, and port if it is another"],
  ["tcpsocket", "write tcp: true"],
  ["command test cmd", "write exec, a list of words"],
  ["initialdelayseconds startperiod starttimeout delay", "write startSeconds, the most that a start may take"],
  ["periodseconds interval timeoutseconds timeout failurethreshold successthreshold retries", oneCheck],
  ["liveness readiness startup", oneCheck],
  ["scheme", "leave it out: the check is plain HTTP inside of the cluster"],
  ["httpheaders", "write headers, a map"],
]);

/** From Kubernetes. */
export const keysOfReplicas = advice([
  ["minreplicas mininstances minscale", "write min"],
  ["maxreplicas maxinstances maxscale", "write max"],
  ["targetcpu targetcpuutilizationpercentage cpupercent averageutilization metrics", "write cpu, a percentage"],
  ["targetmemory targetmemoryutilizationpercentage", "write memory, a percentage"],
]);

export const keysOfNodes = advice([
  ["tolerations taints", "write pool: the taints of that pool are accepted"],
  ["nodeselector affinity selector", "write labels, a map"],
  ["nvidiacomgpu gpus accelerator", "write gpu, with type and count"],
  ["preemptible", "write spot: true"],
]);

/** From Kubernetes and Compose. */
export const keysOfResources = advice([
  [
    "requests limits reservations",
    "write cpu and memory without it: memory is request and limit, and cpu a request without a limit",
  ],
]);

export const keysOfBuild = advice([
  ["dockerfile file", "the file must be called Dockerfile; a service with another one needs a folder of its own"],
]);

export const keysOfEgress = advice([
  ["host hosts hostname domain fqdn dns name url", "write cidr: network policies know addresses, and no names"],
  ["port", "write ports, a list of numbers"],
]);

/** From Kubernetes, Compose and Ansible. */
export const keysOfFiles = advice([
  [
    "mode defaultmode permission permissions chmod",
    "leave it out: the program can read the file, and nobody else a secret one; start a script by its interpreter, as in args: [sh, FILE]",
  ],
  ["owner group user uid gid readonly", "leave it out: the program can read the file, and nobody write it"],
  ["content contents data value inline stringdata", "write text, with the content"],
  ["source src file filename hostpath template", "write from, with a file of the project"],
  ["path target mountpath subpath", "write the file's path before the colon, instead of NAME"],
  ["configmap configmapname configmapkeyref", "write text or from, with the content"],
  ["secretname secretkey secretkeyref key", "write secret, with the name below secrets"],
]);

export const keysOfScratch = advice([
  ["mode defaultmode permission permissions chmod owner group uid gid", "leave it out: the program can write to it"],
  ["sizelimit limit max", "write size"],
  ["medium", "write memory: true"],
]);

/** From Kubernetes. */
export const keysOfEnv = advice([
  ["valuefrom", "write what it has inside: secret, or pod for a field of the pod"],
  ["secretkeyref secretname fromsecret", "write secret, with the name below secrets"],
  ["configmapkeyref configmap value default", "write the text itself, without a map"],
  ["fieldref fieldpath field", "write pod, with one of name, namespace, ip, hostIp and node"],
  ["from template format interpolate", "write expand, with $(NAME) for the value of another variable"],
  ["host address addr", "write service, with the name of a service, or url"],
]);

/** Maps by names of the user's. */
const named = ["files", "scratch", "env", "sidecars"];

/** Tables by the path below a service; `0` stands for each index, and `NAME` for a name of the user's. */
const tables: Readonly<Record<string, Advice>> = {
  "": keysOfServices,
  routeDefaults: keysOfRoutes,
  "routes.0": keysOfRoutes,
  resources: keysOfResources,
  health: keysOfHealth,
  replicas: keysOfReplicas,
  nodes: keysOfNodes,
  "sidecars.NAME": keysOfSidecars,
  "sidecars.NAME.resources": keysOfResources,
  "sidecars.NAME.health": keysOfHealth,
  "sidecars.NAME.env.NAME": keysOfEnv,
  "init.0": keysOfInit,
  "init.0.resources": keysOfResources,
  "init.0.env.NAME": keysOfEnv,
  build: keysOfBuild,
  "egress.0": keysOfEgress,
  "files.NAME": keysOfFiles,
  "scratch.NAME": keysOfScratch,
  "env.NAME": keysOfEnv,
};

/**
 * @param path of the map that has the key
 * @returns undefined if the key is of no other tool that is known here
 */
export function adviceFor(path: readonly PropertyKey[], key: string): string | undefined {
  if (path[0] !== "services" || path.length < 2) return undefined;
  const place = path.slice(2).reduce<string[]>((above, part) => {
    const isName = named.includes(above.at(-1) ?? "");
    return [...above, isName ? "NAME" : typeof part === "number" ? "0" : String(part)];
  }, []);
  const table = tables[place.join(".")] ?? {};
  const word = key.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
  return Object.hasOwn(table, word) ? table[word] : undefined;
}
