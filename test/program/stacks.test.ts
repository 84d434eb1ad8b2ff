/** Invariants of every object of every stack, for all components. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { suite, test } from "node:test";
import { objectsOf, stacksDir, type Deployment, type Objects } from "./rendered.ts";

const stacks = readdirSync(stacksDir).flatMap(
  (file) => /^Pulumi\.(local|staging|production)\.yaml$/.exec(file)?.[1] ?? [],
);
assert.equal(stacks.length, 3);

const names = (objects: readonly { metadata: { name: string } }[]) =>
  objects.map(({ metadata }) => metadata.name).sort();
const volumeNames = (volumes: readonly { readonly name: string }[]) => volumes.map(({ name }) => name).sort();
const matches = (selector: Readonly<Record<string, string>>, { spec }: Deployment) =>
  Object.entries(selector).every(([key, value]) => spec.template.metadata.labels[key] === value);

/** The Deployment whose pods a selector matches. None means no traffic, two mean traffic to the wrong pods. */
/** The Services that nginx resolves, sorted by name. */
function upstreamsOf(objects: Objects) {
  const found = routesOf(objects).matchAll(/^\s*server (\S+)\.([a-z0-9-]+)\.svc\.cluster\.local:(\d+)/gm);
  return [...found].map(([, service = "", where = "", port = ""]) => ({ service, where, port }));
}

function selected(objects: Objects, selector: Readonly<Record<string, string>>): Deployment {
  const found = objects.of("Deployment").filter((deployment) => matches(selector, deployment));
  assert.equal(found.length, 1, `${JSON.stringify(selector)} finds ${names(found).join(", ")}`);
  return found[0] ?? assert.fail();
}

const portsOf = ({ spec }: Deployment) => spec.template.spec.containers.flatMap(({ ports }) => ports);

