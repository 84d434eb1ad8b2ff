/** A program that shows how it was started, what it can read and write, and whom it reaches. As a worker it only logs. */
import { Buffer } from "node:buffer";
import console from "node:console";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer, get } from "node:http";
import process from "node:process";
import { setInterval } from "node:timers";
import { setTimeout as sleep } from "node:timers/promises";
import { URL } from "node:url";

const [kind, ...words] = process.argv.slice(2);
const port = Number(process.env.PORT);
const attempt = (action) => {
  try {
    return action();
  } catch (error) {
    return error.code;
  }
};
const write = (path) => attempt(() => writeFileSync(path, "x")) ?? "written";
/** Bytes, mode and content; the reason if it cannot be read. */
const read = (path) =>
  attempt(() => {
    const { size, mode } = statSync(path);
    return { size, mode: (mode & 0o777).toString(8), base64: readFileSync(path).toString("base64") };
  });
const status = (url) =>
  new Promise((resolve) => {
    get(url, { timeout: 3000 }, (response) => resolve(response.resume().statusCode))
      .on("timeout", (request) => request?.destroy() ?? resolve("timeout"))
      .on("error", ({ code }) => resolve(code))
      .setTimeout(3000, () => resolve("timeout"));
  });

async function answer(request, response) {
  const { pathname, searchParams } = new URL(request.url, "http://workloads");
  switch (pathname) {
    case "/state":
      return json(response, { words, env: process.env, uid: process.getuid(), groups: process.getgroups() });
    case "/read":
      return json(response, read(searchParams.get("path")));
    case "/write":
      return json(response, { outcome: write(searchParams.get("path")) });
    case "/fill": // More than the folder may hold.
      for (let at = 0; at < 40; at++)
        attempt(() => writeFileSync(`${searchParams.get("folder")}/${at}`, Buffer.alloc(1 << 20)));
      return json(response, {});
    case "/reach":
      return json(response, { status: await status(searchParams.get("url")) });
    case "/live": {
      // As a framework with a list of allowed hosts.
      const isGood = request.headers.host === "shop.localhost" && request.headers["x-health"] === "1";
      response.statusCode = isGood && searchParams.get("full") === "true" ? 200 : 400;
      return response.end();
    }
    default:
      return json(response, { service: "workloads", pod: process.env.POD });
  }
}
const json = (response, body) => response.setHeader("content-type", "application/json").end(JSON.stringify(body));

console.log(`started as ${kind}`);
process.once("SIGTERM", async () => {
  console.log("SIGTERM");
  if (kind === "worker") await sleep(1000); // It finishes the job in hand.
  console.log("ended");
  process.exit();
});
if (kind === "worker") {
  writeFileSync("/tmp/alive", "");
  setInterval(() => existsSync("/tmp/alive") || console.log("stuck"), 1000);
} else {
  // The start takes a while: nothing listens before.
  await sleep(1000 * Number(process.env.START_SECONDS ?? 0));
  for (const each of [port, ...(process.env.ADMIN_PORT === undefined ? [] : [Number(process.env.ADMIN_PORT)])])
    createServer((request, response) => void answer(request, response)).listen(each);
}
