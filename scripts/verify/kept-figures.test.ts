import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type KeptFigures, openKeptFigures } from "./lib/kept-figures.ts";

test("figures are kept until a source changes, appears, moves or goes", (t) => {
  const root = mkdtempSync(join(tmpdir(), "quorate-kept-"));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, "contracts", "base"), { recursive: true });
  const write = (path: string, text: string): void => writeFileSync(join(root, path), text);
  write("contracts/base/A.sol", "a");
  write("lock", "1");
  const open = (): KeptFigures =>
    openKeptFigures({ root, sources: ["contracts", "lock"], folder: join(root, "kept", "parts") });
  assert.equal(open().get("fuzz"), undefined);
  open().put("fuzz", { failed: 0 });
  assert.deepEqual(open().get("fuzz"), { failed: 0 });
  assert.equal(open().get("formal"), undefined);
  const changes: readonly (readonly [what: string, change: () => void, back: () => void])[] = [
    ["a file changes", () => write("contracts/base/A.sol", "b"), () => write("contracts/base/A.sol", "a")],
    ["a single source changes", () => write("lock", "2"), () => write("lock", "1")],
    ["one appears", () => write("contracts/B.sol", ""), () => rmSync(join(root, "contracts/B.sol"))],
    ["one is gone", () => rmSync(join(root, "contracts/base/A.sol")), () => write("contracts/base/A.sol", "a")],
  ];
  for (const [what, change, back] of changes) {
    change();
    assert.equal(open().get("fuzz"), undefined, what);
    back();
    assert.deepEqual(open().get("fuzz"), { failed: 0 });
  }
  const before = open();
  write("lock", "2");
  before.put("fuzz", { failed: 1 });
  assert.equal(open().get("fuzz"), undefined, "a run is about the sources that it began with");
});
