/** A shop that serves, migrates its database, and cleans up: what it does is its first argument. */
import console from "node:console";
import { createServer } from "node:http";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { open } from "./postgres.mjs";

const [what, ...rest] = process.argv.slice(2);
const { DB = "", PORT = "8080" } = process.env;

/** Adds a version to the table of versions. @param seconds how long it takes @param status of its exit */
async function migrate([version, seconds = "0", status = "0"]) {
  const { query, close } = await open(DB);
  await query("create table if not exists versions (version text primary key, runs int not null default 0)");
  await query("create table if not exists collisions (version text)");
  // The session's lock ends with its connection, however the process ends.
  const [[isAlone]] = await query("select pg_try_advisory_lock(1)");
  if (isAlone !== "t") await query(`insert into collisions values ('${version}')`);
  console.log(`migrating to ${version}`);
  await sleep(Number(seconds) * 1000);
  if (status !== "0") {
    console.error(`column "price" of relation "products" already exists (${version})`);
    process.exit(Number(status));
  }
  await query(
    `insert into versions values ('${version}', 1) on conflict (version) do update set runs = versions.runs + 1`,
  );
  close();
}

async function serve() {
  createServer((request, response) => {
    if (request.url === "/versions")
      void open(DB)
        .then(async ({ query, close }) => {
          const versions = await query("select version, runs from versions order by version");
          const overlaps = await query("select version from collisions");
          close();
          response.end(JSON.stringify({ versions, overlaps: overlaps.length }));
        })
        .catch((error) => {
          response.writeHead(500).end(String(error));
        });
    else response.end(JSON.stringify({ service: "shop", release: process.env["RELEASE"] }));
  }).listen(Number(PORT));
  process.on("SIGTERM", () => process.exit(0));
}

/** A run of a schedule. @param seconds how long it takes @param status of its exit */
async function clean([seconds = "0", status = "0"]) {
  process.once("SIGTERM", () => process.exit(143));
  console.log("cleaning");
  await sleep(Number(seconds) * 1000);
  process.exit(Number(status));
}

await { migrate, serve, clean }[what](rest);
