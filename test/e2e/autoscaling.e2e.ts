/**
 * An autoscaler comes and goes under load, with real measurements. With the Pulumi CLI too where it is installed, in the
 * version that runs alone: `npm run e2e -- autoscaling`.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { kubectl, kubectlObjects, type LiveObject } from "../../tools/cli/kubectl.ts";
import { caFile } from "../../tools/stack/localCertificate.ts";
import { findPulumi, previewChanges } from "../../tools/stack/pulumiCli.ts";
import { local, localTarget, stackFile, stop } from "./support/commands.ts";
import { underLoad } from "./support/load.ts";

const original = readFileSync(stackFile, "utf8");
const program = findPulumi();
const isShort = process.env["SHORT"] !== undefined;

/** The stack file, with this number of pods for the service under load. */
const write = (replicas: string) => {
  const edited = original.replace("env: { NAME: hoge }", `env: { NAME: hoge }\n      replicas: ${replicas}`);
  assert.notEqual(edited, original);
  // So small that the load of the test is more than one pod should have.
  writeFileSync(stackFile, edited.replace("proxy:", "proxy:\n    requestsPerClient: 3000"));
};
const inStack = (...args: string[]) => kubectl(localTarget, ["--namespace", "apps", ...args]);
const object = async (kind: string) => {
  const found = await kubectlObjects(localTarget, ["--namespace", "apps", "get", kind, "hoge", "--ignore-not-found"]);
  return found[0];
};
const podsOf = (deployment: LiveObject | undefined) => {
  const { replicas = 1 } = (deployment?.["spec"] ?? {}) as { replicas?: number };
  const { readyReplicas = 0 } = (deployment?.["status"] ?? {}) as { readyReplicas?: number };
  return { wanted: replicas, ready: readyReplicas };
};
const scaled = async () => podsOf(await object("deployment"));

async function until(what: string, seconds: number, holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await holds())) {
    if (Date.now() > end)
      assert.fail(`${what}: not within ${seconds} s. ${await inStack("describe", "hpa,deployment")}`);
    await sleep(1000);
  }
}

/** The fewest pods that were ready while the work ran. */
async function fewestReady(work: () => Promise<unknown>): Promise<number> {
  let fewest = Infinity;
  const ended = new AbortController();
  const watch = (async () => {
    while (!ended.signal.aborted) {
      fewest = Math.min(fewest, (await scaled()).ready);
      await sleep(300);
    }
  })();
  try {
    await work();
  } finally {
    ended.abort();
    await watch;
  }
  return fewest;
}

after(async () => {
  writeFileSync(stackFile, original);
  await stop();
});

for (const engine of ["kubectl", "pulumi"] as const) {
  const missing = engine === "pulumi" && (program === undefined ? "no Pulumi CLI on PATH" : isShort && "runs alone");
  describe(engine, { skip: missing }, () => {
    const start = () => local("start.ts", "--engine", engine);
    const applied = async (replicas: string) => {
      write(replicas);
      const { status, text } = await start();
      assert.equal(status, 0, text);
    };
    const unchanged = async () => {
      // Pulumi goes on to wait for a Deployment whose new pods were not ready yet.
      await until("all pods ready", 60, async () => {
        const { wanted, ready } = await scaled();
        return wanted === ready;
      });
      const { status, text } = await start();
      assert.equal(status, 0, text);
      assert.match(text, /nothing to apply/);
      if (engine === "pulumi") assert.equal(await previewChanges(program ?? ""), 0);
    };
    const good = (status: number, body: string) => status === 200 && body.includes('"service": "hoge"');

    before(
      async () => {
        await stop();
        await applied("{ min: 8, max: 9 }"); // This compiles metrics-server.
        await applied("8");
      },
      { timeout: 25 * 60_000 },
    );

    test("8 pods, then 2 to 12, then 6, then 2 to 12, under load", { timeout: 15 * 60_000 }, async (context) => {
      const change = async (from: number, replicas: string, settled: () => Promise<boolean>, seconds: number) => {
        const ready = await fewestReady(async () => {
          await applied(replicas);
          await until(`replicas: ${replicas}`, seconds, settled);
        });
        context.diagnostic(`${from} → ${replicas}: at least ${ready} ready, then ${JSON.stringify(await scaled())}`);
        return ready;
      };
      const measured = async () => {
        const { conditions = [] } = ((await object("hpa"))?.["status"] ?? {}) as {
          conditions?: { type: string; status: string }[];
        };
        return conditions.some(({ type, status }) => type === "ScalingActive" && status === "True");
      };
      const url = "https://shop.localhost/hoge/";
      const { load } = await underLoad({ url, ca: readFileSync(caFile, "utf8"), good }, async () => {
        assert.ok((await change(8, "{ min: 2, max: 12, cpu: 20 }", measured, 120)) >= 2);
        await unchanged();
        const fixed = async () => {
          const { wanted, ready } = await scaled();
          return wanted === 6 && ready === 6 && (await object("hpa")) === undefined;
        };
        assert.ok((await change(12, "6", fixed, 60)) >= 6);
        // An autoscaler would have acted by now.
        await sleep(20_000);
        assert.ok(await fixed(), JSON.stringify(await scaled()));
        await unchanged();
        const more = async () => (await scaled()).ready > 6;
        assert.ok((await change(6, "{ min: 2, max: 12, cpu: 5 }", more, 180)) >= 2);
        await unchanged();
      });
      context.diagnostic(`${load.sent} requests`);
      assert.deepEqual(load.failures, []);
    });

    test("a number after the autoscaler's fewest pods is applied, although the program's own is the same", async () => {
      await applied("2");
      await until("2 pods", 60, async () => (await scaled()).wanted === 2);
      await unchanged();
    });
  });
}

describe("the doctor", () => {
  const examined = async () => (await local("doctor.ts", "local")).text;

  before(
    async () => {
      if (!isShort) await stop(); // The stack before is Pulumi's.
      write("{ min: 2, max: 3, cpu: 70, memory: 95 }");
      const { status, text } = await local("start.ts", "--engine", "kubectl");
      assert.equal(status, 0, text);
    },
    { timeout: 10 * 60_000 },
  );

  test("finds nothing wrong with an autoscaler that works", async () => {
    await until("no finding", 150, async () => !/autoscaler/.test(await examined()));
  });

  test("says that the autoscaler is gone, and that there is one too many", async () => {
    await inStack("delete", "hpa", "hoge");
    assert.match(await examined(), /there is no autoscaler/);
    await local("start.ts");
    await inStack("autoscale", "deployment", "web", "--min=1", "--max=3");
    assert.match(await examined(), /the autoscaler web chooses the number of pods/);
    await inStack("delete", "hpa", "web");
  });

  test("says that the autoscaler has reached its most", async () => {
    write("{ min: 2, max: 3, memory: 1 }");
    const { status, text } = await local("start.ts");
    assert.equal(status, 0, text);
    await until("a finding", 120, async () => /wants more than 3 pods/.test(await examined()));
  });

  test("says that metrics are missing, and the next start brings them back", async () => {
    await kubectl(localTarget, ["delete", "apiservice", "v1beta1.metrics.k8s.io"]);
    await until("a finding", 60, async () => /the autoscaler has no metrics/.test(await examined()));
    assert.match(await examined(), /get apiservice v1beta1\.metrics\.k8s\.io/);
    const { status, text } = await local("start.ts");
    assert.equal(status, 0, text);
    await until("no finding", 60, async () => !/no metrics/.test(await examined()));
  });
});
