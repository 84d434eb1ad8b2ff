/** The shape of what Google's load balancer takes. */
import * as z from "zod";
import { distinct, network } from "./values.ts";
import { doc } from "./doc.ts";

/** The intervals that Cloud Armor counts in. https://cloud.google.com/armor/docs/rate-limiting-overview */
const rateIntervals = [10, 30, 60, 120, 180, 240, 300, 600, 900, 1200, 1800, 2700, 3600];

/** Cloud Armor, for everything behind the edge: what it keeps away from the proxy. */
const armor = z
  .strictObject({
    rateLimit: z
      .strictObject({
        requests: z.int().min(1).max(1_000_000).meta(doc("Requests of one client address in that time.", 3000)),
        seconds: z
          .int()
          .refine(
            (value) => rateIntervals.includes(value),
            `must be one of ${rateIntervals.join(", ")}: Google's own steps`,
          )
          .default(60)
          .meta(doc("Seconds in which they are counted.", 60)),
      })
      .optional()
      .meta(
        doc("Requests that one client address may make in a time; more are answered 429.", {
          requests: 3000,
          seconds: 60,
        }),
      ),
    log4j: z
      .boolean()
      .default(true)
      .meta(doc("Refuse what tries to use the vulnerability of Log4j (CVE-2021-44228).", true)),
    allow: z
      .array(network)
      .min(1, "must name at least one range, or be left out to let everybody in")
      .max(100)
      .refine(distinct, "must name each range once")
      .optional()
      .meta(doc("The only client ranges that are let in; others are answered 403.", ["203.0.113.0/24"])),
  })
  .refine(
    ({ rateLimit, log4j, allow }) => log4j || rateLimit !== undefined || allow !== undefined,
    "must have something to do: rateLimit, log4j: true or allow; or leave armor out",
  );

/** Identity-Aware Proxy: only these, after signing in to Google, reach the proxy at all. */
const iap = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .meta(
      doc("`false` switches it off: Google's controller leaves a setting as it was once it is no longer named.", false),
    ),
  members: z
    .array(
      z
        .string()
        .regex(
          /^((user|group|serviceAccount):[^@\s:]+@[^@\s:]+\.[^@\s:]+|domain:[^@\s:]+\.[^@\s:]+)$/,
          "must be user:…@…, group:…@…, serviceAccount:…@… or domain:…",
        ),
    )
    .min(1, "must name at least one, such as group:developers@example.com: IAP refuses everybody else")
    .max(100)
    .refine(distinct, "must name each member once")
    .meta(doc("Who is let in.", ["group:developers@example.com"])),
});

/** Cloud CDN. Host, protocol and query are always part of the key: one backend answers for every host. */
const cdn = z.strictObject({
  cacheMode: z
    .enum(["USE_ORIGIN_HEADERS", "CACHE_ALL_STATIC"])
    .default("USE_ORIGIN_HEADERS")
    .meta(
      doc("Whether the answers' own headers decide, or static content without any is cached too.", "CACHE_ALL_STATIC"),
    ),
});

/** What Google's load balancer takes, whether an Ingress or a Gateway speaks for it. */
export const googleEdge = {
  timeoutSeconds: z
    .int()
    .min(10)
    .max(86_400)
    .default(30)
    .meta(
      doc(
        "Seconds until an answer must be complete; a websocket or a stream of gRPC lives no longer. The proxy gives up 5 s before.",
        120,
      ),
    ),
  drainSeconds: z
    .int()
    .min(0)
    .max(3600)
    .default(30)
    .meta(doc("Seconds in which requests may end on a pod that is going away.", 60)),
  armor: armor
    .optional()
    .meta(doc("Cloud Armor for everything behind the edge.", { rateLimit: { requests: 3000, seconds: 60 } })),
  iap: iap.optional().meta(
    doc("Identity-Aware Proxy: only these, after signing in to Google, reach the proxy. Needs `edge.kind: gce`.", {
      members: ["group:developers@example.com"],
    }),
  ),
  cdn: cdn
    .optional()
    .meta(
      doc("Cloud CDN. Host, protocol and query are always part of the cache key.", { cacheMode: "CACHE_ALL_STATIC" }),
    ),
};
export type GoogleEdge = z.output<z.ZodObject<typeof googleEdge>>;
