// Packs every package that users install: JavaScript with types in place of TypeScript, a package.json that names them, licence and
// README. Node refuses to strip types below node_modules, so what is published is never what the workspace runs.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { isTestFile } from "./lib/files.ts";
import { type Manifest, packageNames, readManifest, root } from "./lib/workspace.ts";

/** The package of Solidity sources: interfaces, and the types that they import, from `contracts/`. */
const SOLIDITY_PACKAGE = "contracts";
/** What the contracts are compiled with, and what compilers of others may be. */
const PRAGMA = { exact: "pragma solidity 0.8.37;", loose: "pragma solidity ^0.8.24;" } as const;

/** A package that was packed. */
export type Packed = { readonly name: string; readonly tarball: string; readonly bytes: number };

/**
 * Packs packages.
 *
 * @param destination folder for the tarballs, made if missing
 * @param names folder names under `packages/`; all public ones unless told
 * @returns the tarballs
 * @throws Error when TypeScript refuses the sources or npm the result
 */
export function packPackages(destination: string, names: readonly string[] = publicPackages()): readonly Packed[] {
  mkdirSync(destination, { recursive: true });
  if (names.includes("web")) buildWeb();
  mkdirSync(join(root, ".cache"), { recursive: true });
  // Below the repository, so that TypeScript finds the dependencies.
  const work = mkdtempSync(join(root, ".cache", "pack-"));
  try {
    emit(names, work);
    const staged = names.map((name) => stage(name, work));
    const npm = spawnSync(
      "npm",
      ["pack", "--json", "--ignore-scripts", "--loglevel=error", "--pack-destination", destination, ...staged],
      {
        cwd: work,
        encoding: "utf8",
      },
    );
    if (npm.status !== 0) throw new Error(`npm pack failed: ${npm.stderr}${npm.stdout}`);
    // npm 10 prints a list, npm 11 an object by name.
    const report = Object.values(JSON.parse(npm.stdout)) as { name: string; filename: string; size: number }[];
    return report.map(({ name, filename, size }) => ({ name, tarball: join(destination, filename), bytes: size }));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * Packages that users install: those not marked private.
 *
 * @returns folder names
 */
export function publicPackages(): readonly string[] {
  return packageNames().filter((name) => readManifest(join(root, "packages", name)).private !== true);
}

/** The web app is carried as built files. */
function buildWeb(): void {
  const { status, stderr } = spawnSync(process.execPath, [join(root, "scripts", "web.ts")], { encoding: "utf8" });
  if (status !== 0) throw new Error(`the web app cannot be built:\n${stderr}`);
}

/** Compiles all packages in one go, each to `<work>/js/<name>/src`. */
function emit(names: readonly string[], work: string): void {
  const config = {
    extends: join(root, "tsconfig.base.json"),
    compilerOptions: {
      noEmit: false,
      rewriteRelativeImportExtensions: true,
      rootDir: join(root, "packages"),
      outDir: join(work, "js"),
      typeRoots: [join(root, "node_modules", "@types")],
    },
    files: names.flatMap((name) => sources(name).map((file) => join(root, "packages", name, file))),
  };
  if (config.files.length === 0) return;
  const file = join(work, "tsconfig.json");
  writeFileSync(file, JSON.stringify(config));
  const tsc = join(root, "node_modules", "typescript-native", "bin", "tsc");
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, "-p", file], { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(`TypeScript refuses to emit:\n${stdout}${stderr}`);
}

function sources(name: string): readonly string[] {
  return globSync("src/**/*.{ts,tsx,mts}", { cwd: join(root, "packages", name) }).filter(
    (file) => !isTestFile(file) && !file.endsWith(".d.ts"),
  );
}

/** Puts one package together as npm will carry it. */
function stage(name: string, work: string): string {
  const source = join(root, "packages", name);
  const target = join(work, "packages", name);
  mkdirSync(target, { recursive: true });
  if (name === SOLIDITY_PACKAGE) copySolidity(target);
  else cpSync(join(work, "js", name, "src"), join(target, "dist"), { recursive: true });
  for (const file of globSync("src/**/*", { cwd: source, withFileTypes: false })) {
    const isSource = /\.m?tsx?$/.test(file) && !file.endsWith(".d.ts");
    if (isSource || isTestFile(file) || !/\.\w+$/.test(file)) continue;
    cpSync(join(source, file), join(target, "dist", relative("src", file)), { recursive: true });
  }
  for (const file of globSync("dist/**/*.{js,mjs,ts}", { cwd: target })) {
    const path = join(target, file);
    const text = readFileSync(path, "utf8");
    const rewritten = rewriteReferences(text);
    const left = /\.ts$/.test(file)
      ? undefined
      : /(?:from|import\(?|new URL\()\s*["'](\.[^"']*\.m?ts)["']/.exec(rewritten)?.[1];
    if (left !== undefined) throw new Error(`packages/${name}: ${file} still refers to ${left}, which is not packed`);
    if (rewritten !== text) writeFileSync(path, rewritten);
  }
  const manifest = readManifest(source);
  for (const extra of manifest.files ?? []) {
    if (extra !== "dist" && existsSync(join(source, extra)))
      cpSync(join(source, extra), join(target, extra), { recursive: true });
  }
  const bins = typeof manifest.bin === "string" ? [manifest.bin] : Object.values(manifest.bin ?? {});
  for (const bin of bins) cpSync(join(source, bin), join(target, bin));
  const licence = join(source, "LICENSE");
  if (!existsSync(licence) && manifest.license !== "MIT")
    throw new Error(`packages/${name} is under ${manifest.license} and has no LICENSE file`);
  cpSync(existsSync(licence) ? licence : join(root, "LICENSE"), join(target, "LICENSE"));
  const readme = join(source, "README.md");
  writeFileSync(join(target, "README.md"), existsSync(readme) ? readFileSync(readme, "utf8") : defaultReadme(manifest));
  writeFileSync(join(target, "package.json"), `${JSON.stringify(packedManifest(manifest), undefined, 2)}\n`);
  return target;
}

/** Copies the interfaces and all that they import. */
function copySolidity(target: string): void {
  const from = join(root, "contracts");
  const waiting = globSync("interfaces/*.sol", { cwd: from });
  const seen = new Set<string>();
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    const text = readFileSync(join(from, file), "utf8");
    for (const [, path = ""] of text.matchAll(/^(?:import|\})[^"]*"([^"]+)";/gm)) {
      if (!path.startsWith(".")) throw new Error(`contracts/${file} imports ${path}, which the package does not carry`);
      waiting.push(join(dirname(file), path));
    }
    mkdirSync(join(target, dirname(file)), { recursive: true });
    writeFileSync(join(target, file), loosenPragma(text));
  }
}

/**
 * Lets compilers of others take a source.
 *
 * @param text of a source of the contracts
 * @returns it with a range in place of the one version
 * @throws Error for another pragma than that of the contracts
 */
export function loosenPragma(text: string): string {
  if (text.split(PRAGMA.exact).length !== 2) throw new Error(`a source has not the one line ${PRAGMA.exact}`);
  return text.replace(PRAGMA.exact, PRAGMA.loose);
}

/**
 * Points references that TypeScript does not rewrite to what is packed: `new URL("./worker.ts", import.meta.url)` in JavaScript, and
 * relative imports in declarations.
 *
 * @param text of an emitted file
 * @returns the text with `.js` in place of `.ts`
 */
export function rewriteReferences(text: string): string {
  return text
    .replaceAll(/(new URL\(\s*["']\.{1,2}\/[^"']*?)\.(m?)ts(["'],\s*import\.meta\.url)/g, "$1.$2js$3")
    .replaceAll(/((?:from|import\()\s*["']\.{1,2}\/[^"']*?)(?<!\.d)\.(m?)tsx?(["'])/g, "$1.$2js$3");
}

/**
 * The package.json that is published.
 *
 * @param manifest of the workspace
 * @returns it with exports that name JavaScript and types, and without what only the workspace needs
 */
export function packedManifest(manifest: Manifest): Record<string, unknown> {
  const {
    private: _,
    devDependencies: _dev,
    scripts: _scripts,
    exports,
    files = [],
    ...rest
  } = manifest as Manifest & { scripts?: unknown };
  const compiled = (file: string): string => file.replace(/^\.\/src\//, "./dist/").replace(/\.(m?)tsx?$/, ".$1js");
  const types = (file: string): string => compiled(file).replace(/\.(m?)js$/, ".d.$1ts");
  const condition = (file: string): Record<string, string> | string =>
    /\.m?tsx?$/.test(file) ? { types: types(file), default: compiled(file) } : compiled(file);
  // Without exports every file may be named, as compilers of Solidity do.
  if (exports === undefined && manifest.bin === undefined) return { ...rest, files };
  const entries = Object.entries(exports ?? {}).map(([subpath, target]) => {
    if (typeof target === "string") return [subpath, condition(target)];
    return [subpath, Object.fromEntries(Object.entries(target).map(([key, file]) => [key, condition(file)]))];
  });
  const bins = typeof manifest.bin === "string" ? [manifest.bin] : Object.values(manifest.bin ?? {});
  return {
    ...rest,
    exports: Object.fromEntries([...entries, ["./package.json", "./package.json"]]),
    files: [...new Set([...files, "dist", ...bins.map((bin) => dirname(bin).replace(/^\.\//, ""))])],
  };
}

function defaultReadme(manifest: Manifest): string {
  const entries = Object.keys(manifest.exports ?? {}).map((subpath) => `- \`${join(manifest.name, subpath)}\``);
  return [
    `# ${manifest.name}`,
    "",
    `${manifest.description ?? ""}.`,
    "",
    "Part of Quorate, an escrow marketplace for trustless distributed computing. Entry points:",
    "",
    ...entries,
    "",
    `Node ${manifest.engines?.node ?? ">=20.11"}. Licence: ${manifest.license ?? ""}.`,
    "",
  ].join("\n");
}

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { out: { type: "string", default: join(root, "dist") }, help: { type: "boolean", default: false } },
  });
  if (values.help) {
    console.log(
      "usage: npm run build -- [--out <folder>] [package…]\n\nPacks the packages that users install (all, or those named) as tarballs, into dist/ unless told.",
    );
    return;
  }
  const packed = packPackages(values.out, positionals.length > 0 ? positionals : undefined);
  for (const { name, tarball, bytes } of packed)
    console.log(`${name.padEnd(20)} ${(bytes / 1024).toFixed(1).padStart(8)} KiB  ${relative(process.cwd(), tarball)}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) main();
