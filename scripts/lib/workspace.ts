// What scripts share: where the repository is, which packages it has, what their manifests say.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Absolute path of the repository. */
export const root: string = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The parts of a package.json that scripts read. */
export type Manifest = {
  name: string;
  version: string;
  description?: string;
  license?: string;
  private?: boolean;
  type?: string;
  bin?: string | Record<string, string>;
  exports?: Record<string, string | Record<string, string>>;
  imports?: Record<string, unknown>;
  files?: string[];
  engines?: Record<string, string>;
  sideEffects?: boolean | string[];
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
};

/**
 * Folder names under `packages/` that hold a package.
 *
 * @param at repository to look at, this one unless told
 * @returns sorted names, as `core`
 */
export function packageNames(at: string = root): readonly string[] {
  return readdirSync(join(at, "packages"))
    .filter((name) => existsSync(join(at, "packages", name, "package.json")))
    .sort();
}

/**
 * Reads a package.json.
 *
 * @param folder that holds it
 * @returns the manifest
 */
export function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
}

/**
 * Entry points of a package as its `exports` list them.
 *
 * @param manifest of the package
 * @returns subpath (`.` or `./node`) with the source file it names
 */
export function entriesOf(manifest: Manifest): readonly { readonly subpath: string; readonly file: string }[] {
  return Object.entries(manifest.exports ?? {}).flatMap(([subpath, target]) => {
    const file = typeof target === "string" ? target : target.default;
    return file === undefined || subpath === "./package.json" ? [] : [{ subpath, file }];
  });
}
