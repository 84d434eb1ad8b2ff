/** The order of operations: when the edge is created, when its hosts change, and when it is deleted. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { createEdge, type EdgeArgs } from "../../../components/edge/edge.ts";
import { createAuthority } from "../../../tools/cli/pki.ts";
import { mockPulumi, settled, valueOf, type Recorded } from "../../../tools/testing/mocks.ts";

const types = {
  ingress: "kubernetes:networking.k8s.io/v1:Ingress",
  certificate: "gcp:compute/managedSslCertificate:ManagedSslCertificate",
  address: "gcp:compute/globalAddress:GlobalAddress",
  authorization: "gcp:certificatemanager/dnsAuthorization:DnsAuthorization",
  leaf: "tls:index/locallySignedCert:LocallySignedCert",
};
const gce = { kind: "gce", onGoogle: true, project: "acme-staging", timeoutSeconds: 30, drainSeconds: 30 } as const;
const contour = { kind: "ingress", onGoogle: false, className: "contour", annotations: {} } as const;
const managed = { mode: "managed", redirectHttp: true } as const;

async function make(change: Partial<EdgeArgs> = {}) {
  const recording = await mockPulumi({
    outputs: {
      [types.address]: () => ({ address: "203.0.113.7" }),
      [types.authorization]: () => ({
        dnsResourceRecords: [
          { name: "_acme-challenge.shop.example.com.", type: "CNAME", data: "x.authorize.example.goog." },
        ],
      }),
    },
  });
  const front = createEdge(
    {
      stack: "staging",
      namespace: "apps",
      domain: "shop.example.com",
      hosts: ["shop.example.com", "hoge.shop.example.com"],
      serviceName: "nginx-proxy",
      edge: gce,
      tls: managed,
      ...change,
    },
    { provider: new k8s.Provider("cluster") },
  );
  await settled();
  return { recording, front };
}
type Resources = readonly Recorded[];

/**
 * The steps of an update in the engine's order. Creations and changes follow dependencies; deletions then follow the
 * state's dependencies in reverse (https://www.pulumi.com/docs/iac/concepts/how-pulumi-works/).
 */
function steps(before: Resources, after: Resources): string[] {
  const find = (among: Resources, urn: string) => among.find((resource) => resource.urn === urn);
  const sorted = (resources: Resources) => {
    const done: Recorded[] = [];
    const visit = (resource: Recorded | undefined) => {
      if (resource === undefined || done.includes(resource)) return;
      for (const urn of [...resource.dependencies, resource.parent, resource.provider]) visit(find(resources, urn));
      done.push(resource);
    };
    // The worst order that dependencies allow: the last registered resource first if possible.
    resources.toReversed().forEach(visit);
    return done;
  };
  const created = sorted(after).flatMap((resource) => {
    const old = find(before, resource.urn);
    if (old === undefined) return [`create ${resource.name}`];
    return JSON.stringify(old.inputs) === JSON.stringify(resource.inputs) ? [] : [`change ${resource.name}`];
  });
  const gone = sorted(before).filter(({ urn }) => find(after, urn) === undefined);
  return [...created, ...gone.toReversed().map(({ name }) => `delete ${name}`)];
}

test("changing hosts: new certificate, ingress, then the old certificate; the others stay", async () => {
  const before = (await make()).recording.resources;
  const after = (await make({ hosts: ["shop.example.com", "web.shop.example.com"] })).recording.resources;
  assert.deepEqual(steps(before, after), [
    "create tls-managed-web.shop.example.com",
    "change ingress-ingress",
    "delete tls-managed-hoge.shop.example.com",
  ]);
});

test("from self-signed to managed: one change of the ingress attaches both, then the Secret goes; the leaf stays", async () => {
  const before = (await make({ tls: { mode: "self-signed", redirectHttp: true } })).recording;
  const after = (await make({ tls: { ...managed, fallback: "self-signed" } })).recording;
  const all = steps(before.resources, after.resources);
  assert.deepEqual(
    all.filter((step) => !step.includes("api")),
    [
      "create tls-managed",
      "create tls-managed-shop.example.com",
      "create tls-managed-hoge.shop.example.com",
      "create tls-managed-fallback",
      "change ingress-ingress",
      "delete ingress-tls",
    ],
  );
  const { metadata, spec } = after.one(types.ingress).inputs as Record<"metadata" | "spec", Record<string, unknown>>;
  const fallback = String(after.one("gcp:compute/sSLCertificate:SSLCertificate").inputs["name"]);
  const attached = (metadata["annotations"] as Record<string, string>)["ingress.gcp.kubernetes.io/pre-shared-cert"];
  assert.ok(attached?.endsWith(`,${fallback}`), attached);
  assert.equal(spec["tls"], undefined);
});

