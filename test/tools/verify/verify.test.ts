/** The verification of routes with a canary, whose side this machine does not choose. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startService } from "../../../tools/testing/loopback.ts";
import { judge, verify } from "../../../tools/verify/verify.ts";

const at = "shop.localhost/";
const echo = (service: string) => ({
  status: 200,
  body: JSON.stringify({
    service,
    pod: `${service}-0`,
    headers: {
      host: "shop.localhost",
      "x-forwarded-host": "shop.localhost",
      "x-forwarded-proto": "http",
      "x-real-ip": "127.0.0.1",
      "x-forwarded-for": "127.0.0.1",
    },
  }),
});

test("an answer of the canary is right, and one of another service is not", async () => {
  await using next = await startService("next", (_request, response) => {
    response.end(echo("next").body);
  });
  const endpoint = { address: "127.0.0.1", httpPort: next.port, httpsPort: 1 };
  const [hop] = await verify(endpoint, "shop.localhost", { [at]: "web" }, false, new Set(), { [at]: "next" });
  assert.deepEqual([hop?.ok, hop?.seen.slice(0, 19)], [true, "200 from pod next-0"]);
  assert.throws(() => judge(echo("next"), "http", at, ["web"]), { message: "answered by next, not by web" });
  assert.throws(() => judge(echo("beta"), "http", at, ["web", "next"]), {
    message: "answered by beta, not by web or next",
  });
});

test("what nginx answers names the service that it chose", () => {
  const own = { error: "service unknown or down", service: "next", requestId: "1" };
  assert.throws(() => judge({ status: 502, body: JSON.stringify(own) }, "http", at, ["web", "next"]), {
    message: "502 from the proxy: service unknown or down (next)",
  });
});
