/** The content of a route: each row of what its answer shows. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Probe } from "../../../tools/doctor/answers.ts";
import { content } from "../../../tools/doctor/diagnose/content.ts";
import { answered, broken, byNginx, byService, subject } from "./examples.ts";
import { is } from "./fixes.ts";

const staging = subject("staging");

const [one] = staging.routes;
assert.ok(one !== undefined);
const told = (probe: Probe, of = staging) =>
  content(probe, { ...one, host: "staging.example.com", hostPath: "staging.example.com/" }, of);

test("content: of a service, whatever it says below 500", () => {
  is(told(byService(200, "hello")), "ok", /^200 from hoge$/);
  is(told(byService(404, '{"error":"not found"}')), "ok", /^404 from hoge$/);
  is(told(byService(302, "", { location: "/login" })), "ok", /^302 from hoge$/);
  is(told(byService(500, "oops")), "failed", /500 "oops" from hoge/, /hoge itself fails/, /logs deployment\/hoge/);
});

test("content: 301 again and again, and a redirect to https where there is none", () => {
  const once = byService(301, "", { location: "https://staging.example.com/" });
  is(
    told({ ...once, circle: [once] }),
    "failed",
    /again and again/,
    /TLS is switched on in the application too/,
    /X-Forwarded-Proto/,
  );
  const plain = byService(301, "", { location: "https://staging.example.com/" }, "http://staging.example.com/");
  is(
    told(plain, subject("staging", { tls: { mode: "none" } })),
    "failed",
    /where nothing answers: tls\.mode is none/,
    /no certificate/,
  );
});

for (const [error, state, means, fix] of [
  ["service unknown or down", "failed", /reaches no pod of hoge/, /^npx pulumi up --refresh.*get pods,services/],
  ["too slow", "failed", /did not answer within 25 s/, /routeDefaults\.timeoutSeconds/],
  ["no such route", "failed", /older config/, /pulumi up/],
  ["too many requests", "warning", /limit holds for the doctor/, /Ask again/],
  ["maintenance", "warning", /out of service/, /Remove maintenance/],
  ["something new", "failed", /something new/, /./],
] as const)
  test(`content: nginx says "${error}"`, () => {
    is(told(byNginx(error)), state, new RegExp(`from nginx: ${error}`), means, fix);
  });

test("content: nginx that gives up before the service had its time could not connect", () => {
  const slow = byNginx("too slow", 504);
  is(
    told({ ...slow, seconds: 2.1 }),
    "failed",
    /504/,
    /network policy/,
    /^npx pulumi up --refresh.*get networkpolicies/,
  );
  is(told({ ...slow, seconds: 25 }), "failed", /504/, /did not answer within 25 s/);
});

test("content: the load balancer gives up, lets nobody in, or asks to sign in", () => {
  is(
    told(answered(502, "<title>502 Server Error</title>")),
    "failed",
    /from the load balancer/,
    /waited longer than 30 s/,
    /edge\.timeoutSeconds/,
  );
  is(told(answered(403, "403 Forbidden")), "failed", /403/, /Cloud Armor/, /edge\.armor/);
  is(told(answered(302, "", { "x-goog-iap-generated-response": "true" })), "unknown", /IAP asks to sign in/);
  is(told(broken("NO_ANSWER", "no answer within 35 s")), "failed", /no answer within 35 s/, /connection broke/);
});

test("content: another service answers than the route's", () => {
  is(
    told(byService(200, '{"service":"web","headers":{}}')),
    "failed",
    /answered by web, not by hoge/,
    /another service took/,
  );
});

test("content: an answer that has not come through nginx", () => {
  is(told(answered(200, "It works!")), "failed", /has not come through nginx/, /Something before nginx/);
});

test("content: a call of gRPC", () => {
  const grpc = (message: string) => told({ url: "grpc://staging.example.com/", error: { code: "", message } });
  is(grpc("grpc-status 14 from the proxy: down"), "failed", /14 from the proxy/, /does not reach hoge by gRPC/);
  is(grpc("200, and no answer of gRPC"), "failed", /no answer/, /speaks something else/);
});