test("from supplied to managed, the supplied certificate serves on", async () => {
  const certificate = { crt: "the supplied chain", key: "its key" };
  const { recording } = await make({ tls: { ...managed, fallback: "supplied" }, certificate });
  const { inputs } = recording.one("gcp:compute/sSLCertificate:SSLCertificate");
  assert.deepEqual([inputs["certificate"], inputs["privateKey"]], ["the supplied chain", "its key"]);
  assert.deepEqual(recording.all(types.leaf), []);
});

test("an update says which hosts the fallback serves, and what ends it", async (context) => {
  const warnings: string[] = [];
  context.mock.method(pulumi.log, "warn", (message: string) => warnings.push(message));
  await make({ tls: { ...managed, fallback: "self-signed" } });
  assert.match(
    warnings.join(),
    /certificate of shop\.example\.com, hoge\.shop\.example\.com yet.* pulumi up --refresh$/,
  );
  warnings.length = 0;
  await make();
  assert.deepEqual(warnings, []);
});

test("first creation, and complete deletion", async () => {
  const { resources } = (await make()).recording;
  const creation = steps([], resources);
  const deletion = steps(resources, []);
  const others = ["tls-managed-shop.example.com", "tls-managed-hoge.shop.example.com", "staging-ip"];
  for (const name of [...others, "ingress-ssl-policy", "ingress-frontend", "ingress-backend"]) {
    assert.ok(creation.indexOf(`create ${name}`) >= 0, name);
    assert.ok(creation.indexOf(`create ${name}`) < creation.indexOf("create ingress-ingress"), name);
    assert.ok(deletion.indexOf("delete ingress-ingress") < deletion.indexOf(`delete ${name}`), name);
  }
  assert.ok(deletion.includes("delete ingress-ingress"));
});

test("the ingress attaches the certificates, redirects, and waits until the load balancer has exactly these", async () => {
  const { recording } = await make();
  const { metadata, spec } = recording.one(types.ingress).inputs as Record<
    "metadata" | "spec",
    Record<string, Record<string, string>>
  >;
  const names = "staging-shop-example-com-12d959,staging-hoge-shop-example-com-034bbf";
  const annotations = metadata["annotations"] ?? assert.fail();
  assert.equal(annotations["ingress.gcp.kubernetes.io/pre-shared-cert"], names);
  assert.equal(
    annotations["pulumi.com/waitFor"],
    "jsonpath={$.metadata[?@['kubernetes.io/ingress.class'] == 'gce' && " +
      `(!@['ingress.kubernetes.io/ssl-cert'] || @['ingress.kubernetes.io/ssl-cert'] == '${names}')]}`,
  );
  // It would override the condition.
  assert.ok(!("pulumi.com/skipAwait" in annotations));
  assert.ok(!("tls" in spec), "a certificate in a Secret as well");
  const frontend = recording.one("kubernetes:networking.gke.io/v1beta1:FrontendConfig").inputs["spec"];
  assert.equal((frontend as { redirectToHttps: { enabled: boolean } }).redirectToHttps.enabled, true);
  assert.deepEqual(recording.all("kubernetes:core/v1:Secret"), []);
});

test("DNS records are deleted before their address", async () => {
  const { recording, front } = await make({
    dns: { zone: "example-com", wildcard: false },
    hosts: ["shop.example.com", "www.other.example"],
  });
  const deletion = steps(recording.resources, []);
  const record = deletion.indexOf("delete dns-shop.example.com");
  assert.ok(record >= 0 && record < deletion.indexOf("delete staging-ip"));
  assert.deepEqual(recording.one("gcp:dns/recordSet:RecordSet").inputs["rrdatas"], ["203.0.113.7"]);
  assert.deepEqual([front.nameServers, front.hostsElsewhere], [undefined, ["www.other.example"]]);
  const without = await make();
  assert.deepEqual(without.recording.all("gcp:dns/recordSet:RecordSet"), []);
  assert.deepEqual([without.front.nameServers, without.front.hostsElsewhere], [undefined, undefined]);
});

test("the controller has time to delete its load balancer", async () => {
  const { customTimeouts } = (await make()).recording.one(types.ingress);
  assert.equal(customTimeouts?.delete, "20m");
});

