/** Configuration files of the node's processes. Paths are those inside the sandbox. */
import { dnsServiceAddress, podRange } from "./addresses.ts";
import type { NodeOptions } from "./options.ts";

/** The image of the container that holds each pod's namespaces. */
export const pauseImage = "localhost/pause:1";

export const containerd = ({ snapshotter }: NodeOptions) => `version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  # A process cannot set another's OOM score below its own, and the sandbox's score may be above 0.
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

// One routed link per pod. With a bridge, responses between its pods would bypass the rules for Services.
export const cni = {
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

export const kubelet = ({ cgroup }: NodeOptions) => ({
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
  maxPods: 240, // of the 254 addresses of the pods' range
  clusterDomain: "cluster.local",
  clusterDNS: [dnsServiceAddress],
  resolvConf: "/etc/resolv.conf",
  failSwapOn: false,
  oomScoreAdj: 0,
  healthzPort: 0,
  // No eviction: the start checks the disk space, and an eviction would only hide why a pod ended.
  evictionHard: {
    "memory.available": "0%",
    "nodefs.available": "0%",
    "imagefs.available": "0%",
    "nodefs.inodesFree": "0%",
  },
  imageGCHighThresholdPercent: 100,
});

export const kubeProxy = {
  apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
  kind: "KubeProxyConfiguration",
  mode: "iptables",
  clusterCIDR: podRange,
  clientConnection: { kubeconfig: "/state/pki/kube-proxy.kubeconfig" },
  iptables: { localhostNodePorts: false },
  // Do not change settings of the whole machine.
  conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
  metricsBindAddress: "127.0.0.1:10249",
  healthzBindAddress: "127.0.0.1:10256",
};

/**
 * No cache: answers come from memory anyway, and after a change of a Service, clients would get an old one. The answer
 * that a Service has no pods would be cached longest, and all pods are briefly not ready when kubelet starts.
 */
export const corefile = `cluster.local:53 in-addr.arpa:53 {
  errors
  ready 127.0.0.1:8181
  kubernetes cluster.local in-addr.arpa {
    kubeconfig /state/pki/coredns.kubeconfig
    ttl 5
  }
}
`;
