/** Sends a TLS ClientHello with versions and ciphers that current libraries no longer offer (RFC 5246). */
import { once } from "node:events";
import { connect } from "node:net";

export interface Offer {
  readonly version: "TLS 1.0" | "TLS 1.1" | "TLS 1.2";
  /** Number of the cipher suite: https://www.iana.org/assignments/tls-parameters/tls-parameters.xhtml#tls-parameters-4 */
  readonly cipher: number;
}

const versions = { "TLS 1.0": 0x0301, "TLS 1.1": 0x0302, "TLS 1.2": 0x0303 };

const number = (value: number, bytes: number) => Buffer.from(value.toString(16).padStart(2 * bytes, "0"), "hex");
/** Data with its length in front. @param bytes size of the length field */
const sized = (bytes: number, ...parts: readonly Buffer[]) => {
  const all = Buffer.concat(parts);
  return Buffer.concat([number(all.length, bytes), all]);
};
const extension = (type: number, ...parts: readonly Buffer[]) => Buffer.concat([number(type, 2), sized(2, ...parts)]);

function clientHello({ version, cipher }: Offer, host: string): Buffer {
  const extensions = [
    extension(0, sized(2, number(0, 1), sized(2, Buffer.from(host)))), // server_name
    extension(10, sized(2, number(0x001d, 2), number(0x0017, 2))), // supported_groups: x25519, secp256r1
    extension(11, sized(1, number(0, 1))), // ec_point_formats: uncompressed
    // signature_algorithms: RSA-PSS, RSA and ECDSA with SHA-256, RSA with SHA-1. TLS 1.1 has no such extension.
    ...(version === "TLS 1.2"
      ? [extension(13, sized(2, ...[0x0804, 0x0401, 0x0403, 0x0201].map((scheme) => number(scheme, 2))))]
      : []),
    extension(0xff01, number(0, 1)), // renegotiation_info
  ];
  const body = [
    number(versions[version], 2),
    Buffer.alloc(32, 7), // random: the handshake goes no further
    sized(1), // session
    sized(2, number(cipher, 2)),
    sized(1, number(0, 1)), // compression: none
    sized(2, ...extensions),
  ];
  const handshake = Buffer.concat([number(1, 1), sized(3, ...body)]);
  return Buffer.concat([number(22, 1), number(0x0301, 2), sized(2, handshake)]);
}

const alerts: Readonly<Record<number, string>> = { 40: "handshake_failure", 70: "protocol_version" };

/** @returns the server's response: "accepted", or the alert */
export async function offer(port: number, host: string, offered: Offer): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  try {
    socket.setTimeout(10_000, () => socket.destroy(new Error("no answer within 10 s")));
    socket.write(clientHello(offered, host));
    const [answer] = (await once(socket, "data")) as [Buffer];
    if (answer[0] === 22 && answer[5] === 2) return "accepted"; // A handshake message: the ServerHello.
    const [type, code] = [answer[0], answer[6] ?? 0];
    return type === 21 ? (alerts[code] ?? `alert ${code}`) : `a record of type ${type ?? "nothing"}`;
  } finally {
    socket.destroy();
  }
}
