/** A program, what runs beside it, and what runs before it. Each logs when it starts, and when it ends. */
import console from "node:console";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, get } from "node:http";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";

const [kind] = process.argv.slice(2);
const { PORT, SIDECAR = "http://127.0.0.1:9000/", WAIT_FOR = "", START_SECONDS = "0" } = process.env;
const shared = "/srv/shared/filled";
/** The status and the text of an answer, or why there is none. */
const ask = (url) =>
  new Promise((resolve) => {
    const request = get(url, { timeout: 2000 }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part) => (text += part));
      response.on("end", () => resolve(`${response.statusCode} ${text}`));
    });
    request.on("timeout", () => request.destroy(new Error("timeout")));
    request.on("error", ({ code, message }) => resolve(code ?? message));
  });

/** Serves until SIGTERM. */
async function serve(answer, ending = () => undefined) {
  process.once("SIGTERM", async () => {
    console.log("SIGTERM");
    await ending();
    console.log("ended");
    process.exit();
  });
  await sleep(1000 * Number(START_SECONDS));
  createServer((request, response) => {
    response.statusCode = request.url === "/never" ? 404 : 200;
    response.setHeader("content-type", "application/json").end(JSON.stringify(answer()));
  }).listen(Number(PORT));
}

console.log(`started as ${kind}`);
switch (kind) {
  case "sidecar":
    await serve(() => `sidecar with ${process.env.TOKEN}`);
    break;
  case "wait":
    while (!(await ask(WAIT_FOR)).startsWith("200")) {
      console.log(`waiting for ${WAIT_FOR}`);
      await sleep(1000);
    }
    break;
  case "fill":
    writeFileSync(shared, await ask(SIDECAR));
    break;
  case "fail":
    console.log("no such setting");
    process.exitCode = 3;
    break;
  default:
    await serve(
      () => ({ service: "containers", filled: existsSync(shared) && readFileSync(shared, "utf8"), env: process.env }),
      async () => console.log(`at its end the sidecar says ${await ask(SIDECAR)}`),
    );
}
