/** Releases' jobs and schedules: their order, and which mistakes are refused. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkConfig } from "../../config/config.ts";
import { jobWarnings } from "../../config/checks/jobs.ts";
import { clockChanges } from "../../config/clocks.ts";
import { cronTrouble } from "../../config/cron.ts";
import { networkFlows } from "../../config/flows.ts";
import { workloadsOf } from "../../config/workloads.ts";
import { projectDir, raw, refusal, valid } from "./refusal.ts";

const image = "registry.example.com/shop:1.4.2";
const stack = (services: Record<string, unknown>) => ({ ...valid, services });
const settingsOf = (services: Record<string, unknown>) =>
  checkConfig(raw(stack(services)), "test", projectDir).settings;
const cleanup = (more: Record<string, unknown>) => stack({ cleanup: { image, schedule: "0 3 * * *", ...more } });

describe("a release", () => {
  const release = { args: ["migrate"] };

  test("comes after the services that it calls; in a circle, one of them goes first", () => {
    const services = {
      shop: { image, release, calls: ["cart"], env: { DB: { service: "db" } } },
      cart: { image, release, calls: ["shop"] },
      db: { image },
      web: { image, calls: ["shop"] },
    };
    const workloads = workloadsOf(settingsOf(services), projectDir);
    assert.deepEqual(
      workloads.map(({ service, release: job }) => [service, job?.after]),
      [
        ["cart", []],
        ["db", undefined],
        ["shop", ["cart", "db"]],
        ["web", undefined],
      ],
    );
  });

  test("waits for no schedule, and a schedule is a service without a port", () => {
    const services = { nightly: { image, schedule: "@daily" }, shop: { image, release, calls: [] } };
    const settings = settingsOf(services);
    assert.equal(settings.services["nightly"]?.port, "none");
    assert.deepEqual(
      workloadsOf(settings, projectDir).map(({ schedule }) => schedule?.schedule),
      ["@daily", undefined],
    );
  });

  test("reaches what its service does, and nothing reaches it", () => {
    const settings = settingsOf({
      shop: {
        image,
        release,
        ports: { admin: 9090 },
        routes: [{ path: "/" }],
        calls: ["db"],
        egress: [{ cidr: "203.0.113.0/24", ports: [443] }],
      },
      db: { image },
    });
    const { services } = networkFlows({
      ...settings,
      ...checkConfig(raw(stack({})), "test", projectDir).settings,
      services: settings.services,
    });
    const { shop, ...others } = services;
    assert.deepEqual(others["shop-release"], {
      calls: shop?.calls,
      egress: shop?.egress,
      hasRoles: false,
      ports: [],
      routed: false,
    });
    assert.deepEqual(Object.keys(others), ["shop-release", "db"]);
  });

  test("is not taken over by like, and neither is a schedule", () => {
    const { services } = settingsOf({
      shop: { image, release },
      jobs: { like: "shop", port: "none" },
      nightly: { like: "shop", schedule: "@daily", retries: 2 },
    });
    assert.deepEqual([services["jobs"]?.release, services["nightly"]?.release], [undefined, undefined]);
    assert.deepEqual([services["jobs"]?.schedule, services["nightly"]?.retries], [undefined, 2]);
  });
});

const mistakes: readonly (readonly [config: Record<string, unknown>, expected: RegExp])[] = [
  [stack({ shop: { image, release: {} } }), /services\.shop\.release\n.*must have command or args/],
  [stack({ shop: { image, release: { args: ["a"], timeoutSeconds: 0 } } }), /release\.timeoutSeconds\n/],
  [stack({ shop: { image, release: { args: ["a"], retries: 3 } } }), /release\.retries\n/],
  [
    stack({ shop: { image, release: { args: ["a"] } }, "shop-release": { image } }),
    /services\.shop-release\n.*is the name of the job in services\.shop\.release/,
  ],
  ...(["port", "servicePort", "ports", "health", "replicas", "rollout", "routes", "release"] as const).map(
    (key) =>
      [
        cleanup({
          [key]: {
            port: 8080,
            servicePort: 80,
            ports: { admin: 9090 },
            health: "tcp",
            replicas: 2,
            rollout: "recreate",
            routes: [{ path: "/" }],
            release: { args: ["a"] },
          }[key],
        }),
        new RegExp(`services\\.cleanup\\.${key}\\n.*nothing that a service with a schedule has.*remove it`),
      ] as const,
  ),
  ...(
    [
      ["timeZone", "Asia/Tokyo"],
      ["concurrency", "allow"],
      ["deadlineSeconds", 60],
      ["retries", 1],
    ] as const
  ).map(
    ([key, value]) =>
      [stack({ shop: { image, [key]: value } }), new RegExp(`services\\.shop\\.${key}\\n.*needs a schedule`)] as const,
  ),
  [cleanup({ timeZone: "asia/tokyo" }), /timeZone\n.*not the name of a time zone; write Asia\/Tokyo/],
  [cleanup({ timeZone: "Tokyo" }), /write the name of a place, such as Asia\/Tokyo/],
  [cleanup({ timeZone: "New York" }), /such as America\/New_York/],
  [cleanup({ timeZone: "+09:00" }), /such as Europe\/Paris/],
  [cleanup({ timeZone: "Local" }), /not the name of a time zone/],
  [cleanup({ timeZone: "Europe/Pariss" }), /such as Europe\/Paris/],
  [cleanup({ concurrency: "skip" }), /concurrency\n.*forbid/],
  [cleanup({ retries: 11 }), /retries\n/],
  [
    stack({ cleanup: { image, schedule: "@daily" }, shop: { image, calls: ["cleanup"] } }),
    /services\.shop\.calls\[0\]\n.*runs by a schedule/,
  ],
  [
    stack({ cleanup: { image, schedule: "@daily" }, shop: { image, env: { C: { url: "cleanup" } } } }),
    /services\.shop\.env\.C\.url\n/,
  ],
];

for (const [config, expected] of mistakes)
  test(`refused: ${expected.source}`, () => {
    assert.match(refusal(config), expected);
  });

describe("times of a schedule", () => {
  const good = [
    ...[
      "* * * * *",
      "*/5 * * * *",
      "0 3 * * *",
      "0 9-17 * * mon-fri",
      "30 4 1,15 * 5",
      "0 0 29 2 *",
      "5/15 0 * JAN,dec SUN",
    ],
    ...["@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually", " 0  3 * * * ", "0 0 ? * ?"],
    ...["0 0 31 2 1", "59 23 31 12 6"],
  ];
  for (const text of good)
    test(`good: ${text}`, () => {
      assert.equal(cronTrouble(text), undefined);
    });

  const wrong: readonly (readonly [text: string, rule: RegExp])[] = [
    ["", /1 field/],
    ["0 3 * *", /has 4 fields, and cron has five/],
    ["0 0 3 * * *", /has 6 fields.*leave out seconds/],
    ["0 3 * * 7", /Sunday is 0/],
    ["0 3 * * 5-7", /Sunday is 0/],
    ["60 * * * *", /has 60 as minute, which is out of range; write numbers from 0 to 59/],
    ["* 24 * * *", /hour/],
    ["* * 0 * *", /day of the month/],
    ["* * * 13 *", /month/],
    ["* * * * monday", /does not know/],
    ["5-1 * * * *", /ends before it begins/],
    ["*/0 * * * *", /no steps/],
    ["H 3 * * *", /has H as minute/],
    ["0 0 L * *", /has L as day of the month/],
    ["0 0 * * 5#2", /does not know/],
    ["0 0 15W * *", /does not know/],
    ["0,, 3 * * *", /has nothing as minute/],
    ["@every 5m", /counts from the last run.*write a step/],
    ["@reboot", /is no word of cron/],
    ["TZ=Asia/Tokyo 0 3 * * *", /write it as timeZone/],
    ["CRON_TZ=UTC 0 3 * * *", /write it as timeZone/],
    ["0 0 31 2 *", /never comes/],
    ["0 0 31 4,6,9,11 *", /never comes/],
    ["0 0 30 2 ?", /never comes/],
  ];
  for (const [text, rule] of wrong)
    test(`refused: ${text}`, () => {
      const trouble = cronTrouble(text);
      assert.match(`${trouble?.rule ?? ""}; ${trouble?.fix ?? ""}`, rule);
      assert.match(refusal(cleanup({ schedule: text })), /services\.cleanup\.schedule\n/);
    });
});

