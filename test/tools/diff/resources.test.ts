/** Pairs of programs, and what the engine would do. Sources: step_generator.go of Pulumi, CustomizeDiff of the Google provider. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { compareResources } from "../../../tools/diff/resources.ts";
import type { Registered } from "../../../tools/stack/evaluate.ts";
import { registered } from "./registered.ts";

const [vpcType, subnetType, addressType, clusterType, poolType, recordType, providerType, certificateType] = [
  "gcp:compute/network:Network",
  "gcp:compute/subnetwork:Subnetwork",
  "gcp:compute/globalAddress:GlobalAddress",
  "gcp:container/cluster:Cluster",
  "gcp:container/nodePool:NodePool",
  "gcp:dns/recordSet:RecordSet",
  "pulumi:providers:kubernetes",
  "gcp:certificatemanager/certificate:Certificate",
] as const;

/** One line for each change: operation, name, and the inputs. */
const lines = (base: Registered[], head: Registered[]) =>
  compareResources(base, head).changes.map(({ operation, resource, because, refused, unclear }) =>
    [
      operation,
      resource.split(" ")[1],
      ...because.map(({ path, source }) => (source === undefined ? path : `${path}<${source}`)),
      ...(refused ? ["REFUSED"] : []),
      ...(unclear ? ["UNCLEAR"] : []),
    ].join(" "),
  );

const vpc = (inputs: object = {}, rest: Partial<Registered> = {}) =>
  registered(vpcType, "vpc", { project: "p", routingMode: "REGIONAL", ...inputs }, rest);
const subnet = (inputs: object = {}, rest: Partial<Registered> = {}) =>
  registered(
    subnetType,
    "subnet",
    { region: "r", ipCidrRange: "10.0.0.0/20", network: "(vpc id not shown)", ...inputs },
    { sources: { network: [vpc().urn] }, ...rest },
  );

test("the same, created, deleted, changed and replaced; deleted ones come first", () => {
  assert.deepEqual(lines([vpc(), subnet()], [vpc(), subnet()]), []);
  assert.deepEqual(lines([vpc()], [registered(addressType, "ip")]), ["deleted vpc", "created ip"]);
  assert.deepEqual(lines([vpc()], [vpc({ routingMode: "GLOBAL" })]), ["changed vpc routingMode"]);
  assert.deepEqual(lines([vpc()], [vpc({ routingMode: "GLOBAL", project: "q" })]), ["replaced vpc project"]);
  const component = registered("shop:index:A", "a", {}, { custom: false });
  assert.deepEqual(lines([component], []), []);
});

test("what gets a value of a replaced resource is replaced too, if its input says so", () => {
  const head = [vpc({ project: "q" }), subnet()];
  assert.deepEqual(lines([vpc(), subnet()], head), ["replaced vpc project", "replaced subnet network<vpc"]);
  // An update in place keeps the outputs.
  assert.deepEqual(lines([vpc(), subnet()], [vpc({ routingMode: "GLOBAL" }), subnet()]), ["changed vpc routingMode"]);
  // A value that is only part of an input.
  const member = registered(
    "gcp:projects/iAMMember:IAMMember",
    "member",
    { member: "serviceAccount:(account email not shown)", role: "r" },
    { sources: { member: [registered("gcp:serviceaccount/account:Account", "account").urn] } },
  );
  const account = (accountId: string) => registered("gcp:serviceaccount/account:Account", "account", { accountId });
  assert.deepEqual(lines([account("a"), member], [account("b"), member]), [
    "replaced account accountId",
    "replaced member member<account",
  ]);
  // Another resource's value in the same input stays.
  const two = registered(recordType, "record", { ttl: 1, rrdatas: ["(ip address not shown)", "(vpc id not shown)"] }, { sources: { rrdatas: [vpc().urn, registered(addressType, "ip").urn] } }); // prettier-ignore
  const ip = (addressTypeOf: string) => registered(addressType, "ip", { addressType: addressTypeOf });
  assert.deepEqual(lines([vpc(), ip("EXTERNAL"), two], [vpc(), ip("INTERNAL"), two]), [
    "replaced ip addressType",
    "changed record rrdatas[0]<ip",
  ]);
});

test("a range grows in place, and is replaced otherwise", () => {
  for (const [range, expected] of [
    ["10.0.0.0/19", "changed"],
    ["10.0.0.0/21", "replaced"],
    ["10.0.16.0/20", "replaced"],
  ] as const)
    assert.deepEqual(lines([vpc(), subnet()], [vpc(), subnet({ ipCidrRange: range })]), [
      `${expected} subnet ipCidrRange`,
    ]);
});

test("a switch of the cluster that cannot be turned off", () => {
  const cluster = (on: boolean) => registered(clusterType, "c", { enableL4IlbSubsetting: on });
  assert.deepEqual(lines([cluster(false)], [cluster(true)]), ["changed c enableL4IlbSubsetting"]);
  assert.deepEqual(lines([cluster(true)], [cluster(false)]), ["replaced c enableL4IlbSubsetting"]);
});

