/** Results of the proxy benchmark. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { median, pairedRatio, isMet } from "../../../tools/bench/figures.ts";
import { parseWrk, type Run } from "../../../tools/bench/proxy/load.ts";
import { fit, summarize, targets, type BySubject } from "../../../tools/bench/proxy/results.ts";

const output = `Running 3s test @ http://127.0.0.1:40000/
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   382.54us    0.87ms  19.72ms   95.24%
    Req/Sec     5.09k   281.84     5.57k    63.33%
  Latency Distribution
     50%  201.00us
     75%  296.00us
     90%  666.00us
     99%    3.27ms
  15118 requests in 3.03s, 2.21MB read
Requests/sec:   4989.71
Transfer/sec:    745.32KB
`;

test("wrk's output is parsed with its units", () => {
  const expected = { requests: 15118, requestsPerSecond: 4989.71, p50Micros: 201, p99Micros: 3270 };
  assert.deepEqual(parseWrk(output), expected);
  const slow = output.replace("201.00us", "1.50s").replace("3.27ms", "12.00s");
  assert.deepEqual(parseWrk(slow), { ...expected, p50Micros: 1_500_000, p99Micros: 12_000_000 });
});

test("a run with failed requests is an error, and so is a text that is not wrk's output", () => {
  const errors = (counts: string) => output.replace("Requests/sec", `  Socket errors: ${counts}\nRequests/sec`);
  assert.throws(() => parseWrk(errors("connect 0, read 3, write 0, timeout 0")), /Not every request was answered/);
  assert.throws(() => parseWrk(errors("connect 0, read 0, write 0, timeout 12")), /timeout 12/);
  assert.throws(
    () => parseWrk(output.replace("Requests/sec", "  Non-2xx or 3xx responses: 7\nRequests/sec")),
    /responses: 7/,
  );
  assert.throws(() => parseWrk("unable to connect"), /output has no requests/);
  assert.throws(() => parseWrk(output.replace("     99%    3.27ms\n", "")), /output has no p99Micros/);
});

test("the median is the middle value, or the mean of the two middle values, and does not sort its input", () => {
  const values = [5, 1, 9];
  assert.equal(median(values), 5);
  assert.deepEqual(values, [5, 1, 9]);
  assert.equal(median([4, 1, 2, 30]), 3);
});

test("a slow round does not affect a paired ratio", () => {
  const positive = fc.double({ min: 0.01, max: 100, noNaN: true });
  fc.assert(
    fc.property(positive, fc.array(positive, { minLength: 1 }), (ratio, slowness) => {
      const found = pairedRatio(
        slowness.map((factor) => factor * ratio),
        slowness,
      );
      for (const value of [found.median, found.min, found.max]) assert.ok(Math.abs(value / ratio - 1) < 1e-9);
    }),
  );
  assert.deepEqual(pairedRatio([2, 9, 4], [1, 3, 1]), { median: 3, min: 2, max: 4 });
  assert.throws(() => pairedRatio([1, 2], [1]), /2 rounds cannot be paired with 1/);
});

test("constant memory per route is linear; quadratic memory is recognized at any scale", () => {
  const of = (mib: (count: number) => number) =>
    fit([1, 250, 500, 750, 1000].map((count) => ({ count, mib: mib(count) })));
  const line = of((count) => 8 + count / 32);
  assert.ok(Math.abs(line.kibEach - 32) < 1e-9 && Math.abs(line.bend - 1) < 1e-9);
  for (const scale of [1e4, 1e6]) assert.ok(of((count) => 8 + count ** 2 / scale).bend > 6);
  assert.ok(of((count) => 8 + count * Math.log2(count)).bend < 1.5, "like sorting");
  assert.ok(of((count) => 8 + Math.min(count, 300)).bend < 1);
});

const run = (requestsPerSecond: number, p50Micros: number): Run => ({
  requestsPerSecond,
  p50Micros,
  p99Micros: p50Micros * 10,
  cpuMicros: 20,
  memoryMiB: 8,
});
const runs: BySubject<Run[]> = {
  direct: [run(100, 10), run(200, 20), run(300, 30)],
  original: [run(10, 100), run(10, 100), run(10, 100)],
  "this one": [run(50, 20), run(40, 30), run(60, 50)],
  HAProxy: [run(50, 20), run(80, 20), run(60, 20)],
  Envoy: [run(25, 40), run(20, 40), run(30, 40)],
  Caddy: [run(5, 200), run(5, 200), run(5, 200)],
};

test("a case has medians of each subject, and ratios and differences by round", () => {
  const found = summarize({ loop: "closed", answer: "small", connections: 32 }, runs);
  assert.equal(found.subjects["this one"].requestsPerSecond, 50);
  assert.deepEqual(found.speed.HAProxy, { median: 1, min: 0.5, max: 1 });
  assert.deepEqual(found.p99.Envoy, { median: 0.75, min: 0.5, max: 1.25 });
  assert.equal(found.addedP50Micros["this one"], 10);
  assert.equal(found.addedP50Micros.direct, 0);
});

test("a target is met at its limit", () => {
  const closed = summarize({ loop: "closed", answer: "small", connections: 32 }, runs);
  const open = summarize({ loop: "open", answer: "small", rate: 1000 }, runs);
  assert.deepEqual(
    targets({ cases: [closed, open], scale: [] }).map((target) => [target.what, target.value, isMet(target)]),
    [
      ["throughput over the original's, small answers, 32 connections", 5, true],
      ["p99 over the original's, small answers, 32 connections", 0.3, false],
      ["throughput over HAProxy's, small answers, 32 connections", 1, true],
      ["throughput over Envoy's, small answers, 32 connections", 2, true],
      ["added at p50 in the open loop, small answers, 1,000 requests/s", 10, true],
    ],
  );
});
