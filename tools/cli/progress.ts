/** Shows which steps are running and for how long: one live line on a terminal, plain lines elsewhere. */
import { isVerbose } from "./verbose.ts";

export interface Step {
  /** Replaces the detail after the step's name. */
  detail(text: string): void;
}

export interface Progress {
  /**
   * Shows the step while the work runs, then its duration. Steps can run in parallel.
   * @param done mark of a completed step; use "·" if completing does not mean success. @default "✓"
   */
  step<T>(name: string, work: (step: Step) => Promise<T>, done?: "✓" | "·"): Promise<T>;
}

interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

interface Running {
  readonly name: string;
  readonly began: number;
  detail: string;
}

/** Without a terminal, a long step prints a line this often, so that a log shows that it still runs. Milliseconds. */
const reminderMs = 60_000;

/** @param output stream to write to. @default - standard error; standard output is for results */
export function createProgress(output: Output = process.stderr, environment = process.env): Progress {
  // With --verbose, the output of programs would mix with a live line.
  const live = output.isTTY === true && !isVerbose() && environment["TERM"] !== "dumb";
  const colored = live && (environment["NO_COLOR"] ?? "") === "";
  const color = (code: number, text: string) => (colored ? `\x1b[${code}m${text}\x1b[0m` : text);
  const running = new Set<Running>();
  const clear = () => {
    if (live) output.write("\r\x1b[K");
  };
  const draw = () => {
    if (!live || running.size === 0) return;
    const text = [...running]
      .map((step) => `${step.name} ${elapsed(step.began)}${step.detail && ` ${step.detail}`}`)
      .join(" · ");
    output.write(`\r\x1b[K${text.slice(0, (output.columns ?? 80) - 1)}`);
  };
  const line = (text: string) => {
    clear();
    output.write(`${text}\n`);
    draw();
  };
  return {
    async step(name, work, done = "✓") {
      const step: Running = { name, began: Date.now(), detail: "" };
      running.add(step);
      if (live) draw();
      else line(`  ${name} …`);
      const timer = setInterval(
        live
          ? draw
          : () => {
              line(`  ${name} … ${elapsed(step.began)} ${step.detail}`.trimEnd());
            },
        live ? 1000 : reminderMs,
      );
      const ended = (sign: string) => {
        clearInterval(timer);
        running.delete(step);
        line(`${sign} ${name} ${color(2, elapsed(step.began))}`);
      };
      try {
        const result = await work({
          detail(text) {
            step.detail = text;
            draw();
          },
        });
        ended(done === "✓" ? color(32, done) : done);
        return result;
      } catch (error) {
        ended(color(31, "✗"));
        throw error;
      }
    },
  };
}

const elapsed = (began: number): string => duration((Date.now() - began) / 1000);

export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${seconds.toFixed(0)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
}
