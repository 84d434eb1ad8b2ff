/** The doctor behind a mock of Google's load balancer, in front of a real nginx with the stack's routes. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { examine } from "../../../tools/doctor/examine.ts";
import { follow } from "../../../tools/doctor/follow.ts";
import { exitCode, firstFailure, type Hop, type Report } from "../../../tools/doctor/report.ts";
import type { Sources } from "../../../tools/doctor/sources.ts";
import { createAuthority, type Authority, type Credentials } from "../../../tools/cli/pki.ts";
import { frontAddress, startGoogleFront, type GoogleFront, type GoogleFrontOptions } from "../../nginx/googleFront.ts";
import {
  addressOf,
  proxyRoutes,
  startNameServer,
  startService,
  type NameServer,
  type Service,
} from "../../../tools/testing/loopback.ts";
import { withProxy } from "../../nginx/realNginx.ts";
import { subject } from "./examples.ts";

const stack = subject("staging", { domain: "shop.localhost" });
const shop = { ...stack, routes: stack.routes.map((route) => ({ ...route, timeoutSeconds: 1 })) };
/** How the service `hoge` answers. */
type Behavior = "normal" | "loop" | "loop without slash" | "cookie" | "slow";
let behavior: Behavior = "normal";

let names: NameServer;
let web: Service;
let hoge: Service;
let authority: Authority;
let good: Credentials;

before(async () => {
  names = await startNameServer();
  web = await startService("web");
  hoge = await startService("hoge", ({ url = "", headers }, response) => {
    const to = (path: string, more = {}) => {
      response.writeHead(301, { location: `https://${headers.host ?? ""}${path}`, ...more }).end();
    };
    // Like an application that enforces TLS and does not trust X-Forwarded-Proto.
    if (behavior === "loop") to(url);
    else if (behavior === "loop without slash") to("/hoge");
    else if (behavior === "cookie" && headers.cookie === undefined)
      to(`/hoge${url}`, { "set-cookie": "seen=1; Path=/" });
    else if (behavior !== "slow") response.end("hello");
  });
  for (const service of ["web", "hoge"]) names.names.set(addressOf(service), "127.0.0.1");
  authority = await createAuthority("the stack's CA");
  good = await authority.issue({ commonName: "shop", names: [...shop.hosts], days: 90 });
  // Do not use the developer's credentials or programs.
  process.env["GOOGLE_OAUTH_ACCESS_TOKEN"] = "";
  process.env["CLOUDSDK_AUTH_ACCESS_TOKEN"] = "";
  process.env["PATH"] = "";
});
after(async () => {
  for (const server of [web, hoge, names]) await server[Symbol.asyncDispose]();
});

interface Running {
  readonly front: GoogleFront;
  readonly sources: Sources;
}
interface Setting extends Partial<GoogleFrontOptions> {
  /** Whether anything listens for HTTPS. @default true */
  readonly https?: boolean;
  /** @default - hoge is up */
  readonly hogePort?: number;
}

async function behindFront(use: (running: Running) => Promise<void>, setting: Setting = {}): Promise<void> {
  const {
    https = true,
    hogePort = hoge.port,
    tls = { certificate: good.certificate, key: good.key },
    ...options
  } = setting;
  const routes = proxyRoutes(names, { web: web.port, hoge: hogePort }, [
    { service: "web", path: "/", keepPrefix: false },
    { service: "hoge", path: "/hoge/", keepPrefix: false, settings: { timeoutSeconds: 1 } },
    { service: "hoge", path: "/", host: "hoge.shop.localhost", keepPrefix: false, settings: { timeoutSeconds: 1 } },
  ]);
  const trusting = { ...routes, client: { ...routes.client, trustedProxies: [`${frontAddress}/32`] } };
  const redirect = createServer(({ headers, url = "" }, response) => {
    response.writeHead(301, { location: `https://${headers.host ?? ""}${url}` }).end();
  }).listen(0, "127.0.0.1");
  await once(redirect, "listening");
  try {
    await withProxy(trusting, async (nginx) => {
      await using front = await startGoogleFront({ proxyPort: nginx.port, tls, ...options });
      const sources: Sources = {
        subject: shop,
        target: "no kubectl",
        address: "127.0.0.1",
        outputsError: undefined,
        ports: { httpPort: (redirect.address() as AddressInfo).port, httpsPort: https ? front.port : 1 },
        ca: authority.certificate,
        certificates: {},
        routesName: "",
      };
      await use({ front, sources });
    });
  } finally {
    redirect.close();
  }
}

