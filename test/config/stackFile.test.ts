/** A stack file is read as the Pulumi CLI reads it; text that would arrive as something else is refused. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { checkConfig } from "../../config/config.ts";
import { lostText, mayBeRewritten } from "../../config/input.ts";
import { parseStackFile, plainValue, StackFileError } from "../../config/stackFile.ts";
import { asText } from "../../tools/stack/stackFile.ts";
import { stacksDir } from "../../tools/cli/paths.ts";
import { hoge, projectDir, raw, refusal, valid } from "./refusal.ts";

const values = (text: string) => Object.fromEntries(parseStackFile(text).values);
const key = (name: string) => `gke-microservices:${name}`;

test("plain scalars mean what yaml.v3 of Go makes of them", () => {
  const rows: [string, unknown][] = [
    ["text", "text"],
    ["01234", 668],
    ["0777", 511],
    ["-017", -15],
    ["08", 8],
    ["0x1F", 31],
    ["0b101", 5],
    ["0o17", 15],
    ["0o+17", 15],
    ["1_000", 1000],
    ["_1", "_1"],
    ["+5", 5],
    ["1e3", 1000],
    ["1e400", "1e400"],
    [".5", 0.5],
    [".511_000", 0.511],
    ["._5", "._5"],
    ["1.10", 1.1],
    ["1.2.3", "1.2.3"],
    ["1234567890123456789", 1234567890123456789n],
    ["18446744073709551615", 18446744073709551615n],
    ["18446744073709551616", 18446744073709552000],
    ["True", true],
    ["yes", "yes"],
    ["on", "on"],
    ["y", "y"],
    ["~", null],
    ["Null", null],
    ["", null],
    ["2026-01-03", "2026-01-03 00:00:00 +0000 UTC"],
    ["2026-1-3", "2026-01-03 00:00:00 +0000 UTC"],
    ["2026-02-30", "2026-02-30"],
    ["2026-01-03T17:00:00Z", "2026-01-03 17:00:00 +0000 UTC"],
    ["2026-01-03t17:00:00.5+09:00", "2026-01-03 17:00:00.5 +0900 +0900"],
    ["2026-01-03 17:00:00", "2026-01-03 17:00:00 +0000 UTC"],
    ["17:00", "17:00"],
    ["190:20:30", "190:20:30"],
  ];
  for (const [written, read] of rows) assert.deepEqual(plainValue(written), read, written);
});

test("anchors, aliases and merges are resolved; a map's own keys come before merged ones, and the first map before the next", () => {
  const text = `
x-base: &base { image: "a:1", env: { A: "1" } }
config:
  services:
    a: { <<: *base, image: "b:1" }
    b: { <<: [{ port: 1 }, { port: 2, replicas: 3 }] }
    c: *base
`;
  assert.deepEqual(values(text), {
    [key("services")]: {
      a: { image: "b:1", env: { A: "1" } },
      b: { port: 1, replicas: 3 },
      c: { image: "a:1", env: { A: "1" } },
    },
  });
});

test("what the CLI ignores, refuses or reads in another way is refused with the line and the fix", () => {
  const rows: [string, number | undefined, RegExp, RegExp][] = [
    [
      "config: {}\ngke-microservices:services: {}\n",
      2,
      /"gke-microservices:services" is at the top of the file/,
      /indent it below `config:`/,
    ],
    ["services: {}\n", 1, /at the top/, /indent it/],
    ["confg:\n  domain: a.b\n", 1, /"confg" is at the top/, /write config/],
    ["config:\n  a: 1\n  a: 2\n", 3, /^the key "a" is there in lines 2 and 3$/, /^keep one of the two$/],
    [
      "config:\n  s:\n    # x\n    a: {b: 1}\n    c: 1\n    a: 2\n",
      6,
      /^the key "a" is there in lines 4 and 6$/,
      /keep/,
    ],
    ["config:\n  s: {b: 1, b: 2}\n", 2, /^the key "b" is there twice in line 2$/, /keep/],
    [`config:\n  domain: a.b\n  ${key("domain")}: c.d\n`, 3, /domain is there twice, in lines 2 and 3$/, /keep one/],
    ["config:\n  env: {1: a}\n", 2, /"1" is not text as a key/, /^write "1", with the quotes$/],
    ["config:\n  env: {0777: a}\n", 2, /"0777" is not text as a key/, /write "0777", with the quotes/],
    ["config:\n  env: {2026-01-03: a}\n", 2, /not text as a key/, /write "2026-01-03", with the quotes/],
    ["config:\n  a: .inf\n", 2, /\.inf is not a number that JSON has/, /write "\.inf", with the quotes/],
    ["config:\n  a: !!binary aGk=\n", 2, /the tag !!binary is not known here/, /quote the value/],
    ["config:\n  a: *b\n", undefined, /b/, /./],
    ["config:\n  a: {<<: 1}\n", 2, /`<<` merges something that is not a map/, /alias/],
    ["config: []\n", 1, /`config` is not a map/, /each key on a line/],
    ["text\n", undefined, /not a map/, /`config`/],
    ["config:\n  a: b\u2028\n", 2, /U\+2028 ends a line/, /double quotes/],
    ["config:\n\ta: 1\n", 2, /./, /indent it with spaces/],
    ["config:\n  a: b\u0007\n", 2, /the control character U\+0007/, /double quotes/],
    ["config:\n  a: caf\ufffd\n", 2, /bytes that are not UTF-8/, /save it as UTF-8/],
    ["%YAML 1.2\n---\nconfig: {}\n", 1, /a version of YAML that the CLI does not take/, /remove that line/],
  ];
  for (const [text, line, found, fix] of rows)
    assert.throws(
      () => parseStackFile(text),
      (error) => {
        assert.ok(error instanceof StackFileError, text);
        assert.match(error.message, found);
        assert.match(error.fix, fix);
        if (line !== undefined) assert.equal(error.line, line, text);
        return true;
      },
    );
});

test("a byte order mark, comments, `environment` and the keys that the CLI writes are no config", () => {
  const text = "\ufeff# a\nencryptionsalt: v1:abc\nenvironment: [acme/prod]\nconfig:\n  domain: a.b # c\n";
  assert.deepEqual(values(text), { [key("domain")]: "a.b" });
  assert.deepEqual(
    [parseStackFile(text).usesEnvironment, parseStackFile("config: {}\n").usesEnvironment],
    [true, false],
  );
  for (const empty of ["", "---\n", "# nothing\n", "config:\n", "config: {}\n"]) assert.deepEqual(values(empty), {});
});

/** The config of a file with one service, and what is refused in it. */
function lost(service: string): string[] {
  const text = `config:\n  domain: shop.example.com\n  services:\n    hoge: ${service}\n`;
  const file = parseStackFile(text);
  const config = Object.fromEntries([...file.values].map(([name, value]) => [name, asText(value)]));
  return lostText(config, file.rewritten).map(({ key, message }) => `${key} ${message}`);
}