for (const stack of stacks)
  await suite(`stack ${stack}`, async () => {
    const objects = await objectsOf(stack);

    test("each object is unique, in the stack's namespace, with the common labels, in an order that can be applied", () => {
      const [namespace, ...others] = objects.all;
      assert.equal(namespace?.kind, "Namespace");
      assert.equal(namespace.metadata.labels?.["pod-security.kubernetes.io/enforce"], "restricted");
      assert.equal(objects.of("Namespace").length, 1);
      assert.equal(objects.all.at(-1)?.kind, "Ingress");
      for (const { kind, metadata } of others) {
        const what = `${kind}/${metadata.name}`;
        assert.equal(metadata.namespace, namespace.metadata.name, what);
        assert.equal(metadata.labels?.["app.kubernetes.io/part-of"], "gke-microservices", what);
        assert.ok(metadata.labels["app.kubernetes.io/name"], what);
        // Network policies have dots between the names of workloads.
        const name = kind === "NetworkPolicy" ? metadata.name.replaceAll(".", "") : metadata.name;
        assert.match(name, /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, what);
      }
      const ids = objects.all.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
      assert.equal(new Set(ids).size, ids.length);
    });

    test("only pods of services with Google roles have their own service account", () => {
      const accounts = objects.of("ServiceAccount");
      for (const { metadata, automountServiceAccountToken } of accounts) {
        assert.equal(automountServiceAccountToken, false, metadata.name);
        assert.deepEqual(Object.keys(metadata.annotations ?? {}), ["iam.gke.io/gcp-service-account"], metadata.name);
      }
      const used = objects.of("Deployment").flatMap(({ metadata, spec }) => {
        const { serviceAccountName = [] } = spec.template.spec;
        if (serviceAccountName.length > 0) assert.equal(serviceAccountName, metadata.name);
        return serviceAccountName;
      });
      assert.deepEqual(used.sort(), names(accounts));
      assert.deepEqual(used, stack === "production" ? ["hoge"] : []);
    });

    test("a Deployment selects its own pods, and has a disruption budget if it has more than one", () => {
      for (const deployment of objects.of("Deployment")) {
        const { metadata, spec } = deployment;
        assert.equal(selected(objects, spec.selector.matchLabels), deployment);
        const budgets = objects
          .of("PodDisruptionBudget")
          .filter((budget) => matches(budget.spec.selector.matchLabels, deployment));
        assert.equal(budgets.length, spec.replicas > 1 ? 1 : 0, metadata.name);
        // One pod may always be evicted: otherwise its node could never be drained.
        for (const { spec } of budgets)
          assert.ok((spec.maxUnavailable ?? 0) >= 1 && spec.minAvailable === undefined, metadata.name);
      }
    });

    test("every Service targets a port of its pods", () => {
      const headless = objects.of("Service").filter(({ spec }) => spec.clusterIP === "None");
      const inCluster = objects.of("Service").filter((service) => !headless.includes(service));
      assert.deepEqual(names(inCluster), names(objects.of("Deployment")));
      assert.deepEqual(
        names(headless),
        upstreamsOf(objects).map(({ service }) => service),
      );
      for (const { metadata, spec } of objects.of("Service")) {
        assert.equal(spec.type, "ClusterIP", metadata.name);
        const ports = portsOf(selected(objects, spec.selector));
        for (const { port, targetPort } of spec.ports) {
          const target = ports.find(({ name }) => name === targetPort);
          assert.ok(target, `${metadata.name}: no port ${targetPort}`);
          if (metadata.name !== "nginx-proxy") assert.equal(port, target.containerPort, metadata.name);
        }
      }
    });

    test("the edge leads to a Service, for every host of nginx", () => {
      const [ingress, ...more] = objects.of("Ingress");
      assert.ok(ingress !== undefined && more.length === 0);
      const { rules, tls = [] } = ingress.spec;
      for (const { host, http } of rules)
        for (const { backend } of http.paths) {
          const { spec } = objects.named("Service", backend.service.name);
          assert.ok(
            spec.ports.some(({ name }) => name === backend.service.port.name),
            host,
          );
        }
      const hosts = rules.map(({ host }) => host);
      assert.deepEqual(
        tls.flatMap(({ hosts }) => hosts),
        tls.length === 0 ? [] : hosts,
      );
      const served = [...routesOf(objects).matchAll(/^\s*server_name (\S+);/gm)].map(([, name]) => name);
      assert.ok(served.length > 0);
      for (const name of served)
        assert.ok(["_", '""'].includes(name ?? "") || hosts.includes(name ?? ""), `${name ?? ""} has no edge`);
    });

    test("every upstream of nginx is a Service at its port", () => {
      const namespace = objects.of("Namespace")[0]?.metadata.name ?? "";
      const upstreams = upstreamsOf(objects);
      assert.ok(upstreams.length > 0);
      for (const { service, where, port } of upstreams) {
        assert.equal(where, namespace);
        const ports = objects.named("Service", service).spec.ports.map((each) => String(each.port));
        assert.ok(ports.includes(port), `${service} has ${ports.join()}, nginx uses ${port}`);
      }
    });

    test("every mounted or referenced object exists, and none is unused", () => {
      const pods = objects.of("Deployment").map(({ spec }) => spec.template.spec);
      const configMaps = pods.flatMap(({ volumes = [] }) => volumes.flatMap(({ configMap }) => configMap?.name ?? []));
      assert.deepEqual([...new Set(configMaps)].sort(), names(objects.of("ConfigMap")));
      const secrets = [
        ...pods.flatMap(({ containers }) =>
          containers.flatMap(({ envFrom = [] }) => envFrom.map((e) => e.secretRef.name)),
        ),
        ...objects.of("Ingress").flatMap(({ spec }) => spec.tls?.map(({ secretName }) => secretName) ?? []),
      ];
      assert.deepEqual(secrets.sort(), names(objects.of("Secret")));
      for (const { containers, volumes = [] } of pods)
        for (const { volumeMounts = [] } of containers)
          assert.deepEqual(volumeNames(volumeMounts), volumeNames(volumes));
      for (const { immutable, metadata } of [...objects.of("ConfigMap"), ...objects.of("Secret")]) {
        assert.equal(immutable, true, metadata.name);
        assert.match(metadata.name, /-[0-9a-f]{10}$/);
      }
    });

    test("annotations refer to Google's objects by name", () => {
      const annotationsOf = (kind: "Service" | "Ingress") =>
        objects.of(kind).map(({ metadata }) => metadata.annotations ?? {});
      const frontends = annotationsOf("Ingress").flatMap((a) => a["networking.gke.io/v1beta1.FrontendConfig"] ?? []);
      assert.deepEqual(frontends, names(objects.of("FrontendConfig")));
      const backends = annotationsOf("Service").flatMap((a) => {
        const text = a["cloud.google.com/backend-config"];
        return text === undefined ? [] : (JSON.parse(text) as { default: string }).default;
      });
      assert.deepEqual(backends, names(objects.of("BackendConfig")));
      assert.equal(frontends.length, stack === "local" ? 0 : 1);
    });

    test("no secret is shown", () => {
      for (const { metadata, stringData } of objects.of("Secret"))
        for (const [key, value] of Object.entries(stringData ?? assert.fail(metadata.name)))
          assert.equal(value, `(secret stringData.${key} not shown)`);
    });
  });

function routesOf(objects: Objects): string {
  return objects
    .of("ConfigMap")
    .map(({ data }) => data?.["routes.conf"] ?? "")
    .join("\n");
}