const failing = (report: Pick<Report, "hops">): Hop =>
  firstFailure(report) ?? assert.fail(`nothing fails: ${JSON.stringify(report.hops)}`);

test("nothing fails behind Google's load balancer, and unknown hops are not failures", () =>
  behindFront(async ({ sources }) => {
    const report = await examine(sources);
    assert.equal(exitCode(report), 0, JSON.stringify(report.hops));
    const state = (kind: string) => report.hops.find((hop) => hop.kind === kind);
    assert.equal(state("address")?.state, "unknown");
    assert.match(state("address")?.seen ?? "", /no Google Cloud credentials/);
    assert.match(state("certificate")?.seen ?? "", /for 2 names, trusted, valid until .* \((89|90) days\)/);
    assert.deepEqual(state("pods"), { ...state("pods"), state: "unknown", seen: "not checked: no kubectl" });
    assert.match(report.hops.findLast(({ service }) => service === "web")?.seen ?? "", /200 from pod|200 from web/);
  }));

for (const [condition, edge, kind, means] of [
  ["unconnected", "ingress", "ingress", /not connected to the ingress yet/],
  ["unconnected", "gateway", "ingress", /not connected to the ingress yet/],
  ["backend-not-found", "ingress", "ingress", /load balancer works, but is not connected to nginx/],
  ["backend-not-found", "gateway", "ingress", /load balancer works, but is not connected to nginx/],
  ["unhealthy", "ingress", "ingress", /none of its backends is healthy/],
  ["unhealthy", "gateway", "ingress", /none of its backends is healthy/],
] as const)
  test(`the load balancer of ${edge === "ingress" ? "an Ingress" : "a Gateway"} is ${condition}: this is temporary`, () =>
    behindFront(
      async ({ front, sources }) => {
        front.condition = condition;
        const failure = failing(await examine(sources));
        assert.deepEqual([failure.kind, failure.passing], [kind, true]);
        assert.match(failure.means ?? "", means);
      },
      { edge },
    ));

test("--wait repeats until the load balancer is connected, but not longer than the given time", () =>
  behindFront(async ({ front, sources }) => {
    front.condition = "unconnected";
    const texts: string[] = [];
    const options = { pause: 0.1, say: (text: string) => texts.push(text) };
    assert.equal(exitCode(await follow(sources, { ...options, wait: 0.5 })), 14);
    const following = follow(sources, { ...options, wait: 30 });
    await sleep(300);
    front.condition = "serving";
    assert.equal(exitCode(await following), 0);
    assert.ok(
      texts.some((text) => /^\d+\.\d s left: ingress: 404/.test(text)) &&
        texts.some((text) => /^\d+ s left: /.test(text)),
      texts.join("\n"),
    );
  }));

test("--wait does not wait for a permanent failure", () =>
  behindFront(
    async ({ sources }) => {
      const began = Date.now();
      assert.equal(exitCode(await follow(sources, { wait: 60, say: () => undefined })), 20);
      assert.ok(Date.now() - began < 30_000);
    },
    { hogePort: 1 },
  ));

test("a failure of one service does not affect the other", () =>
  behindFront(
    async ({ sources }) => {
      const report = await examine(sources);
      const { service, seen } = failing(report);
      assert.deepEqual([service, seen], ["hoge", "502 from nginx: service unknown or down"]);
      for (const hop of report.hops.filter((one) => one.service === "web")) assert.notEqual(hop.state, "failed");
    },
    { hogePort: 1 },
  ));

