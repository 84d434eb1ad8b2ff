/** The processes of the node and their configuration, as files that `init.sh` reads. */
import { stringify } from "yaml";
import { gatewayName } from "../../../names/kubernetes.ts";
import { hostAddress, link, linkPrefix, metricsService, nodeAddress, podRange, serviceRange } from "./addresses.ts";
import { frontProxy, nodeName } from "./credentials.ts";
import { edgePorts, edgeTls, envoySettings } from "./envoySettings.ts";
import type { NodeOptions } from "./options.ts";
import { cni, containerd, corefile, kubelet, kubeProxy } from "./settings.ts";

/** File below STATE/node that exists once the `bootstrapObjects` have been applied. */
export const bootstrapped = "bootstrapped";
/** File below STATE/node that exists once a stack has an autoscaler. */
export const measured = "measured";
export const envoyAdminSocket = "/run/envoy.sock";
/** Number of the netfilter queue in which new connections of pods wait for the network policies' verdict. */
export const policyQueue = 100;

/**
 * Delays processes that need the bootstrap objects or a peer. Without them they would retry at growing intervals, and
 * Contour would exit after minutes if its definitions are missing.
 */
const isBootstrapped = ["test", "-e", `/state/node/${bootstrapped}`];

interface Process {
  /** Soft memory limit of a Go program, above which it collects garbage more often. MiB. @default - none */
  readonly memory?: number;
  /** Commands to run before each start. If one fails, the process is not started yet. */
  readonly before?: readonly (readonly string[])[];
  readonly command: readonly string[];
}

/** Paths are those inside the sandbox: /state is the state folder, /cache the cache folder. */
function processes(options: NodeOptions): Record<string, Process> {
  const pki = (file: string) => `/state/pki/${file}`;
  const xds = ["--xds-address", "127.0.0.1", "--xds-port", "8001"];
  return {
    // No fsync, which would slow down each write: after a power failure, "npm start" starts a new cluster anyway.
    etcd: {
      command: [
        "etcd",
        "--data-dir=/state/etcd",
        "--unsafe-no-fsync",
        "--logger=zap",
        "--log-level=warn",
        "--listen-peer-urls=http://127.0.0.1:2380",
      ],
    },
    "kube-apiserver": {
      memory: 400,
      command: [
        "kube-apiserver",
        "--etcd-servers=http://127.0.0.1:2379",
        `--advertise-address=${nodeAddress}`,
        `--bind-address=0.0.0.0`,
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--anonymous-auth=false",
        "--allow-privileged=false",
        `--client-ca-file=${pki("ca.crt")}`,
        `--tls-cert-file=${pki("apiserver.crt")}`,
        `--tls-private-key-file=${pki("apiserver.key")}`,
        `--kubelet-certificate-authority=${pki("ca.crt")}`,
        `--kubelet-client-certificate=${pki("apiserver.crt")}`,
        `--kubelet-client-key=${pki("apiserver.key")}`,
        "--kubelet-preferred-address-types=InternalIP",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        `--service-account-signing-key-file=${pki("accounts.key")}`,
        `--service-account-key-file=${pki("accounts.pub")}`,
        `--service-cluster-ip-range=${serviceRange}`,
        // https://kubernetes.io/docs/tasks/extend-kubernetes/configure-aggregation-layer/
        `--proxy-client-cert-file=${pki("front-proxy.crt")}`,
        `--proxy-client-key-file=${pki("front-proxy.key")}`,
        `--requestheader-client-ca-file=${pki("ca.crt")}`,
        `--requestheader-allowed-names=${frontProxy}`,
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--profiling=false",
        // This feature needs a progress notification that Debian's etcd is too old for, and every failure is logged.
        "--feature-gates=SizeBasedListCostEstimate=false",
      ],
    },
    "kube-controller-manager": {
      memory: 150,
      command: [
        "kube-controller-manager",
        `--kubeconfig=${pki("kube-controller-manager.kubeconfig")}`,
        "--bind-address=127.0.0.1",
        "--use-service-account-credentials",
        `--service-account-private-key-file=${pki("accounts.key")}`,
        `--root-ca-file=${pki("ca.crt")}`,
        `--cluster-signing-cert-file=${pki("ca.crt")}`,
        `--cluster-signing-key-file=${pki("ca.key")}`,
        "--leader-elect=false",
        "--profiling=false",
        // After a short outage of the API server, do not mark the only node as lost: its pods would become not ready.
        "--node-monitor-grace-period=10m",
      ],
    },
    "kube-scheduler": {
      memory: 100,
      command: [
        "kube-scheduler",
        `--kubeconfig=${pki("kube-scheduler.kubeconfig")}`,
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
        "--profiling=false",
      ],
    },
    containerd: { memory: 150, command: ["containerd", "--config=/state/node/containerd.toml"] },
    kubelet: {
      memory: 150,
      command: [
        "kubelet",
        `--kubeconfig=${pki("kubelet.kubeconfig")}`,
        "--config=/state/node/kubelet.yaml",
        `--hostname-override=${nodeName}`,
        `--node-ip=${nodeAddress}`,
      ],
    },
    "kube-proxy": {
      memory: 100,
      command: ["kube-proxy", "--config=/state/node/kube-proxy.yaml", `--hostname-override=${nodeName}`],
    },
    "network-policies": {
      memory: 80,
      before: [isBootstrapped],
      command: [
        "network-policies",
        `--kubeconfig=${pki("network-policies.kubeconfig")}`,
        `--hostname-override=${nodeName}`,
        `--queue=${policyQueue}`,
      ],
    },
    "metrics-server": {
      memory: 60,
      before: [["until", "test", "-e", `/state/node/${measured};`, "do", "sleep", "2;", "done"]],
      command: [
        `${inSandbox(options.metricsServer, options)}/metrics-server`,
        ...["kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig"].map(
          (flag) => `--${flag}=${pki("metrics-server.kubeconfig")}`,
        ),
        `--bind-address=${nodeAddress}`,
        `--secure-port=${metricsService.port}`,
        `--tls-cert-file=${pki("metrics-server.crt")}`,
        `--tls-private-key-file=${pki("metrics-server.key")}`,
        `--kubelet-certificate-authority=${pki("ca.crt")}`,
        "--kubelet-preferred-address-types=InternalIP",
        "--metric-resolution=15s",
      ],
    },
    coredns: { memory: 100, before: [isBootstrapped], command: ["coredns", "-conf=/state/node/Corefile"] },
    contour: {
      memory: 150,
      before: [isBootstrapped],
      command: [
        "contour",
        "serve",
        `--kubeconfig=${pki("contour.kubeconfig")}`,
        ...xds,
        `--contour-cafile=${pki("ca.crt")}`,
        `--contour-cert-file=${pki("contour.crt")}`,
        `--contour-key-file=${pki("contour.key")}`,
        "--config-path=/state/node/contour.yaml",
        "--http-address=127.0.0.1",
        "--health-address=127.0.0.1",
        "--stats-address=127.0.0.1",
        "--envoy-service-http-address=127.0.0.1",
        `--envoy-service-http-port=${edgePorts.http}`,
        "--envoy-service-https-address=127.0.0.1",
        `--envoy-service-https-port=${edgePorts.https}`,
        "--use-proxy-protocol",
        `--ingress-status-address=${options.address}`,
        "--ingress-class-name=contour",
        // These kinds of the Gateway API are not installed.
        ...["tlsroutes", "grpcroutes", "tcproutes", "backendtlspolicies"].map((kind) => `--disable-feature=${kind}`),
        "--disable-leader-election",
      ],
    },
    envoy: {
      before: [
        isBootstrapped, // Contour starts at the same time.
        [
          "contour",
          "bootstrap",
          "/run/envoy.json",
          ...xds,
          `--admin-address=${envoyAdminSocket}`,
          `--envoy-cafile=${pki("ca.crt")}`,
          `--envoy-cert-file=${pki("envoy.crt")}`,
          `--envoy-key-file=${pki("envoy.key")}`,
        ],
      ],
      command: [
        "envoy",
        "--config-path",
        "/run/envoy.json",
        "--config-yaml",
        '"$(cat /state/node/envoy.json)"',
        // Envoy requires an id. Contour serves the same configuration to every Envoy.
        "--service-cluster",
        "local",
        "--service-node",
        nodeName,
        "--use-dynamic-base-id",
        "--concurrency",
        "1",
        "--log-level",
        "warn",
      ],
    },
  };
}

