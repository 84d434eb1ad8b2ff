/**
 * Changes and faults under a load of all kinds of requests lose nothing. `npm run e2e -- faults` sends 60,000 per change. Among all
 * suites, it draws some of them, which SEED repeats.
 */
import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { kubectl } from "../../tools/cli/kubectl.ts";
import { projectDir, tlsDir } from "../../tools/cli/paths.ts";
import { caFile } from "../../tools/stack/localCertificate.ts";
import { get } from "../../tools/verify/request.ts";
import { command, local, localTarget, stop } from "./support/commands.ts";
import { addRow, apply, applied, nothingLost, overHttps, replace, restoreStackFile } from "./faults/echoStack.ts";
import { containerOf, kill, processesOf, restarted, restartsOf, suspend } from "./faults/nodeProcesses.ts";
import { table } from "./faults/table.ts";
import { kindsOf, least, underLoad } from "./faults/underLoad.ts";
import { endpoint } from "./support/path.ts";
import { drawn } from "./support/random.ts";

const inStack = (...args: string[]) => kubectl(localTarget, ["--namespace", "apps", ...args]);
/** Largest number of failures of one killed process: requests of a second, and ten websockets. */
const mostLost = 100;
/** A pod dies just after nginx resolved other addresses: nginx does not retry the request (docs/upstreams.md). */
const noRetry = /: 502 \{"error":"service unknown or down"/;
const mostWithoutRetry = 3;
before(() => applied(), { timeout: 25 * 60_000 });
after(async () => {
  restoreStackFile();
  console.log(table());
  await stop();
});

/** Adds a line to a file of an image's context while `work` runs. */
async function withLine(file: string, line: string, work: () => Promise<void>): Promise<void> {
  const path = join(projectDir, file);
  const text = readFileSync(path, "utf8");
  writeFileSync(path, `${text}\n${line}\n`);
  try {
    await work();
  } finally {
    writeFileSync(path, text);
  }
}

const changes: Record<string, () => Promise<void>> = {
  "new version of a service": () => withLine("test/e2e/echo/main.mjs", "// another version", () => applied()),
  "new version of the proxy": () => withLine("nginx/nginx.conf", "# another version", () => applied()),
  "route added, changed, removed": async () => {
    await applied(replace("[{ path: /echo/ }]", "[{ path: /echo/ }, { path: /more/ }]"));
    await applied(replace("[{ path: /echo/ }]", "[{ path: /echo/ }, { path: /other/, timeoutSeconds: 5 }]"));
    await applied();
  },
  "scaled up and down": async () => {
    await applied(replace("health: /\n", "health: /\n      replicas: 4\n"));
    await applied();
  },
  "certificate rotated": async () => {
    rmSync(join(tlsDir, "tls.crt"));
    await applied();
  },
};

suite("changes lose nothing", () => {
  for (const [what, change] of drawn(Object.entries(changes), 3))
    test(what, { timeout: 10 * 60_000 }, async () => {
      nothingLost(await underLoad(overHttps(), change), what);
      await applied();
    });

  test("HTTP to TLS", { timeout: 10 * 60_000 }, async () => {
    const file = /tls:\n( {4}.*\n)+/;
    const plain = (text: string) => text.replace(file, "tls:\n    mode: none\n");
    await applied(plain);
    const observed = await underLoad({ url: "http://shop.localhost/echo/" }, () =>
      applied(replace("mode: supplied\n", "mode: supplied\n    redirectHttp: false\n")),
    );
    nothingLost(observed, "HTTP to TLS");
    await applied();
  });

  const mistakes: Record<string, readonly [edit: (text: string) => string, cause: RegExp]> = {
    "bad image": [
      replace("build: { context: ./test/e2e/echo }", "image: localhost/nowhere/echo:1"),
      /ErrImagePull|ImagePullBackOff/,
    ],
    "bad health path": [replace("health: /\n", "health: /sick\n"), /probe failed.*503/i],
    "bad route": [replace("{ path: /echo/ }", "{ path: /echo/../ }"), /services\.echo\.routes\[0\]\.path/],
  };
  for (const [what, [edit, cause]] of Object.entries(mistakes))
    test(`${what}: the old release keeps serving`, { timeout: 10 * 60_000 }, async () => {
      const observed = await underLoad(overHttps(), () => apply(edit));
      const { status, text, seconds } = observed.result;
      assert.equal(status, 1, text);
      assert.match(text, cause);
      assert.ok(seconds < 60, `the error came after ${seconds} s`);
      nothingLost(observed, what);
      await applied();
    });
});

suite("faults lose only what they directly affect", () => {
  /** Each fault with the failures that it may cause, and the reason. */
  const faults: Record<
    string,
    {
      act: () => Promise<unknown>;
      may?: RegExp;
      /** Failures that may happen a few times, in addition to {@link may}. */
      rarely?: RegExp;
      inevitable?: string;
      most?: number;
      longest?: number;
    }
  > = {
    "a service's pod killed": {
      act: async () => {
        kill(await containerOf(localTarget, "echo"));
      },
      may: /^(upload|websocket|download): /,
      rarely: noRetry,
      inevitable: "uploads, downloads and websockets inside the killed process",
    },
    "a proxy's pod killed": {
      act: async () => {
        kill(await containerOf(localTarget, "nginx-proxy", "nginx"));
      },
      may: /./,
      inevitable: "requests and websockets inside the killed process",
    },
    "a service out of memory": {
      act: async () => {
        const { count } = await restartsOf(localTarget, "echo");
        await postToEcho("eat");
        await restarted(localTarget, "echo", count, "OOMKilled");
      },
      may: /^(upload|websocket|download): /,
      rarely: noRetry,
      inevitable: "as for a killed pod",
    },
    "a pod busy for 5 s": { act: () => postToEcho("burn?seconds=5") },
    "CoreDNS restarted": { act: () => killProgram("coredns") },
    "kubelet restarted": {
      act: () => killProgram("kubelet"),
      may: /^[\w ]+: (Unexpected server response: )?50[23]\b/,
      // https://github.com/kubernetes/enhancements/issues/4781
      inevitable:
        "a starting kubelet marks all pods of its node as not ready until their probes succeed; here is one node",
      most: 5000, // The requests of 10 s: probes are a second apart, and nginx may query DNS just then, for its next 5 s.
      longest: 12,
    },
    "containerd restarted": { act: () => killProgram("containerd") },
    "API server away for a minute": { act: () => suspend(processesOf("kube-apiserver"), 60) },
  };
  /** POST, because nginx would retry a GET at the next pod, which would affect that one too. */
  const postToEcho = (path: string) =>
    command("curl", [
      ...["--silent", "--request", "POST", "--max-time", "20", "--cacert", caFile],
      ...["--resolve", "shop.localhost:443:127.0.0.1", `https://shop.localhost/echo/${path}`],
    ]);
  const killProgram = async (program: string) => {
    const before = processesOf(program);
    kill(before);
    await sleep(10_000);
    for (const pid of processesOf(program)) assert.ok(!before.includes(pid), `${program} was not restarted`);
  };

  for (const [what, { act, may, rarely, inevitable, most = mostLost, longest = 10 }] of drawn(
    Object.entries(faults),
    5,
  ))
    test(what, { timeout: 10 * 60_000 }, async () => {
      const observed = await underLoad(overHttps(), act, least / 2);
      addRow(observed, what, inevitable);
      const kinds = observed.load.failures.map(({ kind, what }) => `${kind}: ${what}`);
      const others = kinds.filter((each) => may?.test(each) !== true);
      const unexpected = others.filter((each) => rarely?.test(each) !== true);
      assert.deepEqual([...new Set(unexpected)], [], what);
      assert.ok(others.length - unexpected.length <= mostWithoutRetry, others.join("; "));
      assert.ok(kinds.length <= most, `${kinds.length} failed: ${kindsOf(observed.load.failures).join("; ")}`);
      assert.ok(observed.outage <= longest, `${observed.outage} s from the first failure to the last`);
      await applied();
    });

  test("all pods of a service down: its routes fail, the others work", { timeout: 10 * 60_000 }, async () => {
    const askHoge = () => get(endpoint(), "https", "shop.localhost", "/hoge/");
    const observed = await underLoad(
      overHttps(),
      async () => {
        await inStack("scale", "deployment/hoge", "--replicas=0");
        await inStack("wait", "--for=delete", "pod", "--selector=app.kubernetes.io/name=hoge", "--timeout=120s");
        const { status, body } = await askHoge();
        assert.equal(status, 502);
        assert.match(body, /"error":"service unknown or down","service":"hoge"/);
        await applied();
        await sleep(10_000); // Until each nginx has queried DNS again.
        for (let time = 0; time < 10; time += 1) assert.equal((await askHoge()).status, 200);
      },
      least / 2,
    );
    nothingLost(observed, "all pods of another service down");
  });

  test("everything stopped and started again", { timeout: 10 * 60_000 }, async () => {
    const observed = await underLoad(
      overHttps(),
      async () => {
        // The clients trust the CA, which outlives the cluster, as on Google.
        assert.equal((await local("stop.ts")).status, 0);
        await applied();
      },
      0,
    );
    addRow(observed, "everything stopped and started again", "all, until the new stack answers");
    assert.ok(observed.outage < 120, `${observed.outage} s without answers`);
    const { failures, seconds } = observed.load;
    const late = failures.filter(({ at }) => at > (seconds - 5) * 1000);
    assert.deepEqual(kindsOf(late), [], "it has not recovered");
  });
});
