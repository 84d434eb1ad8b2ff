/** Settings files of the node's processes; paths are those inside the sandbox. */
import { dnsServiceAddress, podRange } from "./addresses.ts";
import type { NodeOptions } from "./options.ts";

/** The image of the container that holds each pod's namespaces. */
export const pauseImage = "localhost/pause:1";

export const containerd = ({ snapshotter }: NodeOptions) => `version = 2
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
  // A nearly full disk is told before the start; evicting pods later would only hide why they went.
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
  // These belong to the whole machine and stay as they are.
  conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
  metricsBindAddress: "127.0.0.1:10249",
  healthzBindAddress: "127.0.0.1:10256",
};

/**
 * Nothing is cached: answers are made from memory as it is, and whoever changes a service would wait for an old one. That a
 * service has no pod would be kept for longest, and all pods of a node are not ready for a moment when kubelet starts.
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
