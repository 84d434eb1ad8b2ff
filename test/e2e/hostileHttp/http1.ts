/** Malicious HTTP/1 requests, each with the number of its case in its paths. */
import { host, type Bytes } from "./cases.ts";

const lines = (...headers: readonly string[]) => `${headers.map((header) => `${header}\r\n`).join("")}\r\n`;
const line = (first: string, ...headers: readonly string[]) => `${first}\r\n${lines(`Host: ${host}`, ...headers)}`;
const get = (target: string, ...headers: readonly string[]) => line(`GET ${target} HTTP/1.1`, ...headers);
const post = (...headers: readonly string[]) => line("POST /own000 HTTP/1.1", ...headers);
const smuggled = get("/smuggled000");
const size = smuggled.length.toString(16);
const chunked = "Transfer-Encoding: chunked";
const many = (count: number, value: string) => Array.from({ length: count }, (_, index) => `X-${index}: ${value}`);
const onShop = (target: string) => ({
  servername: "shop.localhost",
  bytes: `GET ${target} HTTP/1.1\r\nHost: shop.localhost\r\n\r\n`,
});

/** Must get exactly one response, an error, and never reach a service. */
export const refused: Readonly<Record<string, string | Bytes>> = {
  // Lengths that two servers could interpret differently.
  "a length and chunks": `${post("Content-Length: 4", chunked)}0\r\n\r\n${smuggled}`,
  "chunks and a length": `${post(chunked, "Content-Length: 4")}${size}\r\n${smuggled}\r\n0\r\n\r\n`,
  "chunks behind a bare line feed, and a length": `${post(`X-A: b\n${chunked}`, "Content-Length: 5")}0\r\n\r\n${smuggled}`,
  "two lengths": `${post("Content-Length: 0", `Content-Length: ${smuggled.length}`)}${smuggled}`,
  "the same length twice": `${post("Content-Length: 5", "Content-Length: 5")}hello`,
  "a list of lengths": `${post("Content-Length: 5, 5")}hello`,
  ...Object.fromEntries(
    ["+5", "-5", "0x5", "5 5", "5;", "99999999999999999999999"].map((value) => [
      `the length ${value}`,
      `${post(`Content-Length: ${value}`)}hello`,
    ]),
  ),
  "a blank before the colon": `${post("Content-Length : 5")}hello`,
  "a blank before the colon of the coding": `${post("Transfer-Encoding : chunked", "Content-Length: 0")}${smuggled}`,
  "a coding in a folded line": `${post("Transfer-Encoding:\r\n chunked", "Content-Length: 0")}${smuggled}`,
  ...Object.fromEntries(
    ["xchunked", "identity, chunked", "gzip, chunked", "chunked, identity", "chunked;x=1", "\vchunked"].map((value) => [
      `the coding ${JSON.stringify(value)}`,
      `${post(`Transfer-Encoding: ${value}`)}0\r\n\r\n${smuggled}`,
    ]),
  ),
  "two codings": `${post(chunked, "Transfer-Encoding: identity")}0\r\n\r\n${smuggled}`,
  "the same coding twice": `${post(chunked, chunked)}0\r\n\r\n${smuggled}`,
  "a chunk's extension with a bare line feed": `${post(chunked)}2;\nxx\r\n${size}\r\n${smuggled}\r\n0\r\n\r\n`,
  "chunks with bare line feeds": `${post(chunked)}5\nhello\n0\n\n${smuggled}`,
  "a chunk that is larger than numbers are": `${post(chunked)}fffffffffffffffff\r\nhello\r\n0\r\n\r\n`,
  "a chunk of 0x5": `${post(chunked)}0x5\r\nhello\r\n0\r\n\r\n`,
  "a chunk of -1": `${post(chunked)}-1\r\nhello\r\n0\r\n\r\n`,

  // Malformed lines.
  "a first header that is folded": `GET /own000 HTTP/1.1\r\n X-A: b\r\nHost: ${host}\r\n\r\n`,
  "a zero byte in a header": get("/own000", "X-A: a\0b"),
  "a blank in a name": get("/own000", "X A: b"),
  "no name": get("/own000", ": b"),
  "no colon": get("/own000", "nothing"),
  "an invalid method": line("GE\x01T /own000 HTTP/1.1"),
  "a method in small letters": line("get /own000 HTTP/1.1"),
  "a blank in the path": line("GET /own000 /smuggled000 HTTP/1.1"),
  "HTTP/0.9": "GET /own000\r\n\r\n",
  "the beginning of HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "a header that lists the client's address to be left out": get("/own000", "Connection: X-Forwarded-For, Host"),

  // Unknown hosts, and requests for other targets.
  "no host": "GET /own000 HTTP/1.1\r\n\r\n",
  "no host, in HTTP/1.0": "GET /own000 HTTP/1.0\r\n\r\n",
  "two hosts": get("/own000", "Host: other.example"),
  ...Object.fromEntries(
    [
      "",
      "other.example",
      "hoge.shop.localhost",
      "127.0.0.1",
      "[::1]",
      "echo.apps.svc.cluster.local:8080",
      `${host}.`,
      `${host}@other.example`,
      `${host}/x`,
      `${host}#x`,
      `${host}:443:1`,
      "a b",
    ].map((name) => [`the host "${name}"`, `GET /own000 HTTP/1.1\r\nHost: ${name}\r\n\r\n`]),
  ),
  "another's URL": get("https://other.example/own000"),
  "the URL of a pod's service": get("http://echo.apps.svc.cluster.local:8080/own000"),
  "the URL of a file": get("file:///etc/passwd"),
  "a tunnel to itself": `${line(`CONNECT ${host}:443 HTTP/1.1`)}${smuggled}`,
  "a tunnel to a pod": "CONNECT 10.0.0.1:443 HTTP/1.1\r\nHost: 10.0.0.1:443\r\n\r\n",
  "an unknown upgrade": get("/own000", "Connection: Upgrade", "Upgrade: other"),
  TRACE: line("TRACE /own000 HTTP/1.1"),
  "OPTIONS *": line("OPTIONS * HTTP/1.1"),

  // Paths that a service could interpret as another path.
  ...Object.fromEntries(
    [
      "/a/..%2fown000",
      "/a/%2e%2e%2Fown000",
      "/a/..%00/own000",
      "/%2f..%2fown000",
      "/own000%00",
      "/own000%zz",
      "/a/..%5cown000",
      "/a/%2e%2e%3b/own000",
    ].map((path) => [`the path ${path}`, get(path)]),
  ),
  "the path /a/%uff0e%uff0e/own000": get("/a/%uff0e%uff0e/own000"),
  "a prefix left by an encoded slash": onShop("/echo/..%2fhoge/own000"),
  "a prefix reached by an encoded slash": onShop("/hoge/..%2fecho/own000"),
  "a path with a zero byte": get("/own000\0"),
  "a path with bytes above 127": get("/own000\xff"),
  "a path with a fragment": get("/own000#x"),

  // Oversized requests.
  "a path of 33,000 bytes": get(`/own000${"a".repeat(33_000)}`),
  "a path of 70,000 bytes": get(`/own000${"a".repeat(70_000)}`),
  "a header of 33,000 bytes": get("/own000", `X-A: ${"a".repeat(33_000)}`),
  "a header of 70,000 bytes": get("/own000", `X-A: ${"a".repeat(70_000)}`),
  "a name of 33,000 bytes": get("/own000", `X-${"a".repeat(33_000)}: b`),
  "200 headers": get("/own000", ...many(200, "b")),
  "90 headers, with 63,000 bytes together": get("/own000", ...many(90, "b".repeat(700))),
  "a body that is announced as too large": `${post("Content-Length: 20000000")}hello`,
};

