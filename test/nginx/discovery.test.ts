/** How the proxy discovers pods and handles dead ones: a real nginx, DNS and pods on loopback. */
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { learningSeconds } from "../../nginx/upstreams.ts";
import { renderRoutes } from "../../nginx/routes.ts";
import {
  addressOf,
  ask,
  proxyRoutes,
  startNameServer,
  startService,
  type NameServer,
} from "../../tools/testing/loopback.ts";
import { startPods, startSilent } from "./pods.ts";
import { withNginx } from "./realNginx.ts";

/** Milliseconds until a DNS change must be visible: `valid`, nginx's extra second, and a second of tolerance. */
const found = 7000;

const route = (service: string, settings = {}) => ({ service, path: `/${service}/`, keepPrefix: false, settings });
const textFor = (nameServer: NameServer, ports: Readonly<Record<string, number>>, settings = {}) =>
  renderRoutes({
    ...proxyRoutes(
      nameServer,
      ports,
      Object.keys(ports).map((service) => route(service, settings)),
    ),
    // These tests are one client with a thousand requests at once.
    memoryMb: 1024,
    requestsPerClient: 3000,
  });

/** Polls until the condition holds. @throws on timeout */
async function until(what: string, condition: () => Promise<boolean>, milliseconds = found): Promise<void> {
  const end = Date.now() + milliseconds;
  while (!(await condition())) {
    assert.ok(Date.now() < end, `${what}: not within ${milliseconds} ms`);
    await sleep(100);
  }
}

/** How many pods nginx tried for the request of a log line. */
const triesOf = (line: string) =>
  (JSON.parse(line) as { upstream: { address: string } }).upstream.address.split(", ").length;

/** The pods that answered so many concurrent requests. */
async function answering(port: number, path: string, requests = 40): Promise<string[]> {
  const answers = await Promise.all(Array.from({ length: requests }, () => ask(port, path)));
  return [...new Set(answers.map(({ status, body }) => (status === 200 ? body : String(status))))].sort();
}

test("changed addresses, new and removed pods, and a new service are found without a restart", async () => {
  await using nameServer = await startNameServer();
  await using pods = await startPods("good", "good", "good");
  const [a, b, c] = pods.addresses;
  nameServer.names.set(addressOf("moves"), a).set(addressOf("scales"), a);
  const text = textFor(nameServer, { moves: pods.port, scales: pods.port, later: pods.port });
  await withNginx(text, async ({ port }) => {
    const reaches = (service: string, ...answers: string[]) =>
      until(
        `${service} at ${answers.join()}`,
        async () => (await answering(port, `/${service}/`)).join() === answers.join(),
      );
    await Promise.all([reaches("moves", a), reaches("scales", a), reaches("later", "502")]);

    nameServer.names.set(addressOf("moves"), b).set(addressOf("scales"), `${a} ${b} ${c}`).set(addressOf("later"), c);
    await Promise.all([reaches("moves", b), reaches("scales", a, b, c), reaches("later", c)]);

    nameServer.names.set(addressOf("scales"), `${a} ${c}`).delete(addressOf("later"));
    await Promise.all([reaches("scales", a, c), reaches("later", "502")]);
  });
});

const kinds = [
  { kind: "refusing", get: [200], post: [200], why: "nothing was sent" },
  { kind: "silent", get: [200], post: [200], why: "nothing was sent" },
  { kind: "closing", get: [200], post: [200, 502], why: "a sent POST is never repeated" },
  { kind: "hung", get: [200], post: [200, 504], why: "a sent POST is never repeated" },
] as const;
for (const { kind, get, post, why } of kinds)
  test(`with a good pod and one that is ${kind}, each request is sent once: ${why}`, async () => {
    await using nameServer = await startNameServer();
    await using pods = await startPods("good", kind);
    nameServer.names.set(addressOf("hoge"), pods.addresses.join(" "));
    const requests = 12;
    await withNginx(textFor(nameServer, { hoge: pods.port }, { timeoutSeconds: 1 }), async ({ port, log }) => {
      await until("both pods known", async () => (await ask(port, "/hoge/")).status !== 502);
      const seenBefore = pods.counts();
      const all = (method: string) =>
        Promise.all(Array.from({ length: requests }, () => ask(port, "/hoge/", { method, body: "x" })));
      const statuses = async (method: string) => (await all(method)).map(({ status }) => status);

      assert.deepEqual([...new Set(await statuses("GET"))], [...get]);
      const seenByGet = pods.counts();
      assert.ok((seenByGet[0] ?? 0) - (seenBefore[0] ?? 0) === requests, "the good pod answered each GET");

      const answers = await statuses("POST");
      assert.ok(
        answers.every((status) => (post as readonly number[]).includes(status)),
        answers.join(),
      );
      const seen = pods.counts().map((count, index) => count - (seenByGet[index] ?? 0));
      assert.equal((seen[0] ?? 0) + (seen[1] ?? 0), requests, `each POST was seen once, of ${seen.join(" and ")}`);
      assert.equal(answers.filter((status) => status === 200).length, seen[0]);

      assert.ok(
        Math.max(...(await log()).map(triesOf)) === 2,
        "a dead pod was asked, and no request asked more than two",
      );
    });
  });

