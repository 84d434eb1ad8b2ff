/** The processes of the node and their settings, as files that `init.sh` runs. */
import { stringify } from "yaml";
import { dnsServiceAddress, hostAddress, link, linkPrefix, nodeAddress, podRange, serviceRange } from "./addresses.ts";
import { nodeName } from "./credentials.ts";

export interface NodeOptions {
  /** Where Envoy listens on this machine. */
  readonly address: string;
  readonly httpPort: number;
  readonly httpsPort: number;
  /** The group that kubelet makes the pods' groups below. */
  readonly cgroup: string;
  /** The unpacked Debian packages, the cache, and the folders of it that hold programs. */
  readonly root: string;
  readonly cache: string;
  readonly programs: readonly string[];
  /** containerd's way to stack image layers: "native" copies them, where the kernel cannot stack overlays. */
  readonly snapshotter: "overlayfs" | "native";
}

export const pauseImage = "localhost/pause:1";
/** File below STATE/node that says that `bootstrapObjects` are in the API. */
export const bootstrapped = "bootstrapped";
export const envoyAdminSocket = "/run/envoy.sock";

interface Process {
  readonly network: "node" | "host";
  /** Soft limit of a Go program's memory in MiB: above it, garbage is collected more eagerly. @default - none */
  readonly memory?: number;
  /** Run before the process, each time; where one fails, the process is not started yet. */
  readonly before?: readonly (readonly string[])[];
  readonly command: readonly string[];
}