describe("a change of clocks", () => {
  const now = Date.parse("2026-12-01T00:00:00Z");
  const of = (schedule: string, timeZone?: string) =>
    jobWarnings(settingsFor({ schedule, ...(timeZone !== undefined && { timeZone }) }), now);
  const settingsFor = (more: Record<string, unknown>) => settingsOf({ cleanup: { image, ...more } });

  test("is seen in the zone that has one, to the minute", () => {
    assert.deepEqual(clockChanges("Europe/Berlin", now), [
      { kind: "left out", from: 120, to: 180 },
      { kind: "twice", from: 120, to: 180 },
    ]);
    assert.deepEqual(clockChanges("America/New_York", now), [
      { kind: "left out", from: 120, to: 180 },
      { kind: "twice", from: 60, to: 120 },
    ]);
    assert.deepEqual(clockChanges("Australia/Lord_Howe", now), [
      { kind: "twice", from: 90, to: 120 },
      { kind: "left out", from: 120, to: 150 },
    ]);
    for (const zone of ["Asia/Tokyo", "Etc/UTC"]) assert.deepEqual(clockChanges(zone, now), []);
  });

  test("causes a warning only for times that it hits", () => {
    assert.match(
      of("30 2 * * *", "Europe/Berlin").join(),
      /:services\.cleanup\.schedule: does not come, and comes twice on the day/,
    );
    assert.match(of("30 2 * * *", "America/New_York").join(), /schedule: does not come on the day/);
    assert.match(of("0,30 1 * * sun", "America/New_York").join(), /schedule: comes twice on the day/);
    assert.deepEqual(of("0 3 * * *", "Europe/Berlin"), []);
    assert.deepEqual(of("30 2 * * *"), []);
    assert.deepEqual(of("*/5 * * * *", "Europe/Berlin"), []);
    assert.deepEqual(of("@daily", "Europe/Berlin"), []);
  });
});
