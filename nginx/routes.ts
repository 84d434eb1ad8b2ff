/** Renders a stack's addition to `nginx.conf`: a pure function from routes to nginx text that people can read. */
import { boundDirectives, boundsOf, keptBodyMb, renderZones, type Bounds } from "./bounds.ts";
import { renderCanaries } from "./canaries.ts";
import { renderClient, renderHsts } from "./client.ts";
import { renderGrpc } from "./grpc.ts";
import { renderHeaderNames } from "./headerNames.ts";
import { renderLimits } from "./limits.ts";
import { renderLocations } from "./locations.ts";
import type { ProxyRoutes } from "./model.ts";
import { checkProxy } from "./routeChecks.ts";
import { byHost, indent, nameOf, noHost, sorted } from "./text.ts";
import { keptConnections, renderResolver, isGrpc, renderUpstream, upstreamsOf } from "./upstreams.ts";
import { renderBySubdomain, subdomains, wildcardName } from "./wildcards.ts";
import { proxyPorts } from "../names/ports.ts";

/**
 * The text of `/etc/nginx/routes/routes.conf`. The order of the input does not matter, except that of `versions`.
 *
 * A host with its own routes serves only those. Other requests to it get "no such route", not the routes without host.
 *
 * @throws Error if a value is unsafe in the text, or if two entries contradict each other
 */
export function renderRoutes(proxy: ProxyRoutes): string {
  checkProxy(proxy);
  const routes = sorted(proxy.routes, ({ host = "", path }) => `${host}${path}`);
  const grpc = routes.filter(isGrpc);
  const grpcAt = byHost(grpc);
  const httpAt = byHost(routes.filter((route) => !isGrpc(route)));
  const redirectsAt = byHost(proxy.redirects);
  const upstreams = upstreamsOf(
    sorted(proxy.upstreams, ({ service }) => service),
    routes,
  );
  const bounds = boundsOf(proxy);
  const hosts = [...new Set([...routes, ...(proxy.redirects ?? [])].flatMap(({ host }) => host ?? []))].sort();
  const byPath = proxy.wildcards?.find(({ by }) => by === "path");
  const bySubdomain = proxy.wildcards?.find(({ by }) => by === "subdomain");
  return [
    "# Rendered from the stack's config: change it there.\n",
    renderResolver(proxy.resolver),
    renderClient(proxy.client),
    renderHsts(proxy.hsts),
    renderZones(bounds),
    renderHeaderNames(proxy.headerNames),
    ...upstreams.map((upstream) => renderUpstream(upstream, keptConnections(upstreams.length))),
    ...routes.flatMap(renderCanaries),
    ...routes.flatMap((route) => renderLimits(nameOf(route), route.settings?.limit)),
    ...(proxy.wildcards ?? []).flatMap((wildcard) => renderLimits(wildcardName(wildcard), wildcard.settings?.limit)),
    serverBlock(
      `${proxyPorts.http} default_server`,
      "_",
      renderLocations(httpAt(undefined), redirectsAt(undefined), bounds, byPath),
      bounds,
    ),
    // Like HTTP/1.1 without a host. Otherwise services would get the name of the server above, `_`, as the host.
    // https://www.rfc-editor.org/rfc/rfc9112#section-3.3
    serverBlock(`${proxyPorts.http}`, noHost, ["location / {\n    return 400 $answer;\n}"], bounds),
    ...hosts.map((host) =>
      serverBlock(`${proxyPorts.http}`, host, renderLocations(httpAt(host), redirectsAt(host), bounds), bounds),
    ),
    // Exact server names win over this one, so hosts with routes keep them.
    ...(bySubdomain === undefined
      ? []
      : [serverBlock(`${proxyPorts.http}`, subdomains(bySubdomain), [renderBySubdomain(bySubdomain, bounds)], bounds)]),
    ...renderGrpc(
      grpc,
      [
        ...hosts.filter((host) => grpcAt(host).length === 0),
        ...(bySubdomain === undefined ? [] : [subdomains(bySubdomain)]),
      ],
      bounds,
    ),
  ].join("\n");
}

function serverBlock(listen: string, name: string, locations: readonly string[], bounds: Bounds): string {
  return `server {
    listen ${listen};
    server_name ${name};
${indent(boundDirectives(bounds, keptBodyMb({})).join("\n"))}

    if ($has_dot_segment) {
        return 400 $answer_bad_path;
    }

${locations.map((block) => `${indent(block)}\n`).join("\n")}
    location @answer {
        return 500 $answer;
    }
    # About 400 bytes, so it takes a second or two, in which nginx reads on and drops a body of known length. Most clients have
    # then sent it all. One that still sends is cut off by the load balancer, and some read no answer then: over HTTP/2, its
    # stream is reset (https://www.rfc-editor.org/rfc/rfc9113#section-8.1).
    location @too_large {
        limit_rate 256;
        return 500 $answer;
    }
    location = /../answer {
        internal;
        return 500 $answer;
    }
}
`;
}
