/** Clients are counted by their address, and by their /64 for IPv6. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { renderRoutes } from "../../nginx/routes.ts";
import { addressOf, ask, proxyRoutes, startNameServer, startService } from "../../tools/testing/loopback.ts";
import { withNginx, withProxy } from "./realNginx.ts";

/** Has nginx answer with the variable. */
async function withVariable(variable: string, use: (of: (forwarded: string) => Promise<string>) => Promise<void>) {
  await using nameServer = await startNameServer();
  const text = renderRoutes(proxyRoutes(nameServer, { web: 1 }, [{ service: "web", path: "/", keepPrefix: false }]));
  await withNginx(text.replace("set $service web;", `return 200 ${variable};`), ({ port }) =>
    use(async (forwarded) => {
      const { status, body } = await ask(port, "/", { headers: { "x-forwarded-for": `${forwarded}, 198.51.100.1` } });
      assert.equal(status, 200);
      return body;
    }),
  );
}

const groups = (address: string): number[] => {
  const [before = "", after] = address.split("::");
  const numbers = (text: string) => (text === "" ? [] : text.split(":").map((group) => parseInt(group, 16)));
  const [first, last] = [numbers(before), numbers(after ?? "")];
  return [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
};
/** The form that RFC 5952 asks for. */
const canonical = (numbers: readonly number[]) =>
  new URL(`http://[${numbers.map((number) => number.toString(16)).join(":")}]`).hostname.slice(1, -1);

test("two addresses of IPv6 are one client exactly if they share a /64", async () => {
  // Many zeros, so that `::` stands in every place.
  const address = fc.array(fc.constantFrom(0, 0, 0, 1, 0xdb8, 0xffff), { minLength: 8, maxLength: 8 });
  const samples = fc
    .sample(
      address.filter((each) => each.slice(0, 5).some((group) => group > 0)),
      1500,
    )
    .map(canonical);
  await withVariable("$client_network", async (networkOf) => {
    const found = new Map<string, string>();
    for (const each of samples) {
      const expected = groups(each)
        .slice(0, 4)
        .map((group) => group.toString(16))
        .join(":");
      assert.equal(await networkOf(each), expected, each);
      found.set(each, expected);
    }
    assert.ok(new Set(found.values()).size > 100);
    for (const each of ["203.0.113.7", "10.0.0.1"]) assert.equal(await networkOf(each), each);
  });
});

test("a limit counts a /64 of IPv6 as one client, and each address of IPv4 as another", async () => {
  await using nameServer = await startNameServer();
  await using web = await startService("web");
  nameServer.names.set(addressOf("web"), "127.0.0.1");
  const routes = [
    { service: "web", path: "/", keepPrefix: false },
    { service: "web", path: "/limited", keepPrefix: false, settings: { limit: { requestsPerSecond: 1 } } },
  ];
  await withProxy(proxyRoutes(nameServer, { web: web.port }, routes), async ({ port }) => {
    const statusOf = async (client: string) =>
      (await ask(port, "/limited", { headers: { "x-forwarded-for": `${client}, 198.51.100.1` } })).status;
    assert.equal(await statusOf("2001:db8:1:2::1"), 200);
    assert.equal(await statusOf("2001:db8:1:2:a:b:c:d"), 429);
    assert.equal(await statusOf("2001:db8:1:3::1"), 200);
    assert.equal(await statusOf("203.0.113.7"), 200);
    assert.equal(await statusOf("203.0.113.8"), 200);
    assert.equal(await statusOf("203.0.113.8"), 429);
  });
});

test("an entry of X-Forwarded-For may have a port, brackets, or IPv4 as IPv6", async () => {
  const cases: [entry: string, address: string][] = [
    ["203.0.113.7:51234", "203.0.113.7"],
    ["[2001:db8::7]", "2001:db8::7"],
    ["[2001:db8::7]:443", "2001:db8::7"],
    ["::ffff:203.0.113.7", "203.0.113.7"],
    ["::FFFF:203.0.113.7", "203.0.113.7"],
    ["::1", "::1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6"],
    // None of these is an address, so it is that of the peer.
    ["203.0.113.7:", "127.0.0.1"],
    ["203.0.113:80", "127.0.0.1"],
    ["[203.0.113.7", "127.0.0.1"],
    ["2001:db8::7]", "127.0.0.1"],
    ["_hidden", "127.0.0.1"],
    ["unknown", "127.0.0.1"],
    [`2001:db8::${"7".repeat(50)}`, "127.0.0.1"],
  ];
  await withVariable("$client_address", async (addressSeen) => {
    for (const [entry, address] of cases) {
      assert.equal(await addressSeen(entry), address, entry);
      assert.equal(await addressSeen(`6.6.6.6, ${entry}`), address, entry);
    }
  });
});
