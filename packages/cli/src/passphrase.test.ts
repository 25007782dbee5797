import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { after, test } from "node:test";
import { assertCode } from "@quorate/testkit";
import { askTerminal, readPassphrase } from "./passphrase.ts";

const folder = mkdtempSync(join(tmpdir(), "quorate-passphrase-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const never = new AbortController().signal;
const file = join(folder, "secret");

function terminal() {
  const input = new PassThrough();
  let shown = "";
  const output = new Writable({
    write(chunk, _encoding, done) {
      shown += String(chunk);
      done();
    },
  });
  const streams = { input: input as unknown as NodeJS.ReadStream, output: output as unknown as NodeJS.WriteStream };
  return { input, shown: () => shown, streams };
}

test("the file comes first, and only its first line counts, spaces included", async () => {
  writeFileSync(file, "  two words \r\nsecond line\n");
  assert.equal(await readPassphrase({ file, variable: "other" }, "?", never), "  two words ");
});

test("the variable comes second; an empty one counts as absent", async () => {
  assert.equal(await readPassphrase({ variable: "from the environment" }, "?", never), "from the environment");
  await assertCode(readPassphrase({ variable: "" }, "?", never), "USAGE_NO_PASSPHRASE");
});

test("a file that is missing or begins with an empty line is refused", async () => {
  await assertCode(readPassphrase({ file: join(folder, "none") }, "?", never), "USAGE_PASSPHRASE_FILE");
  await assertCode(readPassphrase({ file: folder }, "?", never), "USAGE_PASSPHRASE_FILE");
  writeFileSync(file, "\nsecret\n");
  await assertCode(readPassphrase({ file }, "?", never), "USAGE_PASSPHRASE_FILE");
});

test("a terminal is asked, and does not show what is typed", async () => {
  const { input, shown, streams } = terminal();
  const asked = readPassphrase({ terminal: streams }, "Passphrase: ", never);
  input.write("open sesame\n");
  assert.equal(await asked, "open sesame");
  assert.equal(shown(), "Passphrase: \n");
});

test("Ctrl-C and the end of input at the question are no defects", async () => {
  for (const typed of ["\u0003", "\u0004"]) {
    const { input, streams } = terminal();
    const asked = readPassphrase({ terminal: streams }, "?", never);
    input.write(typed);
    await assertCode(asked, "INTERRUPTED");
    const open = terminal();
    const question = askTerminal(open.streams, "Sure? ", never);
    open.input.write(typed);
    await assertCode(question, "INTERRUPTED");
  }
});

test("a question that is no secret shows what is typed", async () => {
  const { input, shown, streams } = terminal();
  const asked = askTerminal(streams, "Sure? ", never);
  input.write("yes\n");
  assert.equal(await asked, "yes");
  assert.match(shown(), /Sure\? .*yes/s);
});

test("a question can be stopped", async () => {
  const { streams } = terminal();
  const controller = new AbortController();
  const asked = readPassphrase({ terminal: streams }, "?", controller.signal);
  controller.abort(new DOMException("Stopped.", "AbortError"));
  await assert.rejects(asked, { name: "AbortError" });
});