test("a service that is too slow", () =>
  behindFront(async ({ sources }) => {
    behavior = "slow";
    const { seen, means } = failing(await examine(sources));
    behavior = "normal";
    assert.equal(seen, "504 from nginx: too slow");
    assert.match(means ?? "", /hoge took the request, but did not answer/);
  }));

for (const [answer, route, expected] of [
  ["loop", "hoge.shop.localhost/", "301 to https://hoge.shop.localhost/, in a loop"],
  ["loop", "shop.localhost/hoge/", "301 to https://shop.localhost/, the address that hoge received"],
  ["loop without slash", "shop.localhost/hoge/", "301 to https://shop.localhost/hoge, 308 to /hoge/, in a loop"],
] as const)
  test(`the application enforces TLS itself: ${expected}`, () =>
    behindFront(async ({ sources }) => {
      behavior = answer;
      const { hops } = await examine(sources);
      behavior = "normal";
      const { kind, seen, means } = failing({ hops: hops.filter((hop) => hop.route === route) });
      assert.deepEqual([kind, seen], ["content", expected]);
      assert.match(means ?? "", /The application enforces TLS itself/);
    }));

test("a redirect to the same address that sets a cookie is not a loop", () =>
  behindFront(async ({ sources }) => {
    behavior = "cookie";
    const { hops } = await examine(sources);
    behavior = "normal";
    const content = hops.find(({ id }) => id === "content shop.localhost/hoge/");
    assert.deepEqual([content?.state, content?.seen], ["ok", "301 from hoge"]);
  }));

test("plain HTTP redirects to https, where nothing answers", () =>
  behindFront(
    async ({ sources }) => {
      const failure = failing(await examine(sources));
      assert.deepEqual([failure.kind, failure.passing], ["certificate", true]);
      assert.match(
        failure.seen,
        /ECONNREFUSED.*but plain HTTP answers, and http:\/\/shop\.localhost\/ redirects there/,
      );
      assert.match(failure.means ?? "", /Every hop behind it works, but browsers cannot connect/);
    },
    { https: false },
  ));

const presented = (tls: Credentials, state: Hop["state"], seen: RegExp) =>
  behindFront(
    async ({ sources }) => {
      const report = await examine(sources);
      const certificate = report.hops.find(({ kind }) => kind === "certificate");
      assert.equal(certificate?.state, state, JSON.stringify(certificate));
      assert.match(certificate.seen, seen);
      assert.equal(exitCode(report), state === "failed" ? 12 : 0);
      // The doctor examines the hops behind a certificate that clients reject.
      assert.equal(report.hops.find(({ kind }) => kind === "proxy")?.state, "ok");
    },
    { tls },
  );
const issued = (changes: { names?: string[]; days?: number }, by = authority) =>
  by.issue({ commonName: "shop", names: [...shop.hosts], ...changes });

test("a certificate for another name", async () => {
  await presented(
    await issued({ names: ["other.example.com"] }),
    "failed",
    /presented for shop\.localhost is for other\.example\.com/,
  );
});
test("a certificate for one of two names", async () => {
  await presented(
    await issued({ names: ["shop.localhost"] }),
    "failed",
    /presented for hoge\.shop\.localhost is for shop\.localhost/,
  );
});
test("a certificate that has expired", async () => {
  await presented(await issued({ days: -0.001 }), "failed", /for shop\.localhost expired on/);
});
test("a certificate that expires within 30 days", async () => {
  await presented(await issued({ days: 29.5 }), "warning", /expires on .*, in 29 days/);
});
test("a certificate of an untrusted CA", async () => {
  const other = await createAuthority("somebody");
  await presented(
    await issued({}, other),
    "failed",
    /not trusted: UNABLE_TO_VERIFY_LEAF_SIGNATURE \(issued by CN=somebody\)/,
  );
});
