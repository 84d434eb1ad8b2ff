/** Drives a real browser by the DevTools protocol: Debian's headless Chromium, unpacked into the cache, not installed. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { arch, tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { WebSocket } from "ws";
import { debianPackages } from "../../../tools/programs/debian.ts";

export interface View {
  readonly width: number;
  readonly height: number;
  readonly scheme: "light" | "dark";
  /** Whether scripts of the page run. @default true */
  readonly scripts?: boolean;
}

export interface Loaded {
  /** Messages in the browser's console, and every request other than for the page itself. */
  readonly complaints: readonly string[];
  /** Runs a self-contained function in the page. */
  readonly run: <T>(script: () => T) => Promise<T>;
}

export interface Browser {
  readonly load: (url: string, view: View) => Promise<Loaded>;
  readonly close: () => Promise<void>;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** https://chromedevtools.github.io/devtools-protocol/ */
export async function startBrowser(): Promise<Browser> {
  const root = await debianPackages(["chromium-headless-shell"]);
  const profile = mkdtempSync(join(tmpdir(), "browser-"));
  const libraries = join(root, "usr/lib", arch() === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu");
  const child = spawn(
    join(root, "usr/lib/chromium/chromium-headless-shell"),
    // Chromium cannot use its sandbox as root. It loads only our own pages.
    ["--no-sandbox", "--remote-debugging-port=0", `--user-data-dir=${profile}`, "about:blank"],
    {
      env: {
        ...process.env,
        LD_LIBRARY_PATH: `${libraries}:${join(libraries, "pulseaudio")}`,
        FONTCONFIG_SYSROOT: root,
      },
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  const ended = once(child, "exit");
  let address: string | undefined;
  for await (const line of createInterface(child.stderr)) {
    address = /^DevTools listening on (ws:\S+)/.exec(line)?.[1];
    if (address !== undefined) break;
  }
  child.stderr.resume();
  assert.ok(address, "the browser did not start");
  const socket = new WebSocket(address);
  socket.setMaxListeners(0); // Each page adds a listener and keeps it.
  await once(socket, "open");
  return {
    load: (url, view) => load(socket, url, view),
    async close() {
      socket.close();
      child.kill("SIGKILL");
      await ended;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

let last = 0;

function send<T>(socket: WebSocket, method: string, params: object = {}, sessionId?: string): Promise<T> {
  const id = ++last;
  return new Promise((resolve, reject) => {
    const answer = (data: Buffer) => {
      const message = JSON.parse(data.toString()) as Message;
      if (message.id !== id) return;
      socket.off("message", answer);
      if (message.error === undefined) resolve(message.result as T);
      else reject(new Error(`${method}: ${message.error.message}`));
    };
    socket.on("message", answer);
    socket.send(JSON.stringify({ id, method, params, sessionId }));
  });
}

async function load(socket: WebSocket, url: string, { width, height, scheme, scripts = true }: View): Promise<Loaded> {
  const { targetId } = await send<{ targetId: string }>(socket, "Target.createTarget", { url: "about:blank" });
  const attach = { targetId, flatten: true };
  const { sessionId } = await send<{ sessionId: string }>(socket, "Target.attachToTarget", attach);
  const page = <T>(method: string, params = {}) => send<T>(socket, method, params, sessionId);
  const complaints: string[] = [];
  const loaded = new Promise<void>((resolve) => {
    socket.on("message", (data: Buffer) => {
      const { method, params, ...rest } = JSON.parse(data.toString()) as Message & { sessionId?: string };
      if (rest.sessionId !== sessionId) return;
      if (method === "Page.loadEventFired") resolve();
      const asked = (params?.["request"] as { url: string } | undefined)?.url;
      if (method === "Network.requestWillBeSent" && asked !== url) complaints.push(`asks for ${asked ?? ""}`);
      if (method !== undefined && /^(Log\.entryAdded|Runtime\.(exceptionThrown|consoleAPICalled))$/.test(method))
        complaints.push(JSON.stringify(params));
    });
  });
  for (const domain of ["Page", "Runtime", "Log", "Network"]) await page(`${domain}.enable`);
  const metrics = { width, height, deviceScaleFactor: 1, mobile: width < 600 };
  await page("Emulation.setDeviceMetricsOverride", metrics);
  await page("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
  await page("Emulation.setScriptExecutionDisabled", { value: !scripts });
  await page("Page.navigate", { url });
  await loaded;
  return {
    complaints,
    async run<T>(script: () => T) {
      const expression = `(${script.toString()})()`;
      const { result, exceptionDetails } = await page<{ result: { value: T }; exceptionDetails?: object }>(
        "Runtime.evaluate",
        { expression, returnByValue: true },
      );
      assert.equal(exceptionDetails, undefined, JSON.stringify(exceptionDetails));
      return result.value;
    },
  };
}
