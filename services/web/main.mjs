import { serve } from "./server.mjs";

serve({
  name: "web",
  intro: "The sample service that takes whatever no other route takes.",
  links: { "To the service hoge": "hoge/", "A path below": "some/path?with=query" },
});
