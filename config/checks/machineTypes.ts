/**
 * The machine types of Compute Engine, by series and family word. Google refuses others when the pool is created.
 * https://cloud.google.com/compute/docs/machine-resource, with a page for each family, and for TPUs
 * https://cloud.google.com/kubernetes-engine/docs/concepts/plan-tpus
 */
import { didYouMean, nearest } from "../problems.ts";

/** By family word, what may follow it. */
type Series = Readonly<Record<string, string>>;

/** Adds the sizes that also come with local SSDs. */
const lssd = (least: number, sizes: string): string =>
  [
    sizes,
    ...sizes
      .split(" ")
      .filter((size) => Number(size) >= least)
      .map((size) => `${size}-lssd`),
  ].join(" ");
const nolssd = (sizes: string): string => `${sizes} ${sizes.replaceAll(/\S+/g, "$&-nolssd")}`;
const same = (sizes: string): Series => ({ standard: sizes, highmem: sizes, highcpu: sizes });

const n1 = "2 4 8 16 32 64 96";
const n2 = "2 4 8 16 32 48 64 80 96";
const c3 = "4 8 22 44 88 176";
const c3d = "4 8 16 30 60 90 180 360";
const c4 = "2 4 8 16 24 32 48 96 144 192 288";
const c4a = "1 2 4 8 16 32 48 64 72";
const c4d = "2 4 8 16 32 48 64 96 192 384";
const c4n = "2 4 8 16 24 48 96 192";
const m4: Series = { ultramem: "56 112 224", megamem: "28 56 112 224", hypermem: "16 32 64" };
/** Ends the name: `e2-micro`. */
const shared = "";

const predefined: Readonly<Record<string, Series>> = {
  f1: { micro: shared },
  g1: { small: shared },
  e2: { micro: shared, small: shared, medium: shared, ...same("2 4 8 16 32"), highmem: "2 4 8 16" },
  n1: { ...same(n1), standard: `1 ${n1}`, megamem: "96", ultramem: "40 80 160" },
  n2: { standard: `${n2} 128`, highmem: `${n2} 128`, highcpu: n2 },
  n2d: { standard: `${n2} 128 224`, highmem: n2, highcpu: `${n2} 128 224` },
  n4: same("2 4 8 16 32 48 64 80"),
  n4a: same("1 2 4 8 16 32 48 64"),
  n4d: same(n2),
  t2d: { standard: "1 2 4 8 16 32 48 60" },
  t2a: { standard: "1 2 4 8 16 32 48" },
  c2: { standard: "4 8 16 30 60" },
  c2d: same("2 4 8 16 32 56 112"),
  c3: { ...same(`${c3} 192-metal`), standard: `${lssd(4, c3)} 192-metal` },
  c3d: { standard: lssd(8, c3d), highmem: lssd(8, c3d), highcpu: c3d },
  c4: {
    standard: `${lssd(4, c4)} 288-metal 288-lssd-metal`,
    highmem: `${lssd(4, c4)} 288-metal 288-lssd-metal`,
    highcpu: c4,
  },
  c4a: { standard: lssd(4, c4a), highmem: `${lssd(4, c4a)} 96-metal`, highcpu: c4a },
  c4d: {
    standard: `${lssd(8, c4d)} 384-metal`,
    highmem: `${lssd(8, c4d)} 384-metal`,
    highcpu: `${c4d} 384-metal`,
  },
  c4n: { standard: lssd(4, c4n), highmem: lssd(4, c4n), highcpu: c4n },
  h3: { standard: "88" },
  h4d: { standard: "192", highmem: "192 192-lssd" },
  z3: {
    highmem:
      "14-standardlssd 22-standardlssd 44-standardlssd 88-standardlssd 176-standardlssd 8-highlssd 16-highlssd 22-highlssd 32-highlssd 44-highlssd 88-highlssd 192-highlssd-metal 88 176",
  },
  z4d: {
    highmem:
      "16-standardlssd 32-standardlssd 48-standardlssd 64-standardlssd 96-standardlssd 192-standardlssd 384-standardlssd 8-highlssd 16-highlssd 32-highlssd 48-highlssd 64-highlssd 96-highlssd 192-highlssd",
  },
  m1: { ultramem: "40 80 160", megamem: "96" },
  m2: { ultramem: "208 416", megamem: "416", hypermem: "416", ultramemx: "96", ultramem2x: "96" },
  m3: { ultramem: "32 64 128", megamem: "64 128" },
  m4,
  m4n: m4,
  // Since December 2025, names say CPUs and memory.
  x4: {
    megamem: "960-metal 1440-metal 1920-metal",
    480: "6t-metal 8t-metal",
    960: "12t-metal 16t-metal",
    1440: "24t-metal",
    1920: "32t-metal",
  },
  a2: { highgpu: "1g 2g 4g 8g", megagpu: "16g", ultragpu: nolssd("1g 2g 4g 8g") },
  a3: { highgpu: nolssd("1g 2g 4g 8g"), megagpu: nolssd("8g"), ultragpu: nolssd("8g"), edgegpu: nolssd("8g") },
  a4: { highgpu: nolssd("8g") },
  a4x: { highgpu: nolssd("4g"), maxgpu: "4g-metal" },
  g2: { standard: "4 8 12 16 24 32 48 96" },
  g4: { standard: "6 12 24 48 96 192 384" },
  ct4p: { hightpu: "4t" },
  ct5l: { hightpu: "1t 4t 8t" },
  ct5lp: { hightpu: "1t 4t 8t" },
  ct5p: { hightpu: "1t 2t 4t" },
  ct6e: { standard: "1t 4t 8t" },
  tpu7x: { standard: "1t 4t" },
};

