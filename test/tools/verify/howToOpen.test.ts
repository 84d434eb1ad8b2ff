/** The curl command that `npm start` prints works as pasted. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { createAuthority } from "../../../tools/cli/pki.ts";
import { onPath } from "../../../tools/cli/run.ts";
import { addressesOf, howToOpen, routeToOpen, type Opening } from "../../../tools/verify/howToOpen.ts";

const opening: Opening = {
  hostPath: "shop.localhost/",
  secure: true,
  httpPort: 80,
  httpsPort: 443,
  address: "127.0.0.1",
  caFile: "/home/me/clone/.local-ca/ca.crt",
};
const curl = (changes: Partial<Opening>, resolved: readonly string[] = []) =>
  howToOpen({ ...opening, ...changes }, resolved)[1]?.trim();

test("a host that resolves to the edge needs no more than the CA", () => {
  const plain = "curl --cacert /home/me/clone/.local-ca/ca.crt https://shop.localhost/";
  assert.equal(curl({}, ["127.0.0.1"]), plain);
  assert.equal(curl({}, ["::1", "127.0.0.1"]), plain);
  assert.equal(curl({ secure: false, httpPort: 8080 }, ["127.0.0.1"]), "curl http://shop.localhost:8080/");
});

test("a host that does not resolve, or leads elsewhere, gets the address of the edge", () => {
  const start = "curl --cacert /home/me/clone/.local-ca/ca.crt";
  const resolve = `${start} --resolve shop.localhost:443:127.0.0.1 https://shop.localhost/`;
  for (const resolved of [[], ["198.51.100.1"], ["198.51.100.1", "127.0.0.1"], ["::1"]])
    assert.equal(curl({}, resolved), resolve, resolved.join());
  assert.equal(
    curl({ hostPath: "shop.test/a/", httpsPort: 8443 }),
    `${start} --resolve shop.test:8443:127.0.0.1 https://shop.test:8443/a/`,
  );
  assert.equal(curl({ address: "::1" }), `${start} --resolve 'shop.localhost:443:[::1]' https://shop.localhost/`);
  assert.equal(
    curl({ address: "lb.example.com" }),
    `${start} --connect-to shop.localhost:443:lb.example.com:443 https://shop.localhost/`,
  );
});

test("a browser needs a line in /etc/hosts, unless it resolves the name itself", () => {
  const hosts = (changes: Partial<Opening>, resolved: readonly string[] = []) =>
    howToOpen({ ...opening, ...changes }, resolved).filter((line) => line.includes("/etc/hosts"));
  assert.deepEqual(hosts({}), []);
  assert.deepEqual(hosts({ hostPath: "shop.test/" }, ["127.0.0.1"]), []);
  assert.deepEqual(hosts({ hostPath: "shop.test/" }), [
    "  shop.test does not lead there from this machine. For a browser, add this line to /etc/hosts: 127.0.0.1 shop.test",
  ]);
});

test("the domain is opened if it has a route, otherwise the first route that is not gRPC", () => {
  const routes = ["a.test/x.v1/", "shop.test/", "shop.test/hoge/"];
  assert.equal(routeToOpen(routes, new Set(), "shop.test"), "shop.test/");
  assert.equal(
    routeToOpen(["a.test/x.v1/", "shop.test/hoge/"], new Set(["a.test/x.v1/"]), "shop.test"),
    "shop.test/hoge/",
  );
  assert.equal(routeToOpen([], new Set(), "shop.test"), "shop.test/");
});

test(
  "curl gets the page with the printed command, from a folder with a blank and a quote",
  { skip: onPath("curl") === undefined && "there is no curl" },
  async (context) => {
    const folder = mkdtempSync(join(tmpdir(), "it's a "));
    const authority = await createAuthority("test CA", "rsa", 10, ["invalid"]);
    const { certificate: cert, key } = await authority.issue({ commonName: "any", names: ["shop.invalid"] });
    const server = createServer({ cert, key }, (request, response) => response.end(`path ${request.url ?? ""}`));
    context.after(() => {
      server.close();
      rmSync(folder, { recursive: true });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    writeFileSync(join(folder, "ca.crt"), authority.certificate);
    const { port } = server.address() as AddressInfo;
    const resolved = await addressesOf("shop.invalid");
    assert.deepEqual(resolved, []);
    const command = curl({ hostPath: "shop.invalid/a/", httpsPort: port, caFile: join(folder, "ca.crt") }, resolved);
    const child = spawn("sh", ["-c", command ?? ""], { stdio: ["ignore", "pipe", "ignore"] });
    assert.equal(await text(child.stdout), "path /a/");
  },
);