test("a service found by name with several addresses: a dead one is skipped too", async () => {
  await using nameServer = await startNameServer();
  await using pods = await startPods("good", "refusing");
  nameServer.names.set(addressOf("docs"), pods.addresses.join(" "));
  const suffix = addressOf("").slice(1);
  const wildcard = { by: "path", allow: ["docs"], domain: "shop.example.com", suffix, port: pods.port } as const;
  await withNginx(
    renderRoutes({ ...proxyRoutes(nameServer, {}, []), wildcards: [wildcard] }),
    async ({ port, log }) => {
      await until("known", async () => (await ask(port, "/docs/")).status === 200);
      // With a cached answer nginx starts at either address; requests that waited for an answer all start at the same.
      await until("the dead one is asked first", async () => {
        assert.deepEqual(await answering(port, "/docs/"), [pods.addresses[0]]);
        const most = Math.max(...(await log()).map(triesOf));
        assert.ok(most <= 2, "no request tried more than two");
        return most === 2;
      });
    },
  );
});

test("a service found by name is asked again for a connection that the network dropped: it has one address", async () => {
  await using nameServer = await startNameServer();
  const suffix = addressOf("docs").replace(/^docs\./, "");
  await using known = await startService("known", (_, response) => response.end("known"), "127.0.0.2");
  const wildcard = {
    by: "path",
    allow: ["docs", "known"],
    domain: "shop.example.com",
    suffix,
    port: known.port,
  } as const;
  nameServer.names.set(addressOf("known"), "127.0.0.2").set(addressOf("docs"), "127.0.0.3");
  await withNginx(renderRoutes({ ...proxyRoutes(nameServer, {}, []), wildcards: [wildcard] }), async ({ port }) => {
    await until("known", async () => (await ask(port, "/known/")).status === 200);
    // The kernel sends the first packet again after a second.
    await using busy = await startSilent("127.0.0.3", known.port, 300);
    const { status, body } = await ask(port, "/docs/");
    assert.deepEqual([status, body], [200, "127.0.0.3"], String(busy.port));
  });
});

test("a request is not retried if its pod dies after nginx has resolved other addresses", async () => {
  await using nameServer = await startNameServer();
  const dying = new Set<Socket>();
  await using pod = await startService("dying", (request) => dying.add(request.socket), "127.0.0.2");
  await using other = await startService("other", (_, response) => response.end(), "127.0.0.3", pod.port);
  nameServer.names.set(addressOf("hoge"), "127.0.0.2 127.0.0.3");
  await withNginx(textFor(nameServer, { hoge: pod.port }), async ({ port }) => {
    const asked = nameServer.asked.udp;
    await until("nginx asks DNS once more", () => Promise.resolve(nameServer.asked.udp > asked), 10_000);
    await sleep(4000); // nginx resolves again within a second or two, and retries pending requests for three seconds.
    nameServer.names.set(addressOf("hoge"), "127.0.0.3 127.0.0.4");
    const before = nameServer.asked.udp;
    const answers = Promise.all(Array.from({ length: 6 }, () => ask(port, "/hoge/")));
    await until("nginx asks DNS", () => Promise.resolve(nameServer.asked.udp > before));
    await sleep(300);
    assert.ok(dying.size > 0 && other.count() > 0);
    for (const socket of dying) socket.destroy();
    const statuses = (await answers).map(({ status }) => status);
    assert.equal(statuses.filter((status) => status === 502).length, dying.size, statuses.join());
  });
});

test("a dead service does not slow the others", async () => {
  await using nameServer = await startNameServer();
  const services = ["good", "refusing", "closing", "hung", "silent"] as const;
  const pods = await Promise.all(services.map((kind) => startPods(...(kind === "refusing" ? [] : ([kind] as const)))));
  const ports = Object.fromEntries(services.map((kind, index) => [kind, pods[index]?.port || 1]));
  for (const kind of services) nameServer.names.set(addressOf(kind), "127.0.0.2");
  try {
    await withNginx(textFor(nameServer, { ...ports, unknown: 1 }, { timeoutSeconds: 2 }), async ({ port }) => {
      await until("names known", async () => (await ask(port, "/good/")).status === 200);
      const dead = [...services.slice(1), "unknown"];
      const suffering = Promise.all(
        dead.flatMap((service) =>
          Array.from({ length: 20 }, async () => [service, await ask(port, `/${service}/`)] as const),
        ),
      );
      let slowest = 0;
      for (let request = 0; request < 100; request += 1) {
        const began = performance.now();
        assert.equal((await ask(port, "/good/")).body, "127.0.0.2");
        slowest = Math.max(slowest, performance.now() - began);
        await sleep(10);
      }
      assert.ok(slowest < 500, `${slowest} ms`);
      const status = { refusing: 502, closing: 502, hung: 504, silent: 504, unknown: 502 } as Record<string, number>;
      for (const [service, answer] of await suffering) {
        assert.equal(answer.status, status[service], service);
        assert.equal((JSON.parse(answer.body) as { service: string }).service, service);
      }
    });
  } finally {
    for (const each of pods) await each[Symbol.asyncDispose]();
  }
});

