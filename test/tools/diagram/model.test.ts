import assert from "node:assert/strict";
import { test } from "node:test";
import { checkConfig } from "../../../config/config.ts";
import { diagramOf } from "../../../tools/diagram/model.ts";
import type { Diagram } from "../../../tools/diagram/shapes.ts";
import { projectDir, raw, valid } from "../../config/refusal.ts";

const google = { "gcp:project": "acme-staging", "gcp:region": "asia-northeast1" };
const image = "registry.example.com/apps/hoge:1.4.2";

function diagram(config: Record<string, unknown>): Diagram {
  return diagramOf("test", checkConfig(raw({ ...valid, ...config }, google), "test", projectDir));
}
const onGoogle = (config: Record<string, unknown>) =>
  diagram({ cluster: { kind: "gke" }, edge: { kind: "gce" }, registry: { kind: "artifact-registry" }, ...config });

const node = ({ nodes }: Diagram, id: string) => nodes.find((each) => each.id === id);
const lines = ({ arrows }: Diagram, from: string, to: string) =>
  arrows.find((arrow) => arrow.from === from && arrow.to === to)?.lines;

test("a small stack, whole", () => {
  assert.deepEqual(diagram({}), {
    title: "Stack test: shop.example.com",
    description:
      "Clients reach shop.example.com, hoge.shop.example.com: Ingress controller contour, plain HTTP, no TLS. Behind it the " +
      "nginx proxy, 3 pods, sends requests to the services. hoge answers /hoge/, hoge.shop.example.com. Around them: " +
      "Kubernetes cluster of context somewhere, namespace apps. DNS, shop.example.com, hoge.shop.example.com, records not made " +
      "by the stack. 1 image, built by npm start, put on the node: no registry. Registry, registry.example.com: 1 image.",
    groups: [
      { id: "cluster", title: "Kubernetes cluster of context somewhere", lines: [] },
      { id: "namespace", title: "namespace apps", lines: ["network policies: closed by default"], parent: "cluster" },
    ],
    nodes: [
      { id: "client", kind: "outside", title: "Clients", lines: [] },
      {
        id: "dns",
        kind: "outside",
        title: "DNS",
        lines: ["shop.example.com", "hoge.shop.example.com", "records not made by the stack"],
      },
      {
        id: "edge",
        kind: "edge",
        title: "Ingress controller contour",
        lines: ["plain HTTP, no TLS"],
        group: "cluster",
      },
      {
        id: "registry",
        kind: "registry",
        title: "1 image",
        lines: ["built by npm start, put on the node: no registry"],
      },
      { id: "registries", kind: "registry", title: "Registry", lines: ["registry.example.com: 1 image"] },
      { id: "proxy", kind: "proxy", title: "nginx proxy", lines: ["3 pods"], group: "namespace" },
      {
        id: "service-hoge",
        kind: "service",
        title: "hoge",
        lines: ["hoge:1.4.2", "2 pods, port 8080"],
        group: "namespace",
      },
    ],
    arrows: [
      { from: "client", to: "dns", kind: "lookup", lines: [] },
      { from: "client", to: "edge", kind: "request", lines: ["HTTP"] },
      { from: "edge", to: "proxy", kind: "request", lines: ["HTTP"] },
      { from: "proxy", to: "service-hoge", kind: "request", lines: ["/hoge/", "hoge.shop.example.com"] },
      { from: "registry", to: "cluster", kind: "images", lines: ["images"] },
      { from: "registries", to: "cluster", kind: "images", lines: ["images"] },
    ],
  });
});