test("text without quotes that would arrive as something else is refused; numbers and switches are not text", () => {
  const env = (text: string) => lost(`{ image: "a/b:1", env: { A: ${text} } }`);
  for (const text of [
    "0777",
    "01234",
    "1e3",
    "1_000",
    "0x1F",
    "+5",
    "1.10",
    ".5",
    "2026-01-03",
    "True",
    "-0",
    "123456789012345678901",
  ]) {
    const [found, ...others] = env(text);
    assert.match(
      found ?? "",
      /^gke-microservices:services\.hoge\.env\.A ".*" without quotes is .* to the Pulumi CLI; write "/,
      text,
    );
    assert.deepEqual(others, []);
  }
  for (const text of [
    "777",
    "'0777'",
    '"1e3"',
    "1.5",
    "true",
    "yes",
    "on",
    "1234567890123456789",
    "a0777",
    "10.0.0.1",
    "17:00",
  ])
    assert.deepEqual(env(text), [], text);
  assert.deepEqual(lost('{ image: "a/b:1", port: 0x1F90, replicas: 0o3 }'), [], "a number may be written in any form");
  assert.equal(
    lost('{ image: "a/b:1", routes: [{ host: 012 }], port: none }').length,
    1,
    "other mistakes do not hide it",
  );
});

test("property: the program, which looks before it parses, overlooks no file with such text", () => {
  const pieces = [
    "0",
    "1",
    "7",
    "9",
    "x",
    "X",
    "o",
    "b",
    "_",
    ".",
    "-",
    "+",
    "e",
    "E",
    "True",
    "FALSE",
    "2026-01-03",
    "T17:00:00Z",
    " ",
    "a",
  ];
  const scalar = fc.array(fc.constantFrom(...pieces, ...pieces.slice(0, 4)), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(
      scalar,
      fc.constantFrom("  a: $", "  a: {b: $}", "  a: [$]", "  a: [b,$]", "  a:\n    - $"),
      (parts, form) => {
        const text = `config:\n${form.replace("$", parts.join(""))}\n`;
        let rewritten;
        try {
          ({ rewritten } = parseStackFile(text));
        } catch {
          return;
        }
        if (rewritten.length > 0) assert.match(text, mayBeRewritten);
      },
    ),
    { numRuns: 5000 },
  );
  for (const stack of ["local", "staging", "production"])
    assert.doesNotMatch(
      readFileSync(join(stacksDir, `Pulumi.${stack}.yaml`), "utf8"),
      mayBeRewritten,
      "it would cost time",
    );
});

