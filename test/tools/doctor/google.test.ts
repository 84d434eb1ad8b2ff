/** Requests to Google's APIs and their responses, with a mock server on loopback. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { after, before, beforeEach, test } from "node:test";
import { googleState, type GoogleQuestion } from "../../../tools/doctor/gather/google.ts";

const answers = new Map<string, unknown>();
const asked: string[] = [];
const server = createServer((request, response) => {
  const { method = "", url = "", headers } = request;
  void (method === "POST" ? json(request) : Promise.resolve(undefined)).then((body) => {
    asked.push([method, decodeURIComponent(url), ...(body === undefined ? [] : [JSON.stringify(body)])].join(" "));
    const answer =
      headers.authorization === "Bearer a-token" ? answers.get(`${method} ${url.split("?")[0] ?? ""}`) : undefined;
    response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(answer ?? { error: { message: "not found" } }));
  });
});

before(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  process.env["GOOGLE_COMPUTE_CUSTOM_ENDPOINT"] = `${base}compute/v1/`;
  process.env["GOOGLE_CERTIFICATE_MANAGER_CUSTOM_ENDPOINT"] = `${base}v1/`;
  process.env["PATH"] = ""; // Do not use the developer's gcloud.
});
after(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  process.env["GOOGLE_OAUTH_ACCESS_TOKEN"] = "a-token";
  delete process.env["CLOUDSDK_AUTH_ACCESS_TOKEN"];
  answers.clear();
  asked.length = 0;
});

const global = "/compute/v1/projects/acme-staging/global";
const address = "203.0.113.7";
const question: GoogleQuestion = { project: "acme-staging", address, backends: [], certificates: {}, byManager: false };

test("the address is found by its value, with its status and users", async () => {
  const users = ["https://www.googleapis.com/compute/v1/projects/acme-staging/global/forwardingRules/k8s2-fr"];
  answers.set(`GET ${global}/addresses`, { items: [{ name: "ip", address, status: "IN_USE", users }] });
  assert.deepEqual(await googleState(question), {
    address: { name: "ip", status: "IN_USE", users: ["k8s2-fr"] },
    health: {},
    certificates: {},
  });
  assert.deepEqual(asked, [`GET ${global}/addresses?filter=address="${address}"`]);
});

test("the URL of a domain-scoped project has its colon", async () => {
  answers.set("GET /compute/v1/projects/example.com:shop/global/addresses", {});
  const found = await googleState({ ...question, project: "example.com:shop" });
  assert.deepEqual(found, { health: {}, certificates: {} });
  assert.deepEqual(asked, [`GET /compute/v1/projects/example.com:shop/global/addresses?filter=address="${address}"`]);
});

test("a project without the address gives no address", async () => {
  answers.set(`GET ${global}/addresses`, {});
  assert.deepEqual(await googleState(question), { health: {}, certificates: {} });
});

test("a backend is healthy if one of its endpoints is", async () => {
  answers.set(`GET ${global}/addresses`, {});
  const groups = ["zone-a/neg", "zone-b/neg"].map((group) => ({ group }));
  answers.set(`GET ${global}/backendServices/k8s1-a`, { backends: groups });
  answers.set(`POST ${global}/backendServices/k8s1-a/getHealth`, {
    healthStatus: [{ healthState: "UNHEALTHY" }, { healthState: "HEALTHY" }],
  });
  answers.set(`GET ${global}/backendServices/k8s1-b`, { backends: groups.slice(1) });
  answers.set(`POST ${global}/backendServices/k8s1-b/getHealth`, { healthStatus: [{ healthState: "UNHEALTHY" }] });
  answers.set(`GET ${global}/backendServices/k8s1-c`, {});
  const state = await googleState({ ...question, backends: ["k8s1-a", "k8s1-b", "k8s1-c"] });
  assert.deepEqual(typeof state === "string" ? state : state.health, {
    "k8s1-a": "HEALTHY",
    "k8s1-b": "UNHEALTHY",
    "k8s1-c": "no endpoints",
  });
  assert.ok(asked.includes(`POST ${global}/backendServices/k8s1-a/getHealth {"group":"zone-b/neg"}`));
});

test("a managed certificate has the reason per host why it is not issued", async () => {
  answers.set(`GET ${global}/addresses`, {});
  answers.set(`GET ${global}/sslCertificates/cert-1`, {
    managed: { status: "PROVISIONING", domainStatus: { "a.example.com": "FAILED_NOT_VISIBLE" } },
  });
  const state = await googleState({ ...question, certificates: { "a.example.com": "cert-1" } });
  assert.deepEqual(typeof state === "string" ? state : state.certificates, {
    "a.example.com": { status: "PROVISIONING", ofHost: "FAILED_NOT_VISIBLE" },
  });
});

test("the certificates of a Gateway come from Certificate Manager", async () => {
  answers.set(`GET ${global}/addresses`, {});
  answers.set("GET /v1/projects/acme-staging/locations/global/certificates/cert-2", {
    managed: { state: "FAILED", authorizationAttemptInfo: [{ state: "FAILED", failureReason: "CAA" }] },
  });
  const state = await googleState({ ...question, byManager: true, certificates: { "a.example.com": "cert-2" } });
  assert.deepEqual(typeof state === "string" ? state : state.certificates, {
    "a.example.com": { status: "FAILED", ofHost: "CAA" },
  });
});

test("either variable gives the token; without both and without gcloud, no request is sent", async () => {
  answers.set(`GET ${global}/addresses`, {});
  process.env["GOOGLE_OAUTH_ACCESS_TOKEN"] = "";
  process.env["CLOUDSDK_AUTH_ACCESS_TOKEN"] = "a-token";
  assert.equal(typeof (await googleState(question)), "object");
  process.env["CLOUDSDK_AUTH_ACCESS_TOKEN"] = "";
  asked.length = 0;
  assert.equal(await googleState(question), "no Google Cloud credentials (gcloud auth login)");
  assert.deepEqual(asked, []);
});

test("an error of Google is reported without the token", async () => {
  process.env["GOOGLE_OAUTH_ACCESS_TOKEN"] = "an-old-token";
  const state = await googleState(question);
  assert.equal(state, `Google's API: 404 not found (${global}/addresses)`);
});
