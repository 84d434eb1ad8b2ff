/** What Autopilot would change is refused: an existing cluster may be in that mode as well. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkConfig } from "../../config/config.ts";
import { projectDir, raw, refusal, valid } from "./refusal.ts";

const google = { "gcp:project": "acme-staging", "gcp:region": "asia-northeast1" };
const { image } = valid.services.hoge;
const onAutopilot = (resources: object, rest: object = {}) => ({
  domain: valid.domain,
  cluster: { kind: "gke", mode: "autopilot" },
  services: { hoge: { image, resources } },
  ...rest,
});

for (const [resources, message] of [
  [
    { cpu: "49m" },
    /services\.hoge\.resources\.cpu\n\s+"49m" is below the minimum of Autopilot, which is 50m; set 50m or more/,
  ],
  [
    { cpu: "50m", memory: "51Mi" },
    /services\.hoge\.resources\.memory\n\s+"51Mi" is below the minimum of Autopilot, which is 52Mi; set 52Mi or more/,
  ],
  [
    { cpu: "1", memory: "1023Mi" },
    /resources\.memory\n\s+"1023Mi" is less than the 1Gi for each CPU that Autopilot needs, and cpu is 1; set 1024Mi or more, or less cpu/,
  ],
  [
    { cpu: "0.5" },
    /resources\.memory\n\s+"128Mi" is less than the 1Gi for each CPU that Autopilot needs, and cpu is 0\.5; set 512Mi or more, or less cpu/,
  ],
  [
    { cpu: "100m", memory: "666Mi" },
    /resources\.cpu\n\s+"100m" is too little for 666Mi: Autopilot has at most 6\.5Gi for each CPU; set 101m or more, or less memory/,
  ],
] as const) {
  const what = JSON.stringify(resources);
  test(`refused on Autopilot: ${what}`, () => {
    assert.match(refusal(onAutopilot(resources), google), message);
    assert.match(refusal({ ...onAutopilot(resources), ...existing("autopilot") }), message);
  });
  test(`accepted elsewhere: ${what}`, () => {
    checkConfig(raw({ ...onAutopilot(resources), cluster: { kind: "gke" } }, google), "test", projectDir);
    for (const mode of ["standard", undefined])
      checkConfig(raw({ ...onAutopilot(resources), ...existing(mode) }), "test", projectDir);
  });
}

function existing(mode: string | undefined) {
  const { edge, tls, registry } = valid;
  return { cluster: { ...valid.cluster, mode }, edge, tls, registry };
}

test("the limits themselves, and the defaults, are accepted", () => {
  for (const resources of [
    {},
    { cpu: "50m", memory: "52Mi" },
    { cpu: "1", memory: "1Gi" },
    { cpu: "100m", memory: "665Mi" },
    { cpu: "2", memory: "13Gi" },
  ])
    checkConfig(raw(onAutopilot(resources), google), "test", projectDir);
});

test("all containers are checked, and every problem is named at once", () => {
  const small = { cpu: "1m", memory: "6Mi" };
  const message = refusal(onAutopilot(small, { proxy: { resources: small, metrics: { resources: small } } }), google);
  assert.match(message, /^6 problems/);
  for (const key of ["services.hoge.resources", "proxy.resources", "proxy.metrics.resources"])
    for (const each of ["cpu", "memory"]) assert.ok(message.includes(`${key}.${each}\n`), `${key}.${each}`);
});

test("a pod has at most 30 CPUs and 110Gi, the proxy's with its exporter", () => {
  const proxied = (resources: object, metrics: object) => onAutopilot({}, { proxy: { resources, metrics } });
  const sidecar = { scrape: "google", resources: { cpu: "100m", memory: "128Mi" } };
  const accepted = (config: Record<string, unknown>) => checkConfig(raw(config, google), "test", projectDir);
  for (const resources of [
    { cpu: "30", memory: "110Gi" },
    { cpu: "30000m", memory: "30Gi" },
  ])
    accepted(onAutopilot(resources));
  assert.match(
    refusal(onAutopilot({ cpu: "30001m", memory: "110Gi" }), google),
    /"30001m" is above the maximum of Autopilot, which is 30; set 30 or less/,
  );
  accepted(proxied({ cpu: "29900m", memory: "109Gi" }, sidecar));
  accepted(proxied({ cpu: "30", memory: "110Gi" }, { scrape: "none" }));
  assert.match(
    refusal(proxied({ cpu: "29901m", memory: "109Gi" }, sidecar), google),
    /^1 problem[^]*proxy\.resources\.cpu\n\s+"29901m" is above the maximum of Autopilot for a pod, which is 30, with the 100m of proxy\.metrics\.resources; lower one of the two/,
  );
  assert.match(
    refusal(proxied({ cpu: "20", memory: "110Gi" }, sidecar), google),
    /proxy\.resources\.memory\n\s+"110Gi" is above the maximum of Autopilot for a pod, which is 110Gi, with the 128Mi/,
  );
});

test("pods on other hardware have its limits: only the minimum and the number of GPUs are checked", () => {
  const on = (nodes: object, resources: object, more: object = {}) => ({
    ...onAutopilot({}),
    services: { hoge: { image, nodes, resources, ...more } },
  });
  const label = (key: string, value: string) => ({ labels: { [`cloud.google.com/${key}`]: value } });
  for (const [nodes, cpu, memory] of [
    [{ gpu: { type: "nvidia-l4" } }, "4", "32Gi"],
    [{ gpu: { type: "nvidia-l4", count: 8 } }, "90", "360Gi"],
    [{ gpu: { type: "nvidia-tesla-a100", count: 16 } }, "90", "1200Gi"],
    [{ gpu: { type: "nvidia-h100-80gb", count: 8 } }, "200000m", "1800Gi"],
    [label("compute-class", "Balanced"), "4", "32Gi"],
    [label("compute-class", "Performance"), "60", "480Gi"],
    [label("machine-family", "c4"), "4", "31Gi"],
    [label("gke-accelerator", "nvidia-l4"), "8", "56Gi"],
  ] as const) {
    const config = on(nodes, { cpu, memory }, { scratch: { "/models": "100Gi" } });
    checkConfig(raw(config, google), "test", projectDir);
    checkConfig(raw({ ...config, ...existing("autopilot") }), "test", projectDir);
    assert.match(
      refusal(on(nodes, { cpu: "49m", memory }), google),
      /resources\.cpu\n\s+"49m" is below the minimum of Autopilot, which is 50m/,
    );
  }
  for (const nodes of [{ spot: true }, { arch: "arm64" }, { labels: { "topology.kubernetes.io/zone": "a" } }])
    assert.match(refusal(on(nodes, { cpu: "4", memory: "32Gi" }), google), /is too little for 32Gi/);
  for (const count of [3, 6, 12])
    assert.match(
      refusal(on({ gpu: { type: "nvidia-l4", count } }, { cpu: "4", memory: "16Gi" }), google),
      new RegExp(
        `^1 problem[^]*services\\.hoge\\.nodes\\.gpu\\.count\\n\\s+${count} is a number of GPUs that no node of Autopilot has; choose one of 1, 2, 4, 8, 16`,
      ),
    );
});
