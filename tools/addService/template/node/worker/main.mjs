/** A minimal worker. Replace `work`; the rest is what Kubernetes needs: on SIGTERM, finish the job in hand and end. */
import console from "node:console";
import process from "node:process";
import { clearTimeout, setTimeout } from "node:timers";

const { VERSION = "dev", HOSTNAME = "" } = process.env;
let ending = false;
/** Ends the pause between two jobs. */
let wake = () => undefined;

/** One job, such as a message from a queue. Finish it within `shutdownSeconds` (40), or hand it back. */
async function work() {
  console.log(JSON.stringify({ worker: "new-service", version: VERSION, pod: HOSTNAME, did: "nothing" }));
}

const pause = (milliseconds) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });

process.once("SIGTERM", () => {
  ending = true;
  wake();
});
while (!ending) {
  await work();
  if (!ending) await pause(10_000);
}
