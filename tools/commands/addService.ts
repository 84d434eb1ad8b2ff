/** `npm run add-service -- NAME`: a new microservice, in the stacks' config and as a folder that builds and runs. */
import { servicePort } from "../../names/ports.ts";
import { addService } from "../addService/addService.ts";
import { main } from "../cli/main.ts";
import { Problem } from "../cli/problem.ts";

const usage = `npm run add-service -- NAME [OPTIONS]

Adds a microservice: a folder services/NAME with a Dockerfile and a small server that has a health check, and its lines in
Pulumi.local.yaml. All of it is checked first; where anything is refused, nothing is written.

  --path /PATH/  where it answers (/NAME/, unless there is a --host)
  --host NAME    host on which it answers: a label under the domain, or a full name
  --port N       port on which it listens (${servicePort})
  --stack STACK  another stack that gets it as well; may be given more than once`;

const options = {
  path: { type: "string" },
  host: { type: "string" },
  port: { type: "string", default: String(servicePort) },
  stack: { type: "string", multiple: true },
} as const;

await main(usage, options, ({ values, positionals }) => {
  const [name, ...rest] = positionals;
  if (name === undefined || rest.length > 0)
    throw new Problem("One service is to be named.", "For example: npm run add-service -- orders");
  const stacks = [...new Set(["local", ...(values.stack ?? [])])];
  addService({ name, port: values.port, path: values.path, host: values.host }, stacks);
  const wrote = [`services/${name}`, ...stacks.map((stack) => `Pulumi.${stack}.yaml`)];
  console.log(`Written: ${wrote.join(", ")}.\nSee it answer: npm start\nThen make it yours: services/${name}/main.mjs`);
  return Promise.resolve();
});
