/** HTTP/2 requests that would change their meaning when the edge converts them to HTTP/1.1. */
import { host, type Frames } from "./cases.ts";
import type { Headers } from "./peers.ts";

const pseudo = { ":method": "GET", ":scheme": "https", ":authority": host, ":path": "/own000" };
const request = (change: Partial<typeof pseudo> & Record<string, string> = {}): Headers =>
  Object.entries({ ...pseudo, ...change });
const also = (...more: Headers): Headers => [...request(), ...more];
const post = (body: string, ...more: Headers): Frames => ({
  headers: [...request({ ":method": "POST" }), ...more],
  body,
});
const smuggled = `GET /smuggled000 HTTP/1.1\r\nHost: ${host}\r\n\r\n`;

/** Must get an error or no response, and never reach a service. */
export const refused: Readonly<Record<string, Headers | Frames>> = {
  "a value with another header behind a line's end": request({ "x-a": "b\r\nx-smuggled: c" }),
  "a value with a line feed": request({ "x-a": "b\nx-smuggled: c" }),
  "a value with a carriage return": request({ "x-a": "b\rc" }),
  "a value with a zero byte": request({ "x-a": "b\0c" }),
  "a value with a request in it": request({ "x-a": `b\r\n\r\n${smuggled}` }),
  "a name with a line's end": request({ "x-a: b\r\nx-smuggled": "c" }),
  "a name with a colon": request({ "x-a: b": "c" }),
  "a name with a blank": request({ "x a": "b" }),
  "a name in capitals": request({ "X-A": "b" }),
  "no name": request({ "": "b" }),
  "a path with a blank": request({ ":path": "/own000 HTTP/1.1" }),
  "a path with a request in it": request({ ":path": `/own000 HTTP/1.1\r\nHost: ${host}\r\n\r\nGET /smuggled000` }),
  "a path with a tab": request({ ":path": "/own000\tx" }),
  "a path with a fragment": request({ ":path": "/own000#x" }),
  "a path that is a URL": request({ ":path": "https://other.example/own000" }),
  "an invalid path": request({ ":path": "own000" }),
  "an empty path": request({ ":path": "" }),
  "dot segments behind an encoded slash": request({ ":path": "/a/..%2fown000" }),
  "a method with a request in it": request({ ":method": `GET /smuggled000 HTTP/1.1\r\nx: ` }),
  "a method with a blank": request({ ":method": "GET /smuggled000" }),
  TRACE: request({ ":method": "TRACE" }),
  "a tunnel to a pod": [
    [":method", "CONNECT"],
    [":authority", "10.0.0.1:443"],
  ],
  "an upgrade": request({ ":method": "CONNECT", ":protocol": "h2c" }),
  "a scheme with a URL in it": request({ ":scheme": "https://other.example/?" }),
  "another's host": request({ ":authority": "other.example" }),
  "another host of ours": request({ ":authority": "hoge.shop.localhost" }),
  "a user in the host": request({ ":authority": `user@${host}` }),
  "a line's end in the host": request({ ":authority": `${host}\r\nx-smuggled: a` }),
  "a path in the host": request({ ":authority": `${host}/x` }),
  "two paths": also([":path", "/smuggled000"]),
  "two hosts": also([":authority", "other.example"]),
  "the path behind other headers": [
    ...Object.entries(pseudo).slice(0, 3),
    ["x-a", "b"],
    ...Object.entries(pseudo).slice(3),
  ],
  "no path": Object.entries(pseudo).slice(0, 3),
  "an unknown pseudo-header": [[":smuggled", "a"], ...request()],
  chunks: post(`0\r\n\r\n${smuggled}`, ["transfer-encoding", "chunked"]),
  "a length below the body's": post("hello", ["content-length", "3"]),
  "a length above the body's": post("hello", ["content-length", "500"]),
  "two lengths": post("hello", ["content-length", "5"], ["content-length", "0"]),
  "a length that is no number": post("hello", ["content-length", "+5"]),
  ...Object.fromEntries(
    (
      [
        ["connection", "x-real-ip"],
        ["keep-alive", "timeout=5"],
        ["proxy-connection", "close"],
        ["upgrade", "h2c"],
        ["te", "gzip"],
      ] as const
    ).map((header) => [`the header ${header[0]}`, also(header)]),
  ),
  "a header of 70,000 bytes": request({ "x-a": "b".repeat(70_000) }),
  "a header of 20,000 bytes": request({ "x-a": "b".repeat(20_000) }),
  "200 headers": also(...Array.from({ length: 200 }, (_, index) => [`x-${index}`, "a"] as const)),
};

/** Unambiguous requests, and what reaches the service. */
export const harmless: Readonly<Record<string, { readonly frames: Headers | Frames; readonly seen: string }>> = {
  "a request": { frames: request(), seen: "GET /own000" },
  "a body": { frames: post("hello", ["content-length", "5"]), seen: "POST /own000 hello" },
  "a body that is a request": { frames: post(smuggled), seen: `POST /own000 ${smuggled}` },
  "a host header of another": { frames: also(["host", "other.example"]), seen: "GET /own000" },
  "the scheme of plain HTTP": { frames: request({ ":scheme": "http" }), seen: "GET /own000" },
};
