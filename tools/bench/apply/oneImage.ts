/** Measures a change of one image on the local Kubernetes, with real pods: from the command to a response of the new version. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CommandError, run } from "../../cli/run.ts";
import { projectDir } from "../../cli/paths.ts";
import { Problem } from "../../cli/problem.ts";
import { caFile } from "../../stack/localCertificate.ts";
import { get } from "../../verify/request.ts";
import { median, spreadOf, type Spread } from "../figures.ts";
import { changing, images, stackFile, stackOf, stackText } from "./stack.ts";

/** Times are in seconds, medians of {@link rounds} unless stated otherwise. */
export interface OneImage {
  /** In addition to the two of the local stack. */
  readonly services: number;
  readonly objects: number;
  /** Until the new version answers through the whole path. */
  readonly answers: Spread;
  /** Until `npm start` has ended, which includes a request to every route. */
  readonly ends: number;
  /** Of `npm start` if nothing changed. */
  readonly unchanged: number;
  /** The same, just after the first apply: it does a dry run of every object. Measured once. */
  readonly allAsked: number;
}

const rounds = 3;

export async function measureOneImage(services: number, say: (text: string) => void): Promise<OneImage> {
  const before = readFileSync(stackFile, "utf8");
  const put = (image: string) => {
    writeFileSync(stackFile, stackText(stackOf(services, image)));
  };
  try {
    say("starting all services");
    put(images[0]);
    await start();
    say("dry run of all objects");
    const allAsked = await start();
    const [answers, ends, unchanged]: [number[], number[], number[]] = [[], [], []];
    for (let round = 0; round < rounds; round += 1) {
      say(`changing one image, ${round + 1} of ${rounds}`);
      const old = await podOf();
      put(images[(round + 1) % images.length] ?? "");
      const began = performance.now();
      const [end, answer] = await Promise.all([start(), newPod(old).then(() => (performance.now() - began) / 1000)]);
      ends.push(end);
      answers.push(answer);
      say(`changing nothing, ${round + 1} of ${rounds}`);
      await start();
      unchanged.push(await start());
    }
    const rendered = await run(process.execPath, [join(projectDir, "tools/commands/render.ts"), "local"], {
      cwd: projectDir,
    });
    const objects = rendered.split("\n---\n").length;
    return {
      services,
      objects,
      answers: spreadOf(answers),
      ends: median(ends),
      unchanged: median(unchanged),
      allAsked,
    };
  } finally {
    writeFileSync(stackFile, before);
  }
}

/** @returns seconds */
async function start(): Promise<number> {
  const began = performance.now();
  try {
    await run(process.execPath, [join(projectDir, "tools/commands/start.ts")], { cwd: projectDir });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new Problem(error.message, "Fix that first.");
  }
  return (performance.now() - began) / 1000;
}

/** The pod that answers through the whole path. */
async function podOf(): Promise<string> {
  const endpoint = { address: "127.0.0.1", httpPort: 80, httpsPort: 443, ca: readFileSync(caFile, "utf8") };
  const { body } = await get(endpoint, "https", "shop.localhost", `/${changing}/`);
  return (JSON.parse(body) as { pod: string }).pod;
}

async function newPod(old: string): Promise<void> {
  for (let tries = 0; tries < 6000; tries += 1) {
    if ((await podOf().catch(() => old)) !== old) return;
    await sleep(50);
  }
  throw new Problem(`${changing} still answers from ${old}.`, "See the output of npm start.");
}
