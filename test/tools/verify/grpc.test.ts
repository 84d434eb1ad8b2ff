/** gRPC routes of the local stack: the certificate of their port, and the verification by a call. */
import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { createAuthority, createSelfSigned } from "../../../tools/cli/pki.ts";
import { grpcPair } from "../../../tools/stack/localCertificate.ts";
import { verify } from "../../../tools/verify/verify.ts";
import { createSecureServer, type ServerHttp2Stream } from "node:http2";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

test("a self-signed certificate matches its key, and has the given validity", async () => {
  const { certificate, key } = await createSelfSigned("nginx-proxy", 3650);
  const parsed = new X509Certificate(certificate);
  assert.ok(parsed.verify(parsed.publicKey));
  assert.match(key, /^-----BEGIN PRIVATE KEY-----/);
  assert.equal(parsed.subject, "CN=nginx-proxy");
  const years = (parsed.validToDate.getTime() - Date.now()) / (365 * 24 * 3600_000);
  assert.ok(years > 9.9 && years < 10.1, String(years));
});

test("the local pair is created once, and only the owner can read its key", async () => {
  const folder = join(mkdtempSync(join(tmpdir(), "grpc-pair-")), "tls");
  try {
    const pair = await grpcPair(folder);
    assert.ok(new X509Certificate(pair.certificate).checkPrivateKey(createPrivateKey(pair.key)));
    assert.deepEqual(await grpcPair(folder), pair);
    assert.equal(statSync(join(folder, "grpc.key")).mode & 0o777, 0o600);
  } finally {
    rmSync(dirname(folder), { recursive: true });
  }
});

test("a gRPC route is verified by a call without side effects, and the proxy's own responses do not count", async () => {
  const authority = await createAuthority("test CA");
  const leaf = await authority.issue({ commonName: "shop.localhost", names: ["shop.localhost"] });
  const asked: [path: string, encoding: unknown, message: string][] = [];
  const server = createSecureServer({ cert: leaf.certificate, key: leaf.key });
  const answers: Record<string, Record<string, string | number>> = {
    "/grpc.health.v1.Health/Check": { "grpc-status": 0 },
    "/shop.v1.Orders/Verify": { "grpc-status": 12, "grpc-message": "unknown method Verify" },
    "/shop.v1.Carts/Get": { "grpc-status": 12, "grpc-message": "unsupported encoding" },
  };
  server.on("stream", (stream: ServerHttp2Stream, { ":path": path = "", ...headers }) => {
    stream.on("data", (bytes: Buffer) => asked.push([path, headers["grpc-encoding"], bytes.toString("hex")]));
    stream.on("end", () => {
      stream.respond({ ":status": 200, "content-type": "application/grpc", ...answers[path] }, { endStream: true });
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const endpoint = { address: "127.0.0.1", httpPort: port, httpsPort: port, ca: authority.certificate };
  const routes = {
    "shop.localhost/": "web",
    "shop.localhost/shop.v1.Orders/": "orders",
    "shop.localhost/shop.v1.Carts/Get": "carts",
  };
  const hops = await verify(endpoint, "shop.localhost", routes, false, new Set(Object.keys(routes)));
  assert.deepEqual(hops, [
    { hop: "grpc://shop.localhost/", ok: true, seen: "grpc-status 0 from web" },
    { hop: "grpc://shop.localhost/shop.v1.Orders/", ok: true, seen: "grpc-status 12 from orders" },
    { hop: "grpc://shop.localhost/shop.v1.Carts/Get", ok: true, seen: "grpc-status 12 from carts" },
  ]);
  assert.deepEqual(asked, [
    ["/grpc.health.v1.Health/Check", undefined, "0000000000"],
    ["/shop.v1.Orders/Verify", undefined, "0000000000"],
    ["/shop.v1.Carts/Get", "unreadable", "0100000000"],
  ]);

  // The first responses are the proxy's own: the call is repeated until the service answers.
  const own = [
    { "grpc-status": 12, "grpc-message": "no such route; request 1" },
    { "grpc-status": 14, "grpc-message": "upstream connect error" },
    {},
  ];
  answers["/shop.v1.Orders/Verify"] = {};
  Object.defineProperty(answers, "/shop.v1.Orders/Verify", { get: () => own.shift() ?? { "grpc-status": 5 } });
  const route = "shop.localhost/shop.v1.Orders/";
  const [hop] = await verify(endpoint, "shop.localhost", { [route]: "orders" }, false, new Set([route]));
  assert.deepEqual([hop?.ok, hop?.seen, own.length], [true, "grpc-status 5 from orders", 0]);
  server.close();
});
