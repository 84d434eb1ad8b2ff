/** Allowed connections in each stack, evaluated from the rendered policies by the rules of Kubernetes. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { mayConnect, type End, type Pod } from "../networkPolicy.ts";
import { record } from "../../tools/testing/recorded.ts";
import { objectsOf, type Deployment } from "./rendered.ts";

const frontEnds = ["130.211.0.9", "130.211.3.255", "35.191.0.1", "35.191.255.254"];
const strangers = ["203.0.113.9", "130.211.4.0", "35.190.255.255", "8.8.8.8", "192.168.7.7"];
const metadata = { address: "169.254.169.254" };

for (const stack of ["local", "staging", "production"])
  await suite(`stack ${stack}`, async () => {
    const objects = await objectsOf(stack);
    const policies = objects.of("NetworkPolicy");
    const may = (from: End, to: End, port: number, protocol: "TCP" | "UDP" = "TCP") =>
      mayConnect(policies, from, to, port, protocol);
    const onGke = stack !== "local";

    const namespace = objects.of("Namespace")[0]?.metadata.name ?? "";
    const podOf = ({ spec }: Deployment): Pod => ({ namespace, labels: spec.template.metadata.labels });
    const proxy = podOf(objects.named("Deployment", "nginx-proxy"));
    const services = objects
      .of("Deployment")
      .filter(({ metadata }) => metadata.name !== "nginx-proxy")
      .map((deployment) => ({
        name: deployment.metadata.name,
        pod: podOf(deployment),
        port: objects.named("Service", deployment.metadata.name).spec.ports[0]?.port ?? 0,
        hasIdentity: deployment.spec.template.spec.serviceAccountName !== undefined,
      }));
    const elsewhere: Pod = { namespace: "other", labels: { "app.kubernetes.io/name": "nginx-proxy" } };
    const unlabelled: Pod = { namespace, labels: {} };
    const everyone = [proxy, unlabelled, ...services.map(({ pod }) => pod)];

    test("the proxy reaches each routed service only at its port", () => {
      assert.ok(services.length >= 2);
      for (const { name, pod, port } of services) {
        assert.ok(may(proxy, pod, port), name);
        assert.ok(!may(proxy, pod, port + 1) && !may(proxy, pod, port, "UDP"), name);
      }
    });

    test("nobody else reaches a service: no other service, not itself, no other namespace, not the internet", () => {
      for (const { name, pod, port } of services)
        for (const from of [
          unlabelled,
          elsewhere,
          ...services.map((other) => other.pod),
          ...[...frontEnds, ...strangers].map((address) => ({ address })),
        ])
          assert.ok(!may(from, pod, port), `${JSON.stringify(from)} reaches ${name}`);
    });

    test("only the load balancer reaches the proxy with requests", () => {
      const [inFront, others] = onGke
        ? [frontEnds, strangers]
        : [
            ["10.213.0.2", "10.213.1.1"],
            [...frontEnds, ...strangers],
          ];
      for (const address of inFront) assert.ok(may({ address }, proxy, 8080), address);
      for (const address of others) assert.ok(!may({ address }, proxy, 8080), address);
      for (const { pod, name } of services) assert.ok(!may(pod, proxy, 8080), name);
      // Other ingress controllers may run as pods, which some network plugins do not identify by address.
      assert.equal(may(elsewhere, proxy, 8080), !onGke);
    });

    test("a load balancer can check the proxy's health, and nobody reaches other ports", () => {
      for (const address of frontEnds) assert.equal(may({ address }, proxy, 8081), onGke, address);
      for (const port of [80, 443, 8082, 8443, 9113])
        for (const address of [...frontEnds, "10.213.1.1"]) assert.ok(!may({ address }, proxy, port), `${port}`);
    });

    test("only Google's collectors read the proxy's metrics, if enabled", () => {
      for (const name of ["gmp-system", "gke-gmp-system"])
        assert.equal(may({ namespace: name, labels: {} }, proxy, 9113), onGke, name);
      for (const from of [elsewhere, unlabelled]) assert.ok(!may(from, proxy, 9113));
    });

    test("every pod can query the cluster's DNS (pods, node caches and Cloud DNS), and nothing else there", () => {
      const dnsPods = ["kube-dns", "node-local-dns"].map((app) => ({
        namespace: "kube-system",
        labels: { "k8s-app": app },
      }));
      // An existing cluster may be on GKE as well.
      const addresses = ["169.254.20.10", metadata.address, ...(onGke ? [] : ["10.213.0.2"])].map((address) => ({
        address,
      }));
      for (const from of everyone)
        for (const to of [...dnsPods, ...addresses]) {
          assert.ok(may(from, to, 53, "UDP") && may(from, to, 53), JSON.stringify({ from, to }));
          assert.ok(!may(from, to, 9153), JSON.stringify({ from, to }));
        }
      const notDns = [
        { namespace: "kube-system", labels: { "k8s-app": "metrics-server" } },
        { namespace: "other", labels: { "k8s-app": "kube-dns" } },
        { address: "8.8.8.8" },
      ];
      for (const from of everyone) for (const to of notDns) assert.ok(!may(from, to, 53, "UDP"), JSON.stringify(to));
    });

    test("only services with roles reach the metadata server and Google's APIs; nobody reaches the rest of the world", () => {
      assert.deepEqual(
        services.filter(({ hasIdentity }) => hasIdentity).map(({ name }) => name),
        stack === "production" ? ["hoge"] : [],
      );
      for (const { name, pod, hasIdentity } of services) {
        assert.equal(may(pod, metadata, 80), hasIdentity, name);
        assert.equal(may(pod, { address: "142.250.1.95" }, 443), hasIdentity, name);
      }
      for (const from of [proxy, unlabelled])
        for (const port of [80, 8080]) assert.ok(!may(from, metadata, port), JSON.stringify(from));
      for (const from of everyone) {
        assert.ok(!may(from, { address: "142.250.1.95" }, 80));
        for (const address of ["10.8.0.1", "172.16.0.9", "192.168.0.1", "100.64.0.1"])
          assert.ok(!may(from, { address }, 443), address);
        assert.ok(!may(from, elsewhere, 443));
      }
      assert.ok(!may(proxy, { address: "142.250.1.95" }, 443));
    });
  });

const type = "kubernetes:networking.k8s.io/v1:NetworkPolicy";

test("no pod runs before the default deny and its own policy exist", async () => {
  const { recording } = await record("staging");
  // Children wait for their parent's dependencies.
  const components = ["Microservice", "NginxProxy"].flatMap((kind) => recording.all(`gke-microservices:index:${kind}`));
  assert.deepEqual(components.map(({ name }) => name).sort(), ["hoge", "nginx-proxy", "web"]);
  for (const { name, dependencies } of components)
    assert.deepEqual(
      dependencies.filter((urn) => urn.includes(type)).sort(),
      ["default-deny", "default-dns", name === "nginx-proxy" ? name : `${name}.from.nginx-proxy`].map(
        (it) => recording.one(type, `network-policies-${it}`).urn,
      ),
    );
});

test("a stack can disable network policies", async () => {
  const { recording } = await record("staging", { networkPolicies: { enabled: false } });
  assert.deepEqual(recording.all(type), []);
  assert.equal(recording.all("kubernetes:apps/v1:Deployment").length, 3);
});
