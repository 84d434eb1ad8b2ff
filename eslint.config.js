import js from "@eslint/js";
import tseslint from "typescript-eslint";
import { imports } from "./tools/lint/rooms.js";

export default tseslint.config(
  // Services have their own language and style; the sample is the project's.
  { ignores: ["node_modules", ".local*", "services/*", "!services/sample"] },
  js.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // Numbers in messages are what people read; Outputs stay forbidden, which is why the rule is kept.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // Taking a property out of an object by naming it beside a rest is what the name is for.
      "@typescript-eslint/no-unused-vars": ["error", { ignoreRestSiblings: true }],
      // node:test returns promises that its runner awaits by itself.
      "@typescript-eslint/no-floating-promises": [
        "error",
        {
          allowForKnownSafeCalls: [
            { from: "package", package: "node:test", name: ["test", "describe", "it", "suite"] },
          ],
        },
      ],
    },
  },
  {
    files: ["**/*.ts", "**/*.js"],
    ignores: ["services/**", "tools/addService/template/**"],
    plugins: { rooms: { rules: { imports } } },
    rules: { "rooms/imports": "error" },
  },
  {
    // Options belong to commands. The programs of the benchmark run in processes of their own, and `main` reads for all.
    files: ["**/*.ts"],
    ignores: ["tools/commands/**", "tools/cli/main.ts", "tools/bench/program/{bare,partByPart,record}.ts", "test/**"],
    rules: {
      "no-restricted-properties": [
        "error",
        {
          object: "process",
          property: "argv",
          message: "Only a command reads its arguments: take the value as a parameter, from a file of tools/commands/.",
        },
      ],
    },
  },
  { files: ["**/*.js"], languageOptions: { globals: { process: "readonly", console: "readonly", URL: "readonly" } } },
);