/** Paths are those inside the sandbox: /state is the state's folder, /cache the cache's. */
function processes(options: NodeOptions): Record<string, Process> {
  const pki = (file: string) => `/state/pki/${file}`;
  const xds = ["--xds-address", hostAddress, "--xds-port", "8001"];
  return {
    // What a laptop loses with its power is started anew by "npm start": syncing each write to the disk would only slow it.
    etcd: {
      network: "node",
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
      network: "node",
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
        "--profiling=false",
        // It asks etcd for a kind of progress report that Debian's is a little too old for, and logs each failure.
        "--feature-gates=SizeBasedListCostEstimate=false",
      ],
    },
    "kube-controller-manager": {
      network: "node",
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
      ],
    },
    "kube-scheduler": {
      network: "node",
      memory: 100,
      command: [
        "kube-scheduler",
        `--kubeconfig=${pki("kube-scheduler.kubeconfig")}`,
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
        "--profiling=false",
      ],
    },
    containerd: { network: "node", memory: 150, command: ["containerd", "--config=/state/node/containerd.toml"] },
    kubelet: {
      network: "node",
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
      network: "node",
      memory: 100,
      command: ["kube-proxy", "--config=/state/node/kube-proxy.yaml", `--hostname-override=${nodeName}`],
    },
    coredns: { network: "node", memory: 100, command: ["coredns", "-conf=/state/node/Corefile"] },
    contour: {
      network: "host",
      memory: 150,
      // Without its resource definitions and rights it would end, minutes later.
      before: [["test", "-e", `/state/node/${bootstrapped}`]],
      command: [
        "contour",
        "serve",
        `--kubeconfig=${pki("contour.kubeconfig")}`,
        ...xds,
        `--contour-cafile=${pki("ca.crt")}`,
        `--contour-cert-file=${pki("contour.crt")}`,
        `--contour-key-file=${pki("contour.key")}`,
        `--http-address=${hostAddress}`,
        `--health-address=${hostAddress}`,
        `--stats-address=${hostAddress}`,
        `--envoy-service-http-address=${options.address}`,
        `--envoy-service-http-port=${options.httpPort}`,
        `--envoy-service-https-address=${options.address}`,
        `--envoy-service-https-port=${options.httpsPort}`,
        `--ingress-status-address=${options.address}`,
        "--ingress-class-name=contour",
        "--disable-leader-election",
      ],
    },
    envoy: {
      network: "host",
      before: [
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
        // Envoy wants to know who it is, and Contour gives every Envoy the same.
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

const containerd = ({ snapshotter }: NodeOptions) => `version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  # A process may not lower another's score below its own, and the sandbox's may be above 0.
  restrict_oom_score_adj = true
  enable_selinux = false
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "${snapshotter}"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "/state/node/cni"
`;

// A link per pod, routed by the node: with a bridge, answers between its pods would pass Service rules by.
const cni = {
  cniVersion: "0.4.0",
  name: "pods",
  plugins: [
    {
      type: "ptp",
      ipam: {
        type: "host-local",
        dataDir: "/run/cni",
        ranges: [[{ subnet: podRange }]],
        routes: [{ dst: "0.0.0.0/0" }],
      },
    },
    { type: "portmap", capabilities: { portMappings: true } },
  ],
};

const kubelet = ({ cgroup }: NodeOptions) => ({
  apiVersion: "kubelet.config.k8s.io/v1beta1",
  kind: "KubeletConfiguration",
  authentication: {
    anonymous: { enabled: false },
    webhook: { enabled: true },
    x509: { clientCAFile: "/state/pki/ca.crt" },
  },
  authorization: { mode: "Webhook" },
  tlsCertFile: "/state/pki/kubelet.crt",
  tlsPrivateKeyFile: "/state/pki/kubelet.key",
  containerRuntimeEndpoint: "unix:///run/containerd/containerd.sock",
  cgroupDriver: "cgroupfs",
  cgroupRoot: `/${cgroup}`,
  clusterDomain: "cluster.local",
  clusterDNS: [dnsServiceAddress],
  resolvConf: "/etc/resolv.conf",
  failSwapOn: false,
  oomScoreAdj: 0,
  healthzPort: 0,
  // A nearly full disk is told before the start; evicting pods later would only hide why they went.
  evictionHard: {
    "memory.available": "0%",
    "nodefs.available": "0%",
    "imagefs.available": "0%",
    "nodefs.inodesFree": "0%",
  },
  imageGCHighThresholdPercent: 100,
});

const kubeProxy = {
  apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
  kind: "KubeProxyConfiguration",
  mode: "iptables",
  clusterCIDR: podRange,
  clientConnection: { kubeconfig: "/state/pki/kube-proxy.kubeconfig" },
  iptables: { localhostNodePorts: false },
  // These belong to the whole machine and stay as they are.
  conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
  metricsBindAddress: "127.0.0.1:10249",
  healthzBindAddress: "127.0.0.1:10256",
};

const corefile = `cluster.local:53 in-addr.arpa:53 {
  errors
  ready 127.0.0.1:8181
  cache 5
  kubernetes cluster.local in-addr.arpa {
    kubeconfig /state/pki/coredns.kubeconfig
    ttl 5
  }
}
`;

/** All that `init.sh` reads: the text of each file, by its path below STATE/node. */
export function nodeFiles(options: NodeOptions): Record<string, string> {
  const settings = {
    ROOT: options.root,
    CACHE: options.cache,
    PROGRAM_PATH: options.programs.map((folder) => folder.replace(options.cache, "/cache")).join(":"),
    CGROUP: options.cgroup,
    LINK_HOST: link.host,
    LINK_NODE: link.node,
    HOST_ADDRESS: hostAddress,
    NODE_ADDRESS: nodeAddress,
    LINK_PREFIX: linkPrefix,
    POD_RANGE: podRange,
  };
  const scripts = Object.entries(processes(options)).map(
    ([name, process]) => [`processes/${name}`, script(process)] as const,
  );
  return {
    settings: Object.entries(settings)
      .map(([name, value]) => `${name}='${value}'\n`)
      .join(""),
    "containerd.toml": containerd(options),
    "cni/pods.conflist": JSON.stringify(cni, null, 2),
    "kubelet.yaml": stringify(kubelet(options)),
    "kube-proxy.yaml": stringify(kubeProxy),
    Corefile: corefile,
    ...Object.fromEntries(scripts),
  };
}

function script({ network, memory, before, command }: Process): string {
  const lines = [
    ...(memory === undefined ? [] : [`export GOMEMLIMIT=${memory}MiB`]),
    ...(before ?? []).map((words) => `${words.join(" ")} || exit`),
    `exec ${network === "node" ? "nsenter --net=/run/netns/node " : ""}${command.join(" \\\n  ")}`,
  ];
  return lines.join("\n") + "\n";
}

/** What the cluster's parts need in the API before the first workload. */
export const bootstrapObjects = [
  role("system:coredns", [
    { apiGroups: [""], resources: ["endpoints", "services", "pods", "namespaces"], verbs: ["list", "watch"] },
    { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
  ]),
  binding("system:coredns", "system:coredns"),
  binding("kube-apiserver-to-kubelet", "kube-apiserver", "system:kubelet-api-admin"),
  binding("contour", "contour"),
  {
    apiVersion: "networking.k8s.io/v1",
    kind: "IngressClass",
    metadata: { name: "contour" },
    spec: { controller: "projectcontour.io/ingress-controller" },
  },
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "kube-dns", namespace: "kube-system" },
    spec: {
      clusterIP: dnsServiceAddress,
      ports: [
        { name: "dns", port: 53, protocol: "UDP" },
        { name: "dns-tcp", port: 53, protocol: "TCP" },
      ],
    },
  },
  {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: "kube-dns", namespace: "kube-system", labels: { "kubernetes.io/service-name": "kube-dns" } },
    addressType: "IPv4",
    endpoints: [{ addresses: [nodeAddress], conditions: { ready: true } }],
    ports: [
      { name: "dns", port: 53, protocol: "UDP" },
      { name: "dns-tcp", port: 53, protocol: "TCP" },
    ],
  },
] as const;

function role(name: string, rules: readonly object[]) {
  return { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata: { name }, rules };
}

function binding(name: string, user: string, roleName = name) {
  const apiGroup = "rbac.authorization.k8s.io";
  return {
    apiVersion: `${apiGroup}/v1`,
    kind: "ClusterRoleBinding",
    metadata: { name },
    subjects: [{ apiGroup, kind: "User", name: user }],
    roleRef: { apiGroup, kind: "ClusterRole", name: roleName },
  };
}