test("other modes have one certificate for all hosts, and output its expiry once it is readable", async () => {
  const front = async (change: Partial<EdgeArgs>) => (await make(change)).front;
  const plain = await front({ tls: { mode: "none" } });
  assert.deepEqual([plain.certificates, plain.caCertificate], [undefined, undefined]);

  const tls = { mode: "supplied", redirectHttp: true } as const;
  const supplied = async (crt: string) => {
    const certificate = { crt: pulumi.secret(crt), key: pulumi.secret("canary") };
    const { certificates, caCertificate } = await front({ edge: contour, tls, certificate });
    assert.equal(caCertificate, undefined);
    assert.ok(certificates);
    assert.equal(await pulumi.isSecret(certificates), false);
    return valueOf(certificates);
  };
  const authority = await createAuthority("Test CA");
  const { certificate } = await authority.issue({
    commonName: "shop.example.com",
    names: ["shop.example.com"],
    days: 9,
  });
  const { validToDate } = new X509Certificate(certificate);
  const issued = { status: "issued", expires: validToDate.toISOString() };
  const all = (status: object) => ({ "shop.example.com": status, "hoge.shop.example.com": status });
  assert.deepEqual(await supplied(certificate), all(issued));
  assert.deepEqual(await supplied("(.local/tls.crt not shown)"), all({ status: "issued" }));
});

test("a self-signed certificate includes the reserved address, and its CA is an output", async () => {
  const { recording, front } = await make({ tls: { mode: "self-signed", redirectHttp: true } });
  const request = recording.one("tls:index/certRequest:CertRequest");
  assert.deepEqual(request.inputs["ipAddresses"], ["203.0.113.7"]);
  assert.equal(await valueOf(front.address), "203.0.113.7");
  assert.ok(front.caCertificate !== undefined);
  assert.deepEqual(recording.all(types.certificate), []);
});

const gateway = {
  kind: "gateway",
  onGoogle: true,
  className: "gke-l7-global-external-managed",
  project: "acme-staging",
  timeoutSeconds: 30,
  drainSeconds: 30,
} as const;
const wildcard = { ...managed, wildcard: true };

test("a Gateway: certificates and policies before it, routes after it; deletion in reverse order", async () => {
  const { resources } = (await make({ edge: gateway, tls: wildcard })).recording;
  const [creation, deletion] = [steps([], resources), steps(resources, [])];
  const order = (step: string, list: readonly string[], ...names: readonly string[]) => {
    const positions = names.map((name) => list.indexOf(`${step} ${name}`));
    assert.ok(!positions.includes(-1), names.join(" "));
    assert.deepEqual(
      positions,
      [...positions].sort((a, b) => a - b),
      names.join(" "),
    );
  };
  const chain = [
    "tls-map-authorization-shop.example.com",
    "tls-map-certificate-*.shop.example.com",
    "tls-map-entry-*.shop.example.com",
    "gateway-gateway",
    "gateway-route-hoge.shop.example.com",
  ];
  order("create", creation, ...chain);
  order("delete", deletion, ...chain.toReversed());
  for (const earlier of ["staging-ip", "gateway-health", "gateway-backend", "gateway-frontend", "gateway-ssl-policy"]) {
    order("create", creation, earlier, "gateway-gateway");
    order("delete", deletion, "gateway-gateway", earlier);
  }
});

test("with a wildcard, a new host only adds a route", async () => {
  const make_ = async (hosts: readonly string[]) =>
    (await make({ edge: gateway, tls: wildcard, hosts })).recording.resources;
  const before = await make_(["shop.example.com", "hoge.shop.example.com"]);
  const after = await make_(["shop.example.com", "hoge.shop.example.com", "web.shop.example.com"]);
  assert.deepEqual(steps(before, after), ["create gateway-route-web.shop.example.com"]);
});

test("without one, a host's certificate is created before its route and deleted after it; the others stay", async () => {
  const of = async (host: string) =>
    (await make({ edge: gateway, hosts: ["shop.example.com", host] })).recording.resources;
  const update = steps(await of("hoge.shop.example.com"), await of("web.shop.example.com"));
  assert.deepEqual(
    update.sort(),
    [
      ...["authorization", "certificate", "entry"].map((role) => `create tls-map-${role}-web.shop.example.com`),
      ...["authorization", "certificate", "entry"].map((role) => `delete tls-map-${role}-hoge.shop.example.com`),
      "create gateway-route-web.shop.example.com",
      "delete gateway-route-hoge.shop.example.com",
    ].sort(),
  );
});

test("authorization records are an output, and created if the stack has the zone", async () => {
  const { front } = await make({ edge: gateway, tls: wildcard });
  const record = { name: "_acme-challenge.shop.example.com.", type: "CNAME", data: "x.authorize.example.goog." };
  assert.deepEqual(await valueOf(pulumi.output(front.authorizations)), { "shop.example.com": record });
  const { recording } = await make({ edge: gateway, tls: wildcard, dns: { zone: "example-com", wildcard: true } });
  const recordSet = recording.one("gcp:dns/recordSet:RecordSet", "dns-authorization-shop.example.com");
  assert.deepEqual(recordSet.inputs["rrdatas"], [record.data]);
  assert.equal((await make()).front.authorizations, undefined);
});
