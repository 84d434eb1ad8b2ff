/** Ways to break the running local stack, and the hop that the doctor must report. */
import type { HopKind } from "../../../tools/doctor/report.ts";

/** A Deployment and the change of its container; then the expected hop, what is seen, and the fix. */
export const pods: readonly (readonly [string, string, Record<string, unknown>, HopKind, RegExp, RegExp])[] = [
  [
    "an image that does not exist",
    "hoge",
    { image: "localhost/nowhere/hoge:1" },
    "pods",
    /ErrImage|ImagePullBackOff/,
    /services\.hoge\.image/,
  ],
  [
    "a crash loop",
    "hoge",
    { command: ["/usr/bin/node", "-e", "process.exit(3)"] },
    "pods",
    /status 3 \(Error\)/,
    /logs hoge-.* --previous/,
  ],
  [
    "a pod that does not fit on any node",
    "web",
    { resources: { requests: { cpu: "1000" } } },
    "pods",
    /Pending: .*Insufficient cpu/,
    /Lower services\.web\.resources/,
  ],
  [
    "a health check on the wrong port",
    "web",
    { startupProbe: null, readinessProbe: { httpGet: { path: "/readyz", port: 9 }, periodSeconds: 1 } },
    "pods",
    /connection refused/,
    /services\.web\.port/,
  ],
  [
    "a health check with the wrong path",
    "nginx-proxy",
    { startupProbe: null, readinessProbe: { httpGet: { path: "/nowhere", port: "health" }, periodSeconds: 1 } },
    "proxy",
    /statuscode: 404/,
    /^npm start/,
  ],
  [
    "a program that exceeds its memory limit",
    "hoge",
    {
      command: ["/usr/bin/node", "-e", "for (const all = []; ; ) all.push(Buffer.alloc(1e7, 1))"],
      resources: { requests: { memory: "64Mi" }, limits: { memory: "64Mi" } },
    },
    "pods",
    /OOMKilled/,
    /Raise services\.hoge\.resources\.memory/,
  ],
  [
    "a service that fails",
    "hoge",
    {
      command: [
        "/usr/bin/node",
        "-e",
        `require("http").createServer(({ url }, to) => to.writeHead(/^.(readyz|healthz)/.test(url) ? 200 : 500).end("oops")).listen(8080)`,
      ],
    },
    "content",
    /^500 "oops" from hoge/,
    /logs deployment\/hoge/,
  ],
];

const toProxy = {
  path: "/",
  pathType: "Prefix",
  backend: { service: { name: "nginx-proxy", port: { name: "http" } } },
};
const fromNobody = { from: [{ podSelector: { matchLabels: { "app.kubernetes.io/name": "nobody" } } }] };
/** An object and its change; then the expected hop, and what is seen. The printed fix must fix each. */
export const objects: readonly (readonly [string, string, Record<string, unknown> | "deleted", HopKind, RegExp])[] = [
  [
    "a Service that selects no pods",
    "service/pods-hoge",
    { spec: { selector: { "app.kubernetes.io/name": "hogee" } } },
    "endpoints",
    /selects .*=hogee/,
  ],
  [
    "a Service whose port no container has",
    "service/pods-hoge",
    { spec: { ports: [{ name: "http", port: 8080, targetPort: 9 }] } },
    "endpoints",
    /target port is 9, which no container of hoge has/,
  ],
  ["a missing Service", "service/pods-hoge", "deleted", "service", /there is no Service pods-hoge/],
  ["a missing Deployment", "deployment/web", "deleted", "endpoints", /there is no Deployment web/],
  ["a service that is scaled to 0", "deployment/hoge", { spec: { replicas: 0 } }, "endpoints", /scaled to 0/],
  ["no pod of the proxy", "deployment/nginx-proxy", { spec: { replicas: 0 } }, "proxy", /scaled to 0/],
  [
    "a network policy that blocks the proxy",
    "networkpolicy/hoge.from.nginx-proxy",
    { spec: { ingress: [fromNobody] } },
    "content",
    /504 from nginx: too slow/,
  ],
  ["a missing Ingress", "ingress/ingress", "deleted", "ingress", /there is no Ingress/],
  [
    "an Ingress of another class",
    "ingress/ingress",
    { spec: { ingressClassName: "other" } },
    "ingress",
    /has the class other, but the config has contour/,
  ],
  [
    "an Ingress without a rule for a host",
    "ingress/ingress",
    { spec: { rules: [{ host: "elsewhere.localhost", http: { paths: [toProxy] } }] } },
    "ingress",
    /no rule for shop\.localhost, hoge\.shop\.localhost/,
  ],
  [
    "a missing Secret",
    "ingress/ingress",
    { spec: { tls: [{ secretName: "nowhere", hosts: ["shop.localhost"] }] } },
    "ingress",
    /refers to the Secret nowhere/,
  ],
];
