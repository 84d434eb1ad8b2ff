/** Runs the checkers, which are installed into the project's cache at pinned versions. */
import { join } from "node:path";
import { completed } from "../../../tools/programs/cache.ts";
import { run } from "../../../tools/cli/run.ts";
import { cacheDir } from "../../../tools/cli/paths.ts";
import { command, type Outcome } from "../support/commands.ts";

export interface Finding {
  /** The tool's id of the check. */
  readonly check: string;
  /** The object, and the tool's message. */
  readonly text: string;
}

const installed = new Map<string, Promise<void>>();

/** Installs once, even for concurrent calls. */
function install(folder: string, work: (folder: string) => Promise<void>): Promise<void> {
  const job = installed.get(folder) ?? completed(folder, work);
  installed.set(folder, job);
  return job;
}

/** @param program `module/path@version` @returns the path of the program */
async function goProgram(program: string): Promise<string> {
  const [path = "", version = ""] = program.split("@");
  const name = path.split("/").at(-1) ?? "";
  const folder = join(cacheDir, "checks", `${name}-${version}`);
  await install(folder, async (unfinished) => {
    const flags = ["-trimpath", "-ldflags", "-s -w"];
    await run("go", ["install", ...flags, program], { env: { GOBIN: unfinished, GOFLAGS: "", CGO_ENABLED: "0" } });
  });
  return join(folder, name);
}

const requirements = join(import.meta.dirname, "checkov.txt");

/** Runs Checkov offline on files. */
export async function checkov(framework: "kubernetes" | "dockerfile", files: readonly string[]): Promise<Finding[]> {
  const folder = join(cacheDir, "checks", "checkov-3.3.30");
  await install(folder, async (unfinished) => {
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile", "--no-deps"];
    await run("python3", [...pip, "--target", unfinished, "--requirement", requirements]);
  });
  const args = ["-m", "checkov.main", "--framework", framework, "--output", "json", "--quiet", "--compact"];
  const { text } = await command("python3", [...args, "--skip-download", "--file", ...files], {
    PYTHONPATH: folder,
    PYTHONDONTWRITEBYTECODE: "1",
    LOG_LEVEL: "ERROR",
  });
  interface Report {
    readonly results: {
      readonly failed_checks: readonly {
        readonly check_id: string;
        readonly check_name: string;
        readonly resource: string;
        readonly file_path: string;
      }[];
    };
    readonly summary: { readonly passed: number; readonly parsing_errors: number; readonly resource_count: number };
  }
  const { results, summary } = parsed(text) as Report;
  if (summary.parsing_errors > 0 || summary.passed === 0) throw new Error(`Checkov could not read all files:\n${text}`);
  return results.failed_checks.map(({ check_id, check_name, resource, file_path }) => ({
    check: check_id,
    text: `${stackOf(file_path)} ${resource}: ${check_name}`,
  }));
}

/** The stack of a manifest file such as `/tmp/x/staging.yaml`; the path of a Dockerfile. */
const stackOf = (path: string) => /([^/]+)\.yaml$/.exec(path)?.[1] ?? path;

/** Runs kube-score on a stack's manifests. */
export async function kubeScore(file: string): Promise<Finding[]> {
  const program = await goProgram("github.com/zegl/kube-score/cmd/kube-score@v1.20.0");
  const { text } = await command(program, ["score", "--output-format", "json", "--kubernetes-version", "v1.34", file]);
  interface Scored {
    readonly object_name: string;
    readonly checks: readonly {
      readonly check: { readonly id: string };
      /** 10 is the best grade. */
      readonly grade: number;
      readonly skipped: boolean;
      readonly comments: readonly { readonly path: string; readonly summary: string }[] | null;
    }[];
  }
  return (parsed(text) as readonly Scored[]).flatMap(({ object_name, checks }) =>
    checks
      .filter(({ grade, skipped }) => grade < 10 && !skipped)
      .flatMap(({ check, comments }) =>
        (comments ?? []).map(({ path, summary }) => ({
          check: check.id,
          text: `${stackOf(file)} ${object_name} ${path}: ${summary}`,
        })),
      ),
  );
}

/** Runs actionlint on workflows, without other checkers that the machine may have. */
export async function actionlint(files: readonly string[]): Promise<Outcome> {
  const program = await goProgram("github.com/rhysd/actionlint/cmd/actionlint@v1.7.12");
  return command(program, ["-shellcheck=", "-pyflakes=", ...files]);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Error(`No report, but:\n${text}`);
  }
}
