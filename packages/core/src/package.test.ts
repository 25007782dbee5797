import assert from "node:assert/strict";
import { test } from "node:test";
import { assertCode, buildManifest, buildPackage } from "@quorate/testkit";
import fc from "fast-check";
import { bigEndian, concatBytes, utf8 } from "./bytes.ts";
import { canonicalJson } from "./canonical-json.ts";
import { isQuorateError } from "./errors.ts";
import { decodePackage, encodePackage, MAX_PACKAGE_BYTES } from "./package.ts";

test("a package is read as it was written", () => {
  const pkg = buildPackage({ stdin: "data/in.csv" }, { "data/in.csv": utf8("a,b"), "data/empty": new Uint8Array(0) });
  assert.deepEqual(decodePackage(encodePackage(pkg)).manifest, pkg.manifest);
  assert.deepEqual(
    decodePackage(encodePackage(pkg)).files,
    new Map([...pkg.files].sort(([a], [b]) => (a < b ? -1 : 1))),
  );
});

test("the order of files and members does not change the bytes", () => {
  const pkg = buildPackage({ env: { B: "2", A: "1" } }, { a: utf8("1"), b: utf8("2") });
  const { limits, engine, ...rest } = pkg.manifest;
  const other = {
    manifest: { limits, engine, ...rest, env: { A: "1", B: "2" } },
    files: new Map([...pkg.files].reverse()),
  };
  assert.deepEqual(encodePackage(pkg), encodePackage(other));
});

const wrong: readonly [string, Parameters<typeof buildPackage>][] = [
  ["whose program is missing", [{ program: "other.js" }]],
  ["whose standard input is missing", [{ stdin: "in.csv" }]],
  ["with a path that leaves it", [{}, { "../x": new Uint8Array() }]],
  ["with a name that is file and folder", [{}, { a: new Uint8Array(), "a/b": new Uint8Array() }]],
];
for (const [name, parameters] of wrong) {
  test(`a package ${name} is not made`, async () => {
    await assertCode(() => encodePackage(buildPackage(...parameters)), "PACKAGE_MALFORMED");
  });
}

/** Encodes without any check, as a hostile requester would. */
function raw(manifest: string, files: readonly [string, Uint8Array][], tail = new Uint8Array(0)): Uint8Array {
  return concatBytes(
    utf8("QRTPKG\x01\n"),
    bigEndian(utf8(manifest).length, 4),
    utf8(manifest),
    bigEndian(files.length, 4),
    ...files.flatMap(([name, bytes]) => [
      bigEndian(utf8(name).length, 2),
      utf8(name),
      bigEndian(bytes.length, 4),
      bytes,
    ]),
    tail,
  );
}
const manifest = canonicalJson(buildManifest());
const program: [string, Uint8Array] = ["main.js", utf8("1")];

test("the hand-made encoding is the one that is accepted", () => {
  assert.equal(decodePackage(raw(manifest, [program])).files.size, 1);
});

const hostile: readonly [string, Uint8Array][] = [
  ["nothing", new Uint8Array(0)],
  ["another magic", concatBytes(utf8("QRTPKG\x02\n"), raw(manifest, [program]).slice(8))],
  ["a manifest that is no JSON", raw("{", [program])],
  ["a manifest that is not canonical", raw(`${manifest} `, [program])],
  ["a manifest with a repeated member", raw(manifest.replace('"version":1}', '"version":1,"version":1}'), [program])],
  ["a manifest with __proto__", raw(manifest.replace('"env":{}', '"env":{"__proto__":{}}'), [program])],
  ["a manifest that is not UTF-8", concatBytes(utf8("QRTPKG\x01\n"), bigEndian(1, 4), Uint8Array.of(255))],
  ["a manifest length beyond the end", concatBytes(utf8("QRTPKG\x01\n"), bigEndian(60_000, 4))],
  ["a huge manifest length", concatBytes(utf8("QRTPKG\x01\n"), bigEndian(2 ** 32 - 1, 4))],
  ["a huge file count", concatBytes(raw(manifest, []).slice(0, -4), bigEndian(2 ** 32 - 1, 4))],
  ["a file beyond the end", raw(manifest, [program]).slice(0, -1)],
  ["bytes after the end", raw(manifest, [program], Uint8Array.of(0))],
  ["a file twice", raw(manifest, [program, program])],
  ["files out of order", raw(manifest, [["z", utf8("")], program])],
  ["an absolute path", raw(manifest, [["/etc/passwd", utf8("")], program])],
  ["a parent path", raw(manifest, [["data/../../x", utf8("")], program])],
  ["an empty name", raw(manifest, [["", utf8("")], program])],
  ["a long name", raw(manifest, [["a".repeat(60_000), utf8("")], program])],
  ["no program", raw(manifest, [["a", utf8("")]])],
];
for (const [name, bytes] of hostile) {
  test(`a package with ${name} is refused`, async () => {
    await assertCode(() => decodePackage(bytes), "PACKAGE_MALFORMED");
  });
}

test("a package above the limit is neither made nor read", async () => {
  await assertCode(
    () => encodePackage(buildPackage({}, { big: new Uint8Array(MAX_PACKAGE_BYTES) })),
    "PACKAGE_TOO_LARGE",
  );
  await assertCode(() => decodePackage(new Uint8Array(MAX_PACKAGE_BYTES + 1)), "PACKAGE_MALFORMED");
});

test("mutated packages are refused by name or read back to the same bytes", () => {
  const good = encodePackage(buildPackage({ args: ["x"] }, { "data/a": utf8("abc") }));
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(3), (index, byte, cut) => {
      const bytes = good.slice(0, good.length - cut);
      bytes[Math.min(index, bytes.length - 1)] = byte;
      try {
        assert.deepEqual(encodePackage(decodePackage(bytes)), bytes);
      } catch (error) {
        assert.ok(isQuorateError(error, "PACKAGE_MALFORMED"), String(error));
      }
    }),
    { seed: 5, numRuns: 1_000 },
  );
});
