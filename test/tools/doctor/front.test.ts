/** What only Google's front shows: the doctor asks a stand-in for it, in front of a real nginx with the stack's routes. */
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
/** How the service `hoge` answers; the next test says anew. */
type Mood = "well" | "circle" | "circle without slash" | "cookie" | "slow";
let mood: Mood = "well";

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
    // As an application does that has TLS switched on, and believes no X-Forwarded-Proto.
    if (mood === "circle") to(url);
    else if (mood === "circle without slash") to("/hoge");
    else if (mood === "cookie" && headers.cookie === undefined) to(`/hoge${url}`, { "set-cookie": "seen=1; Path=/" });
    else if (mood !== "slow") response.end("hello");
  });
  for (const service of ["web", "hoge"]) names.names.set(addressOf(service), "127.0.0.1");
  authority = await createAuthority("the stack's CA");
  good = await authority.issue({ commonName: "shop", names: [...shop.hosts], days: 90 });
  // Nobody is to be asked but what is here.
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
        unread: undefined,
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

test("all is well behind Google's front, and what cannot be looked at is no failure", () =>
  behindFront(async ({ sources }) => {
    const report = await examine(sources);
    assert.equal(exitCode(report), 0, JSON.stringify(report.hops));
    const state = (kind: string) => report.hops.find((hop) => hop.kind === kind);
    assert.equal(state("address")?.state, "unknown");
    assert.match(state("address")?.seen ?? "", /no credentials of Google/);
    assert.match(state("certificate")?.seen ?? "", /for 2 names, trusted, until .* \((89|90) days\)/);
    assert.deepEqual(state("pods"), { ...state("pods"), state: "unknown", seen: "not looked at: no kubectl" });
    assert.match(report.hops.findLast(({ service }) => service === "web")?.seen ?? "", /200 from pod|200 from web/);
  }));

for (const [condition, edge, kind, means] of [
  ["unconnected", "ingress", "ingress", /not connected to the ingress yet/],
  ["unconnected", "gateway", "ingress", /not connected to the ingress yet/],
  ["backend-not-found", "ingress", "ingress", /load balancer works, and nginx is not connected/],
  ["backend-not-found", "gateway", "ingress", /load balancer works, and nginx is not connected/],
  ["unhealthy", "ingress", "ingress", /none of its backends counts as healthy/],
  ["unhealthy", "gateway", "ingress", /none of its backends counts as healthy/],
] as const)
  test(`the front of ${edge === "ingress" ? "an Ingress" : "a Gateway"} is ${condition}: it passes by itself`, () =>
    behindFront(
      async ({ front, sources }) => {
        front.condition = condition;
        const failure = failing(await examine(sources));
        assert.deepEqual([failure.kind, failure.passing], [kind, true]);
        assert.match(failure.means ?? "", means);
      },
      { edge },
    ));

test("waiting goes on until the load balancer is through, and no longer than it is told", () =>
  behindFront(async ({ front, sources }) => {
    front.condition = "unconnected";
    const said: string[] = [];
    const patience = { pause: 0.1, say: (what: string) => said.push(what) };
    assert.equal(exitCode(await follow(sources, { ...patience, wait: 0.5 })), 14);
    const following = follow(sources, { ...patience, wait: 30 });
    await sleep(300);
    front.condition = "serving";
    assert.equal(exitCode(await following), 0);
    assert.ok(
      said.some((what) => /^\d+\.\d s left: ingress: 404/.test(what)) &&
        said.some((what) => /^\d+ s left: /.test(what)),
      said.join("\n"),
    );
  }));

test("what does not pass by itself is not waited for", () =>
  behindFront(
    async ({ sources }) => {
      const began = Date.now();
      assert.equal(exitCode(await follow(sources, { wait: 60, say: () => undefined })), 20);
      assert.ok(Date.now() - began < 30_000);
    },
    { hogePort: 1 },
  ));