test("a number with a zero before it is refused where a number is taken too: to the CLI it is octal", () => {
  assert.deepEqual(lost("{ image: a/b:1, port: 03000 }"), [
    `${key("services.hoge.port")} "03000" without quotes is 1536 to the Pulumi CLI; write 3000`,
  ]);
  assert.equal(lost("{ image: a/b:1, port: 0_17 }").length, 1);
  for (const port of ["3000", "0xBB8", "0o5670", "3_000", "3e3", "08080"])
    assert.deepEqual(lost(`{ image: "a/b:1", port: ${port} }`), [], port);
});

test("what has no quotes is answered with what to write; a secret is not shown", () => {
  const wrong = (service: string) =>
    lost(`{ image: a/b:1, ${service} }`).map((text) => text.split("; ").slice(1).join("; "));
  assert.deepEqual(wrong("env: { UMASK: 0777, V: 1.10 }"), [
    'write "0777", with the quotes',
    'write "1.10", with the quotes',
  ]);
  assert.deepEqual(wrong("user: 01750"), ["write 1750"]);
  assert.deepEqual(wrong("labels: { a: 1.0 }, annotations: { b: true }"), [
    'write "1.0", with the quotes, if it is text',
  ]);
  for (const [yaml, message] of [
    ["{ 1: a }", 'Write "1", with the quotes'],
    ["{ true: a }", 'Write "true", with the quotes'],
    ["{ a: .nan }", 'Write ".nan", with the quotes'],
  ] as const)
    assert.throws(
      () => lost(`{ image: a/b:1, env: ${yaml} }`),
      (error: Error & { fix?: string }) => new RegExp(message, "i").test(error.fix ?? ""),
      yaml,
    );
  assert.match(
    refusal(hoge({ env: { A: null }, files: { "/a": { text: true } } })),
    /true must be text, .*; write "true", with the quotes$/m,
  );
});

test("a key that is not known says so, however its value is written", () => {
  for (const mode of ["0400", '"0400"', "400", "256", "0o400"]) {
    assert.deepEqual(lost(`{ image: a/b:1, files: { /a: { text: x, mode: ${mode} } } }`), [], mode);
    assert.deepEqual(lost(`{ image: a/b:1, scratch: { /a: { size: 1Gi, mode: ${mode} } } }`), [], mode);
  }
  assert.match(
    refusal(hoge({ files: { "/a": { text: "x", mode: 256 } } })),
    /^1 problem [^]*files\["\/a"\]\.mode\n.*; leave it out: the program can read the file/,
  );
});

test("a time may have quotes or none; both arrive as the same", () => {
  for (const quote of ["", '"'])
    assert.deepEqual(values(`config:\n  cluster: { maintenance: { start: ${quote}2026-01-03T17:00:00Z${quote} } }\n`), {
      [key("cluster")]: {
        maintenance: { start: quote === "" ? "2026-01-03 17:00:00 +0000 UTC" : "2026-01-03T17:00:00Z" },
      },
    });
});

test("what looks like a number is text to a key that takes text, as it was written", () => {
  const service = hoge({
    env: { ID: 0 },
    resources: { cpu: 1, memory: 134217728 },
    routes: [{ host: 12 }, { path: "/", versions: [{ header: "X-Version", value: 1.1, service: "web" }] }],
  });
  const services = { ...service.services, web: { image: "a/b:1" } };
  const text = raw({ ...service, services });
  const name = key("services");
  text[name] = (text[name] ?? "").replace('"ID":0', '"ID":1234567890123456789');
  const { settings } = checkConfig(text, "test", projectDir);
  const hogeSettings = settings.services["hoge"];
  assert.deepEqual(hogeSettings?.resources, { cpu: "1", memory: "134217728" });
  assert.deepEqual(hogeSettings.env, { ID: "1234567890123456789" });
  assert.deepEqual([hogeSettings.routes[0]?.host, hogeSettings.routes[1]?.versions?.[0]?.value], ["12", "1.1"]);
  assert.match(refusal(hoge({ image: 1 })), /image\n\s+"1" must have a tag/);
  assert.match(refusal(hoge({ port: "1" })), /port\n\s+"1" must be a port from 1 to 65535, or none/);
});