test("what runs by a schedule, a worker, and the job of a release", () => {
  const services = {
    hoge: { image, routes: [{ path: "/" }], release: { args: ["migrate"] } },
    jobs: { image, port: "none" },
    cleanup: { image, args: ["cleanup"], schedule: "0 3 * * *", timeZone: "Asia/Tokyo", calls: ["hoge"] },
    hourly: { image, args: ["tick"], schedule: "@hourly" },
  };
  const found = diagram({ services });
  assert.deepEqual(
    found.nodes.slice(-4).map(({ kind, title, lines }) => [kind, title, ...lines.slice(1)]),
    [
      ["service", "hoge", "2 pods, port 8080", "before a release: its job"],
      ["service", "jobs", "2 pods, no port"],
      ["schedule", "cleanup", "runs at 0 3 * * * (Asia/Tokyo)", "calls hoge"],
      ["schedule", "hourly", "runs at @hourly"],
    ],
  );
  assert.match(
    found.description,
    /hoge answers \/\. Before its new pods, the job of its release runs\. jobs has no route\. cleanup runs at 0 3 \* \* \* \(Asia\/Tokyo\)\. It calls hoge\. hourly runs at @hourly\. Around/,
  );
});

test("on Google: project, network, cluster and nodes, one within the other", () => {
  const nodePools = { main: { minPerZone: 1, maxPerZone: 2, spot: true, machineType: "e2-standard-2" } };
  const zones = ["asia-northeast1-a"];
  const { groups, nodes } = onGoogle({ cluster: { kind: "gke", zones, nodePools, releaseChannel: "STABLE" } });
  assert.deepEqual(groups, [
    { id: "google", title: "Google Cloud project acme-staging", lines: [] },
    {
      id: "network",
      title: "VPC network, asia-northeast1",
      lines: ["nodes 10.0.0.0/20, pods 10.4.0.0/14, services 10.8.0.0/20", "out through Cloud NAT"],
      parent: "google",
    },
    {
      id: "cluster",
      title: "GKE cluster, Standard, private nodes",
      lines: ["regional control plane, release channel stable"],
      parent: "network",
    },
    { id: "namespace", title: "namespace apps", lines: ["network policies: closed by default"], parent: "cluster" },
  ]);
  assert.deepEqual(
    nodes.slice(0, 5).map(({ id, group }) => [id, group]),
    [
      ["client", undefined],
      ["dns", undefined],
      ["edge", "google"],
      ["registry", "google"],
      ["registries", undefined],
    ],
  );
});

test("zones: those that are named, or as many as Google takes by itself", () => {
  const nodePools = { main: { minPerZone: 1, maxPerZone: 2, spot: true, machineType: "e2-standard-2" } };
  const zones = (cluster: Record<string, unknown>) =>
    onGoogle({ cluster: { kind: "gke", ...cluster } })
      .nodes.filter(({ kind }) => kind === "zone")
      .map(({ title, lines, group }) => [title, lines, group]);
  assert.deepEqual(zones({ nodePools, zones: ["asia-northeast1-a", "asia-northeast1-c"] }), [
    ["zone asia-northeast1-a", ["main: 1 to 2 e2-standard-2 (spot)"], "cluster"],
    ["zone asia-northeast1-c", ["main: 1 to 2 e2-standard-2 (spot)"], "cluster"],
  ]);
  assert.deepEqual(zones({ nodePools }), [
    ["three zones of asia-northeast1", ["main: 1 to 2 e2-standard-2 (spot)", "in each zone"], "cluster"],
  ]);
  assert.deepEqual(zones({ mode: "autopilot" }), [
    ["three zones of asia-northeast1", ["nodes as the pods need them"], "cluster"],
  ]);
  assert.deepEqual(
    diagram({}).nodes.filter(({ kind }) => kind === "zone"),
    [],
  );
});

