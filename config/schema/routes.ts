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

/** The Services of the proxy. */
export const proxyNames: readonly string[] = [proxyName, proxyGrpcName];

/** What concerns requests: said by a route, for all routes of a service, or for all services that are found by name. */
const settings = {
  /** Longest silence of the service, seconds; the load balancer in front has a limit of its own. */
  timeoutSeconds: z.int().min(1).max(86_400).optional(),
  /** Largest request body, MiB; 0 is without limit, and needs buffering off. */
  maxBodyMb: z.int().min(0).max(1_000_000).optional(),
  /** false passes bodies on as they come: large uploads, and answers that end only with the connection. */
  buffering: z.boolean().optional(),
  /** By client address; what is above is answered 429. */
  limit: z
    .strictObject({
      requestsPerSecond: z.int().min(1).max(1_000_000).optional(),
      burst: z.int().min(0).max(100_000).optional(),
      connections: z.int().min(1).max(65_535).optional(),
    })
    .optional(),
  /** Headers of answers: security headers take the place of the usual ones, others are added. */
  responseHeaders: z
    .record(
      z.string().regex(headerName, "must be a header name: letters, digits and hyphens"),
      z.string().regex(headerValue, "must be a header value without quotes, backslashes, braces and $"),
    )
    .optional(),
};

const requestSettings = {
  /**
   * `http` (the default) is HTTP/1.1, websockets and server-sent events included. A service behind `grpc` speaks it in the clear
   * on its port, and sees the whole path.
   */
  protocol: z.enum(["http", "grpc"]).optional(),
  ...settings,
};

export const routeDefaults = z.strictObject(requestSettings).default({});

const version = z
  .strictObject({
    header: z.string().regex(headerName, "must be a header name: letters, digits and hyphens").optional(),
    cookie: z.string().regex(cookieName, "must be a cookie name: letters, digits and _").optional(),
    value: z.string().regex(selector, "must be at most 64 letters, digits and . _ -"),
    service: label,
  })
  .refine(
    (value) => (value.header === undefined) !== (value.cookie === undefined),
    "must have exactly one of header and cookie",
  );

export const route = z
  .strictObject({
    path: path.optional(),
    host: host.optional(),
    /** Pass the prefix on to the service instead of stripping it. */
    keepPrefix: z.boolean().default(false),
    /** Send this share of the clients to another service. */
    canary: z.strictObject({ service: label, percent: z.int().min(1).max(99) }).optional(),
    /** Send requests with a header or cookie of this value to another service. */
    versions: z.array(version).max(20).optional(),
    /** Answer 503 instead of asking the service. */
    maintenance: z.boolean().optional(),
    ...requestSettings,
  })
  .refine((value) => value.path !== undefined || value.host !== undefined, "must have a path, a host or both");

export const redirects = z
  .array(
    z
      .strictObject({
        path: path.optional(),
        host: host.optional(),
        /** A path, or a URL with scheme and host. */
        to: z
          .string()
          .max(500)
          .refine(isRedirectTarget, "must be a path such as /new/ or a URL such as https://www.example.com/new/"),
        status: z
          .union([z.literal(301), z.literal(302), z.literal(307), z.literal(308)], {
            error: "must be 301, 302, 307 or 308",
          })
          .default(308),
      })
      .refine((value) => value.path !== undefined || value.host !== undefined, "must have a path, a host or both"),
  )
  .max(1000)
  .default([]);

const wildcard = z
  .strictObject({
    /** Names of services, or beginnings of names with `*` at the end: nothing else can be reached this way. */
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
      ),
    port: z.int().min(1).max(65535).default(servicePort),
    ...settings,
  })
  .optional();

/** Services that are found by their names alone; a new one needs no change of the proxy. */
export const wildcards = z
  .strictObject({
    /** `<service>.<domain>` */
    subdomain: wildcard,
    /** `/<service>/`, on hosts without routes of their own; the segment is stripped. */
    path: wildcard,
  })
  .default({});
