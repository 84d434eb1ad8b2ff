/** Requests each of a thousand random routes: which service gets it, with which path. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Route } from "../../nginx/model.ts";
import { addressOf, proxyRoutes, seenAt, startNameServer, startService } from "../../tools/testing/loopback.ts";
import { withProxy } from "./realNginx.ts";

const names = ["a", "b", "c", "d"];
/** Few and short segments, so that many paths are prefixes of others. */
const segment = fc.constantFrom("x", "xx", "x.y", "y", "Y", "z~", "-", "1_0");
const path = fc
  .tuple(fc.array(segment, { minLength: 1, maxLength: 5 }), fc.boolean())
  .map(([parts, slash]) => `/${parts.join("/")}${slash ? "/" : ""}`);
const hosts: Pick<Route, "host">[] = [{}, { host: "one.example" }, { host: "two.one.example" }, { host: "x.example" }];
const routes: fc.Arbitrary<Route[]> = fc.uniqueArray(
  fc
    .record({ path, service: fc.constantFrom(...names), keepPrefix: fc.boolean() })
    .chain((route) => fc.constantFrom(...hosts).map((host) => ({ ...route, ...host }))),
  { minLength: 1000, maxLength: 1000, selector: ({ host, path }) => `${host ?? ""}${path}`, size: "max" },
);

/** For a prefix, a path below it that no route can name. */
const requestOf = ({ path }: Route): string => `${path}${path.endsWith("/") ? "in!side%2F//x" : ""}?q=%2F&r=a//b`;
const strips = ({ path, keepPrefix }: Route): boolean => path.endsWith("/") && !keepPrefix;

test("each of a thousand routes leads to its own service, with the expected path", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const [drawn = []] = fc.sample(routes, { numRuns: 1, seed });
  await using nameServer = await startNameServer();
  const services = await Promise.all(names.map((name) => startService(name)));
  for (const name of names) nameServer.names.set(addressOf(name), "127.0.0.1");
  const ports = Object.fromEntries(names.map((name, index) => [name, services[index]?.port ?? 0]));
  const all = [...drawn, { service: "a", path: "/", keepPrefix: false }];
  await withProxy(proxyRoutes(nameServer, ports, all), async ({ port }) => {
    const waiting = drawn.values();
    const askAll = async () => {
      for (const route of waiting) {
        const request = requestOf(route);
        const { service, url } = await seenAt(port, request, { headers: { host: route.host ?? "other.example" } });
        const expectedUrl = strips(route) ? request.slice(route.path.length - 1) : request;
        assert.deepEqual([service, url], [route.service, expectedUrl], `seed ${seed}: ${JSON.stringify(route)}`);
      }
    };
    await Promise.all(Array.from({ length: 8 }, askAll));
  });
  for (const service of services) await service[Symbol.asyncDispose]();
});
