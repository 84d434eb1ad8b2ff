/** `npm run check -- STACK`: validates a stack without credentials, and changes nothing. */
import { proxyRoutes } from "../../config/routes.ts";
import { renderRoutes } from "../../nginx/routes.ts";
import { main, oneStack } from "../cli/main.ts";
import { loadStackFile, stackFile, startProblem } from "../stack/stackFile.ts";
import { refuseBadRoutes } from "../programs/nginx.ts";

const usage = `npm run check -- STACK

Validates Pulumi.STACK.yaml, renders the proxy's configuration and tests it with nginx (nginx -t). It needs no
credentials and changes nothing. Use it before "npx pulumi up", and in pull requests.`;

await main(usage, {}, async ({ positionals }) => {
  const stack = oneStack(positionals, "npm run check -- staging");
  const { settings, warnings, notes } = loadStackFile(stack);
  await refuseBadRoutes(renderRoutes(proxyRoutes(settings)));
  const routes = Object.values(settings.services).reduce((sum, service) => sum + service.routes.length, 0);
  // The only stack that npm start applies.
  const problem = stack === "local" ? startProblem(stackFile(stack)) : undefined;
  for (const warning of [...warnings, ...(problem === undefined ? [] : [problem])])
    console.error(`warning: ${warning}`);
  for (const note of notes) console.error(`note: ${note}`);
  console.log(`${stack}: the config is valid, and nginx accepts its ${routes} routes.`);
});
