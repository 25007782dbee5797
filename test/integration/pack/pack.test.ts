// The packages as users get them: packed, installed into an empty project, imported by old and new Node, type-checked by a consumer
// and bundled for the browser. Nothing here sees the workspace's TypeScript.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { build } from "esbuild";
import { entriesOf, readManifest, root } from "../../../scripts/lib/workspace.ts";
import { packPackages, publicPackages } from "../../../scripts/pack.ts";

/** Their main entries run in browsers and on Node 20. */
const ISOMORPHIC = ["core", "abi", "wire", "chain", "sandbox", "proofs", "sdk"];
const names = publicPackages();
const entries = names.flatMap((name) =>
  entriesOf(readManifest(join(root, "packages", name))).map(({ subpath }) => ({
    name,
    subpath,
    specifier: join("@quorate", name, subpath),
  })),
);
let project = "";

function run(program: string, args: readonly string[], cwd: string, timeout?: number): string {
  // A clean environment: npm of the test run must not steer npm of the project, nor the workspace's tools be on the path.
  const PATH = (process.env.PATH ?? "")
    .split(delimiter)
    .filter((folder) => !folder.startsWith(join(root, "node_modules")))
    .join(delimiter);
  const { HOME, npm_config_cache, NODE_EXTRA_CA_CERTS } = process.env;
  const env = { HOME, PATH, CI: "true", npm_config_cache, NODE_EXTRA_CA_CERTS };
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    encoding: "utf8",
    env,
    maxBuffer: 64 << 20,
    ...(timeout === undefined ? {} : { timeout, killSignal: "SIGKILL" }),
  });
  assert.equal(status, 0, `${program} ${args.join(" ")}: ${error?.message ?? ""}\n${stdout}${stderr}`);
  return stdout;
}

/** Longest time of an installation: a connection to the registry that stalls is given up and made anew. */
const INSTALL_MS = 120_000;

/** Installs what a folder's package.json or the arguments name, from npm's cache where it can. */
function install(folder: string, ...packages: readonly string[]): void {
  const args = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-timeout=30000"];
  try {
    run("npm", [...args, ...packages], folder, INSTALL_MS);
  } catch (error) {
    console.error("npm is asked a second time:", error instanceof Error ? error.message : error);
    run("npm", [...args, ...packages], folder, 2 * INSTALL_MS);
  }
}

/**
 * A lockfile with what the workspace has installed, and nothing of ours. What is locked lies in npm's cache already; for the rest
 * npm would ask the registry some hundred times, which takes minutes where it is slow. npm drops what is not needed.
 */