test("a key that takes text or a map takes a number for text too, wherever in them", () => {
  const {
    settings: { services },
  } = checkConfig(
    raw({
      ...valid,
      services: {
        hoge: {
          ...valid.services.hoge,
          health: { path: "/readyz", headers: { "X-Health": 1 } },
          scratch: { "/data": 1048576, "/cache": { size: 2097152 } },
        },
        web: { image: "a/b:1", health: { grpc: 5 }, env: { A: { secret: "B" } } },
      },
      secrets: { web: { B: 1 } },
    }),
    "test",
    projectDir,
  );
  assert.partialDeepStrictEqual(services["hoge"], {
    health: { headers: { "X-Health": "1" } },
    scratch: { "/data": { size: "1048576" }, "/cache": { size: "2097152" } },
  });
  assert.partialDeepStrictEqual(services["web"], { health: { grpc: "5" } });
  assert.match(refusal(hoge({ scratch: { "/data": 5 } })), /scratch\["\/data"\]\n\s+"?5"? must be/);
  assert.match(refusal(hoge({ health: 8080 })), /health\n\s+"?8080"? must be a path such as/);
  assert.match(refusal(hoge({ health: { path: true } })), /health\.path\n\s+true must be text/);
});

test("an empty map under another project's name is refused like any other value", () => {
  assert.match(
    refusal(hoge({}), { "old-name:proxy": "{}" }),
    /old-name:proxy\n\s+"old-name" is not the name of this project/,
  );
});

test("a name that JavaScript reserves is refused wherever it is", () => {
  for (const [config, at] of [
    [`{"__proto__":{"image":"a/b:1"}}`, "services.__proto__"],
    [`{"hoge":{"image":"a/b:1","env":{"__proto__":"1"}}}`, "services.hoge.env.__proto__"],
  ] as const)
    assert.throws(
      () => checkConfig({ ...raw(hoge({})), [key("services")]: config }, "test", projectDir),
      (error) =>
        error instanceof Error &&
        error.message.includes(`${key(at)}\n    "__proto__" is a name that JavaScript reserves; choose`),
    );
});

test("what is no YAML is said in the words of who writes it, with the line, and without its text", () => {
  const refused = (text: string) => {
    try {
      parseStackFile(text);
    } catch (error) {
      assert.ok(error instanceof StackFileError);
      return [error.line, error.message, error.fix] as const;
    }
    return assert.fail(text);
  };
  const space = /no KEY: VALUE/;
  const indented = /is indented unlike its neighbours/;
  const open = /opens above is not closed/;
  const special = /special character, or has text after its end/;
  for (const [text, line, found] of [
    ["config:\n  a:\n    port:3000\n    b: 1\n", 3, space],
    ["config:\n  tls\n    mode: none\n  b: 1\n", 2, space],
    ["config:\n  a:\n    path: /\n    - path: /b\n", 4, space],
    ["config:\n  a:\n    b: x\n   c: 1\n", 4, indented],
    ["config:\n  a:\n    - b: 1\n    c: 2\n", 4, indented],
    ["config:\n  a: b: c\n", 2, /has a second key/],
    ["config:\n  a: {b: 1\n  c: 1\n", 3, open],
    ["config:\n  a: [1, 2\n  c: 1\n", 3, open],
    ['config:\n  a: "secret\n  c: 1\n', 4, open],
    ["config:\n  a: @secret\n", 2, special],
    ["config:\n  a: 'it's secret'\n", 2, special],
    ["config:\n  a: 1\n  domain\n", 3, space],
    ["config:\n  a: 1\n---\nconfig:\n  b: 1\n", 3, /a second document begins/],
    ["...\nconfig:\n  a: 1\n", 2, /a second document begins/],
    ["config:\n\ta: 1\n", 2, /begins with a tab/],
    ["config:\n  a:\n\t- 1\n", 3, /begins with a tab/],
    ['config:\n  a: "C:\\secret"\n', 2, /a backslash that begins no known escape/],
    ['config:\n  a: "\\uZZZZ"\n', 2, /a backslash that begins no known escape/],
    ["config:\n  a: *\n", 2, /begins with \* or &/],
    ["config:\n  a: &secret *b\n", 2, /begins with \* or &/],
    ["config:\n  a: &secret &b c\n", 2, /begins with \* or &/],
    [`config:\n  ${"secret".repeat(200)}: 1\n`, 2, /more than 1,024 characters/],
  ] as const) {
    const [at, message, fix] = refused(text);
    assert.equal(at, line, text);
    assert.match(message, found);
    assert.doesNotMatch(message + fix, /secret|implicit|mapping|sequence|node|parse/i);
  }
});