test("images: by the stack's own registry, by others of its project, by others", () => {
  const own = "asia-northeast1-docker.pkg.dev/acme-staging";
  const services = {
    hoge: { image: `${own}/apps/hoge:1` },
    web: { image: `${own}/apps/web:1` },
    cache: { image: "redis:8", health: "tcp" },
    other: { image: "registry.example.com:5000/a/b:1" },
  };
  const drawn = onGoogle({ services });
  assert.deepEqual(node(drawn, "registry"), {
    id: "registry",
    kind: "registry",
    title: "Artifact Registry",
    lines: ["test-images: 1 image", "apps: 2 images"],
    group: "google",
  });
  assert.deepEqual(node(drawn, "registries")?.lines, ["docker.io: 1 image", "registry.example.com:5000: 1 image"]);
  assert.deepEqual(
    drawn.arrows.slice(-2).map(({ from, to }) => [from, to]),
    [
      ["registry", "network"],
      ["registries", "google"],
    ],
  );
  const nothingBuilt = diagram({ proxy: { image }, services: { hoge: { image, routes: [{ path: "/" }] } } });
  assert.equal(node(nothingBuilt, "registry"), undefined);
});

test("Autopilot has no pools; without policies it is said", () => {
  const { groups } = onGoogle({ cluster: { kind: "gke", mode: "autopilot" }, networkPolicies: { enabled: false } });
  assert.deepEqual(groups[2]?.title, "GKE cluster, Autopilot, private nodes");
  assert.deepEqual(groups[2].lines, ["regional control plane, release channel regular"]);
  assert.deepEqual(groups[3]?.lines, ["no network policies"]);
});

test("what the load balancer does", () => {
  const edge = {
    kind: "gce",
    armor: { rateLimit: { requests: 3000, seconds: 60 } },
    iap: { members: ["group:developers@example.com"] },
  };
  assert.deepEqual(node(onGoogle({ edge, tls: { mode: "managed" }, dns: { create: true } }), "edge")?.lines, [
    "global address",
    "TLS: managed certificate",
    "HTTP is sent to HTTPS",
    "Cloud Armor: 3000 in 60 s",
    "sign-in by IAP: 1 member",
  ]);
  assert.deepEqual(node(onGoogle({ edge: { kind: "gce", cdn: {}, armor: {} } }), "edge")?.lines, [
    "global address",
    "plain HTTP, no TLS",
    "Cloud Armor",
    "Cloud CDN",
  ]);
  const off = { kind: "gce", iap: { enabled: false, members: ["user:a@example.com"] } };
  const tls = { mode: "self-signed", redirectHttp: false };
  assert.deepEqual(node(onGoogle({ edge: off, tls }), "edge")?.lines, ["global address", "TLS: the stack's own CA"]);
});

test("DNS: the names, and who answers for them", () => {
  const routes = ["a", "b", "c", "d"].map((host) => ({ host }));
  const config = { services: { hoge: { image, routes } } };
  const dns = (drawn: Diagram) => [drawn.nodes[1]?.kind, drawn.nodes[1]?.title, ...(drawn.nodes[1]?.lines ?? [])];
  const names = ["shop.example.com", "a.shop.example.com", "b.shop.example.com", "and 2 more"];
  assert.deepEqual(dns(onGoogle({ ...config, dns: { zone: "example-com" } })), [
    "edge",
    "Cloud DNS",
    ...names,
    "zone example-com, project acme-staging",
  ]);
  assert.equal(dns(onGoogle({ dns: { create: true } })).at(-1), "zone made by the stack, project acme-staging");
  assert.deepEqual(dns(onGoogle(config)), ["outside", "DNS", ...names, "records not made by the stack"]);
  assert.deepEqual(dns(diagram({ domain: "shop.localhost" })), [
    "outside",
    "No DNS",
    "shop.localhost",
    "hoge.shop.localhost",
    "names under localhost are this machine",
  ]);
});

test("a Gateway of Google's class is its load balancer; another stands in the cluster", () => {
  const own = onGoogle({ edge: { kind: "gateway" }, tls: { mode: "managed" } });
  assert.deepEqual([node(own, "edge")?.title, node(own, "edge")?.group], ["Google load balancer", "google"]);
  const other = diagram({ edge: { kind: "gateway", className: "contour" } });
  assert.deepEqual([node(other, "edge")?.title, node(other, "edge")?.group], ["Gateway contour", "cluster"]);
});

