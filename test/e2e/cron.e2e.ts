/** Schedules mean the same to this project and to Kubernetes, or are refused. It needs Go, and no cluster. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isTimeZone } from "../../config/checks/jobs.ts";
import { cronTrouble, cronWords } from "../../config/cron.ts";
import { askGo, type Answer } from "./support/goProgram.ts";
import { seed } from "./support/random.ts";

const seconds = "2027-01-01T00:00:00Z";
const timesOf = (answer: Answer | undefined) =>
  answer !== undefined && "value" in answer ? (answer.value as readonly string[]) : [];

const item = fc.constantFrom(
  ...["*", "?", "0", "1", "5", "7", "12", "13", "23", "24", "28", "29", "30", "31", "32", "59", "60", "01", "00059"],
  ...["*/5", "*/0", "5/10", "1-5", "5-1", "1-31/2", "0-6", "0-7", "*-5", "1-", "-1", "/2", "", "L", "W", "H", "5#2"],
  ...["jan", "DEC", "mon", "Fri-sat", "sun-mon", "march", "x", "1-mon", "*/-1", "1/2/3", "1-2-3", "+1", "1.5"],
);
const field = fc.oneof(
  { weight: 3, arbitrary: item },
  fc.array(item, { minLength: 2, maxLength: 3 }).map((all) => all.join(",")),
);
const schedules = fc.oneof(
  { weight: 8, arbitrary: fc.array(field, { minLength: 5, maxLength: 5 }).map((all) => all.join(" ")) },
  fc.array(field, { minLength: 1, maxLength: 7 }).map((all) => all.join("  ")),
  fc.constantFrom(...cronWords, "@reboot", "@every 5m", "@", "@Daily", " @daily ", ""),
);

test(`random schedules are refused if Kubernetes refuses them or they never come (SEED=${seed})`, async () => {
  const texts = fc.sample(schedules, { seed, numRuns: 20_000 });
  const answers = await askGo("goCron", ["Etc/UTC", seconds], texts);
  let accepted = 0;
  for (const [index, text] of texts.entries()) {
    const trouble = cronTrouble(text);
    const comes = timesOf(answers[index]).length > 0;
    if (trouble === undefined) accepted += 1;
    // Kubernetes takes more of what is no cron: a time from the last run, `+1`, `1,`, `*-5`.
    if (!/^@every|\+|,(,|\s|$)|(^|[\s,]),|[*?]-/.test(text))
      assert.equal(trouble === undefined, comes, `${JSON.stringify(text)}: ${trouble?.rule ?? ""}`);
  }
  assert.ok(accepted > 500, `${accepted} are good`);
});

test("names of time zones are refused if Kubernetes would not find them", async () => {
  const known = Intl.supportedValuesOf("timeZone");
  const aliases = [
    "Asia/Kolkata",
    "US/Pacific",
    "EST5EDT",
    "GMT",
    "Etc/GMT+9",
    "Asia/Saigon",
    "Europe/Kiev",
    "Zulu",
    "UTC",
  ];
  const wrong = [
    "asia/tokyo",
    "Tokyo",
    "JST",
    "+09:00",
    "UTC+9",
    "Local",
    "",
    "America/New York",
    "Europe/Berlin ",
    "../x",
  ];
  const names = [...known, ...aliases, ...wrong];
  const answers = await askGo("goCron", ["zones"], names);
  for (const [index, name] of names.entries()) {
    const answer = answers[index];
    // Go reads two names that are no zones: https://pkg.go.dev/time#LoadLocation
    const isKnown = answer !== undefined && "value" in answer && !["", "Local"].includes(name);
    assert.equal(isTimeZone(name), isKnown, name);
  }
});

test("a change of clocks leaves a time out, and another comes twice", async () => {
  const [spring] = await askGo("goCron", ["Europe/Berlin", "2027-03-27T12:00:00Z"], ["30 2 * * *"]);
  assert.deepEqual(timesOf(spring).slice(0, 2), ["2027-03-29T02:30:00+02:00", "2027-03-30T02:30:00+02:00"]);
  const [autumn] = await askGo("goCron", ["Europe/Berlin", "2027-10-30T12:00:00Z"], ["30 2 * * *"]);
  assert.deepEqual(timesOf(autumn).slice(0, 2), ["2027-10-31T02:30:00+02:00", "2027-10-31T02:30:00+01:00"]);
});
