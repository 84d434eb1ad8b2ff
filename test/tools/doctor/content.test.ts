/** The content hop: each finding from a route's response. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Probe } from "../../../tools/doctor/answers.ts";
import { content } from "../../../tools/doctor/diagnose/content.ts";
import { answered, broken, byNginx, byService, subject } from "./examples.ts";
import { is } from "./fixes.ts";

const staging = subject("staging");

const [one] = staging.routes;
assert.ok(one !== undefined);
const contentOf = (probe: Probe, of = staging) =>
  content(probe, { ...one, host: "staging.example.com", hostPath: "staging.example.com/" }, of);

test("content: any response of a service below 500 is ok", () => {
  is(contentOf(byService(200, "hello")), "ok", /^200 from hoge$/);
  is(contentOf(byService(404, '{"error":"not found"}')), "ok", /^404 from hoge$/);
  is(contentOf(byService(302, "", { location: "/login" })), "ok", /^302 from hoge$/);
  is(contentOf(byService(500, "oops")), "failed", /500 "oops" from hoge/, /hoge itself fails/, /logs deployment\/hoge/);
});

test("content: a redirect loop, and a redirect to https without TLS", () => {
  const once = byService(301, "", { location: "https://staging.example.com/" });
  is(
    contentOf({ ...once, loop: [once] }),
    "failed",
    /in a loop/,
    /The application enforces TLS itself/,
    /X-Forwarded-Proto/,
  );
  const plain = byService(301, "", { location: "https://staging.example.com/" }, "http://staging.example.com/");
  is(
    contentOf(plain, subject("staging", { tls: { mode: "none" } })),
    "failed",
    /where nothing answers: tls\.mode is none/,
    /no certificate/,
  );
});

for (const [error, state, means, fix] of [
  ["service unknown or down", "failed", /reaches no pod of hoge/, /^npx pulumi up --refresh.*get pods,services/],
  ["too slow", "failed", /did not answer within 35 s/, /routeDefaults\.timeoutSeconds/],
  ["no such route", "failed", /older config/, /pulumi up/],
  ["response header invalid or too large", "failed", /more than 16 KiB/, /routeDefaults\.maxResponseHeaderKb/],
  ["too many requests", "warning", /limit applies to the doctor/, /Try again/],
  ["maintenance", "warning", /into maintenance/, /Remove maintenance/],
  ["something new", "failed", /something new/, /./],
] as const)
  test(`content: nginx answers "${error}"`, () => {
    is(contentOf(byNginx(error)), state, new RegExp(`from nginx: ${error}`), means, fix);
  });

test("content: if nginx gives up before the route's timeout, it could not connect", () => {
  const slow = byNginx("too slow", 504);
  is(
    contentOf({ ...slow, seconds: 2.1 }),
    "failed",
    /504/,
    /network policy/,
    /^npx pulumi up --refresh.*get networkpolicies/,
  );
  is(contentOf({ ...slow, seconds: 35 }), "failed", /504/, /did not answer within 35 s/);
});

test("content: the load balancer times out, blocks the request, or requires signing in", () => {
  is(
    contentOf(answered(502, "<title>502 Server Error</title>")),
    "failed",
    /from the load balancer/,
    /waited longer than 40 s/,
    /edge\.timeoutSeconds/,
  );
  is(contentOf(answered(403, "403 Forbidden")), "failed", /403/, /Cloud Armor/, /edge\.armor/);
  is(contentOf(answered(302, "", { "x-goog-iap-generated-response": "true" })), "unknown", /IAP requires signing in/);
  is(contentOf(broken("NO_ANSWER", "no answer within 45 s")), "failed", /no answer within 45 s/, /connection broke/);
});

test("content: another service than the route's answers", () => {
  is(
    contentOf(byService(200, '{"service":"web","headers":{}}')),
    "failed",
    /answered by web, not by hoge/,
    /another service took/,
  );
});

test("content: a response that did not come through nginx", () => {
  is(contentOf(answered(200, "It works!")), "failed", /did not come through nginx/, /Something in front of nginx/);
});

test("content: a gRPC call", () => {
  const grpc = (message: string) => contentOf({ url: "grpc://staging.example.com/", error: { code: "", message } });
  is(grpc("grpc-status 14 from the proxy: down"), "failed", /14 from the proxy/, /does not reach hoge by gRPC/);
  is(grpc("200, but not a gRPC response"), "failed", /not a gRPC response/, /uses another protocol/);
});