test("routes: canary, versions, maintenance, gRPC, the domain by name", () => {
  const versions = [
    { header: "X-Beta", value: "yes", service: "beta" },
    { cookie: "beta", value: "1", service: "beta" },
  ];
  const routes = [
    { path: "/hoge/", canary: { service: "next", percent: 5 } },
    { path: "/", host: "hoge", versions },
    { path: "/x/", host: "shop.example.com", maintenance: true },
    { path: "/shop.v1.Orders/", protocol: "grpc" },
  ];
  const drawn = diagram({
    tls: { mode: "self-signed" },
    services: { hoge: { image, routes }, next: { image }, beta: { image } },
  });
  assert.deepEqual(lines(drawn, "proxy", "service-hoge"), [
    "/hoge/",
    "hoge.shop.example.com",
    "/x/ (maintenance: 503)",
    "gRPC /shop.v1.Orders/",
  ]);
  assert.deepEqual(lines(drawn, "proxy", "service-next"), ["5 % of /hoge/"]);
  assert.deepEqual(lines(drawn, "proxy", "service-beta"), [
    "hoge.shop.example.com where X-Beta is yes",
    "hoge.shop.example.com where cookie beta is 1",
  ]);
  assert.deepEqual(lines(drawn, "edge", "proxy"), ["HTTP", "gRPC over TLS"]);
});

test("calls, what is reached outside, and services found by name", () => {
  const egress = [
    { cidr: "203.0.113.7/32", ports: [443] },
    { cidr: "10.20.0.0/16", ports: [5432, 6379] },
    { cidr: "203.0.113.7/32", ports: [8443] },
  ];
  const digest = `registry.example.com/apps/web@sha256:${"0".repeat(64)}`;
  const drawn = diagram({
    proxy: { wildcards: { path: { allow: ["preview-*"] } }, redirects: [{ path: "/old/", to: "/new/" }] },
    services: {
      web: { image: digest, routes: [{ path: "/" }], calls: ["hoge"] },
      hoge: { image, egress, replicas: 1 },
    },
  });
  assert.deepEqual(drawn.arrows.slice(3, 5), [
    { from: "proxy", to: "service-web", kind: "request", lines: ["/"] },
    { from: "proxy", to: "wildcards", kind: "request", lines: ["by name"] },
  ]);
  assert.deepEqual(node(drawn, "service-web")?.lines.slice(2), ["calls hoge"]);
  assert.deepEqual(node(drawn, "service-hoge")?.lines.slice(2), [
    "reaches 203.0.113.7/32, port 443",
    "reaches 10.20.0.0/16, port 5432, 6379",
    "reaches 203.0.113.7/32, port 8443",
  ]);
  assert.deepEqual(node(drawn, "wildcards")?.lines, ["/preview-*/"]);
  assert.deepEqual(node(drawn, "proxy")?.lines, ["3 pods", "1 redirect"]);
  assert.deepEqual(node(drawn, "service-web")?.lines[0], "web@0000000…");
  assert.deepEqual(node(drawn, "service-hoge")?.lines[1], "1 pod, port 8080");
});

test("of many ranges outside the first are shown", () => {
  const egress = Array.from({ length: 7 }, (_, index) => ({ cidr: `10.${index}.0.0/16`, ports: [443] }));
  const drawn = diagram({ services: { hoge: { image, egress } } });
  assert.deepEqual(node(drawn, "service-hoge")?.lines.slice(2), [
    "reaches 10.0.0.0/16, port 443",
    "reaches 10.1.0.0/16, port 443",
    "and 5 more",
  ]);
  assert.match(drawn.description, /reaches 10\.6\.0\.0\/16, port 443/);
});

test("roles are the service's own", () => {
  const drawn = onGoogle({ services: { hoge: { image, roles: ["roles/pubsub.publisher"] } } });
  assert.deepEqual(node(drawn, "service-hoge")?.lines[2], "role pubsub.publisher");
});
