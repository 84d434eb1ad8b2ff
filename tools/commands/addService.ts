/** `npm run add-service -- NAME`: adds a microservice to the stacks' config, and a folder that builds and runs. */
import { servicePort } from "../../names/ports.ts";
import { addService } from "../addService/addService.ts";
import { main } from "../cli/main.ts";
import { Problem } from "../cli/problem.ts";

const usage = `npm run add-service -- NAME [OPTIONS]

Adds a microservice: the folder services/NAME with a Dockerfile and a small server with a health check, and an entry in
Pulumi.local.yaml. Everything is validated first. If anything is invalid, nothing is written.

  --path /PATH/  path of its route (default: /NAME/, unless --host is set)
  --host NAME    host of its route: a label below the domain, or a full name
  --port N       port on which it listens (default: ${servicePort})
  --stack STACK  add it to this stack too; can be repeated`;

const options = {
  path: { type: "string" },
  host: { type: "string" },
  port: { type: "string", default: String(servicePort) },
  stack: { type: "string", multiple: true },
} as const;

await main(usage, options, ({ values, positionals }) => {
  const [name, ...rest] = positionals;
  if (name === undefined || rest.length > 0)
    throw new Problem("Name exactly one service.", "Run for example: npm run add-service -- orders");
  const stacks = [...new Set(["local", ...(values.stack ?? [])])];
  addService({ name, port: values.port, path: values.path, host: values.host }, stacks);
  const wrote = [`services/${name}`, ...stacks.map((stack) => `Pulumi.${stack}.yaml`)];
  console.log(`Wrote ${wrote.join(", ")}.\nRun it: npm start\nThen edit it: services/${name}/main.mjs`);
  return Promise.resolve();
});
