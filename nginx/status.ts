/** The status page for the metrics exporter in the same pod. */
import { proxyPorts } from "../names/ports.ts";

/** nginx's counts of connections and requests; on loopback, so unreachable from outside the pod. */
const address = `127.0.0.1:${proxyPorts.status}`;
const path = "/stub_status";
export const statusUrl = `http://${address}${path}`;

/**
 * A separate file beside the routes, mounted only if metrics are enabled.
 * https://nginx.org/en/docs/http/ngx_http_stub_status_module.html
 */
export const metricsText = `# For the exporter of metrics in the same pod.
server {
    listen ${address};
    access_log off;
    location = ${path} {
        stub_status;
    }
}
`;
