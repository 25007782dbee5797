// Figures of long runs, kept for as long as nothing changes that they are about.
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What every run is about: contracts, what their tests share, and the tools that compile and run them. */
export const CONTRACT_SOURCES: readonly string[] = [
  "contracts",
  ...["harness", "support", "tokens"].map((name) => `test/contracts/${name}`),
  "hardhat.config.ts",
  "scripts/verify/lib",
  ...["@nomicfoundation/edr", "@openzeppelin/contracts", "hardhat", "solc"].map(
    (name) => `node_modules/${name}/package.json`,
  ),
];

/** Figures of one run, by name. */
export type Figures = Readonly<Record<string, number>>;

/** Figures that were kept for the present sources. */
export type KeptFigures = {
  /** What a run came to; undefined when it was not run, or something changed since. */
  get(name: string): Figures | undefined;
  /** Keeps what a run came to: about the sources as they were when this was opened. */
  put(name: string, figures: Figures): void;
};

/**
 * Opens the figures that were kept.
 *
 * @param options.root folder that sources are below of
 * @param options.sources files, and folders with all that is in them
 * @param options.folder where figures are kept; may be deleted at any time
 */
export function openKeptFigures(options: {
  readonly root: string;
  readonly sources: readonly string[];
  readonly folder: string;
}): KeptFigures {
  const { folder } = options;
  const digest = digestOf(options.root, options.sources);
  const fileOf = (name: string): string => join(folder, `${name}.json`);
  return {
    get(name) {
      const file = fileOf(name);
      if (!existsSync(file)) return undefined;
      const kept = JSON.parse(readFileSync(file, "utf8")) as { readonly digest: string; readonly figures: Figures };
      return kept.digest === digest ? kept.figures : undefined;
    },
    put(name, figures) {
      mkdirSync(folder, { recursive: true });
      // Whole or not at all.
      writeFileSync(`${fileOf(name)}.new`, JSON.stringify({ digest, figures }));
      renameSync(`${fileOf(name)}.new`, fileOf(name));
    },
  };
}

function digestOf(root: string, sources: readonly string[]): string {
  const hash = createHash("sha256");
  const files = sources.flatMap((path) => [path, ...globSync(`${path}/**/*`, { cwd: root })]);
  for (const file of files.sort()) {
    const path = join(root, file);
    if (statSync(path).isFile()) hash.update(`${file}\0`).update(readFileSync(path)).update("\0");
  }
  return hash.digest("hex");
}