interface Custom {
  readonly cpus: (count: number) => boolean;
  /** As in the message. */
  readonly says: string;
  /** MiB for each CPU. */
  readonly least: number;
  readonly most: number;
  /** Whether there is `-ext`, with more memory for each CPU. */
  readonly extended: boolean;
}
const even = (most: number, one = false) => ({
  cpus: (count: number) => (one && count === 1) || (count % 2 === 0 && count >= 2 && count <= most),
  says: `${one ? "1, or " : ""}an even number of CPUs up to ${most}`,
});
const usual = { least: 512, most: 8192, extended: true };

/**
 * Custom types. https://cloud.google.com/compute/docs/instances/creating-instance-with-custom-machine-type and
 * https://cloud.google.com/compute/docs/samples/compute-custom-machine-type-helper-class
 */
const customSeries: Readonly<Record<string, Custom>> = {
  e2: { ...even(32), ...usual, extended: false },
  n1: { ...even(96, true), least: 922, most: 6656, extended: true },
  n2: { ...even(128), ...usual },
  n2d: { ...even(96), ...usual },
  n4: { ...even(80), ...usual },
  n4a: { ...even(64, true), ...usual },
  n4d: { ...even(96), ...usual },
  g2: { ...even(96), ...usual, extended: false },
};
/** A custom type's memory is a multiple of it, in MiB. */
const memoryStep = 256;

export interface BadMachine {
  /** Continues a sentence that begins with the machine type. */
  readonly rule: string;
  readonly fix: string;
}

