// Runs before every npm command, on whatever Node there is: installs when the lockfile is not the one installed last.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const stamp = `${root}node_modules/.lockfile-installed`;
const lockfile = readFileSync(`${root}package-lock.json`, "utf8");

if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== lockfile) {
  console.error("Installing the npm packages of package-lock.json …");
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel", "error"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
  });
  if (status !== 0) {
    console.error(
      '"npm ci" failed (see above). Check the network and the registry in "npm config get registry", then run the command again.',
    );
    process.exit(1);
  }
  writeFileSync(stamp, lockfile);
}
