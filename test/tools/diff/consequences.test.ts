import assert from "node:assert/strict";
import { test } from "node:test";
import { consequences, type Step } from "../../../tools/diff/consequences.ts";
import type { KubernetesObject } from "../../../tools/stack/evaluate.ts";

const ingress = (hosts: readonly string[], tls = true): KubernetesObject => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { name: "ingress", namespace: "apps" },
  spec: { ...(tls && { tls: [{ hosts, secretName: "a" }] }), rules: hosts.map((host) => ({ host })) },
});
const gateway = (hosts: readonly string[], protocol = "HTTPS"): KubernetesObject[] => [
  { apiVersion: "gateway.networking.k8s.io/v1", kind: "Gateway", metadata: { name: "gateway" }, spec: { listeners: [{ protocol: "HTTP" }, { protocol }] } }, // prettier-ignore
  ...hosts.map((host) => ({ apiVersion: "gateway.networking.k8s.io/v1", kind: "HTTPRoute", metadata: { name: host }, spec: { hostnames: [host] } })), // prettier-ignore
];
const step = (operation: Step["operation"], type: string, inputs: Step["inputs"] = {}): Step => ({ operation, resource: `${type} a`, inputs }); // prettier-ignore

const one = [ingress(["a.example"])];
const texts = (steps: Step[], before: KubernetesObject[] = one, after: KubernetesObject[] = before) =>
  consequences(steps, { before: { objects: before }, after: { objects: after } }).map(({ text, names }) =>
    names ? `${text}: ${names.join(", ")}` : text,
  );
const [cluster, address] = ["gcp:container/cluster:Cluster", "gcp:compute/globalAddress:GlobalAddress"];

test("nothing, and changes in place, mean nothing", () => {
  assert.deepEqual(texts([]), []);
  for (const type of [cluster, address, "gcp:compute/sSLPolicy:SSLPolicy"]) assert.deepEqual(texts([step("changed", type)]), []); // prettier-ignore
  assert.deepEqual(texts([step("created", cluster), step("created", address)]), []);
});

test("the worst comes first, and each sentence once", () => {
  const certificate = step("replaced", "gcp:compute/managedSslCertificate:ManagedSslCertificate");
  const repository = step("deleted", "gcp:artifactregistry/repository:Repository");
  assert.deepEqual(
    texts([repository, certificate, certificate, step("replaced", address), step("replaced", cluster)]),
    [
      "The cluster is deleted and created again: nothing answers until the new one runs all services, and what was stored in it is lost.",
      "The address changes: all traffic fails until DNS has the new one, and until resolvers forget the old one.",
      "Certificates are replaced: HTTPS fails for their names until Google has issued new ones, which takes up to an hour.",
      "The registry loses its images: a pod that uses one cannot start on a new node.",
    ],
  );
  assert.deepEqual(texts([step("deleted", address), step("deleted", cluster)]), [
    "The cluster is deleted: nothing in it answers any more, and what was stored in it is lost.",
    "The address is given up: all traffic to it fails, and it cannot be had again.",
  ]);
});

test("host names that are not served any more, of an Ingress or of routes", () => {
  const gone = "Not served any more: a.example";
  assert.deepEqual(texts([], [ingress(["a.example", "b.example"])], [ingress(["b.example", "c.example"])]), [gone]);
  assert.deepEqual(texts([], gateway(["a.example", "b.example"]), gateway(["b.example"])), [gone]);
});

test("another port of a service with routes", () => {
  const at = (name: string, port: number): KubernetesObject => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name },
    spec: { ports: [{ name: "http", port }] },
  });
  const before = [
    at("hoge", 8080),
    at("pods-hoge", 8080),
    at("pods-web", 8080),
    at("stock", 8080),
    at("pods-gone", 8080),
  ];
  const after = [
    at("hoge", 3000),
    at("pods-hoge", 3000),
    at("pods-web", 8080),
    at("stock", 9000),
    at("pods-new", 9000),
  ];
  assert.deepEqual(texts([], before, after), [
    "Some requests to these services fail during the update, because nginx and their pods change the port one after the other; with a second service that has the new port, none do: hoge",
  ]);
});

