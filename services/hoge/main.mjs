import { serve } from "./server.mjs";

serve({
  name: "hoge",
  intro:
    "A sample service. The proxy has stripped the route's prefix from the path, and this page works at any prefix.",
  links: { "Back to the front page": "../", "A path below": "some/path?with=query" },
});