test("the program's options: ignoreChanges and replaceOnChanges", () => {
  const ignoring = { ignoreChanges: ["project"] };
  assert.deepEqual(lines([vpc()], [vpc({ project: "q", routingMode: "GLOBAL" }, ignoring)]), [
    "changed vpc routingMode",
  ]);
  const replacing = { replaceOnChanges: ["routingMode"] };
  assert.deepEqual(lines([vpc()], [vpc({ routingMode: "GLOBAL" }, replacing)]), ["replaced vpc routingMode"]);
  // The options of the base do not count.
  assert.deepEqual(lines([vpc({}, ignoring)], [vpc({ project: "q" })]), ["replaced vpc project"]);
});

test("a renamed resource with an alias is the same, also where others use its values", () => {
  const renamed = registered(vpcType, "main", vpc().inputs, { aliases: [{ name: "vpc" }] });
  const user = subnet({ network: "(main id not shown)" }, { sources: { network: [renamed.urn] } });
  assert.deepEqual(lines([vpc(), subnet()], [renamed, user]), []);
  const without = { ...renamed, aliases: [] };
  assert.deepEqual(lines([vpc(), subnet()], [without, user]), [
    "deleted vpc",
    "created main",
    "replaced subnet network",
  ]);
});

test("the cluster takes its node pools, its provider and every object in it along, which are only counted", () => {
  const all = (location: string) => {
    const cluster = registered(clusterType, "c", { location }, { deleteBeforeReplace: true });
    const pool = registered(
      poolType,
      "pool",
      { cluster: "(c name not shown)" },
      { sources: { cluster: [cluster.urn] } },
    );
    const provider = registered(providerType, "k8s", { clusterIdentifier: "(c id not shown)", kubeconfig: "(secret kubeconfig not shown)" }, { sources: { clusterIdentifier: [cluster.urn], kubeconfig: [cluster.urn] } }); // prettier-ignore
    const objects = ["a", "b"].map((name) => registered("kubernetes:core/v1:Service", name, { kind: "Service", metadata: { name } }, { provider: provider.urn })); // prettier-ignore
    return [cluster, pool, provider, ...objects];
  };
  const { changes, replacedObjects, compared } = compareResources(all("x"), all("y"));
  assert.deepEqual(
    changes.map(({ operation, resource }) => `${operation} ${resource}`),
    [`replaced ${clusterType} c`, `replaced ${poolType} pool`, `replaced ${providerType} k8s`],
  );
  assert.equal(replacedObjects, 2);
  assert.deepEqual([...compared], [["gcp", 2]]);
  assert.equal(compareResources(all("x"), all("x")).replacedObjects, 0);
});

test("a provider of another cluster replaces the objects, a new kubeconfig of the same cluster does not", () => {
  const all = (inputs: object, name = "k8s") => {
    const provider = registered(providerType, name, { ...inputs });
    const object = registered("kubernetes:core/v1:Service", "a", { kind: "Service", metadata: { name: "a" } }, { provider: provider.urn }); // prettier-ignore
    return [provider, object];
  };
  const of = (base: Registered[], head: Registered[]) => [...lines(base, head), compareResources(base, head).replacedObjects]; // prettier-ignore
  const same = { clusterIdentifier: "x" };
  assert.deepEqual(of(all({ ...same, context: "a" }), all({ ...same, context: "b" })), ["changed k8s context", 0]);
  assert.deepEqual(of(all({ context: "a" }), all({ context: "b" })), ["replaced k8s context", 1]);
  assert.deepEqual(of(all(same), all({ clusterIdentifier: "y" })), ["replaced k8s clusterIdentifier", 1]);
  assert.deepEqual(of(all({}), all(same)), ["changed k8s clusterIdentifier", 0]);
  assert.deepEqual(of(all(same), all(same, "other")), ["deleted k8s", "created other", 1]);
});

test("if a source is deleted first, the whole input counts as new", () => {
  const user = registered(
    "gcp:certificatemanager/certificateMapEntry:CertificateMapEntry",
    "entry",
    { map: "gateway", name: "e" },
    { sources: { map: [registered("gcp:certificatemanager/certificateMap:CertificateMap", "map").urn] } },
  );
  const map = (project: string, name: string) => registered("gcp:certificatemanager/certificateMap:CertificateMap", "map", { name, project }); // prettier-ignore
  // Google refuses a second map of the same name, so the provider deletes the first before.
  assert.deepEqual(lines([map("p", "gateway"), user], [map("q", "gateway"), user]), [
    "replaced map project",
    "replaced entry map<map",
  ]);
  // A certain reason is enough.
  const moved = { ...user, inputs: { ...user.inputs, hostname: "b" } };
  assert.deepEqual(lines([map("p", "gateway"), user], [map("q", "gateway"), moved]).at(-1), "replaced entry hostname");
});

