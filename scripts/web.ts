// Builds the web app when its sources have changed, and holds the size of every page against packages/web/bundle-limits.json.
import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { root } from "./lib/workspace.ts";

const USAGE = `usage: node scripts/web.ts [options]

Builds packages/web into packages/web/site, once for each state of the sources.

  --sizes   print what each page loads, gzipped, and exit with 1 if one is above its limit
  --write   set the limits to the present sizes and a tenth more
  --help    print this`;

const web = join(root, "packages", "web");
const site = join(web, "site");
const stampFile = join(site, ".built-from");
const limitsFile = join(web, "bundle-limits.json");

/** Everything that the build depends on. */
function fingerprint(): string {
  const hash = createHash("sha256");
  const files = globSync("packages/{abi,chain,core,proofs,sandbox,sdk,web,wire}/{src,app,public}/**/*", {
    cwd: root,
    withFileTypes: true,
  });
  const paths = files.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const own = ["index.html", "vite.config.ts", "package.json"].map((name) => join(web, name));
  for (const path of [...paths, ...own, join(root, "package-lock.json")].sort()) {
    hash.update(path.slice(root.length)).update("\0").update(readFileSync(path)).update("\0");
  }
  return hash.digest("hex");
}

/**
 * Builds the app unless what is there was built from the same sources.
 *
 * @param say tells what is being done
 */
export async function ensureBuilt(say: (line: string) => void): Promise<void> {
  const wanted = fingerprint();
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === wanted) return;
  say("Building the web app…");
  const { build } = await import("vite");
  await build({ configFile: join(web, "vite.config.ts"), logLevel: "error" });
  writeFileSync(stampFile, wanted);
}

/** A part of Vite's manifest. */
type Chunk = {
  readonly file: string;
  readonly src?: string;
  readonly isEntry?: boolean;
  readonly isDynamicEntry?: boolean;
  readonly imports?: readonly string[];
  readonly css?: readonly string[];
};

/** What a page loads before it shows, in bytes after gzip. */
export type PageSize = { readonly page: string; readonly bytes: number };

/** Sizes of the start and of each page on top of it, by the manifest of the build; what loads on a press is not in them. */
export function pageSizes(): readonly PageSize[] {
  const manifest = JSON.parse(readFileSync(join(site, "manifest.json"), "utf8")) as Readonly<Record<string, Chunk>>;
  const sizes = new Map<string, number>();
  const sizeOf = (file: string): number => {
    const known = sizes.get(file);
    if (known !== undefined) return known;
    const bytes = gzipSync(readFileSync(join(site, file))).length;
    sizes.set(file, bytes);
    return bytes;
  };
  const filesOf = (name: string, seen: Set<string>): Set<string> => {
    const chunk = manifest[name];
    if (chunk === undefined || seen.has(chunk.file)) return seen;
    seen.add(chunk.file);
    for (const file of chunk.css ?? []) seen.add(file);
    for (const imported of chunk.imports ?? []) filesOf(imported, seen);
    return seen;
  };
  const entry = Object.keys(manifest).find((name) => manifest[name]?.isEntry);
  if (entry === undefined) throw new Error("the build has no entry");
  const start = filesOf(entry, new Set());
  const sum = (files: Iterable<string>): number => [...files].reduce((bytes, file) => bytes + sizeOf(file), 0);
  const pages = Object.entries(manifest)
    .filter(([name, { isDynamicEntry }]) => isDynamicEntry && /^app\/features\/.*Page\.tsx$/.test(name))
    .map(([name]): PageSize => {
      const own = [...filesOf(name, new Set())].filter((file) => !start.has(file));
      return { page: name.replace(/^.*\/|Page\.tsx$/g, ""), bytes: sum(own) };
    })
    .sort((a, b) => a.page.localeCompare(b.page));
  return [{ page: "start", bytes: sum(start) }, ...pages];
}

/** Limits in kibibytes by page. */
type Limits = Readonly<Record<string, number>>;

/**
 * Pages above their limit, and pages without one.
 *
 * @param sizes from {@link pageSizes}
 * @param limits in KiB
 * @returns findings
 */
export function judgeSizes(sizes: readonly PageSize[], limits: Limits): readonly string[] {
  return sizes.flatMap(({ page, bytes }) => {
    const limit = limits[page];
    if (limit === undefined) return [`${page} has no limit: node scripts/web.ts --sizes --write`];
    return bytes > limit * 1024 ? [`${page} loads ${kib(bytes)} KiB, its limit is ${limit} KiB`] : [];
  });
}

const kib = (bytes: number): string => (bytes / 1024).toFixed(1);

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      sizes: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  await ensureBuilt((line) => console.error(line));
  if (!values.sizes) return 0;
  const sizes = pageSizes();
  for (const { page, bytes } of sizes) console.log(`${page.padEnd(20)} ${kib(bytes).padStart(8)} KiB`);
  if (values.write) {
    const limits = Object.fromEntries(sizes.map(({ page, bytes }) => [page, Math.ceil((bytes / 1024) * 1.1)]));
    writeFileSync(limitsFile, `${JSON.stringify(limits, undefined, 2)}\n`);
    return 0;
  }
  const findings = judgeSizes(sizes, JSON.parse(readFileSync(limitsFile, "utf8")) as Limits);
  for (const finding of findings) console.error(finding);
  return findings.length === 0 ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) process.exitCode = await main();