/** @returns undefined for a type that exists, or whose series this program does not know */
export function badMachine(machineType: string): BadMachine | undefined {
  const [, cpus, memory, ext] = /^(?:n1-)?custom-(\d+)-(\d+)(-ext)?$/.exec(machineType) ?? [];
  if (cpus !== undefined) return badCustom("n1", "custom", Number(cpus), Number(memory), ext !== undefined);
  const [series = "", word = "", ...more] = machineType.split("-");
  const known = Object.hasOwn(predefined, series) ? predefined[series] : undefined;
  if (known === undefined) return undefined;
  const rest = more.join("-");
  const isCustom = Object.hasOwn(customSeries, series);
  if (word === "custom" && isCustom) {
    // https://cloud.google.com/compute/docs/general-purpose-machines#custom_machine_types: e2-custom-medium-4096
    if (series === "e2" && /^(?:micro|small|medium)-\d+$/.test(rest)) return undefined;
    const [, count, mebibytes, extended] = /^(\d+)-(\d+)(-ext)?$/.exec(rest) ?? [];
    return badCustom(series, `${series}-custom`, Number(count), Number(mebibytes), extended !== undefined);
  }
  const words = [...Object.keys(known), ...(isCustom ? ["custom"] : [])];
  if (!Object.hasOwn(known, word)) {
    const meant = nearest(word, words);
    const guess = meant === undefined ? undefined : `${series}-${meant}${rest === "" ? "" : `-${rest}`}`;
    const isThere = guess !== undefined && badMachine(guess) === undefined;
    return {
      rule: `does not exist: machines of the series ${series} are ${words.map((each) => `${series}-${each}`).join(", ")}`,
      fix: `choose one of those${didYouMean(isThere ? guess : undefined)}`,
    };
  }
  const sizes = (known[word] ?? "").split(" ");
  if (sizes.includes(rest)) return undefined;
  const family = `${series}-${word}`;
  return sizes.join() === shared
    ? { rule: `does not exist: nothing follows ${family}`, fix: `use ${family}` }
    : {
        rule: `does not exist: ${family} comes in ${sizes.join(", ")}`,
        fix: `choose one of those, such as ${family}-${closest(rest, sizes)}`,
      };
}

/** The next larger size, or the one that is spelled most alike. */
function closest(wrong: string, sizes: readonly string[]): string {
  const counted = sizes.find((size) => size.replace(/[gt]$/, "") === wrong);
  if (counted !== undefined) return counted;
  const plain = sizes.filter((size) => /^\d+$/.test(size));
  const spelled = /^\d*$/.test(wrong) ? undefined : nearest(wrong, sizes);
  const larger = plain.find((size) => Number(size) >= parseInt(wrong, 10));
  return spelled ?? larger ?? (wrong === "" ? undefined : plain.at(-1)) ?? plain[1] ?? sizes[0] ?? "";
}

function badCustom(
  series: string,
  prefix: string,
  cpus: number,
  memory: number,
  extended: boolean,
): BadMachine | undefined {
  const rules = customSeries[series];
  if (rules === undefined) return undefined;
  const fits = (mebibytes: number) =>
    mebibytes % memoryStep === 0 && mebibytes >= rules.least * cpus && (extended || mebibytes <= rules.most * cpus);
  const such = `${prefix}-4-8192`;
  if (Number.isNaN(cpus) || Number.isNaN(memory))
    return { rule: `is not a custom type, which has CPUs and memory in MiB`, fix: `write it as ${such}` };
  if (!rules.cpus(cpus))
    return { rule: `does not exist: ${prefix} has ${rules.says}`, fix: `choose such a number, as in ${such}` };
  if (extended && !rules.extended)
    return { rule: `does not exist: ${prefix} has no extended memory`, fix: `leave -ext out` };
  if (fits(memory)) return undefined;
  const guess = `${prefix}-${cpus}-${memory * 1024}${extended ? "-ext" : ""}`;
  return {
    rule: `does not exist: ${cpus} CPUs of ${prefix} have ${rules.least * cpus} to ${rules.most * cpus} MiB of memory${rules.extended ? ", or more with -ext" : ""}, in steps of ${memoryStep}`,
    fix: `choose such an amount${didYouMean(fits(memory * 1024) ? guess : undefined)}`,
  };
}

/** @returns a warning for a type of a series that this program does not know: it may be new */
/** `n2` of `n2-standard-4`. */
export const seriesOf = (machineType: string): string => machineType.split("-")[0] ?? "";

export function unknownSeries(machineType: string): string | undefined {
  const series = seriesOf(machineType);
  if (series === "custom" || Object.hasOwn(predefined, series)) return undefined;
  return `"${machineType}" is of the series ${series}, which this program does not know; if it is new, go on: Google refuses what does not exist when it creates the pool. Known: ${Object.keys(predefined).join(", ")}`;
}
