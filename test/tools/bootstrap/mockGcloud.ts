/** Mocks of gcloud, npm, npx and sleep, as shell scripts: a run of the bootstrap script takes a tenth of a second. */
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

/**
 * It remembers what was created and granted. `$FAILING` is part of a command that fails. `$UNKNOWN` is part of a command
 * that fails as often as the file `unknown` has lines, as if Google did not know an account yet.
 */
const mock = (folder: string) => `#!/bin/sh
cd ${folder}
command="\${0##*/} $*"
if [ -n "\${FAILING:-}" ]; then case $command in *"$FAILING"*) echo "ERROR: (gcloud) denied" >&2; exit 1 ;; esac; fi
if [ -n "\${UNKNOWN:-}" ] && [ -s unknown ]; then
  case $command in *"$UNKNOWN"*)
    sed -i 1d unknown
    echo "ERROR: (gcloud) INVALID_ARGUMENT: Service account pulumi-deployer does not exist." >&2
    exit 1 ;;
  esac
fi
thing= verb= role= member= condition=None resource=
for word in "$@"; do
  case $word in
    --role=*) role=\${word#*=} ;;
    --member=*) member=\${word#*=} ;;
    --filter=bindings.members=*) member=\${word#*'"'}; member=\${member%'"'} ;;
    --condition=*) condition=\${word#*=} ;;
  esac
  [ "$verb" = done ] && continue
  [ -n "$verb" ] && { thing="$thing \${word%%@*}"; resource=$word; verb=done; continue; }
  case $word in
    describe | select | create | create-oidc | init | *-iam-policy*) verb=$word; action=$word ;;
    *) thing="$thing $word" ;;
  esac
done
case $condition in None) line="$role  " ;; *) line=\${condition#^;^title=}; line="$role \${line%%;expression=*} \${line#*;expression=}" ;; esac
grant="$resource|$member|$line"
touch made grants log
case \${action:-} in
  describe | select)
    case $command in *'projects describe'*) echo 123456789; exit ;; *'regions describe'*) exit ;; esac
    grep -qxF -e "$thing" made; exit ;;
  get-iam-policy)
    case $command in
      *'bindings.members)'*) grep -F -e "$resource|" grants | cut -d '|' -f 2 ;;
      *) grep -F -e "$resource|$member|" grants | cut -d '|' -f 3- ;;
    esac
    exit 0 ;;
  add-iam-policy-binding) grep -qxF -e "$grant" grants || printf '%s\\n' "$grant" >>grants ;;
  remove-iam-policy-binding)
    grep -qxF -e "$grant" grants || { echo "ERROR: Policy binding not found" >&2; exit 1; }
    grep -vxF -e "$grant" grants >rest; mv rest grants ;;
  create | create-oidc | init) printf '%s\\n' "$thing" >>made ;;
esac
printf '%s\\n' "$command" >>log
`;

export interface Mocked {
  /** Put it on PATH. */
  readonly folder: string;
  /** The commands that changed something, in order. */
  readonly commandsRun: () => string[];
  /** `resource|member|role title expression`, sorted. */
  readonly grants: () => string[];
  /** Adds grants that somebody made. */
  readonly grant: (...lines: string[]) => void;
  /** Lets commands fail so often. */
  readonly delay: (times: number) => void;
}

export function mocked(t: Pick<TestContext, "after">, programs = ["gcloud", "npm", "npx", "sleep"]): Mocked {
  const folder = mkdtempSync(join(tmpdir(), "bootstrap-"));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  writeFileSync(join(folder, "mock"), mock(folder), { mode: 0o755 });
  for (const program of programs) symlinkSync("mock", join(folder, program));
  const linesOf = (name: string) => {
    const path = join(folder, name);
    return existsSync(path) ? readFileSync(path, "utf8").split("\n").filter(Boolean) : [];
  };
  return {
    folder,
    commandsRun: () => linesOf("log"),
    grants: () => linesOf("grants").sort(),
    grant: (...lines) => {
      writeFileSync(join(folder, "grants"), [...linesOf("grants"), ...lines, ""].join("\n"));
    },
    delay: (times) => {
      writeFileSync(join(folder, "unknown"), "again\n".repeat(times));
    },
  };
}
