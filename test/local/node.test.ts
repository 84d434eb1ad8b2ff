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
} from "../../local/node/addresses.ts";
import { bootstrapObjects } from "../../local/node/objects.ts";
import { nodeFiles } from "../../local/node/processes.ts";

const files = nodeFiles({
  address: "127.0.0.1",
  httpPort: 8080,
  httpsPort: 8443,
  cgroup: "test",
  root: "/home/it's me/cache/debian/1",
  cache: "/home/it's me/cache",
  programs: ["/home/it's me/cache/kubernetes/1", "/home/it's me/cache/envoy/1"],
  snapshotter: "overlayfs",
});

test("every script is one that bash can read, and init.sh too", () => {
  const init = join(import.meta.dirname, "../../local/node/init.sh");
  assert.equal(spawnSync("bash", ["-n", init]).status, 0);
  const scripts = Object.entries(files).filter(([name]) => name.startsWith("processes/"));
  assert.equal(scripts.length, 10);
  for (const [name, text] of scripts) assert.equal(spawnSync("bash", ["-n"], { input: text }).status, 0, name);
});

test("settings keep a path with a blank and a quote as it is", () => {
  const script = `${files["settings"] ?? ""}\nprintf '%s\\n' "$ROOT" "$PROGRAM_PATH"`;
  const { stdout } = spawnSync("bash", ["-c", script], { encoding: "utf8" });
  assert.equal(stdout, "/home/it's me/cache/debian/1\n/cache/kubernetes/1:/cache/envoy/1\n");
});

test("the ports of the entrance reach Contour", () => {
  const contour = files["processes/contour"] ?? "";
  for (const flag of ["--envoy-service-http-port=8080", "--envoy-service-https-port=8443"])
    assert.ok(contour.includes(flag));
});

test("pods ask the kube-dns Service for names, where the DNS server is", () => {
  const kubelet = parse(files["kubelet.yaml"] ?? "") as { clusterDNS: string[] };
  assert.deepEqual(kubelet.clusterDNS, [dnsServiceAddress]);
  const slice = bootstrapObjects.find(({ kind }) => kind === "EndpointSlice");
  assert.ok(slice && "endpoints" in slice);
  assert.deepEqual(slice.endpoints[0].addresses, [nodeAddress]);
});

test("addresses lie in their ranges, which do not meet", () => {
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