test("a rendering cannot show new values of other resources: their objects are named", () => {
  const certificate = (hours: number) => registered("tls:index/selfSignedCert:SelfSignedCert", "cert", { validityPeriodHours: hours }); // prettier-ignore
  const secret = registered("kubernetes:core/v1:Secret", "tls", { kind: "Secret", metadata: { name: "tls-0", namespace: "apps" } }, { sources: { stringData: [certificate(1).urn], metadata: [certificate(1).urn] } }); // prettier-ignore
  const ingress = registered("kubernetes:networking.k8s.io/v1:Ingress", "in", { kind: "Ingress", metadata: { name: "in", namespace: "apps" } }, { sources: { spec: [secret.urn] } }); // prettier-ignore
  const { changes, revalued } = compareResources([certificate(1), secret, ingress], [certificate(2), secret, ingress]);
  assert.equal(changes.length, 1);
  assert.deepEqual(revalued, [
    { object: "Secret apps/tls-0", source: "cert" },
    { object: "Ingress apps/in", source: "tls" },
  ]);
  // An image that is built again has another digest, although it is updated in place.
  const image = (imageName: string) => registered("docker:index/image:Image", "image", { imageName });
  const pod = registered("kubernetes:apps/v1:Deployment", "pod", { kind: "Deployment", metadata: { name: "pod" } }, { sources: { spec: [image("").urn] } }); // prettier-ignore
  const rebuilt = compareResources([image("a:1"), pod], [image("a:2"), pod]);
  assert.deepEqual(rebuilt.revalued, [{ object: "Deployment pod", source: "image" }]);
  assert.equal(rebuilt.changes[0]?.operation, "changed");
});

test("the engine refuses what is protected before and after, or goes with what it depends on", () => {
  const on = { protect: true };
  assert.deepEqual(lines([vpc({}, on)], [vpc({ project: "q" }, on)]), ["replaced vpc project REFUSED"]);
  assert.deepEqual(lines([vpc({}, on)], [vpc({ project: "q" })]), ["replaced vpc project"]);
  assert.deepEqual(lines([vpc()], [vpc({ project: "q" }, on)]), ["replaced vpc project"]);
  assert.deepEqual(lines([vpc({}, on)], [vpc({ routingMode: "GLOBAL" }, on)]), ["changed vpc routingMode"]);
  assert.deepEqual(lines([vpc({}, on)], []), ["deleted vpc REFUSED"]);
  // Deleted with the subnet, while the state still protects the cluster.
  const cluster = (rest: Partial<Registered>) => registered(clusterType, "c", { subnetwork: "(subnet id not shown)" }, { sources: { subnetwork: [subnet().urn] }, ...rest }); // prettier-ignore
  const first = { deleteBeforeReplace: true };
  assert.deepEqual(lines([subnet({}, first), cluster(on)], [subnet({ region: "s" }, first), cluster({})]), [
    "replaced subnet region",
    "replaced c subnetwork<subnet REFUSED",
  ]);
});

test("what has a name of its own is deleted first, unless the program says otherwise", () => {
  const own = (name: string, rest: Partial<Registered> = {}) =>
    registered(certificateType, "own", { scope: name, name }, rest);
  // An entry that has its label from the certificate, and another certain value.
  const entry = registered("gcp:projects/iAMMember:IAMMember", "entry", { member: "x (ip address not shown)", role: "r" }, { sources: { member: [own("a").urn] } }); // prettier-ignore
  assert.deepEqual(lines([own("a"), entry], [own("b"), entry]), [
    "replaced own scope name",
    "replaced entry member<own",
  ]);
  const later = { deleteBeforeReplace: false };
  assert.deepEqual(lines([own("a", later), entry], [own("b", later), entry]), ["replaced own scope name"]);
});

test("a type without facts is changed, and it is said that more is not known", () => {
  const bucket = (location: string) => registered("gcp:storage/bucket:Bucket", "b", { location });
  assert.deepEqual(lines([bucket("EU")], [bucket("US")]), ["changed b location UNCLEAR"]);
  assert.deepEqual(lines([bucket("EU")], []), ["deleted b"]);
});

test("values of Google's resources are shown if they are short and known, others never", () => {
  const values = (before: object, after: object, type: string = certificateType) =>
    compareResources([registered(type, "a", { ...before })], [registered(type, "a", { ...after })]).changes.flatMap(
      ({ because }) => because.map((reason) => reason.values),
    );
  assert.deepEqual(values({ scope: "A" }, { scope: "B" }), [["A", "B"]]);
  assert.deepEqual(values({ scope: ["A"] }, { scope: ["B", "C"] }), [["A", "B, C"]]);
  assert.deepEqual(values({ scope: "A" }, {}), [["A", "DEFAULT"]]);
  assert.deepEqual(values({ description: "A" }, {}), [["A", "none"]]);
  assert.deepEqual(values({ scope: 1 }, { scope: true }), [["1", "true"]]);
  assert.deepEqual(values({ scope: "A" }, { scope: "B".repeat(41) }), [undefined]);
  assert.deepEqual(values({ scope: "A" }, { scope: "(secret scope not shown)" }), [undefined]);
  assert.deepEqual(values({ scope: "A" }, { scope: "x (ip address not shown)" }), [undefined]);
  assert.deepEqual(values({ password: "A" }, { password: "B" }, "tls:index/privateKey:PrivateKey"), [undefined]);
  assert.deepEqual(values({ password: "A" }, { password: "B" }, "random:index/password:Password"), [undefined]);
});