/** The text of each file that `init.sh` reads, by its path below STATE/node. */
export function nodeFiles(options: NodeOptions): Record<string, string> {
  const settings = {
    ROOT: options.root,
    CACHE: options.cache,
    PROGRAM_PATH: options.programs.map((folder) => inSandbox(folder, options)).join(":"),
    CGROUP: options.cgroup,
    LINK_HOST: link.host,
    LINK_NODE: link.node,
    HOST_ADDRESS: hostAddress,
    NODE_ADDRESS: nodeAddress,
    LINK_PREFIX: linkPrefix,
    POD_RANGE: podRange,
    SERVICE_RANGE: serviceRange,
    POLICY_QUEUE: policyQueue,
  };
  const scripts = Object.entries(processes(options)).map(
    ([name, process]) => [`processes/${name}`, script(process)] as const,
  );
  return {
    settings: Object.entries(settings)
      .map(([name, value]) => `${name}=${quoted(String(value))}\n`)
      .join(""),
    "containerd.toml": containerd(options),
    "cni/pods.conflist": JSON.stringify(cni, null, 2),
    "kubelet.yaml": stringify(kubelet(options)),
    "kube-proxy.yaml": stringify(kubeProxy),
    Corefile: corefile,
    "contour.yaml": stringify({
      gateway: { gatewayRef: { namespace: options.namespace, name: gatewayName } },
      tls: edgeTls,
      // Reject a request with both Content-Length and chunked encoding. Leave multiple slashes to the proxy.
      disableAllowChunkedLength: true,
      disableMergeSlashes: true,
    }),
    "envoy.json": JSON.stringify(envoySettings(options)),
    ...Object.fromEntries(scripts),
  };
}

function script({ memory, before, command }: Process): string {
  const lines = [
    ...(memory === undefined ? [] : [`export GOMEMLIMIT=${memory}MiB`]),
    ...(before ?? []).map((words) => `${words.join(" ")} || exit`),
    `exec nsenter --net=/run/netns/node ${command.join(" \\\n  ")}`,
  ];
  return lines.join("\n") + "\n";
}

const inSandbox = (folder: string, { cache }: NodeOptions): string => folder.replace(cache, "/cache");

/** Quoted for the shell. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