test("the end of HTTPS, and another load balancer", () => {
  const ends = "HTTPS ends: only plain HTTP is served.";
  assert.deepEqual(texts([], one, [ingress(["a.example"], false)]), [ends]);
  assert.deepEqual(texts([], gateway(["a.example"]), gateway(["a.example"], "TCP")), [ends]);
  assert.deepEqual(texts([], [ingress(["a.example"], false)], one), []);
  const managed = { ...ingress(["a.example"], false), metadata: { name: "ingress", namespace: "apps", annotations: { "ingress.gcp.kubernetes.io/pre-shared-cert": "a" } } }; // prettier-ignore
  assert.deepEqual(texts([], one, [managed]), []);
  const other = "Another load balancer takes over: traffic fails until it is ready, and until DNS has its address.";
  assert.deepEqual(texts([], one, gateway(["a.example"])), [other]);
  // A new cluster has a new load balancer anyway.
  assert.equal(texts([step("replaced", cluster)], one, gateway(["a.example"])).length, 1);
});

test("a new certificate matters for names that are served already", () => {
  const certificate = (...domains: string[]) =>
    step("created", "gcp:compute/managedSslCertificate:ManagedSslCertificate", { managed: { domains } });
  const text = "HTTPS fails until Google has issued new certificates for names that are served already";
  assert.deepEqual(texts([certificate("a.example"), certificate("new.example")], one, [ingress(["a.example", "new.example"])]), [`${text}: a.example`]); // prettier-ignore
  assert.deepEqual(texts([certificate("new.example")], one, [ingress(["a.example", "new.example"])]), []);
  assert.deepEqual(texts([step("created", "gcp:certificatemanager/certificate:Certificate", { managed: { domains: ["a.example"] } })]), [`${text}: a.example`]); // prettier-ignore
});

test("with a fallback, HTTPS goes on until Google has issued the certificates", () => {
  const certificate = step("created", "gcp:compute/managedSslCertificate:ManagedSslCertificate", { managed: { domains: ["a.example"] } }); // prettier-ignore
  const ca = step("created", "tls:index/selfSignedCert:SelfSignedCert", { isCaCertificate: true });
  assert.deepEqual(texts([certificate, ca, step("created", "gcp:compute/sSLCertificate:SSLCertificate")]), []);
  const map = step("created", "gcp:certificatemanager/certificate:Certificate", {
    managed: { domains: ["a.example"] },
  });
  const own = step("created", "gcp:certificatemanager/certificate:Certificate", { selfManaged: { pemCertificate: "x" } }); // prettier-ignore
  assert.deepEqual(texts([map, ca, own]), []);
  assert.equal(texts([map]).length, 1);
});

test("another CA, but not another certificate of the same one or of the proxy", () => {
  const own = "tls:index/selfSignedCert:SelfSignedCert";
  const text = "Another CA signs the certificate: clients refuse HTTPS until they trust it.";
  assert.deepEqual(texts([step("replaced", own, { isCaCertificate: true })]), [text]);
  assert.deepEqual(texts([step("created", own, { isCaCertificate: true })]), [text]);
  assert.deepEqual(texts([step("deleted", own, { isCaCertificate: true })]), []);
  assert.deepEqual(
    texts([step("replaced", own), step("replaced", "tls:index/locallySignedCert:LocallySignedCert")]),
    [],
  );
});

test("DNS: the zone, and address records by name", () => {
  const record = (operation: Step["operation"], name: string, type = "A") => step(operation, "gcp:dns/recordSet:RecordSet", { name, type }); // prettier-ignore
  assert.deepEqual(
    texts([
      record("deleted", "a.example."),
      record("replaced", "b.example."),
      record("deleted", "_x.a.example.", "CNAME"),
    ]),
    [
      // prettier-ignore
      "Their DNS records are deleted, so these names do not resolve any more: a.example",
      "Their DNS records are replaced, so these names may not resolve for some minutes: b.example",
    ],
  );
  assert.deepEqual(texts([step("replaced", "gcp:dns/managedZone:ManagedZone")]), [
    "The DNS zone gets other name servers: its names do not resolve until the parent domain names those.",
  ]);
});

