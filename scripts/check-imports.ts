// Imports point one way, packages list what they import, and what runs strangers' work cannot reach keys or the network.
import { existsSync, globSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative, sep } from "node:path";
import ts from "typescript";
import { type CheckResult, checkMain } from "./lib/check.ts";
import { isTestFile } from "./lib/files.ts";
import { entriesOf, type Manifest, packageNames, readManifest, root } from "./lib/workspace.ts";

/** Layers, lowest first: a package imports from lower layers only. */
export const LAYERS: readonly (readonly string[])[] = [
  ["core", "abi", "contracts"],
  ["wire", "chain", "sandbox", "proofs"],
  ["sdk", "service"],
  ["agent", "domain", "relay", "web"],
  ["devnet", "cli"],
];
/**
 * Folders of the web app in `packages/web/app`, lowest first; its files are bundled, so that what they import is a development
 * dependency. No feature imports another one.
 */
export const APP_LAYERS: readonly (readonly string[])[] = [
  ["lib"],
  ["ui", "data", "workers"],
  ["market"],
  ["connection"],
  ["shell"],
  ["parts"],
  ["features"],
];
/** What stands above all folders of the app, and the table of addresses below them. */
const APP_TOP: readonly string[] = ["App.tsx", "main.tsx", "env.d.ts", "routes.ts"];
/** Exceptions within a layer: the command line offers the devnet. */
const SIDEWAYS: Readonly<Record<string, readonly string[]>> = { cli: ["devnet"] };
/** Packages whose main entry also runs in a browser and on Node 20: nothing behind it may import a module of Node. */
const ISOMORPHIC: readonly string[] = ["core", "abi", "wire", "chain", "sandbox", "proofs", "sdk"];
/** The only packages that read the environment, the command line, and end the process. */
const OWNS_PROCESS: readonly string[] = ["cli", "devnet"];
/** Entry files of child processes, which own their process. */
const PROCESS_ENTRY = /(^|\/)(main|worker|child)(-[a-z-]+)?\.(m?ts|mjs)$/;
/** The sandbox imports no other package of ours than core, and of core nothing that makes or opens keys. */
const SANDBOX_PACKAGES: readonly string[] = ["core"];
const KEY_NAMES =
  /^(generateEncryptionKeyPair|encryptionPublicKey|openSealed|sealTo|derive[A-Z]\w*|encryptPackage|decryptPackage)$/;
const NETWORK_MODULES =
  /^(node:)?(net|tls|dgram|dns|http|https|http2|inspector|cluster)(\/|$)|^(ws|undici|viem|ethers|express)(\/|$)|^@(noble\/curves|hpke)\//;
const NETWORK_GLOBALS: readonly string[] = ["fetch", "WebSocket", "EventSource", "XMLHttpRequest"];

/** An import of a file. */
export type Import = {
  /** As written. */
  readonly specifier: string;
  /** Imported names; empty for `import "x"`, `import()` and whole modules. */
  readonly names: readonly string[];
  /** Gone after types are stripped. */
  readonly typeOnly: boolean;
  /** 1-based. */
  readonly line: number;
};
/** What a file imports and which globals it touches. */
export type FileFacts = {
  readonly imports: readonly Import[];
  readonly globals: ReadonlyMap<string, number>;
  /** Strings that could name a package or a file of one: how `import.meta.resolve` is reached through a helper. */
  readonly strings: readonly string[];
};

/**
 * Reads what a file imports, by import, export, `import()`, `require.resolve`, `import.meta.resolve` and import types.
 *
 * @param file name, for the dialect
 * @param text its content
 * @returns imports, and the first line of each global that matters to the rules
 */
