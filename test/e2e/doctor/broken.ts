/** Ways to break the running local stack, and what the doctor must say: the hop, the cause that it sees, and the fix. */
import {
  applied,
  certificate,
  commands,
  object,
  pods,
  replacePods,
  suspended,
  unapplied,
  type Break,
} from "./breaking.ts";
import type { Expected } from "./fixing.ts";

export interface Breakage {
  readonly what: string;
  /** What is broken, one after the other. */
  readonly breaks: readonly Break[];
  /** The first is the hop to fix; the others fail by themselves, too. */
  readonly expected: readonly Expected[];
  /** Whether the printed fixes are run, and must be enough. @default false */
  readonly fixes?: boolean;
}

const node = (program: string) => ({ command: ["/usr/bin/node", "-e", program] });
/** A server that passes the health check, and answers everything else with `answer`. */
const server = (answer: string) =>
  node(
    `require("http").createServer((from, to) => /^.(readyz|healthz)/.test(from.url) ? to.end() : ${answer}).listen(8080)`,
  );

const byPod: readonly Breakage[] = [
  {
    what: "an image that does not exist",
    breaks: [pods("hoge", { image: "localhost/nowhere/hoge:1" })],
    expected: [{ kind: "pods", service: "hoge", seen: /ErrImage|ImagePullBackOff/, fix: /^npm start {3}# restores/ }],
  },
  {
    what: "an image whose name is none",
    breaks: [pods("hoge", { image: "localhost/Nowhere:1" })],
    expected: [
      { kind: "pods", service: "hoge", seen: /InvalidImageName/, means: /no name/, fix: /^npm start {3}# restores/ },
    ],
  },
  {
    what: "a registry that does not answer",
    breaks: [pods("hoge", { image: "127.0.0.1:9/hoge:1" })],
    expected: [
      { kind: "pods", service: "hoge", seen: /refused/, means: /reach the registry/, fix: /^npm start {3}# restores/ },
    ],
  },
  {
    what: "a crash loop",
    breaks: [pods("hoge", node("process.exit(3)"))],
    expected: [{ kind: "pods", service: "hoge", seen: /status 3 \(Error\)/, fix: /logs hoge-.* --previous/ }],
  },
  {
    what: "a program that ends without an error",
    breaks: [pods("hoge", node(""))],
    expected: [
      {
        kind: "pods",
        service: "hoge",
        seen: /status 0 \(Completed\)/,
        means: /ends by itself/,
        fix: /logs hoge-.* --previous/,
      },
    ],
  },
  {
    what: "a program that writes to the read-only root",
    breaks: [pods("web", node(`require("fs").writeFileSync("/cache", "")`))],
    expected: [{ kind: "pods", service: "web", seen: /status 1 \(Error\)/, fix: /logs web-.* --previous/ }],
  },
  {
    what: "a command that is not in the image",
    breaks: [pods("hoge", { command: ["/nowhere"] })],
    expected: [
      {
        kind: "pods",
        service: "hoge",
        seen: /(StartError|RunContainerError|CreateContainerError): .*no such file/,
        means: /its command is not in the image/,
        fix: /the program in \.\/services\/sample/,
      },
    ],
  },
  {
    what: "an environment from a Secret that does not exist",
    breaks: [pods("hoge", { envFrom: [{ secretRef: { name: "nowhere" } }] })],
    expected: [{ kind: "pods", service: "hoge", seen: /secret "nowhere" not found/, fix: /^npm start {3}# restores/ }],
  },
  {
    what: "a variable from a ConfigMap that does not exist",
    breaks: [
      pods("web", { env: [{ name: "NAME", valueFrom: { configMapKeyRef: { name: "nowhere", key: "name" } } }] }),
    ],
    expected: [
      { kind: "pods", service: "web", seen: /configmap "nowhere" not found/, fix: /^npm start {3}# restores/ },
    ],
  },
  {
    what: "a volume of a ConfigMap that does not exist",
    breaks: [
      pods("hoge", { volumeMounts: [{ name: "more", mountPath: "/more" }] }, ({ volumes = [] }) => ({
        volumes: [...(volumes as object[]), { name: "more", configMap: { name: "nowhere" } }],
      })),
    ],
    expected: [
      {
        kind: "pods",
        service: "hoge",
        seen: /FailedMount: .*configmap "nowhere" not found/,
        fix: /^npm start {3}# restores/,
      },
    ],
  },
  {
    what: "a program that exceeds its memory limit",
    breaks: [
      pods("hoge", {
        ...node("for (const all = []; ; ) all.push(Buffer.alloc(1e7, 1))"),
        resources: { requests: { memory: "64Mi" }, limits: { memory: "64Mi" } },
      }),
    ],
    expected: [{ kind: "pods", service: "hoge", seen: /OOMKilled/, fix: /Raise services\.hoge\.resources\.memory/ }],
  },
  {
    what: "a program that listens on another port",
    breaks: [pods("hoge", node(`require("http").createServer((from, to) => to.end()).listen(8081)`))],
    expected: [
      {
        kind: "pods",
        service: "hoge",
        seen: /connection refused/,
        means: /port is wrong/,
        fix: /services\.hoge\.port/,
      },
    ],
  },
  {
    what: "a program that listens on 127.0.0.1 only",
    breaks: [pods("web", node(`require("http").createServer((from, to) => to.end()).listen(8080, "127.0.0.1")`))],
    expected: [
      {
        kind: "pods",
        service: "web",
        seen: /connection refused/,
        means: /127\.0\.0\.1 only/,
        fix: /services\.web\.port/,
      },
    ],
  },
  {
    what: "a program whose health path does not exist",
    breaks: [pods("hoge", node(`require("http").createServer((from, to) => to.writeHead(404).end()).listen(8080)`))],
    expected: [
      {
        kind: "pods",
        service: "hoge",
        seen: /statuscode: 404/,
        means: /health path is wrong/,
        fix: /services\.hoge\.health/,
      },
    ],
  },
  {
    what: "a program that says that it is not ready",
    breaks: [pods("hoge", node(`require("http").createServer((from, to) => to.writeHead(503).end()).listen(8080)`))],
    expected: [
      { kind: "pods", service: "hoge", seen: /statuscode: 503/, means: /cannot take requests/, fix: /logs hoge-/ },
    ],
  },
  {
    what: "a program that accepts connections and says nothing",
    breaks: [pods("web", node(`require("net").createServer(() => undefined).listen(8080)`))],
    expected: [
      {
        kind: "pods",
        service: "web",
        seen: /[Tt]imeout|deadline exceeded/,
        means: /no answer in time/,
        fix: /logs web-/,
      },
    ],
  },
  {
    what: "a program that does not speak HTTP",
    breaks: [pods("web", node(`require("net").createServer((to) => to.end("220 mail ready\\r\\n")).listen(8080)`))],
    expected: [{ kind: "pods", service: "web", seen: /malformed HTTP/, means: /not HTTP/, fix: /services\.web\.port/ }],
  },
  {
    what: "a program that does not start in time",
    breaks: [
      pods("hoge", {
        ...node(`process.on("SIGTERM", () => process.exit(0)); setTimeout(() => {}, 1e9)`),
        lifecycle: null,
        startupProbe: { httpGet: { path: "/readyz", port: "http" }, periodSeconds: 1, failureThreshold: 3 },
      }),
    ],
    expected: [
      {
        kind: "pods",
        service: "hoge",
        seen: /restarted \d+ times, because its startup probe failed/,
        means: /within 3 s/,
        fix: /services\.hoge\.port/,
      },
    ],
  },
  {
    what: "a program that gets stuck",
    breaks: [
      pods("hoge", {
        ...node(
          `process.on("SIGTERM", () => process.exit(0));
           const server = require("http").createServer((from, to) => to.end()).listen(8080);
           setTimeout(() => { server.close(); server.closeAllConnections(); }, 4000); setTimeout(() => {}, 1e9)`,
        ),
        lifecycle: null,
        livenessProbe: { tcpSocket: { port: "http" }, periodSeconds: 1, failureThreshold: 3 },
      }),
    ],
    expected: [
      {
        kind: "pods",
        service: "hoge",
        seen: /restarted \d+ times, because its liveness probe failed/,
        means: /stuck/,
        fix: /logs hoge-.* --previous/,
      },
    ],
  },
  {
    what: "a health check on the wrong port, changed in the cluster",
    breaks: [
      pods("web", {
        startupProbe: null,
        readinessProbe: { httpGet: { path: "/readyz", port: 9 }, periodSeconds: 1 },
      }),
    ],
    expected: [{ kind: "pods", service: "web", seen: /connection refused/, fix: /^npm start {3}# restores the probe/ }],
  },
  {
    what: "a health check with the wrong path, changed in the cluster",
    breaks: [
      pods("web", {
        ...node(
          `require("http").createServer((from, to) => to.writeHead(from.url === "/readyz" ? 200 : 404).end()).listen(8080)`,
        ),
        startupProbe: null,
        readinessProbe: { httpGet: { path: "/nowhere", port: "http" }, periodSeconds: 1 },
      }),
    ],
    expected: [
      {
        kind: "pods",
        service: "web",
        seen: /statuscode: 404/,
        means: /the config has \/readyz/,
        fix: /^npm start {3}# restores the probe/,
      },
    ],
  },
  {
    what: "a pod that does not fit on any node",
    breaks: [pods("web", { resources: { requests: { cpu: "1000" } } })],
    expected: [
      {
        kind: "pods",
        service: "web",
        seen: /Pending: .*Insufficient cpu/,
        means: /free resources/,
        fix: /Lower services\.web\.resources/,
      },
    ],
  },
  {
    what: "a pod that requires another node",
    breaks: [pods("web", {}, () => ({ nodeSelector: { disk: "fast" } }))],
    expected: [
      {
        kind: "pods",
        service: "web",
        seen: /Pending: .*affinity\/selector/,
        means: /labels that no node has/,
        fix: /^npm start/,
      },
    ],
  },
  {
    what: "a pod that violates the namespace's Pod Security Standard",
    breaks: [pods("hoge", {}, () => ({ hostNetwork: true }))],
    expected: [
      {
        kind: "pods",
        service: "hoge",
        seen: /pods are rejected: .*violates PodSecurity/,
        means: /Pod Security Standard/,
        fix: /^npm start {3}# restores/,
      },
    ],
  },
  {
    what: "a ServiceAccount that does not exist",
    breaks: [pods("hoge", {}, () => ({ serviceAccountName: "nowhere", serviceAccount: "nowhere" }))],
    expected: [
      {
        kind: "pods",
        service: "hoge",
        seen: /pods are rejected: .*service account/,
        means: /ServiceAccount does not exist/,
        fix: /^npm start {3}# restores/,
      },
    ],
  },
];

const byProxyPod: readonly Breakage[] = [
  {
    what: "an image of the proxy that does not exist",
    breaks: [pods("nginx-proxy", { image: "localhost/nowhere/nginx:1" })],
    expected: [{ kind: "proxy", seen: /ErrImage|ImagePullBackOff/, fix: /proxy\.image/ }],
  },
  {
    what: "a proxy that ends",
    breaks: [pods("nginx-proxy", { command: ["/bin/sh", "-c", "exit 7"] })],
    expected: [{ kind: "proxy", seen: /status 7 \(Error\)/, fix: /logs nginx-proxy-.* --previous/ }],
  },
  {
    what: "a proxy whose routes do not exist",
    breaks: [
      pods("nginx-proxy", {}, ({ volumes = [] }) => ({
        volumes: (volumes as { name: string }[]).map((each) =>
          each.name === "routes" ? { name: "routes", configMap: { name: "nowhere" } } : each,
        ),
      })),
    ],
    expected: [
      { kind: "proxy", seen: /FailedMount: .*configmap "nowhere" not found/, fix: /^npm start {3}# restores/ },
    ],
  },
  {
    what: "a health check of the proxy with the wrong path",
    breaks: [
      pods("nginx-proxy", {
        startupProbe: null,
        readinessProbe: { httpGet: { path: "/nowhere", port: "health" }, periodSeconds: 1 },
      }),
    ],
    expected: [{ kind: "proxy", seen: /statuscode: 404/, fix: /^npm start/ }],
  },
  {
    what: "a proxy that does not fit on any node",
    breaks: [pods("nginx-proxy", { resources: { requests: { memory: "4000Gi" }, limits: { memory: "4000Gi" } } })],
    expected: [{ kind: "proxy", seen: /Insufficient memory/, fix: /Lower proxy\.resources/ }],
  },
];

const byAnswer: readonly Breakage[] = [
  {
    what: "a service that fails",
    breaks: [pods("hoge", server(`to.writeHead(500).end("oops")`))],
    expected: [{ kind: "content", service: "hoge", seen: /^500 "oops" from hoge/, fix: /logs deployment\/hoge/ }],
  },
  {
    what: "a service that ends connections without an answer",
    breaks: [pods("hoge", server("from.socket.destroy()"))],
    expected: [
      {
        kind: "content",
        service: "hoge",
        seen: /502 from nginx: service unknown or down/,
        means: /although the cluster says that they are ready/,
        fix: /^npm start/,
      },
    ],
  },
  {
    what: "a service with a response header that is too large",
    breaks: [pods("hoge", server(`to.setHeader("set-cookie", "a=" + "b".repeat(40000)).end()`))],
    expected: [
      {
        kind: "content",
        service: "hoge",
        seen: /502 from nginx: response header invalid or too large/,
        fix: /Raise services\.hoge\.routeDefaults\.maxResponseHeaderKb/,
      },
    ],
  },
  {
    what: "a service that redirects every request to https",
    breaks: [
      pods(
        "hoge",
        server(`to.writeHead(301, { location: "https://" + from.headers.host + "/hoge" + from.url }).end()`),
      ),
    ],
    expected: [
      { kind: "content", service: "hoge", seen: /in a loop/, means: /enforces TLS itself/, fix: /X-Forwarded-Proto/ },
    ],
  },
];

const toProxy = (name: string) => ({
  path: "/",
  pathType: "Prefix",
  backend: { service: { name, port: { name: "http" } } },
});
const hosts = ["shop.localhost", "hoge.shop.localhost"];
const fromNobody = { from: [{ podSelector: { matchLabels: { "app.kubernetes.io/name": "nobody" } } }] };

const byObject: readonly Breakage[] = (
  [
    [
      "a Service that selects no pods",
      object("service/pods-hoge", { spec: { selector: { "app.kubernetes.io/name": "hogee" } } }),
      { kind: "endpoints", service: "hoge", seen: /selects .*=hogee/, fix: /^npm start/ },
    ],
    [
      "a Service whose port no container has",
      object("service/pods-hoge", { spec: { ports: [{ name: "http", port: 8080, targetPort: 9 }] } }),
      { kind: "endpoints", seen: /target port is 9, which no container of hoge has/, fix: /^npm start/ },
    ],
    [
      "a missing Service",
      object("service/pods-hoge", "deleted"),
      { kind: "service", seen: /there is no Service pods-hoge/, fix: /^npm start/ },
    ],
    [
      "a missing Deployment",
      object("deployment/web", "deleted"),
      { kind: "endpoints", seen: /there is no Deployment web/, fix: /^npm start/ },
    ],
    [
      "a service that is scaled to 0",
      object("deployment/hoge", { spec: { replicas: 0 } }),
      { kind: "endpoints", seen: /scaled to 0/, fix: /scale deployment\/hoge --replicas=2/ },
    ],
    [
      "no pod of the proxy",
      object("deployment/nginx-proxy", { spec: { replicas: 0 } }),
      { kind: "proxy", seen: /scaled to 0/, fix: /scale deployment\/nginx-proxy/ },
    ],
    [
      "a proxy whose Service selects no pods",
      object("service/nginx-proxy", { spec: { selector: { "app.kubernetes.io/name": "nginx" } } }),
      { kind: "proxy", seen: /selects .*=nginx/, fix: /^npm start/ },
    ],
    [
      "a proxy whose Service has a wrong port",
      object("service/nginx-proxy", { spec: { ports: [{ name: "http", port: 80, targetPort: 81 }] } }),
      { kind: "proxy", seen: /target port is 81/, fix: /^npm start/ },
    ],
    [
      "a proxy without its Service",
      object("service/nginx-proxy", "deleted"),
      { kind: "ingress", seen: /the Service nginx-proxy, which does not exist/, fix: /^npm start/ },
    ],
    [
      "a missing Ingress",
      object("ingress/ingress", "deleted"),
      { kind: "ingress", seen: /there is no Ingress/, fix: /^npm start/ },
    ],
    [
      "an Ingress of another class",
      object("ingress/ingress", { spec: { ingressClassName: "other" } }),
      { kind: "ingress", seen: /has the class other, but the config has contour/, fix: /^npm start/ },
    ],
    [
      "an Ingress without a rule for a host",
      object("ingress/ingress", {
        spec: { rules: [{ host: "elsewhere.localhost", http: { paths: [toProxy("nginx-proxy")] } }] },
      }),
      { kind: "ingress", seen: /no rule for shop\.localhost, hoge\.shop\.localhost/, fix: /^npm start/ },
    ],
    [
      "an Ingress to another Service",
      object("ingress/ingress", {
        spec: { rules: hosts.map((host) => ({ host, http: { paths: [toProxy("elsewhere")] } })) },
      }),
      { kind: "ingress", seen: /the Service elsewhere, which does not exist/, fix: /^npm start/ },
    ],
    [
      "an Ingress with a Secret that does not exist",
      object("ingress/ingress", { spec: { tls: [{ secretName: "nowhere", hosts: ["shop.localhost"] }] } }),
      { kind: "ingress", seen: /refers to the Secret nowhere/, fix: /^npm start/ },
    ],
    [
      "an Ingress without TLS",
      object("ingress/ingress", { spec: { tls: null } }),
      { kind: "ingress", seen: /has no tls section/, fix: /^npm start/ },
    ],
  ] satisfies readonly (readonly [string, Break, Expected])[]
).map(([what, one, expected]) => ({ what, breaks: [one], expected: [expected], fixes: true }));

const localNode = "local";
const unknownNode = [
  "--subresource=status",
  `--patch=${JSON.stringify({ status: { conditions: [{ type: "Ready", status: "Unknown", reason: "NodeStatusUnknown" }] } })}`,
];
const byCluster: readonly Breakage[] = [
  {
    what: "pods are rejected because a quota is exhausted",
    breaks: [
      commands(["get", "pods"], ["rollout", "restart", "deployment/hoge"]), // The controller waits before it tries again.
      commands(["create", "quota", "none", "--hard=pods=0"], ["delete", "quota", "none"]),
      replacePods("hoge"),
    ],
    expected: [
      {
        kind: "pods",
        service: "hoge",
        seen: /rejected: .*exceeded quota: none/,
        means: /quota/,
        fix: /resourcequotas/,
      },
    ],
  },
  {
    what: "a node that takes no new pods",
    breaks: [commands(["cordon", localNode], ["uncordon", localNode]), replacePods("hoge")],
    expected: [
      { kind: "pods", service: "hoge", seen: /were unschedulable/, means: /cordoned/, fix: /uncordon [\w-]+ {3}#/ },
    ],
    fixes: true,
  },
  {
    what: "a node with a taint",
    breaks: [
      commands(["taint", "node", localNode, "team=other:NoSchedule"], ["taint", "node", localNode, "team-"]),
      replacePods("web"),
    ],
    expected: [
      { kind: "pods", service: "web", seen: /untolerated taint/, means: /taint/, fix: /describe node [\w-]+ {3}#/ },
    ],
  },
  // Connections from before a policy stay open.
  {
    what: "a network policy that keeps the proxy from a service",
    breaks: [object("networkpolicy/hoge.from.nginx-proxy", { spec: { ingress: [fromNobody] } }), replacePods("hoge")],
    expected: [
      {
        kind: "content",
        service: "hoge",
        seen: /504 from nginx: too slow/,
        means: /network policy blocks/,
        fix: /^npm start/,
      },
    ],
    fixes: true,
  },
  {
    what: "a missing network policy",
    breaks: [object("networkpolicy/web.from.nginx-proxy", "deleted"), replacePods("web")],
    expected: [
      { kind: "content", service: "web", seen: /504 from nginx: too slow/, means: /network policy/, fix: /^npm start/ },
    ],
    fixes: true,
  },
  {
    what: "a certificate for another name",
    breaks: [certificate(["other.example.com"])],
    expected: [
      { kind: "certificate", seen: /presented for (hoge\.)?shop\.localhost is for other\.example\.com/, fix: /./ },
    ],
  },
  {
    what: "a certificate of an unknown authority",
    breaks: [certificate(hosts)],
    expected: [{ kind: "certificate", seen: /authority|issuer|trust|chain/, fix: /./ }],
  },
  {
    what: "a certificate that has expired",
    breaks: [certificate(hosts, -1)],
    expected: [{ kind: "certificate", seen: /expired/, fix: /./ }],
  },
  {
    what: "an edge that does not answer",
    breaks: [suspended("envoy", 35)],
    expected: [{ kind: "edge", seen: /accepts connections, and then/, means: /hangs/, fix: /^npm stop && npm start/ }],
  },
  {
    what: "a node that does not report",
    // The controller marks it after 10 minutes here (nodeFiles.ts), so the test does.
    breaks: [suspended("kubelet", 25), commands(["patch", "node", localNode, ...unknownNode], ["get", "nodes"])],
    expected: [
      {
        kind: "proxy",
        state: "warning",
        seen: /its node local is not ready: NodeStatusUnknown/,
        fix: /describe node local/,
      },
    ],
  },
];

const byConfig: readonly Breakage[] = [
  {
    what: "a host that was not applied",
    breaks: [unapplied((text) => text.replace("{ host: hoge }", "{ host: hoge }, { host: new }"))],
    expected: [{ kind: "ingress", seen: /no rule for new\.shop\.localhost/, fix: /^npm start/ }],
  },
  {
    what: "a service without routes that does not start",
    breaks: [
      applied((text) => `${text}    worker:\n      build: { context: ./services/sample }\n      health: /readyz\n`),
      pods("worker", node("process.exit(5)")),
    ],
    expected: [{ kind: "pods", service: "worker", seen: /status 5 \(Error\)/, fix: /logs worker-.* --previous/ }],
  },
  {
    what: "a service that does not answer in time",
    breaks: [
      applied((text) => text.replace("health: /readyz", "health: /readyz\n      routeDefaults: { timeoutSeconds: 5 }")),
      pods("hoge", server("undefined")),
    ],
    expected: [
      {
        kind: "content",
        service: "hoge",
        seen: /504 from nginx: too slow/,
        means: /did not answer within 5 s/,
        fix: /services\.hoge\.routeDefaults\.timeoutSeconds/,
      },
    ],
  },
];

const withWarning: readonly Breakage[] = (
  [
    [
      "a Deployment that was scaled down",
      object("deployment/hoge", { spec: { replicas: 1 } }),
      { kind: "pods", service: "hoge", seen: /1 of 1 ready; the config has 2/, fix: /--replicas=2/ },
    ],
    [
      "a paused Deployment",
      object("deployment/hoge", { spec: { paused: true } }),
      { kind: "pods", service: "hoge", seen: /is paused/, fix: /rollout resume deployment\/hoge/ },
    ],
  ] satisfies readonly (readonly [string, Break, Expected])[]
).map(([what, one, expected]) => ({
  what,
  breaks: [one],
  expected: [{ ...expected, state: "warning" }],
  fixes: true,
}));

/** Two at once: the cause of each is the one that the evidence shows. */
const pairs: readonly Breakage[] = [
  {
    what: "an image that does not exist, and another service scaled to 0",
    breaks: [pods("hoge", { image: "localhost/nowhere/hoge:1" }), object("deployment/web", { spec: { replicas: 0 } })],
    expected: [
      { kind: "pods", service: "hoge", seen: /ErrImage|ImagePullBackOff/, fix: /^npm start {3}# restores/ },
      { kind: "endpoints", service: "web", seen: /scaled to 0/, fix: /scale deployment\/web/ },
    ],
  },
  {
    what: "a missing Ingress, and no pod of the proxy",
    breaks: [object("ingress/ingress", "deleted"), object("deployment/nginx-proxy", { spec: { replicas: 0 } })],
    expected: [
      { kind: "ingress", seen: /there is no Ingress/, fix: /^npm start/ },
      { kind: "proxy", seen: /scaled to 0/, fix: /scale deployment\/nginx-proxy/ },
    ],
  },
  {
    what: "a missing Service, and a crash loop of another service",
    breaks: [object("service/pods-hoge", "deleted"), pods("web", node("process.exit(4)"))],
    expected: [
      { kind: "service", service: "hoge", seen: /no Service pods-hoge/, fix: /^npm start/ },
      { kind: "pods", service: "web", seen: /status 4/, fix: /logs web-/ },
    ],
  },
  {
    what: "a Service that selects no pods, and a crash loop behind it",
    breaks: [
      object("service/pods-hoge", { spec: { selector: { "app.kubernetes.io/name": "hogee" } } }),
      pods("hoge", node("process.exit(6)")),
    ],
    expected: [
      { kind: "endpoints", service: "hoge", seen: /selects .*=hogee/, fix: /^npm start/ },
      { kind: "pods", service: "hoge", seen: /status 6/, fix: /logs hoge-/ },
    ],
  },
  {
    what: "a certificate for another name, and a service scaled to 0",
    breaks: [certificate(["other.example.com"]), object("deployment/hoge", { spec: { replicas: 0 } })],
    expected: [
      { kind: "certificate", seen: /is for other\.example\.com/, fix: /./ },
      { kind: "endpoints", service: "hoge", seen: /scaled to 0/, fix: /scale deployment\/hoge/ },
    ],
  },
  {
    what: "a network policy that blocks one service, and another that fails",
    breaks: [
      object("networkpolicy/hoge.from.nginx-proxy", { spec: { ingress: [fromNobody] } }),
      replacePods("hoge"),
      pods("web", server(`to.writeHead(500).end("oops")`)),
    ],
    expected: [
      { kind: "content", service: "hoge", seen: /504 from nginx/, means: /network policy blocks/, fix: /^npm start/ },
      { kind: "content", service: "web", seen: /500 "oops" from web/, fix: /logs deployment\/web/ },
    ],
  },
  {
    what: "a proxy whose Service selects no pods, and a Secret that does not exist",
    breaks: [
      object("service/nginx-proxy", { spec: { selector: { "app.kubernetes.io/name": "nginx" } } }),
      pods("hoge", { envFrom: [{ secretRef: { name: "nowhere" } }] }),
    ],
    expected: [
      { kind: "proxy", seen: /selects .*=nginx/, fix: /^npm start/ },
      { kind: "pods", service: "hoge", seen: /secret "nowhere" not found/, fix: /^npm start/ },
    ],
  },
  {
    what: "a route that was not applied, and a crash loop",
    breaks: [
      unapplied((text) => text.replace("{ path: /hoge/ }", "{ path: /hoge/ }, { path: /new/ }")),
      pods("web", node("process.exit(8)")),
    ],
    expected: [
      { kind: "pods", service: "web", seen: /status 8/, fix: /logs web-/ },
      { kind: "route", service: "hoge", seen: /nginx runs with .*, but the config renders/, fix: /^npm start/ },
    ],
  },
];

export const breakages: readonly Breakage[] = [
  ...byPod,
  ...byProxyPod,
  ...byAnswer,
  ...byObject,
  ...byCluster,
  ...byConfig,
  ...withWarning,
  ...pairs,
];