test("another kind, class, name or namespace of the edge is another load balancer", () => {
  const [takesOver, onGoogle] = [
    "Another load balancer takes over: traffic fails until it is ready, and until DNS has its address.",
    "Another load balancer takes over: traffic fails for some minutes, until Google has released the address.",
  ];
  const [base] = one;
  const classed = (className: string, changes: object = {}): KubernetesObject[] => [
    { ...ingress(["a.example"]), metadata: { name: "ingress", namespace: "apps", ...changes }, spec: { ingressClassName: className, tls: [{}], rules: [{ host: "a.example" }] } }, // prettier-ignore
  ];
  const gce = (changes: object = {}): KubernetesObject[] => [
    { ...ingress(["a.example"]), metadata: { name: "ingress", namespace: "apps", annotations: { "kubernetes.io/ingress.class": "gce" }, ...changes } }, // prettier-ignore
  ];
  const ofGke = gateway(["a.example"]).map(
    (object) =>
    object.kind === "Gateway" ? { ...object, spec: { gatewayClassName: "gke-l7-global-external-managed", listeners: [{ protocol: "HTTPS" }] } } : object, // prettier-ignore
  );
  assert.ok(base);
  assert.deepEqual(texts([], classed("contour"), classed("contour")), []);
  assert.deepEqual(texts([], classed("contour"), classed("nginx")), [takesOver]);
  assert.deepEqual(texts([], classed("contour"), classed("contour", { namespace: "shop" })), [takesOver]);
  assert.deepEqual(texts([], gce(), gce()), []);
  assert.deepEqual(texts([], gce(), gce({ namespace: "shop" })), [onGoogle]);
  assert.deepEqual(texts([], gce(), ofGke), [onGoogle]);
  assert.deepEqual(texts([], gce(), classed("contour")), [takesOver]);
});

test("another context is another cluster, unless Google's own is replaced", () => {
  const provider = step("replaced", "pulumi:providers:kubernetes");
  const moves =
    "Everything moves to another cluster: this one's load balancer is deleted, and what was stored in it is lost.";
  assert.deepEqual(texts([provider, provider]), [moves]);
  assert.deepEqual(texts([step("changed", "pulumi:providers:kubernetes")]), []);
  assert.equal(texts([provider, step("replaced", cluster)]).filter((text) => text === moves).length, 0);
});

const ca = { type: "tls:index/selfSignedCert:SelfSignedCert", inputs: { isCaCertificate: true } };
const byGoogle = (annotation = "ingress.gcp.kubernetes.io/pre-shared-cert"): KubernetesObject[] => [
  { ...ingress(["a.example"], false), metadata: { name: "ingress", namespace: "apps", annotations: { [annotation]: "a" } } }, // prettier-ignore
];

test("from Google's certificate to the stack's own: clients do not trust it, with a fallback of the same CA neither", () => {
  const text = "Another CA signs the certificate: clients refuse HTTPS until they trust it.";
  const said = (before: KubernetesObject[], after: KubernetesObject[], resources: (typeof ca)[], steps: Step[] = []) =>
    consequences(steps, { before: { objects: before, resources: [ca] }, after: { objects: after, resources } }).map(
      (each) => each.text,
    );
  for (const annotation of ["ingress.gcp.kubernetes.io/pre-shared-cert", "networking.gke.io/certmap"]) {
    assert.deepEqual(said(byGoogle(annotation), one, [ca]), [text]);
    assert.deepEqual(said(byGoogle(annotation), one, []), []); // A supplied one.
    assert.deepEqual(said(one, byGoogle(annotation), [ca]), []);
    assert.deepEqual(said(byGoogle(annotation), byGoogle(annotation), [ca]), []);
  }
  // Google issues other certificates for names that it has certified: until then the fallback serves them.
  const certificate = step("created", "gcp:compute/managedSslCertificate:ManagedSslCertificate", { managed: { domains: ["a.example"] } }); // prettier-ignore
  const fallback = step("created", "gcp:compute/sSLCertificate:SSLCertificate");
  const fails = "HTTPS fails until Google has issued new certificates for names that are served already";
  assert.deepEqual(said(byGoogle(), byGoogle(), [ca], [certificate, fallback]), [fails]);
  assert.deepEqual(said(byGoogle(), byGoogle(), [], [certificate, fallback]), []); // A supplied fallback.
  assert.deepEqual(said(one, byGoogle(), [ca], [certificate, fallback]), []);
});
