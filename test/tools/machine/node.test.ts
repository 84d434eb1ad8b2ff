import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { BlockList } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import {
  apiServiceAddress,
  dnsServiceAddress,
  hostAddress,
  nodeAddress,
  podRange,
  serviceRange,
} from "../../../tools/machine/node/addresses.ts";
import type { envoySettings } from "../../../tools/machine/node/envoySettings.ts";
import { bootstrapObjects } from "../../../tools/machine/node/bootstrapObjects.ts";
import { nodeFiles } from "../../../tools/machine/node/nodeFiles.ts";

const files = nodeFiles({
  namespace: "apps",
  address: "127.0.0.1",
  httpPort: 1080,
  httpsPort: 1443,
  cgroup: "test",
  root: "/home/it's me/cache/debian/1",
  cache: "/home/it's me/cache",
  programs: ["/home/it's me/cache/kubernetes/1", "/home/it's me/cache/envoy/1"],
  metricsServer: "/home/it's me/cache/metrics-server/1",
  snapshotter: "overlayfs",
});

test("bash can parse every script, and init.sh", () => {
  const init = join(import.meta.dirname, "../../../tools/machine/node/init.sh");
  assert.equal(spawnSync("bash", ["-n", init]).status, 0);
  const scripts = Object.entries(files).filter(([name]) => name.startsWith("processes/"));
  assert.equal(scripts.length, 12);
  for (const [name, text] of scripts) assert.equal(spawnSync("bash", ["-n"], { input: text }).status, 0, name);
});

test("a path with a space and a quote stays intact in the settings", () => {
  const script = `${files["settings"] ?? ""}\nprintf '%s\\n' "$ROOT" "$PROGRAM_PATH"`;
  const { stdout } = spawnSync("bash", ["-c", script], { encoding: "utf8" });
  assert.equal(stdout, "/home/it's me/cache/debian/1\n/cache/kubernetes/1:/cache/envoy/1\n");
});

test("each port of the edge forwards to Contour's port for 80 or 443, with the client's address", () => {
  const { static_resources } = JSON.parse(files["envoy.json"] ?? "") as ReturnType<typeof envoySettings>;
  const contour = files["processes/contour"] ?? "";
  assert.match(contour, /--use-proxy-protocol/);
  for (const [name, outside, port] of [
    ["http", 1080, 80],
    ["https", 1443, 443],
  ] as const) {
    const listener = static_resources.listeners.find(({ address }) => address.socket_address.port_value === outside);
    assert.equal(listener?.address.socket_address.address, "127.0.0.1");
    const target = listener.filter_chains[0]?.filters[0]?.typed_config.cluster;
    const cluster = static_resources.clusters.find((each) => each.name === target);
    assert.equal(cluster?.transport_socket.name, "envoy.transport_sockets.upstream_proxy_protocol");
    const [endpoint] = cluster.load_assignment.endpoints[0]?.lb_endpoints ?? [];
    // https://github.com/projectcontour/contour/blob/v1.33.8/internal/gatewayapi/listeners.go#L210
    assert.equal(endpoint?.endpoint.address.socket_address.port_value, port + 8000);
    assert.match(contour, new RegExp(`--envoy-service-${name}-port=${port + 8000}\\b`));
  }
});

test("Contour's config names the Gateway in the stack's namespace", () => {
  assert.deepEqual(parse(files["contour.yaml"] ?? ""), {
    gateway: { gatewayRef: { namespace: "apps", name: "gateway" } },
    tls: {
      "minimum-protocol-version": "1.2",
      "maximum-protocol-version": "1.3",
      "cipher-suites": [
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-RSA-CHACHA20-POLY1305",
      ],
    },
    disableAllowChunkedLength: true,
    disableMergeSlashes: true,
  });
});

test("pods use the kube-dns Service, whose endpoint is the DNS server", () => {
  const kubelet = parse(files["kubelet.yaml"] ?? "") as { clusterDNS: string[] };
  assert.deepEqual(kubelet.clusterDNS, [dnsServiceAddress]);
  const slice = bootstrapObjects.find(({ kind }) => kind === "EndpointSlice");
  assert.ok(slice && "endpoints" in slice);
  assert.deepEqual(slice.endpoints[0].addresses, [nodeAddress]);
});

test("addresses are in their ranges, which do not overlap", () => {
  const within = (range: string, address: string) => {
    const [network = "", prefix] = range.split("/");
    const list = new BlockList();
    list.addSubnet(network, Number(prefix));
    return list.check(address);
  };
  for (const address of [apiServiceAddress, dnsServiceAddress]) {
    assert.ok(within(serviceRange, address));
    assert.ok(!within(podRange, address));
  }
  for (const address of [hostAddress, nodeAddress])
    assert.ok(!within(podRange, address) && !within(serviceRange, address));
});
