// The surface of each package is on record: a name that comes or goes does so on purpose.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { type CheckResult, checkMain } from "./lib/check.ts";
import { exportsOf, loadProgram, publicEntries } from "./lib/program.ts";
import { root } from "./lib/workspace.ts";

/** Exported names by subpath; names that exist as types only carry `type ` before them. */
export type Surface = Readonly<Record<string, readonly string[]>>;

/**
 * Compares two surfaces.
 *
 * @param name of the package
 * @param recorded the surface on record
 * @param actual the surface of the source
 * @returns a line for each name that came or went
 */
export function compareSurfaces(name: string, recorded: Surface, actual: Surface): readonly string[] {
  const lines: string[] = [];
  for (const subpath of new Set([...Object.keys(recorded), ...Object.keys(actual)])) {
    const before = new Set(recorded[subpath] ?? []);
    const after = new Set(actual[subpath] ?? []);
    const where = join(`@quorate/${name}`, subpath);
    lines.push(...[...after].filter((entry) => !before.has(entry)).map((entry) => `${where}: "${entry}" is new`));
    lines.push(...[...before].filter((entry) => !after.has(entry)).map((entry) => `${where}: "${entry}" is gone`));
    if (recorded[subpath] === undefined) lines.push(`${where}: the entry point is new`);
    if (actual[subpath] === undefined) lines.push(`${where}: the entry point is gone`);
  }
  return lines;
}

function surfaces(): ReadonlyMap<string, Surface> {
  const entries = publicEntries();
  const program = loadProgram(entries.map(({ file }) => file));
  const result = new Map<string, Record<string, readonly string[]>>();
  for (const entry of entries) {
    const surface = result.get(entry.package) ?? {};
    surface[entry.subpath] = exportsOf(program, entry.file).map(({ name, symbol }) =>
      (symbol.flags & ts.SymbolFlags.Value) === 0 ? `type ${name}` : name,
    );
    result.set(entry.package, surface);
  }
  return result;
}

function checkExports(write: boolean): CheckResult {
  const folder = join(root, "test", "vectors", "exports");
  const actual = surfaces();
  if (write) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    for (const [name, surface] of actual)
      writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(surface, undefined, 2)}\n`);
  }
  const recorded = new Map<string, Surface>();
  for (const file of existsSync(folder) ? readdirSync(folder) : []) {
    recorded.set(file.replace(/\.json$/, ""), JSON.parse(readFileSync(join(folder, file), "utf8")) as Surface);
  }
  const findings = [...new Set([...recorded.keys(), ...actual.keys()])].flatMap((name) =>
    compareSurfaces(name, recorded.get(name) ?? {}, actual.get(name) ?? {}),
  );
  if (findings.length > 0) findings.push("If this is what you want: node scripts/check-exports.ts --write");
  const names = [...actual.values()]
    .flatMap((surface) => Object.values(surface))
    .reduce((sum, list) => sum + list.length, 0);
  return { findings, summary: `${names} exported names of ${actual.size} packages are those on record` };
}

checkMain(import.meta.url, {
  about: "Compares the exported names of each package with test/vectors/exports/; --write records them.",
  writes: true,
  run: checkExports,
});
