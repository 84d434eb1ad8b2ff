/** What the proxy tells an exporter of metrics that runs beside it. */
import { proxyPorts } from "../names/ports.ts";

/** Where nginx says how many connections and requests there are; loopback alone, so nobody outside the pod gets there. */
const address = `127.0.0.1:${proxyPorts.status}`;
const path = "/stub_status";
export const statusUrl = `http://${address}${path}`;

/**
 * A file of its own beside the routes, there only where metrics are wanted.
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
