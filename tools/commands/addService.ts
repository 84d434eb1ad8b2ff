/** `npm run add-service -- NAME`: adds a microservice to the stacks' config, and a folder that builds and runs. */
import { servicePort } from "../../names/ports.ts";
import { addService, kinds, programs, type Language } from "../addService/addService.ts";
import { main } from "../cli/main.ts";
import { Problem } from "../cli/problem.ts";

const usage = `npm run add-service -- NAME [OPTIONS]

Adds a microservice: the folder services/NAME with a Dockerfile and a small server with a health check, and an entry in
the stack's file. Everything is validated first. If anything is invalid, nothing is written.

  --kind KIND    web, which answers requests, or worker, which nobody calls (default: web)
  --language L   node, python or go (default: node), for the program in the folder
  --image IMAGE  a ready image, by tag or digest; then there is no folder
  --path /PATH/  path of its route (default: /NAME/, unless --host is set)
  --host NAME    host of its route: a label below the domain, or a full name
  --port N       port on which it listens (default: ${servicePort}); none is a worker
  --stack STACK  stack to add it to (default: local); can be repeated, as in --stack local --stack staging`;

const options = {
  kind: { type: "string" },
  language: { type: "string" },
  image: { type: "string" },
  path: { type: "string" },
  host: { type: "string" },
  port: { type: "string" },
  stack: { type: "string", multiple: true },
} as const;

await main(usage, options, ({ values, positionals }) => {
  const [name, ...rest] = positionals;
  if (name === undefined || rest.length > 0)
    throw new Problem("Name exactly one service.", "Run for example: npm run add-service -- orders");
  const { image, path, host } = values;
  const kindName = values.kind ?? (values.port === "none" ? "worker" : "web");
  const kind = kinds.find((each) => each === kindName);
  if (kind === undefined)
    throw new Problem(`There is no kind "${kindName}".`, `Use one of these: ${kinds.join(", ")}.`);
  if ((kind === "worker") !== (values.port === "none") && values.port !== undefined)
    throw new Problem(
      kind === "worker" ? "A worker has no port." : "A web service has a port.",
      kind === "worker" ? "Leave out --port, or use --kind web." : "Leave out --port none, or use --kind worker.",
    );
  const port = kind === "worker" || values.port === undefined ? String(servicePort) : values.port;
  if (image !== undefined && values.language !== undefined)
    throw new Problem("A ready image has no folder, so no language.", "Leave out --language, or leave out --image.");
  const languages = Object.keys(programs) as Language[];
  const language = languages.find((each) => each === (values.language ?? "node"));
  if (language === undefined)
    throw new Problem(
      `There is no template for the language "${values.language ?? ""}".`,
      `Use one of these: ${languages.join(", ")}. Or name an image of your own with --image.`,
    );
  const stacks = [...new Set(values.stack ?? ["local"])];
  addService({ name, kind, language, image, port, path, host }, stacks);
  const wrote = [
    ...(image === undefined ? [`services/${name}`] : []),
    ...stacks.map((stack) => `Pulumi.${stack}.yaml`),
  ];
  const next = stacks.includes("local")
    ? "Run it: npm start"
    : `Check it: ${stacks.map((stack) => `npm run check -- ${stack}`).join(" && ")}`;
  console.log(`Wrote ${wrote.join(", ")}.\n${next}`);
  if (image === undefined) console.log(`Then edit it: services/${name}/${programs[language]}`);
  return Promise.resolve();
});
