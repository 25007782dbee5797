import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Command } from "commander";
import { ExitCode } from "./exit-codes.ts";
import { createOutput } from "./output.ts";
import { createProgram, run } from "./program.ts";

/** Every command with the words that lead to it. */
function paths(command: Command, words: readonly string[] = []): [readonly string[], Command][] {
  return [[words, command], ...command.commands.flatMap((child) => paths(child, [...words, child.name()]))];
}

async function runHere(argv: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  let out = "";
  let err = "";
  const code = await run(argv, (json) =>
    createOutput({
      json,
      stdout: { write: (text) => (out += String(text)) },
      stderr: { write: (text) => (err += String(text)) },
    }),
  );
  return { code, out, err };
}

const all = paths(createProgram(() => {}));

test("the commands are those of the guide", () => {
  const leaves = all.filter(([, command]) => command.commands.length === 0).map(([words]) => words.join(" "));
  assert.deepEqual(leaves, [
    ...["preview", "request", "run", "list", "offers", "open", "watch", "result", "settle"].map(
      (name) => `job ${name}`,
    ),
    ...["init", "deposit", "agent add", "agent revoke", "start", "stop", "status", "explain", "would-take"].map(
      (name) => `provider ${name}`,
    ),
    ...["ask", "status", "answer", "receipt", "verify"].map((name) => `query ${name}`),
    ...["key", "card", "enrol", "record", "consent", "audit"].map((name) => `subject ${name}`),
    ...["init", "import", "register", "publish", "start", "audit"].map((name) => `domain ${name}`),
    ...["new", "import", "list", "use", "show", "deposit", "withdraw", "claim"].map((name) => `account ${name}`),
    ...["show", "accept", "allow", "deny", "forget"].map((name) => `trust ${name}`),
    ...["add", "use", "list"].map((name) => `network ${name}`),
    "relay start",
    "devnet start",
    "backup",
    "restore",
  ]);
  const guide = readFileSync(new URL("../../../docs/guides/cli.md", import.meta.url), "utf8");
  for (const path of leaves) assert.ok(guide.includes(`quorate ${path}`), `docs/guides/cli.md shows quorate ${path}`);
});

for (const [words, command] of all) {
  const name = ["quorate", ...words].join(" ");

  test(`${name} has a description, and so does each of its options`, () => {
    assert.ok(command.description().length > 5, name);
    for (const { flags, description } of command.options) assert.ok(description.length > 5, `${name} ${flags}`);
  });

  test(`${name} --help exits 0, as words and as one line of JSON`, async () => {
    const inWords = await runHere([...words, "--help"]);
    assert.equal(inWords.code, ExitCode.Ok);
    assert.ok(inWords.out.startsWith(`Usage: ${name}`), inWords.out);
    assert.equal(inWords.err, "");
    const inJson = await runHere([...words, "--help", "--json"]);
    assert.equal(inJson.out.split("\n").length, 2);
    assert.equal((JSON.parse(inJson.out) as { help: string }).help.trimEnd(), inWords.out.trimEnd());
  });
}

const misuse: readonly [readonly string[], RegExp][] = [
  [[], /quorate needs a command/],
  [["job"], /quorate job needs a command. See: quorate job --help/],
  [["jbo"], /unknown command 'jbo' \(Did you mean job\?\)/],
  [["job", "wach", "0x1"], /unknown command 'wach' \(Did you mean watch\?\)/],
  [["job", "watch"], /missing required argument 'job'. See: quorate job watch --help/],
  [["job", "request", "x.js"], /required option '--price <amount>' not specified/],
  [["job", "request", "x.js", "--price"], /option '--price <amount>' argument missing/],
  [["job", "list", "--prize", "5"], /unknown option '--prize'/],
  [["provider", "agent"], /quorate provider agent needs a command/],
  [["account", "use", "a", "b"], /too many arguments/],
];

for (const [argv, message] of misuse) {
  test(`"quorate ${argv.join(" ")}" is wrong usage, in words and in JSON, before and after the command`, async () => {
    const inWords = await runHere(argv);
    assert.equal(inWords.code, ExitCode.Usage);
    assert.match(inWords.err, message);
    assert.match(inWords.err, /^USAGE_COMMAND_LINE: /);
    assert.equal(inWords.out, "");
    for (const given of [
      ["--json", ...argv],
      argv.length === 0 ? ["--json"] : [argv[0] ?? "", "--json", ...argv.slice(1)],
    ]) {
      const { code, out } = await runHere(given);
      assert.equal(code, ExitCode.Usage);
      assert.equal(out.split("\n").length, 2);
      const { error } = JSON.parse(out) as { error: { code: string; message: string } };
      assert.equal(error.code, "USAGE_COMMAND_LINE");
      assert.match(error.message, message);
    }
  });
}

test("the version is said in words and as JSON", async () => {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  assert.equal((await runHere(["--version"])).out, `${version}\n`);
  assert.deepEqual(JSON.parse((await runHere(["--json", "--version"])).out), { version });
});

test("every exit code is in the guide and in the help", async () => {
  const guide = readFileSync(new URL("../../../docs/guides/cli.md", import.meta.url), "utf8");
  const { out } = await runHere(["--help"]);
  for (const code of Object.values(ExitCode)) {
    assert.match(guide, new RegExp(`^\\| ${code} \\|`, "m"), `exit code ${code} in docs/guides/cli.md`);
    assert.match(out, new RegExp(`\\b${code} `), `exit code ${code} in --help`);
  }
});