/** Unambiguous requests, and what reaches the service for each response. */
export const harmless: Readonly<Record<string, { readonly bytes: string | Bytes; readonly seen: readonly string[] }>> =
  {
    "two requests at once": { bytes: `${get("/own000")}${smuggled}`, seen: ["GET /own000", "GET /smuggled000"] },
    "chunks, in other letters": {
      bytes: `${post("Transfer-Encoding:\tchunKed")}0\r\n\r\n${smuggled}`,
      seen: ["POST /own000", "GET /smuggled000"],
    },
    "bare line feeds": {
      bytes: `POST /own000 HTTP/1.1\nHost: ${host}\nContent-Length: 5\n\nhello`,
      seen: ["POST /own000 hello"],
    },
    "a bare carriage return in a header": { bytes: get("/own000", `X-A: b\r${chunked}`), seen: ["GET /own000"] },
    "a folded header": { bytes: post("X-A: a\r\n Content-Length: 5"), seen: ["POST /own000"] },
    "a chunk's extension": { bytes: `${post(chunked)}5;a=b\r\nhello\r\n0\r\n\r\n`, seen: ["POST /own000 hello"] },
    "trailers with headers that must be ignored": {
      bytes: `${post(chunked)}5\r\nhello\r\n0\r\nX-Real-IP: 198.51.100.9\r\nContent-Length: 3\r\n\r\n`,
      seen: ["POST /own000 hello"],
    },
    "a cookie of 9,000 bytes": { bytes: get("/own000", `Cookie: a=${"b".repeat(9000)}`), seen: ["GET /own000"] },
    "a body that is a request": {
      bytes: `${get("/own000", `Content-Length: ${smuggled.length}`)}${smuggled}`,
      seen: [`GET /own000 ${smuggled}`],
    },
    "an upgrade to HTTP/2": {
      bytes: get("/own000", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"),
      seen: ["GET /own000"],
    },
    "its own URL, with another's host": {
      bytes: `GET https://${host}/own000 HTTP/1.1\r\nHost: other.example\r\n\r\n`,
      seen: ["GET /own000"],
    },
    ...Object.fromEntries(
      (
        [
          ["/a/../own000", "/own000"],
          ["/a/%2e%2E/own000", "/own000"],
          ["/../../own000", "/own000"],
          ["/a/..\\own000", "/own000"],
          ["/a/..;/own000", "/own000"], // the edge resolves it; behind an edge that does not, the proxy refuses it
          ["//own000//x", "//own000//x"],
          ["/own000/%252e%252e/x", "/own000/%252e%252e/x"],
          ["/own000/%c0%ae%c0%ae/x", "/own000/%c0%ae%c0%ae/x"],
          ["/own000?x=/../y", "/own000?x=/../y"],
        ] as const
      ).map(([path, seen]) => [`the path ${path}`, { bytes: get(path), seen: [`GET ${seen}`] }]),
    ),
    "a prefix that is left before the route is chosen": {
      bytes: onShop("/hoge/../echo/own000"),
      seen: ["GET /own000"],
    },
    "the same, the other way": { bytes: onShop("/echo/%2e%2e/hoge/own000"), seen: [] },
  };
