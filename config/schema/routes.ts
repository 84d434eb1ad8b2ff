/** Schema of request handling: routes, redirects, and services found by name. */
import * as z from "zod";
import {
  cookieName,
  cookieSelector,
  fitsInto,
  headerName,
  isHeaderValue,
  isRedirectTarget,
  isReservedHeader,
  isServicePattern,
  maxAllowedLength,
  selector,
} from "../../nginx/routeChecks.ts";
import { podsPrefix, proxyGrpcName, proxyName } from "../../names/kubernetes.ts";
import { servicePort } from "../../names/ports.ts";
import { host, label, routePath as path } from "./values.ts";
import { atLeastOne, doc, exactlyOne } from "./doc.ts";

/** The Services of the proxy. */
export const proxyNames: readonly string[] = [proxyName, proxyGrpcName];

/** Settings of requests: for a route, for all routes of a service, or for all services found by name. */
const settings = {
  timeoutSeconds: z
    .int()
    .min(1)
    .max(86_400)
    .optional()
    .meta(doc("Longest pause of the service in seconds. Without it: 35, or 5 less than `edge.timeoutSeconds`.", 20)),
  maxBodyMb: z
    .int()
    .min(0)
    .max(1_000_000)
    .optional()
    .meta(
      doc(
        "Largest request body in MiB; 0 means unlimited, and needs `buffering: false`. Without it: 10, and no limit with gRPC.",
        100,
      ),
    ),
  maxResponseHeaderKb: z
    .int()
    .min(4)
    .max(64)
    .optional()
    .meta(doc("Largest header of an answer in KiB, all lines together. Without it: 16.", 32, "0.3.0")),
  buffering: z
    .boolean()
    .optional()
    .meta(doc("`false` streams bodies: for large uploads, and for answers that end only with the connection.", false)),
  limit: z
    .strictObject({
      requestsPerSecond: z.int().min(1).max(1_000_000).optional().meta(doc("Requests per second.", 10)),
      burst: z.int().min(0).max(100_000).optional().meta(doc("Extra requests in a short peak. Without it: 0.", 20)),
      connections: z.int().min(1).max(65_535).optional().meta(doc("Concurrent connections.", 50)),
    })
    .refine(
      ({ burst, requestsPerSecond }) => burst === undefined || requestsPerSecond !== undefined,
      "must have requestsPerSecond where it has burst: a burst alone limits nothing",
    )
    .optional()
    .meta(doc("Limits for each client address; requests over them get 429.", { requestsPerSecond: 10, burst: 20 })),
  responseHeaders: z
    .record(
      z
        .string()
        .regex(headerName, "must be a header name: letters, digits and hyphens")
        .refine(
          (name) => !isReservedHeader(name),
          "must not be a header of the connection, or of one answer alone, such as Content-Type: the service sets those",
        ),
      z
        .string()
        .refine(
          isHeaderValue,
          "must be a header value: visible ASCII characters, with blanks only between them, some 4,000 at most",
        ),
    )
    .optional()
    .meta(
      doc("Response headers: security headers replace the defaults, others are added.", {
        "Cache-Control": "no-store",
      }),
    ),
};

const requestSettings = {
  protocol: z
    .enum(["http", "grpc"])
    .optional()
    .meta(
      doc(
        "`http`, the default, includes websockets and server-sent events. With `grpc`, the service must speak gRPC without TLS; it gets the whole path.",
        "grpc",
      ),
    ),
  ...settings,
};

export const routeDefaults = z
  .strictObject(requestSettings)
  .default({})
  .meta(doc("Defaults for all routes of the service.", { timeoutSeconds: 20 }));

const version = z
  .strictObject({
    header: z
      .string()
      .regex(headerName, "must be a header name: letters, digits and hyphens")
      .optional()
      .meta(doc("Name of the header that selects it.", "X-Version")),
    cookie: z
      .string()
      .regex(cookieName, "must be a cookie name: at most 64 letters, digits and ! # $ % & ' * + - . ^ _ ` | ~")
      .optional()
      .meta(doc("Name of the cookie that selects it, instead of a header.", "version")),
    value: z
      .string()
      .regex(selector, "must be at most 64 visible ASCII characters, with blanks only between them")
      .meta(doc("Exact value of the header or cookie.", "beta")),
    service: label.meta(doc("Service that gets the requests.", "web")),
  })
  .refine(
    (value) => (value.header === undefined) !== (value.cookie === undefined),
    "must have exactly one of header and cookie",
  )
  .refine(({ cookie, value }) => cookie === undefined || cookieSelector.test(value), {
    path: ["value"],
    error: "must be the value of a cookie: visible ASCII characters without quotes, commas, semicolons and backslashes",
  })
  .meta(exactlyOne("header", "cookie"));

