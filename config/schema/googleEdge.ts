/** Schema of the settings of Google's load balancer. */
import * as z from "zod";
import { distinct, network } from "./values.ts";
import { doc } from "./doc.ts";

/** The intervals that Cloud Armor supports. https://cloud.google.com/armor/docs/rate-limiting-overview */
const rateIntervals = [10, 30, 60, 120, 180, 240, 270, 300, 600, 900, 1200, 1800, 2700, 3600];

/** Cloud Armor for everything behind the edge: it blocks requests before the proxy. */
const armor = z
  .strictObject({
    rateLimit: z
      .strictObject({
        requests: z
          .int()
          .min(1)
          .max(1_000_000)
          .meta(doc("Maximum requests from one client address per interval.", 3000)),
        seconds: z
          .int()
          .refine(
            (value) => rateIntervals.includes(value),
            `must be one of ${rateIntervals.join(", ")}: Google's own steps`,
          )
          .default(60)
          .meta(doc("Interval in seconds.", 60)),
      })
      .optional()
      .meta(
        doc("Rate limit for each client address; requests over it get 429.", {
          requests: 3000,
          seconds: 60,
        }),
      ),
    log4j: z.boolean().default(true).meta(doc("Block attempts to exploit Log4j (CVE-2021-44228).", true)),
    allow: z
      .array(network)
      .min(1, "must name at least one range, or be left out to let everybody in")
      .max(100)
      .refine(distinct, "must name each range once")
      .optional()
      .meta(doc("The only client ranges allowed, on every route; other clients get 403.", ["203.0.113.0/24"])),
  })
  .refine(
    ({ rateLimit, log4j, allow }) => log4j || rateLimit !== undefined || allow !== undefined,
    "must have something to do: rateLimit, log4j: true or allow; or leave armor out",
  );

/** Identity-Aware Proxy: only its members reach the proxy, after they sign in to Google. */
const iap = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .meta(
      doc("`false` turns it off. Removing the key is not enough: Google's controller keeps the last setting.", false),
    ),
  members: z
    .array(
      z
        .string()
        .regex(
          /^((user|group|serviceAccount):[^@\s:]+@[^@\s:]+\.[^@\s:]+|domain:[^@\s:]+\.[^@\s:]+|principal(Set)?:\/\/iam\.googleapis\.com\/[^\s]+)$/,
          "must be user:…@…, group:…@…, serviceAccount:…@… or domain:…, or principal://… of a workforce pool",
        ),
    )
    .min(1, "must name at least one, such as group:developers@example.com: IAP refuses everybody else")
    .max(100)
    .refine(distinct, "must name each member once")
    .meta(doc("Who may sign in.", ["group:developers@example.com"])),
});

/** Cloud CDN. Host, protocol and query are always part of the cache key: one backend serves every host. */
const cdn = z.strictObject({
  cacheMode: z
    .enum(["USE_ORIGIN_HEADERS", "CACHE_ALL_STATIC"])
    .default("USE_ORIGIN_HEADERS")
    .meta(doc("Whether to cache only by response headers, or also static content without them.", "CACHE_ALL_STATIC")),
});

/** Settings of Google's load balancer, for an Ingress or a Gateway. */
export const googleEdge = {
  timeoutSeconds: z
    .int()
    .min(10)
    .max(86_400)
    .default(40)
    .meta(
      doc(
        "Timeout of a whole request in seconds, including websockets and gRPC streams. The proxy's own timeout is 5 s less.",
        120,
      ),
    ),
  drainSeconds: z
    .int()
    .min(0)
    .max(3600)
    .default(30)
    .meta(doc("Connection draining timeout of a terminating pod, in seconds.", 60)),
  armor: armor
    .optional()
    .meta(doc("Cloud Armor for everything behind the edge.", { rateLimit: { requests: 3000, seconds: 60 } })),
  iap: iap.optional().meta(
    doc(
      "Identity-Aware Proxy: only its members reach the proxy, after they sign in to Google. Needs `edge.kind: gce`.",
      {
        members: ["group:developers@example.com"],
      },
    ),
  ),
  cdn: cdn
    .optional()
    .meta(
      doc("Cloud CDN. Host, protocol and query are always part of the cache key.", { cacheMode: "CACHE_ALL_STATIC" }),
    ),
};
export type GoogleEdge = z.output<z.ZodObject<typeof googleEdge>>;