export function readFacts(file: string, text: string): FileFacts {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const imports: Import[] = [];
  const globals = new Map<string, number>();
  const strings: string[] = [];
  const lineOf = (node: ts.Node): number => source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
  const add = (node: ts.Node, specifier: string, names: readonly string[] = [], typeOnly = false): void => {
    imports.push({ specifier, names, typeOnly, line: lineOf(node) });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) strings.push(node.text);
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      const clause = node.importClause;
      const bindings = clause?.namedBindings;
      const elements = bindings !== undefined && ts.isNamedImports(bindings) ? bindings.elements : [];
      const allTypes =
        elements.length > 0 && clause?.name === undefined && elements.every((element) => element.isTypeOnly);
      const names = elements.map((element) => (element.propertyName ?? element.name).text);
      add(node, node.moduleSpecifier.text, names, clause?.phaseModifier === ts.SyntaxKind.TypeKeyword || allTypes);
    } else if (
      ts.isExportDeclaration(node) &&
      node.moduleSpecifier !== undefined &&
      ts.isStringLiteral(node.moduleSpecifier)
    ) {
      const elements =
        node.exportClause !== undefined && ts.isNamedExports(node.exportClause) ? node.exportClause.elements : [];
      const allTypes = elements.length > 0 && elements.every((element) => element.isTypeOnly);
      const names = elements.map((element) => (element.propertyName ?? element.name).text);
      add(node, node.moduleSpecifier.text, names, node.isTypeOnly || allTypes);
    } else if (
      ts.isImportTypeNode(node) &&
      ts.isLiteralTypeNode(node.argument) &&
      ts.isStringLiteral(node.argument.literal)
    ) {
      add(node, node.argument.literal.text, [], true);
    } else if (ts.isCallExpression(node)) {
      const [first] = node.arguments;
      const callee = node.expression.getText();
      const loads =
        node.expression.kind === ts.SyntaxKind.ImportKeyword ||
        /^(require(\.resolve)?|import\.meta\.resolve)$/.test(callee);
      if (loads && first !== undefined && ts.isStringLiteralLike(first)) add(node, first.text);
    }
    if (
      ts.isPropertyAccessExpression(node) &&
      node.expression.getText() === "process" &&
      /^(env|exit|argv|exitCode)$/.test(node.name.text)
    ) {
      const name = `process.${node.name.text}`;
      if (!globals.has(name)) globals.set(name, lineOf(node));
    }
    if (ts.isIdentifier(node) && NETWORK_GLOBALS.includes(node.text) && isCalled(node) && !globals.has(node.text)) {
      globals.set(node.text, lineOf(node));
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return { imports, globals, strings };
}

function isCalled(node: ts.Identifier): boolean {
  const { parent } = node;
  return (ts.isCallExpression(parent) || ts.isNewExpression(parent)) && parent.expression === node;
}

/** Name of the npm package that a bare specifier names; undefined for relative ones and modules of Node. */
function packageOf(specifier: string): string | undefined {
  if (specifier.startsWith(".") || specifier.startsWith("/") || specifier.startsWith("#") || isBuiltin(specifier))
    return undefined;
  const parts = specifier.split("/");
  return specifier.startsWith("@") ? parts.slice(0, 2).join("/") : parts[0];
}

function isBuiltin(specifier: string): boolean {
  return specifier.startsWith("node:") || builtinModules.includes(specifier);
}

function layerOf(name: string): number {
  return LAYERS.findIndex((layer) => layer.includes(name));
}

/**
 * Checks the imports of every package.
 *
 * @param at repository to look at
 * @returns findings as `file:line: sentence`
 */
