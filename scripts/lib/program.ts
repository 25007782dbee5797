// The packages as TypeScript sees them: one program over all entry points, for the checks of documentation, exports and errors.
// TypeScript 5.9 carries the compiler API; 7.0, which checks the types, has none.
import { existsSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { entriesOf, packageNames, readManifest, root } from "./workspace.ts";

/** An entry point of a package. */
export type Entry = {
  /** Folder name under `packages/`. */
  readonly package: string;
  /** `.` or `./node`. */
  readonly subpath: string;
  /** Absolute path of its source. */
  readonly file: string;
};

/**
 * Entry points of the packages that users can import: all but the private ones.
 *
 * @returns entries in the order of packages
 */
export function publicEntries(): readonly Entry[] {
  return packageNames().flatMap((name) => {
    const folder = join(root, "packages", name);
    const manifest = readManifest(folder);
    if (manifest.private === true) return [];
    return entriesOf(manifest)
      .map(({ subpath, file }) => ({ package: name, subpath, file: join(folder, file) }))
      .filter(({ file }) => /\.m?tsx?$/.test(file) && existsSync(file));
  });
}

/**
 * Reads the compiler options of the repository.
 *
 * @returns options for {@link ts.createProgram}
 */
export function compilerOptions(): ts.CompilerOptions {
  const { config, error } = ts.readConfigFile(join(root, "tsconfig.base.json"), ts.sys.readFile);
  if (error !== undefined) throw new Error(ts.flattenDiagnosticMessageText(error.messageText, "\n"));
  return ts.convertCompilerOptionsFromJson(config.compilerOptions, root).options;
}

/**
 * Loads files with all that they import.
 *
 * @param files absolute paths
 * @returns the program
 */
export function loadProgram(files: readonly string[]): ts.Program {
  return ts.createProgram({ rootNames: files, options: compilerOptions() });
}

/**
 * Names that an entry point exports.
 *
 * @param program that holds the entry
 * @param file the entry
 * @returns symbols with aliases followed to their declaration, by exported name, sorted
 */
export function exportsOf(
  program: ts.Program,
  file: string,
): readonly { readonly name: string; readonly symbol: ts.Symbol }[] {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  const module = source === undefined ? undefined : checker.getSymbolAtLocation(source);
  if (module === undefined) return [];
  return checker
    .getExportsOfModule(module)
    .map((symbol) => ({
      name: symbol.name,
      symbol: (symbol.flags & ts.SymbolFlags.Alias) !== 0 ? checker.getAliasedSymbol(symbol) : symbol,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
