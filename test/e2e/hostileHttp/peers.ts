/** Clients that send what no library would: raw bytes over TLS, and HTTP/2 frames with any header (RFC 9113). */
import { connect as connectTcp } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { setTimeout as sleep } from "node:timers/promises";
import { endpoint } from "../support/path.ts";

/** A loopback address that differs from the edge's. */
export const ownAddress = "127.0.0.9";

/** Opens a connection to the edge, and verifies the certificate for the name. */
export function open(protocol: "http/1.1" | "h2", servername: string): TLSSocket {
  const { ca, httpsPort } = endpoint();
  const socket = connectTcp({ host: "127.0.0.1", port: httpsPort, localAddress: ownAddress });
  return connect({ socket, servername, ca, ALPNProtocols: [protocol] }).on("error", () => undefined);
}

/** Sends raw bytes. @returns the status of each response, until the edge closes the connection or falls silent */
export async function sendBytes(bytes: string, servername: string): Promise<number[]> {
  const socket = open("http/1.1", servername);
  let text = "";
  let last = performance.now();
  socket.on("data", (data: Buffer) => {
    text += data.toString("latin1");
    last = performance.now();
  });
  socket.write(bytes, "latin1", () => (last = performance.now()));
  // The first response may take a while; further ones follow quickly.
  while (!socket.closed && performance.now() - last < (text === "" ? 10_000 : 1000)) await sleep(20);
  socket.destroy();
  return [...text.matchAll(/HTTP\/1\.[01] (\d{3}) /g)].map(([, status]) => Number(status));
}

const types = { data: 0, headers: 1, reset: 3, settings: 4, goAway: 7, continuation: 9 };
const endStream = 1;
const endHeaders = 4;
/** Default limit of the frame size. Bytes. */
const frameSize = 16_384;

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** An uncompressed string literal with its length (RFC 7541, 5.1 and 5.2). */
function literal(text: string): Buffer {
  const value = Buffer.from(text, "latin1");
  const bytes = [Math.min(value.length, 127)];
  if (value.length >= 127) {
    let rest = value.length - 127;
    for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
    bytes.push(rest);
  }
  return Buffer.concat([Buffer.from(bytes), value]);
}

export type Headers = readonly (readonly [name: string, value: string])[];

/**
 * Sends one HTTP/2 request with the headers unchanged and in order.
 * @returns the status of the response, or that the stream was reset or the connection closed
 */
export async function sendHeaders(
  headers: Headers,
  body: string | undefined,
  servername: string,
): Promise<number | "reset" | "gone"> {
  const never = Buffer.from([0]); // Literal header field without indexing.
  const block = Buffer.concat(headers.flatMap(([name, value]) => [never, literal(name), literal(value)]));
  const count = Math.ceil(block.length / frameSize);
  const parts = Array.from({ length: count }, (_, index) => {
    const flags = (index === count - 1 ? endHeaders : 0) | (index === 0 && body === undefined ? endStream : 0);
    const type = index === 0 ? types.headers : types.continuation;
    return frame(type, flags, 1, block.subarray(index * frameSize, (index + 1) * frameSize));
  });
  const data = body === undefined ? [] : [frame(types.data, endStream, 1, Buffer.from(body, "latin1"))];
  const settings = frame(types.settings, 0, 0, Buffer.alloc(0));
  const socket = open("h2", servername);
  socket.write(Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), settings, ...parts, ...data]));
  try {
    return await outcome(socket);
  } finally {
    socket.destroy();
  }
}

async function outcome(socket: TLSSocket): Promise<number | "reset" | "gone"> {
  let rest = Buffer.alloc(0);
  socket.setTimeout(10_000, () => socket.destroy());
  for await (const data of socket as AsyncIterable<Buffer>) {
    rest = Buffer.concat([rest, data]);
    while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
      const type = rest.readUInt8(3);
      const end = 9 + rest.readUIntBE(0, 3);
      if (type === types.headers) return statusOf(rest.subarray(9, end));
      if (type === types.reset) return "reset";
      if (type === types.goAway) return "gone";
      rest = rest.subarray(end);
    }
  }
  return "gone";
}

/** The static table (RFC 7541, appendix A) from entry 8 on. */
const statuses = [200, 204, 206, 304, 400, 404, 500];

/** Parses the status, which is the first header of a response: an entry of the static table, or a literal with three digits. */
function statusOf(block: Buffer): number {
  let at = 0;
  while (((block[at] ?? 0) & 0xe0) === 0x20) at += 1; // Skip updates of the dynamic table's size.
  const first = block[at] ?? 0;
  if ((first & 0x80) !== 0) return statuses[(first & 0x7f) - 8] ?? NaN;
  const length = block[at + 1] ?? 0;
  const value = block.subarray(at + 2, at + 2 + (length & 0x7f));
  return Number((length & 0x80) === 0 ? value.toString("latin1") : digits(value));
}

/** Decodes Huffman-coded digits (appendix B): 0 to 2 have five bits, 3 to 9 six. */
function digits(value: Buffer): string {
  let bits = [...value].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  let text = "";
  while (text.length < 3) {
    const short = parseInt(bits.slice(0, 5), 2);
    text += String(short <= 2 ? short : parseInt(bits.slice(0, 6), 2) - 0b011001 + 3);
    bits = bits.slice(short <= 2 ? 5 : 6);
  }
  return text;
}