export function checkImports(at: string = root): CheckResult {
  const findings: string[] = [];
  const names = packageNames(at);
  const manifests = new Map(names.map((name) => [name, readManifest(join(at, "packages", name))]));
  const rootTools = new Set(Object.keys(readManifest(at).devDependencies ?? {}));
  const facts = new Map<string, FileFacts>();
  for (const name of names) {
    const folder = join(at, "packages", name);
    const files = globSync("{src,bin,test,app}/**/*.{ts,tsx,mts,mjs,js}", {
      cwd: folder,
      exclude: (path) => /node_modules|dist/.test(path),
    });
    for (const file of files) facts.set(join(folder, file), readFacts(file, readFileSync(join(folder, file), "utf8")));
  }
  for (const [name, manifest] of manifests) {
    if (manifest.name !== `@quorate/${name}` && name !== "cli")
      findings.push(`packages/${name}/package.json: is called ${manifest.name}, not @quorate/${name}`);
    if (layerOf(name) < 0 && name !== "testkit")
      findings.push(`packages/${name}: stands in no layer; give it one in scripts/check-imports.ts`);
    findings.push(...checkPackage({ at, name, manifest, manifests, rootTools, facts }));
  }
  for (const name of ISOMORPHIC) findings.push(...checkIsomorphic(at, name, manifests, facts));
  return { findings, summary: `${facts.size} files of ${names.length} packages import as they may` };
}

type Context = {
  readonly at: string;
  readonly name: string;
  readonly manifest: Manifest;
  readonly manifests: ReadonlyMap<string, Manifest>;
  readonly rootTools: ReadonlySet<string>;
  readonly facts: ReadonlyMap<string, FileFacts>;
};