test("while DNS is silent the proxy keeps its addresses, and resolves new ones afterwards", async () => {
  await using nameServer = await startNameServer();
  await using pods = await startPods("good", "good");
  const [before, after] = pods.addresses;
  nameServer.names.set(addressOf("hoge"), before);
  await withNginx(textFor(nameServer, { hoge: pods.port }), async ({ port }) => {
    await until("known", async () => (await ask(port, "/hoge/")).body === before);
    nameServer.answering = false;
    nameServer.names.set(addressOf("hoge"), after);
    const asked = nameServer.asked.udp;
    await sleep(10_000);
    assert.ok(nameServer.asked.udp - asked >= 2, "nginx repeated its query");
    assert.deepEqual(await answering(port, "/hoge/"), [before]);
    nameServer.answering = true;
    await until("the new address", async () => (await answering(port, "/hoge/")).join() === after);
  });
});

test("two hundred pods of a service are resolved, by an answer that is too long for UDP", async () => {
  await using nameServer = await startNameServer();
  const seen = new Set<string>();
  await using service = await startService(
    "hoge",
    (request, response) => {
      seen.add(request.socket.localAddress ?? "");
      response.end();
    },
    "0.0.0.0",
  );
  nameServer.names.set(addressOf("hoge"), Array.from({ length: 200 }, (_, pod) => `127.0.9.${pod}`).join(" "));
  await withNginx(textFor(nameServer, { hoge: service.port }), async ({ port, errors }) => {
    await until("known", async () => (await ask(port, "/hoge/")).status === 200);
    for (let round = 0; round < 40; round += 1) await answering(port, "/hoge/", 50);
    assert.ok(seen.size >= 195, `${seen.size} pods were used`);
    assert.equal(nameServer.asked.tcp >= 1, true);
    assert.doesNotMatch(errors(), /memory/, "the zone is large enough");
  });
});

test("a thousand services are resolved when the proxy is ready, and cost 170 DNS queries per second", async () => {
  await using nameServer = await startNameServer();
  await using pods = await startPods("good");
  const services = Array.from({ length: 1000 }, (_, index) => `service-${index}`);
  for (const service of services) nameServer.names.set(addressOf(service), pods.addresses[0]);
  await withNginx(
    textFor(nameServer, Object.fromEntries(services.map((name) => [name, pods.port]))),
    async ({ port }) => {
      const unknown = async () => {
        const answers = await Promise.all(services.map((service) => ask(port, `/${service}/`)));
        return answers.filter(({ status }) => status !== 200).length;
      };
      const learning = learningSeconds(1000) * 1000;
      // Sends no requests meanwhile: this process is also the name server. nginx repeats queries that a busy process
      // misses only seconds later. The wait allows for a busy machine.
      await sleep(learning);
      await until("all known", async () => (await unknown()) === 0, 2 * learning);
      const asked = nameServer.asked.udp;
      await sleep(12_000);
      const perSecond = (nameServer.asked.udp - asked) / 12;
      assert.ok(perSecond > 100 && perSecond < 200, `${perSecond}`);
    },
  );
});

test("a service found by name appears, moves, and is found again", async () => {
  await using nameServer = await startNameServer();
  await using first = await startService("first", (_request, response) => response.end("first"), "127.0.0.6");
  await using second = await startService(
    "second",
    (_request, response) => response.end("second"),
    "127.0.0.7",
    first.port,
  );
  const text = renderRoutes({
    ...proxyRoutes(nameServer, {}, []),
    wildcards: (["path", "subdomain"] as const).map((by) => ({
      by,
      allow: ["preview-*"],
      domain: "shop.example.com",
      suffix: "shop.svc.cluster.local",
      port: first.port,
    })),
  });
  await withNginx(text, async ({ port }) => {
    const answers = async () => [
      (await ask(port, "/preview-1/")).body,
      (await ask(port, "/", { headers: { host: "preview-1.shop.example.com" } })).body,
    ];
    assert.match((await answers()).join(), /unknown or down.*unknown or down/s);
    for (const [address, name] of [
      ["127.0.0.6", "first"],
      ["127.0.0.7", "second"],
    ] as const) {
      nameServer.names.set(addressOf("preview-1"), address);
      await until(`it is at ${address}`, async () => (await answers()).every((body) => body === name));
    }
    assert.ok(second.count() >= 2);
  });
});
