import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodePackage } from "@quorate/core";
import { engines } from "@quorate/sandbox";
import {
  buildParts,
  contentKey,
  type DraftFile,
  dataProblem,
  emptyDraft,
  engineOf,
  fileNameProblem,
  programProblem,
  readDraft,
} from "./draft.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const program: DraftFile = { name: "sum.js", bytes: utf8("export default 1") };
const data: readonly DraftFile[] = [{ name: "prices.csv", bytes: utf8("1\n2\n") }];

describe("a program that is dropped", () => {
  it("runs in the engine of its ending", () => {
    assert.equal(engineOf("a.js"), "quickjs");
    assert.equal(engineOf("A.MJS"), "quickjs");
    assert.equal(engineOf("a.wasm"), "wasi-p1");
    assert.equal(engineOf("a.py"), undefined);
  });

  it("is refused in words when nothing here runs it", () => {
    const module = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
    const component = Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0);
    assert.equal(programProblem(program), undefined);
    assert.equal(programProblem({ name: "p.wasm", bytes: module }), undefined);
    assert.match(programProblem({ name: "p.wasm", bytes: component }) ?? "", /component/);
    assert.match(programProblem({ name: "p.wasm", bytes: utf8("hello") }) ?? "", /does not begin like WebAssembly/);
    assert.match(programProblem({ name: "p.py", bytes: utf8("1") }) ?? "", /no program that can run here/);
    assert.match(programProblem({ name: "p.js", bytes: Uint8Array.of(0xff) }) ?? "", /not text in UTF-8/);
  });
});

it("names that a package cannot have are refused in words", () => {
  assert.equal(fileNameProblem("prices-2.csv"), undefined);
  for (const name of ["../x", "über.csv", "a b.csv", ".hidden"]) assert.match(fileNameProblem(name) ?? "", /Rename/);
  assert.match(dataProblem(program, { program, data: [] }) ?? "", /name of the program/);
});

describe("the parts of a package", () => {
  it("are a package that can be encoded", () => {
    const draft = { ...emptyDraft, args: "a\nb\n", stdin: "prices.csv" };
    const parts = buildParts(draft, { program, data }, engines);
    assert.ok(parts.problems === undefined);
    assert.deepEqual(parts.manifest.args, ["a", "b"]);
    assert.equal(parts.manifest.limits.memoryBytes, 64 * 1024 ** 2);
    assert.ok(encodePackage(parts).length > 0);
  });

  it("say beside each field what is wrong with it", () => {
    const draft = {
      ...emptyDraft,
      stdin: "gone.csv",
      limits: { fuelMillions: "0", memoryMiB: "x", outputKiB: "65537", wallTimeS: "1.5" },
    };
    const { problems } = buildParts(draft, { program: undefined, data }, engines);
    assert.ok(problems !== undefined);
    assert.match(problems.program ?? "", /Choose a program/);
    assert.match(problems.stdin ?? "", /none of the data files/);
    assert.deepEqual(Object.keys(problems.limits), ["fuelMillions", "memoryMiB", "outputKiB", "wallTimeS"]);
  });

  it("have another key when one byte or argument differs", async () => {
    const keyOf = async (args: string, files: readonly DraftFile[]): Promise<string> => {
      const parts = buildParts({ ...emptyDraft, args }, { program, data: files }, engines);
      assert.ok(parts.problems === undefined);
      return await contentKey(parts);
    };
    const key = await keyOf("a", data);
    assert.equal(await keyOf("a", [{ name: "prices.csv", bytes: utf8("1\n2\n") }]), key);
    assert.notEqual(await keyOf("b", data), key);
    assert.notEqual(await keyOf("a", [{ name: "prices.csv", bytes: utf8("1\n3\n") }]), key);
  });
});

it("a stored draft is read with defaults, and one of another version is not", () => {
  assert.deepEqual(readDraft(undefined), emptyDraft);
  assert.deepEqual(readDraft({ version: 2, step: 4 }), emptyDraft);
  const read = readDraft({ version: 1, step: 3, limits: { fuelMillions: "5" }, terms: { seats: "5" } });
  assert.equal(read.step, 3);
  assert.deepEqual(read.limits, { ...emptyDraft.limits, fuelMillions: "5" });
  assert.equal(read.terms.seats, "5");
});