function checkPackage({ at, name, manifest, manifests, rootTools, facts }: Context): readonly string[] {
  const findings: string[] = [];
  const folder = join(at, "packages", name);
  const used = new Set<string>();
  const own = { ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.peerDependencies };
  for (const [file, { imports, globals, strings }] of facts) {
    if (!file.startsWith(folder + sep)) continue;
    const where = relative(at, file);
    const test = isTestFile(relative(folder, file));
    for (const { specifier, names, line } of imports) {
      const say = (text: string): number => findings.push(`${where}:${line}: ${text}`);
      if (specifier.startsWith(".")) {
        const target = join(dirname(file), specifier);
        if (!target.startsWith(folder + sep)) say(`"${specifier}" leaves the package`);
        if (!test && isTestFile(relative(folder, target))) say(`"${specifier}" belongs to tests`);
        // A test beside the lowest of several folders may reach what it tests above.
        const way = test ? undefined : appImport(relative(folder, file), relative(folder, target));
        if (way !== undefined) say(way);
        continue;
      }
      if (name === "sandbox" && !test) {
        if (NETWORK_MODULES.test(specifier)) say(`the sandbox must not reach keys or the network, "${specifier}" does`);
        const keys = names.filter((imported) => KEY_NAMES.test(imported));
        if (keys.length > 0) say(`the sandbox must not handle keys: ${keys.join(", ")}`);
      }
      const dependency = packageOf(specifier);
      if (dependency === undefined) continue;
      if (!test) used.add(dependency);
      const scoped = dependency.startsWith("@quorate/") ? dependency.slice("@quorate/".length) : undefined;
      if (scoped !== undefined && scoped !== name) {
        const target = manifests.get(scoped);
        if (target === undefined) say(`there is no package ${dependency}`);
        else if (!entriesOf(target).some(({ subpath }) => join(dependency, subpath) === specifier))
          say(`${dependency} does not export "${specifier}"`);
        if (scoped === "testkit") {
          if (!test) say("testkit is for tests only");
        } else if (!mayImport(name, scoped) && !(test && name === "testkit"))
          say(`${name} must not import ${scoped}: imports point from high layers to low ones`);
      }
      const isBundled = relative(folder, file).startsWith(`app${sep}`);
      const declared =
        own[dependency] !== undefined ||
        dependency === `@quorate/${name}` ||
        (isBundled && manifest.devDependencies?.[dependency] !== undefined);
      const testTool =
        test &&
        (manifest.devDependencies?.[dependency] !== undefined || rootTools.has(dependency) || scoped === "testkit");
      if (!declared && !testTool) say(`${dependency} is not among the dependencies of packages/${name}/package.json`);
    }
    if (test) continue;
    for (const dependency of Object.keys(own)) {
      if (strings.some((text) => text === dependency || text.startsWith(`${dependency}/`))) used.add(dependency);
    }
    for (const [global, line] of globals) {
      if (global.startsWith("process.") && !OWNS_PROCESS.includes(name) && !PROCESS_ENTRY.test(file)) {
        findings.push(`${where}:${line}: ${global} belongs to ${OWNS_PROCESS.join(" and ")}; pass the value in`);
      }
      if (name === "sandbox" && NETWORK_GLOBALS.includes(global))
        findings.push(`${where}:${line}: the sandbox must not reach the network, ${global} does`);
    }
  }
  for (const [dependency, version] of Object.entries({
    ...manifest.dependencies,
    ...manifest.devDependencies,
    ...manifest.optionalDependencies,
  })) {
    if (!/^(npm:.+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
      findings.push(`packages/${name}/package.json: ${dependency} is not pinned to a version ("${version}")`);
  }
  for (const dependency of Object.keys(manifest.dependencies ?? {})) {
    if (!used.has(dependency))
      findings.push(`packages/${name}/package.json: ${dependency} is listed and never imported`);
  }
  return findings;
}

/** Why a file of the app may not import another one; undefined if it may. */
function appImport(from: string, to: string): string | undefined {
  const [top, folder = "", part] = from.split(sep);
  const [targetTop, target = "", targetPart] = to.split(sep);
  if (top !== "app" || targetTop !== "app" || APP_TOP.includes(folder) || APP_TOP.includes(target)) return undefined;
  const layer = (name: string): number => APP_LAYERS.findIndex((names) => names.includes(name));
  if (layer(folder) < 0 || layer(target) < 0) return `${layer(folder) < 0 ? folder : target} is no folder of the app`;
  if (folder === "features" && target === "features" && part !== targetPart)
    return `the feature ${part} must not import the feature ${targetPart}`;
  if (folder === target) return undefined;
  return layer(target) < layer(folder) ? undefined : `${folder} must not import ${target}: see docs/web.md`;
}

function mayImport(from: string, to: string): boolean {
  if (from === "sandbox") return SANDBOX_PACKAGES.includes(to);
  if (from === "testkit") return layerOf(to) === 0;
  return layerOf(to) < layerOf(from) || (SIDEWAYS[from] ?? []).includes(to);
}

/** Follows what the main entry loads at run time through our packages; a module of Node on the way is a finding. */
function checkIsomorphic(
  at: string,
  name: string,
  manifests: ReadonlyMap<string, Manifest>,
  facts: ReadonlyMap<string, FileFacts>,
): readonly string[] {
  const findings: string[] = [];
  const seen = new Set<string>();
  const entryOf = (specifier: string): string | undefined => {
    const dependency = packageOf(specifier);
    if (dependency === undefined || !dependency.startsWith("@quorate/")) return undefined;
    const target = dependency.slice("@quorate/".length);
    const manifest = manifests.get(target);
    const entry =
      manifest === undefined
        ? undefined
        : entriesOf(manifest).find(({ subpath }) => join(dependency, subpath) === specifier);
    return entry === undefined ? undefined : join(at, "packages", target, entry.file);
  };
  const visit = (file: string, path: readonly string[]): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const { specifier, typeOnly, line } of facts.get(file)?.imports ?? []) {
      if (typeOnly) continue;
      if (isBuiltin(specifier)) {
        const way = [...path, relative(at, file)].join(" → ");
        findings.push(
          `${relative(at, file)}:${line}: "${specifier}" is reached from the main entry of ${name}, which also runs in browsers (${way})`,
        );
      }
      const next = specifier.startsWith(".") ? join(dirname(file), specifier) : entryOf(specifier);
      if (next !== undefined) visit(next, [...path, relative(at, file)]);
    }
  };
  const entry = entryOf(`@quorate/${name}`);
  if (entry !== undefined && existsSync(entry)) visit(entry, []);
  return findings;
}

checkMain(import.meta.url, {
  about:
    "Checks that imports between packages point one way, that package.json lists what is imported, and that isomorphic entries load no module of Node.",
  run: () => checkImports(),
});
