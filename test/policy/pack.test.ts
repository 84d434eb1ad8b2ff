/** The policy pack as the engine uses it: started by the SDK's own loader, called over gRPC. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { renderRoutes } from "../../nginx/routes.ts";
import { allRules } from "../../policy/allRules.ts";
import { examples } from "./examples.ts";

// The SDK's own copies.
const require = createRequire(createRequire(import.meta.url).resolve("@pulumi/policy"));
interface Message {
  toObject(): unknown;
}
type Answer = (error: Error | null, message: Message) => void;
interface Client {
  getAnalyzerInfo(empty: unknown, answer: Answer): void;
  analyze(request: unknown, answer: Answer): void;
  close(): void;
}
const grpc = require("@grpc/grpc-js") as { credentials: { createInsecure(): unknown } };
const { AnalyzerClient } = require("@pulumi/pulumi/proto/analyzer_grpc_pb") as {
  AnalyzerClient: new (address: string, credentials: unknown) => Client;
};
const messages = require("@pulumi/pulumi/proto/analyzer_pb") as {
  AnalyzeRequest: new () => Record<
    "setType" | "setName" | "setUrn" | "setOptions" | "setProperties",
    (value: unknown) => void
  >;
  AnalyzerResourceOptions: new () => unknown;
};
const { Struct } = require("google-protobuf/google/protobuf/struct_pb.js") as {
  Struct: { fromJavaScript(value: unknown): unknown };
};
const { Empty } = require("google-protobuf/google/protobuf/empty_pb.js") as { Empty: new () => unknown };

const folder = join(import.meta.dirname, "../../policy");
const pack = spawn(process.execPath, [require.resolve("@pulumi/pulumi/cmd/run-policy-pack"), "127.0.0.1:1", folder], {
  cwd: folder, // The CLI's working folder.
  stdio: ["ignore", "pipe", "inherit"],
});
const [port] = (await once(pack.stdout, "data")) as [Buffer];
const client = new AnalyzerClient(`127.0.0.1:${String(port).trim()}`, grpc.credentials.createInsecure());
after(() => {
  client.close();
  pack.kill();
});

const answerTo = async (ask: (answer: Answer) => void) =>
  new Promise<unknown>((resolve, reject) => {
    ask((error, message) => {
      if (error === null) resolve(message.toObject());
      else reject(error);
    });
  });

interface Diagnostic {
  readonly policyname: string;
  readonly message: string;
  readonly enforcementlevel: number;
}
/** From the protocol: https://github.com/pulumi/pulumi/blob/master/proto/pulumi/analyzer.proto */
const level = { advisory: 0, mandatory: 1 };

async function analyze(type: string, props: unknown): Promise<Diagnostic[]> {
  const request = new messages.AnalyzeRequest();
  request.setType(type);
  request.setName("example");
  request.setUrn(`urn:pulumi:test::gke-microservices::${type}::example`);
  request.setOptions(new messages.AnalyzerResourceOptions());
  request.setProperties(Struct.fromJavaScript(props));
  const answer = await answerTo((done) => {
    client.analyze(request, done);
  });
  return (answer as { diagnosticsList: Diagnostic[] }).diagnosticsList;
}

/** Replaces every text, number and boolean by an unknown, as in a first preview. */
const allUnknown = (value: unknown): unknown =>
  typeof value !== "object" || value === null
    ? pulumi.runtime.unknownValue
    : Array.isArray(value)
      ? value.map(allUnknown)
      : Object.fromEntries(Object.entries(value).map(([key, item]) => [key, allUnknown(item)]));

test("the pack contains every rule, and those without a choice are mandatory", async () => {
  const info = (await answerTo((done) => {
    client.getAnalyzerInfo(new Empty(), done);
  })) as { name: string; version: string; policiesList: { name: string; enforcementlevel: number }[] };
  assert.equal(info.name, "gke-microservices");
  assert.match(info.version, /^\d+\.\d+\.\d+$/);
  assert.deepEqual(
    info.policiesList.map(({ name, enforcementlevel }) => [name, enforcementlevel]),
    [
      ...allRules.map(({ id, choice }) => [id, choice === undefined ? level.mandatory : level.advisory]),
      ["proxy-routes-accepted", level.mandatory],
    ],
  );
});

test("valid examples pass, with known and unknown values", async () => {
  for (const { type, good } of examples) {
    assert.deepEqual(await analyze(type, good), [], type);
    assert.deepEqual(await analyze(type, allUnknown(good)), [], `${type}, unknown`);
  }
});

test("a resource that --target excludes has no properties, and is not a violation", async () => {
  for (const { type } of examples) assert.deepEqual(await analyze(type, {}), [], type);
});

test("a violation is reported with property, value and fix, at its level", async () => {
  const cluster = examples.find(({ type }) => type === "gcp:container/cluster:Cluster") ?? assert.fail();
  const found = await analyze(cluster.type, {
    ...cluster.good,
    privateClusterConfig: { enablePrivateNodes: false, enablePrivateEndpoint: false },
    // An unknown property: the others are still checked.
    location: pulumi.runtime.unknownValue,
  });
  assert.deepEqual(
    found.map(({ policyname, message, enforcementlevel }) => [
      policyname,
      message.split("\n").at(-1),
      enforcementlevel,
    ]),
    [
      ["cluster-private-nodes", "privateClusterConfig.enablePrivateNodes is false; set it to true", level.mandatory],
      [
        "cluster-endpoint-by-name",
        "privateClusterConfig.enablePrivateEndpoint is false; set cluster.endpoint.kind to dns",
        level.advisory,
      ],
    ],
  );
});

test("nginx checks the proxy's routes before they are applied", async () => {
  const violationsOf = async (routes: string) => {
    const found = await analyze("kubernetes:core/v1:ConfigMap", {
      metadata: { namespace: "staging" },
      immutable: true,
      data: { "routes.conf": routes },
    });
    return found.map(({ policyname, message, enforcementlevel }) => [
      policyname,
      message.split("\n").at(-2),
      enforcementlevel,
    ]);
  };
  const routes = renderRoutes({
    resolver: "kube-dns.kube-system.svc.cluster.local",
    client: { trustedProxies: [], entry: "last" },
    upstreams: [{ service: "web", address: "web.shop.svc.cluster.local", port: 8080 }],
    routes: [{ service: "web", path: "/", keepPrefix: false }],
  });
  assert.deepEqual(await violationsOf(routes), []);
  const [[name, message, enforced] = []] = await violationsOf(routes.replace("listen", "listne"));
  assert.deepEqual([name, enforced], ["proxy-routes-accepted", level.mandatory]);
  assert.match(String(message), /unknown directive "listne" in routes\.conf:\d+/);
});

test("no message contains a secret", async () => {
  const found = await analyze("kubernetes:core/v1:Secret", {
    metadata: { namespace: "default" },
    stringData: { key: { [pulumi.runtime.specialSigKey]: pulumi.runtime.specialSecretSig, value: "canary" } },
  });
  assert.deepEqual(found.map(({ policyname }) => policyname).sort(), ["content-immutable", "namespace-own"]);
  assert.doesNotMatch(JSON.stringify(found), /canary/);
});