test("a service that is down is named, and the other serves", () =>
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
    mood = "slow";
    const { seen, means } = failing(await examine(sources));
    mood = "well";
    assert.equal(seen, "504 from nginx: too slow");
    assert.match(means ?? "", /hoge took the request and did not answer/);
  }));

for (const [answer, route, expected] of [
  ["circle", "hoge.shop.localhost/", "301 to https://hoge.shop.localhost/, again and again"],
  ["circle", "shop.localhost/hoge/", "301 to https://shop.localhost/, the address as hoge saw it"],
  [
    "circle without slash",
    "shop.localhost/hoge/",
    "301 to https://shop.localhost/hoge, 308 to /hoge/, again and again",
  ],
] as const)
  test(`301 again and again: TLS is switched on in the application too: ${expected}`, () =>
    behindFront(async ({ sources }) => {
      mood = answer;
      const { hops } = await examine(sources);
      mood = "well";
      const { kind, seen, means } = failing({ hops: hops.filter((hop) => hop.route === route) });
      assert.deepEqual([kind, seen], ["content", expected]);
      assert.match(means ?? "", /TLS is switched on in the application too/);
    }));

test("a redirect to the same address that sets a cookie is no circle", () =>
  behindFront(async ({ sources }) => {
    mood = "cookie";
    const { hops } = await examine(sources);
    mood = "well";
    const content = hops.find(({ id }) => id === "content shop.localhost/hoge/");
    assert.deepEqual([content?.state, content?.seen], ["ok", "301 from hoge"]);
  }));

test("plain HTTP sends the browser to https, where nothing answers", () =>
  behindFront(
    async ({ sources }) => {
      const failure = failing(await examine(sources));
      assert.deepEqual([failure.kind, failure.passing], ["certificate", true]);
      assert.match(
        failure.seen,
        /ECONNREFUSED.*while plain HTTP answers, and http:\/\/shop\.localhost\/ sends clients there/,
      );
      assert.match(failure.means ?? "", /Every hop behind works, and a browser cannot connect/);
    },
    { https: false },
  ));

const shown = (tls: Credentials, state: Hop["state"], seen: RegExp) =>
  behindFront(
    async ({ sources }) => {
      const report = await examine(sources);
      const certificate = report.hops.find(({ kind }) => kind === "certificate");
      assert.equal(certificate?.state, state, JSON.stringify(certificate));
      assert.match(certificate.seen, seen);
      assert.equal(exitCode(report), state === "failed" ? 12 : 0);
      // A certificate that clients refuse keeps the doctor from nothing behind it.
      assert.equal(report.hops.find(({ kind }) => kind === "proxy")?.state, "ok");
    },
    { tls },
  );
const issued = (changes: { names?: string[]; days?: number }, by = authority) =>
  by.issue({ commonName: "shop", names: [...shop.hosts], ...changes });

test("a certificate for another name", async () => {
  await shown(
    await issued({ names: ["other.example.com"] }),
    "failed",
    /asked as shop\.localhost, the certificate is for other\.example\.com/,
  );
});
test("a certificate for one of two names", async () => {
  await shown(
    await issued({ names: ["shop.localhost"] }),
    "failed",
    /asked as hoge\.shop\.localhost, the certificate is for shop\.localhost/,
  );
});
test("a certificate that has expired", async () => {
  await shown(await issued({ days: -0.001 }), "failed", /for shop\.localhost expired on/);
});
test("a certificate that expires within 30 days", async () => {
  await shown(await issued({ days: 29.5 }), "warning", /expires on .*, in 29 days/);
});
test("a certificate of an authority that nobody trusts", async () => {
  const other = await createAuthority("somebody");
  await shown(
    await issued({}, other),
    "failed",
    /not trusted: UNABLE_TO_VERIFY_LEAF_SIGNATURE \(issued by CN=somebody\)/,
  );
});