function knownVersions(dependencies: Readonly<Record<string, string>>): unknown {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    readonly packages: Readonly<Record<string, { readonly link?: boolean; readonly dev?: boolean }>>;
  };
  // What a package of ours has below itself, since tools at the root have another version of it, comes to the top.
  const foreign = Object.entries(lock.packages)
    .filter(([path, { dev, link }]) => /^(packages\/\w+\/)?node_modules\/(?!@quorate\/)/.test(path) && !dev && !link)
    .map(([path, entry]) => [path.replace(/^packages\/\w+\//, ""), entry] as const);
  return {
    name: "consumer",
    version: "1.0.0",
    lockfileVersion: 3,
    requires: true,
    packages: { "": { name: "consumer", version: "1.0.0", dependencies }, ...Object.fromEntries(foreign) },
  };
}

/** A Node of the line, from the path or, where the machine has another one, from npm. */
function nodeOfLine(major: number): string {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath;
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const file = join(folder, "node");
    if (!existsSync(file)) continue;
    const { stdout } = spawnSync(file, ["--version"], { encoding: "utf8" });
    if (stdout?.startsWith(`v${major}.`)) return file;
  }
  const folder = join(project, `node-${major}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), "{}");
  const name = `node-${process.platform}-${process.arch}`;
  install(folder, `${name}@${major}`);
  return join(folder, "node_modules", name, "bin", "node");
}

/** Imports a specifier in the project and returns the names that it exports. */
function importedNames(node: string, specifier: string): readonly string[] {
  const script = `const m = await import(${JSON.stringify(specifier)}); console.log(JSON.stringify(Object.keys(m)))`;
  return JSON.parse(
    run(node, ["--input-type=module", "--eval", script], project).trim().split("\n").at(-1) ?? "",
  ) as string[];
}

/** Value names on record, which scripts/check-exports.ts keeps equal to the source. */
function recordedNames(name: string, subpath: string): readonly string[] {
  const file = join(root, "test", "vectors", "exports", `${name}.json`);
  const surface = JSON.parse(readFileSync(file, "utf8")) as Record<string, string[]>;
  return (surface[subpath] ?? []).filter((entry) => !entry.startsWith("type "));
}

/** Errors that a compiler reports in the consumer and in our declarations; those of others are theirs. */
function ourErrors(compiler: string, compilerOptions: Record<string, unknown>, file: string): readonly string[] {
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: [file] }));
  const tsc = join(root, "node_modules", compiler, "bin", "tsc");
  const { stdout } = spawnSync(process.execPath, [tsc, "-p", project, "--pretty", "false"], {
    encoding: "utf8",
    cwd: project,
  });
  return stdout.split("\n").filter((line) => /^(\w+\.ts|node_modules\/@quorate\/)|^error/.test(line));
}

describe("packed packages", () => {
  before(() => {
    // Outside of the repository, so that nothing resolves to the workspace by accident.
    project = mkdtempSync(join(tmpdir(), "quorate-pack-"));
    const packed = packPackages(join(project, "tarballs"), names);
    const dependencies = Object.fromEntries(packed.map(({ name, tarball }) => [name, `file:${tarball}`]));
    // For peers npm would look at the registry, where nothing of ours is yet, or somebody else's.
    const overrides = Object.fromEntries(Object.keys(dependencies).map((name) => [name, `$${name}`]));
    writeFileSync(
      join(project, "package.json"),
      JSON.stringify({ name: "consumer", version: "1.0.0", private: true, type: "module", dependencies, overrides }),
    );
    writeFileSync(join(project, "package-lock.json"), JSON.stringify(knownVersions(dependencies)));
    install(project);
  });

  after(() => rmSync(project, { recursive: true, force: true }));

  it("carry JavaScript, types, licence and README, and neither TypeScript nor tests", () => {
    for (const name of names) {
      const folder = join(project, "node_modules", "@quorate", name);
      const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
        (file) => !file.startsWith("node_modules"),
      );
      for (const wanted of ["package.json", "LICENSE", "README.md"])
        assert.ok(files.includes(wanted), `${name} lacks ${wanted}`);
      const wrong = files.filter((file) => (/\.tsx?$/.test(file) && !file.endsWith(".d.ts")) || /\.test\./.test(file));
      assert.deepEqual(wrong, [], name);
      for (const { file } of entriesOf(readManifest(folder)))
        assert.ok(existsSync(join(folder, file)), `${name}: ${file} is not packed`);
      assert.equal(readManifest(folder).devDependencies, undefined, name);
    }
  });

  it("are installed once each, from the tarballs", () => {
    const lock = JSON.parse(readFileSync(join(project, "package-lock.json"), "utf8")) as {
      packages: Record<string, { resolved?: string }>;
    };
    const ours = Object.entries(lock.packages).filter(([path]) => path.includes("node_modules/@quorate/"));
    assert.deepEqual(ours.map(([path]) => path).sort(), names.map((name) => `node_modules/@quorate/${name}`).sort());
    for (const [path, { resolved }] of ours) assert.match(resolved ?? "", /^file:tarballs\//, path);
  });

  for (const { name, subpath, specifier } of entries) {
    it(`${specifier} is imported by Node 24 with the exports on record`, () => {
      assert.deepEqual([...importedNames(nodeOfLine(24), specifier)].sort(), [...recordedNames(name, subpath)].sort());
    });
  }

  for (const name of ISOMORPHIC) {
    it(`@quorate/${name} is imported by Node 20`, () => {
      assert.deepEqual(
        [...importedNames(nodeOfLine(20), `@quorate/${name}`)].sort(),
        [...recordedNames(name, ".")].sort(),
      );
    });

    it(`@quorate/${name} is bundled for the browser without a module of Node`, async () => {
      const result = await build({
        stdin: { contents: `export * from "@quorate/${name}";`, resolveDir: project },
        bundle: true,
        write: false,
        format: "esm",
        platform: "browser",
        target: "es2022",
        metafile: true,
        logLevel: "silent",
      });
      const [output] = Object.values(result.metafile.outputs);
      assert.deepEqual([...(output?.exports ?? [])].sort(), [...recordedNames(name, ".")].sort());
      // @hpke/common asks Node's crypto behind a check for globalThis.crypto, which every browser has.
      const outside = output?.imports.filter(
        ({ external, kind, path }) => external && !(kind === "dynamic-import" && path === "crypto"),
      );
      assert.deepEqual(outside, []);
    });
  }

  for (const name of names) {
    const { bin = {}, version } = readManifest(join(root, "packages", name));
    for (const command of Object.keys(typeof bin === "string" ? { [name]: bin } : bin)) {
      for (const major of [20, 24]) {
        it(`the command ${command} starts with Node ${major}`, () => {
          assert.equal(
            run(nodeOfLine(major), [join(project, "node_modules", ".bin", command), "--version"], project).trim(),
            version,
          );
        });
      }
    }
  }

  for (const moduleResolution of ["nodenext", "bundler"]) {
    it(`type-check in a consumer with moduleResolution ${moduleResolution}`, () => {
      const lines = entries.map(
        ({ specifier }, index) =>
          `import * as m${index} from "${specifier}";\nexport const n${index}: typeof m${index} = m${index};`,
      );
      writeFileSync(join(project, "consumer.ts"), `${lines.join("\n")}\n`);
      const shared = {
        target: "es2022",
        lib: ["es2024", "dom", "dom.iterable", "esnext.disposable"],
        module: moduleResolution === "bundler" ? "preserve" : "nodenext",
        moduleResolution,
        strict: true,
        noEmit: true,
        types: ["node"],
        typeRoots: [join(root, "node_modules", "@types")],
      };
      // Errors in our declarations would hide behind skipLibCheck; the older compiler, slow over those of others, proves that they resolve.
      for (const [tsc, skipLibCheck] of [
        ["typescript-native", false],
        ["typescript", true],
      ] as const) {
        const compilerOptions = { ...shared, skipLibCheck };
        assert.deepEqual(ourErrors(tsc, compilerOptions, "consumer.ts"), [], tsc);
      }
    });
  }

  it("a consumer's mistake is caught by the types", () => {
    writeFileSync(
      join(project, "mistake.ts"),
      'import { QuorateError } from "@quorate/core";\nnew QuorateError(1, "a number is no code");\n',
    );
    const errors = ourErrors(
      "typescript-native",
      { module: "nodenext", strict: true, noEmit: true, skipLibCheck: true, types: [] },
      "mistake.ts",
    );
    assert.equal(errors.length, 1);
    assert.match(errors[0] ?? "", /^mistake\.ts\(2,18\): error TS2345/);
  });
});