export const route = z
  .strictObject({
    path: path
      .optional()
      .meta(
        doc(
          "A path that ends with `/` matches everything below it, and the prefix is stripped; any other matches exactly. Without it: `/`.",
          "/hoge/",
        ),
      ),
    host: host
      .optional()
      .meta(doc("A label under the domain, or a full name. Without it: every host without its own routes.", "hoge")),
    keepPrefix: z
      .boolean()
      .default(false)
      .meta(doc("Forward the prefix to the service instead of stripping it.", true)),
    canary: z
      .strictObject({
        service: label.meta(doc("Service that gets these clients.", "web")),
        percent: z.int().min(1).max(99).meta(doc("Percentage of clients.", 10)),
      })
      .optional()
      .meta(
        doc("Send a percentage of clients, chosen by address, to another service.", { service: "web", percent: 10 }),
      ),
    versions: z
      .array(version)
      .max(20)
      .optional()
      .meta(
        doc("Send requests with a header or cookie to another service. The first match wins, before the canary.", [
          { header: "X-Version", value: "beta", service: "web" },
        ]),
      ),
    maintenance: z.boolean().optional().meta(doc("Return 503 instead of calling the service.", true)),
    ...requestSettings,
  })
  .refine((value) => value.path !== undefined || value.host !== undefined, "must have a path, a host or both")
  .meta(atLeastOne("path", "host"));

export const redirects = z
  .array(
    z
      .strictObject({
        path: path
          .optional()
          .meta(doc("Path to redirect; one that ends with `/` includes everything below it.", "/old/")),
        host: host.optional().meta(doc("Host to redirect. Without it: every host without its own routes.", "www")),
        to: z
          .string()
          .max(500)
          .refine(isRedirectTarget, "must be a path such as /new/ or a URL such as https://www.example.com/new/")
          .meta(
            doc(
              "A path, or a URL with scheme and host. The redirect keeps the rest of the path and the query.",
              "https://www.example.com/new/",
            ),
          ),
        status: z
          .union([z.literal(301), z.literal(302), z.literal(307), z.literal(308)], {
            error: "must be 301, 302, 307 or 308",
          })
          .default(308)
          .meta(doc("Status of the answer.", 301)),
      })
      .refine((value) => value.path !== undefined || value.host !== undefined, "must have a path, a host or both")
      .meta(atLeastOne("path", "host")),
  )
  .max(1000)
  .default([])
  .meta(doc("Redirects.", [{ path: "/old/", to: "/new/" }]));

const wildcard = z
  .strictObject({
    allow: z
      .array(
        z
          .string()
          .refine(isServicePattern, "must be a service's name, or the beginning of names and *, such as preview-*")
          .refine(
            (value) =>
              !proxyNames.some((name) => (value.endsWith("*") ? name.startsWith(value.slice(0, -1)) : value === name)),
            "must not take in nginx-proxy: requests would go round in circles",
          )
          .refine(
            (value) =>
              !value.startsWith(podsPrefix) && !(value.endsWith("*") && podsPrefix.startsWith(value.slice(0, -1))),
            `must not take in ${podsPrefix}…: those are the pods of services that have routes of their own`,
          ),
      )
      .min(1)
      .max(100)
      .refine(
        fitsInto,
        `must not be longer than nginx reads: at most ${maxAllowedLength} characters together, where a * counts for 11; allow beginnings such as preview-* instead`,
      )
      .meta(doc("Service names, or prefixes that end in `*`. The proxy refuses all other names.", ["preview-*"])),
    port: z.int().min(1).max(65535).default(servicePort).meta(doc("Port of all these services.", 8080)),
    ...settings,
  })
  .optional();

/** Services found by name, without routes; a new one needs no change of the proxy. */
export const wildcards = z
  .strictObject({
    subdomain: wildcard.meta(doc("Route `<service>.<domain>` to the service.", { allow: ["preview-*"] })),
    path: wildcard.meta(
      doc("Route `/<service>/` to the service, on hosts without their own routes, and strip the segment.", {
        allow: ["preview-*"],
      }),
    ),
  })
  .default({})
  .meta(
    doc("Services found by name, without routes; a new one needs no change of the proxy.", {
      subdomain: { allow: ["preview-*"] },
    }),
  );
