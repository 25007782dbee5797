// Keeps package-lock.json whole: npm leaves an optional package out of the lockfile when the registry at hand does not carry it
// (a mirror with the builds of one platform), and then refuses `npm ci` with that very lockfile. Such packages get an entry
// without integrity: it is skipped here by its os and cpu, and resolved by npm on the platform that wants it.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { root } from "./lib/workspace.ts";

/** The parts of a lockfile that are read here. */
export type Lockfile = { packages: Record<string, LockEntry> };
type LockEntry = {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
};

const SYSTEMS = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "sunos", "win32"];
const PROCESSORS: Record<string, string> = { amd64: "x64", x64: "x64", arm64: "arm64", arm: "arm", ia32: "ia32" };

/**
 * Adds an entry for each optional package of one platform that the lockfile does not hold.
 *
 * @param lockfile as parsed; left as it is
 * @returns the completed lockfile and the names that were added
 * @throws Error for a missing package whose name or version range does not say what it is for
 */
export function completeLockfile(lockfile: Lockfile): {
  readonly lockfile: Lockfile;
  readonly added: readonly string[];
} {
  const packages = { ...lockfile.packages };
  const added: string[] = [];
  for (const [path, entry] of Object.entries(lockfile.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (packages[`${path}/node_modules/${name}`] !== undefined || packages[`node_modules/${name}`] !== undefined)
        continue;
      const words = name.split("/").at(-1)?.split("-") ?? [];
      const system = words.find((word) => SYSTEMS.includes(word));
      const processor = words.map((word) => PROCESSORS[word]).find((cpu) => cpu !== undefined);
      if (system === undefined || processor === undefined || !/^\d+\.\d+\.\d+$/.test(version)) {
        throw new Error(
          `${name}@${version}, wanted by ${path || "package.json"}, is not in package-lock.json: run npm install`,
        );
      }
      const libc = words.includes("musl") ? ["musl"] : words.includes("gnu") ? ["glibc"] : undefined;
      const isDev = entry.dev === true || path === "";
      packages[`node_modules/${name}`] = {
        version,
        cpu: [processor],
        ...(isDev && path !== "" ? { dev: true } : {}),
        ...(libc === undefined ? {} : { libc }),
        optional: true,
        os: [system],
      };
      added.push(name);
    }
  }
  const sorted = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, "en")));
  return { lockfile: { ...lockfile, packages: added.length > 0 ? sorted : packages }, added };
}

function main(): void {
  const { values } = parseArgs({
    options: { write: { type: "boolean", default: false }, help: { type: "boolean", default: false } },
  });
  if (values.help) {
    console.log(
      "usage: node scripts/lockfile.ts [--write]\n\nChecks that package-lock.json names the optional packages of every platform; --write adds them.",
    );
    return;
  }
  const file = join(root, "package-lock.json");
  const { lockfile, added } = completeLockfile(JSON.parse(readFileSync(file, "utf8")) as Lockfile);
  if (added.length === 0) return;
  if (values.write) {
    writeFileSync(file, `${JSON.stringify(lockfile, undefined, 2)}\n`);
    console.log(`added: ${added.join(", ")}`);
    return;
  }
  console.error(
    `package-lock.json lacks ${added.join(", ")}, so npm ci refuses it. Run: node scripts/lockfile.ts --write`,
  );
  process.exitCode = 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) main();
