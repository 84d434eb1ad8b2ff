/** The shape of what the proxy does with requests: routes, redirects, and services found by name. */
import * as z from "zod";
import {
  cookieName,
  fitsInto,
  headerName,
  headerValue,
  isRedirectTarget,
  isServicePattern,
  mostAllowed,
  selector,
} from "../../nginx/routeChecks.ts";
import { podsPrefix, proxyGrpcName, proxyName } from "../../names/kubernetes.ts";
import { servicePort } from "../../names/ports.ts";
import { host, label, path } from "./values.ts";
import { doc } from "./doc.ts";

/** The Services of the proxy. */
export const proxyNames: readonly string[] = [proxyName, proxyGrpcName];

/** What concerns requests: said by a route, for all routes of a service, or for all services that are found by name. */
const settings = {
  timeoutSeconds: z
    .int()
    .min(1)
    .max(86_400)
    .optional()
    .meta(doc("Longest silence of the service, seconds. Without it: 25, or what the load balancer leaves.", 20)),
  maxBodyMb: z
    .int()
    .min(0)
    .max(1_000_000)
    .optional()
    .meta(doc("Largest request body, MiB; 0 is without limit, and needs `buffering: false`. Without it: 1.", 100)),
  buffering: z
    .boolean()
    .optional()
    .meta(
      doc(
        "`false` passes bodies on as they come: large uploads, and answers that end only with the connection.",
        false,
      ),
    ),
  limit: z
    .strictObject({
      requestsPerSecond: z.int().min(1).max(1_000_000).optional().meta(doc("Requests a second.", 10)),
      burst: z.int().min(0).max(100_000).optional().meta(doc("How many more at once. Without it: 0.", 20)),
      connections: z.int().min(1).max(65_535).optional().meta(doc("Connections at a time.", 50)),
    })
    .optional()
    .meta(doc("Limits of one client address; what is above is answered 429.", { requestsPerSecond: 10, burst: 20 })),
  responseHeaders: z
    .record(
      z.string().regex(headerName, "must be a header name: letters, digits and hyphens"),
      z.string().regex(headerValue, "must be a header value without quotes, backslashes, braces and $"),
    )
    .optional()
    .meta(
      doc("Headers of answers: security headers take the place of the usual ones, others are added.", {
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
        "`http`, the default, includes websockets and server-sent events. Behind `grpc` a service speaks it in the clear and sees the whole path.",
        "grpc",
      ),
    ),
  ...settings,
};

export const routeDefaults = z
  .strictObject(requestSettings)
  .default({})
  .meta(doc("What holds for all routes of the service, unless a route says otherwise.", { timeoutSeconds: 20 }));

const version = z
  .strictObject({
    header: z
      .string()
      .regex(headerName, "must be a header name: letters, digits and hyphens")
      .optional()
      .meta(doc("Name of the header that selects it.", "X-Version")),
    cookie: z
      .string()
      .regex(cookieName, "must be a cookie name: letters, digits and _")
      .optional()
      .meta(doc("Name of the cookie that selects it, instead of a header.", "version")),
    value: z
      .string()
      .regex(selector, "must be at most 64 letters, digits and . _ -")
      .meta(doc("Value that it must have.", "beta")),
    service: label.meta(doc("Service that gets the requests.", "web")),
  })
  .refine(
    (value) => (value.header === undefined) !== (value.cookie === undefined),
    "must have exactly one of header and cookie",
  );

export const route = z
  .strictObject({
    path: path
      .optional()
      .meta(
        doc(
          "With `/` at its end it takes everything below, and the prefix is stripped; otherwise this one path. Without it: `/`.",
          "/hoge/",
        ),
      ),
    host: host
      .optional()
      .meta(
        doc("A label under the domain, or a full name. Without it: every host that has no routes of its own.", "hoge"),
      ),
    keepPrefix: z
      .boolean()
      .default(false)
      .meta(doc("Pass the prefix on to the service instead of stripping it.", true)),
    canary: z
      .strictObject({
        service: label.meta(doc("Service that gets the share.", "web")),
        percent: z.int().min(1).max(99).meta(doc("Share of the clients.", 10)),
      })
      .optional()
      .meta(doc("Send a share of the clients, by their address, to another service.", { service: "web", percent: 10 })),
    versions: z
      .array(version)
      .max(20)
      .optional()
      .meta(
        doc(
          "Send requests with a header or cookie of some value to another service; the first that fits wins, before the canary.",
          [{ header: "X-Version", value: "beta", service: "web" }],
        ),
      ),
    maintenance: z.boolean().optional().meta(doc("Answer 503 instead of asking the service.", true)),
    ...requestSettings,
  })
  .refine((value) => value.path !== undefined || value.host !== undefined, "must have a path, a host or both");

export const redirects = z
  .array(
    z
      .strictObject({
        path: path.optional().meta(doc("Path that is redirected; with `/` at its end, everything below it.", "/old/")),
        host: host
          .optional()
          .meta(doc("Host that is redirected. Without it: every host that has no routes of its own.", "www")),
        to: z
          .string()
          .max(500)
          .refine(isRedirectTarget, "must be a path such as /new/ or a URL such as https://www.example.com/new/")
          .meta(
            doc(
              "A path, or a URL with scheme and host. What is below the path is kept, and the query.",
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
      .refine((value) => value.path !== undefined || value.host !== undefined, "must have a path, a host or both"),
  )
  .max(1000)
  .default([])
  .meta(doc("Requests that are sent elsewhere.", [{ path: "/old/", to: "/new/" }]));

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
        `must not be longer than nginx reads: at most ${mostAllowed} characters together, where a * counts for 11; allow beginnings such as preview-* instead`,
      )
      .meta(
        doc("Names of services, or beginnings of names with `*` at the end. Nothing else can be reached this way.", [
          "preview-*",
        ]),
      ),
    port: z.int().min(1).max(65535).default(servicePort).meta(doc("Port of all of them.", 8080)),
    ...settings,
  })
  .optional();

/** Services that are found by their names alone; a new one needs no change of the proxy. */
export const wildcards = z
  .strictObject({
    subdomain: wildcard.meta(doc("`<service>.<domain>` leads to the service.", { allow: ["preview-*"] })),
    path: wildcard.meta(
      doc("`/<service>/` leads to the service, on hosts without routes of their own; the segment is stripped.", {
        allow: ["preview-*"],
      }),
    ),
  })
  .default({})
  .meta(
    doc("Services that are found by their names alone; a new one needs no change of the proxy.", {
      subdomain: { allow: ["preview-*"] },
    }),
  );
