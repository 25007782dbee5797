import { readFileSync, statSync } from "node:fs";
import { basename, extname } from "node:path";
import { FatalError, isSafeFileName, type Manifest, type Package } from "@quorate/core";
import { engines } from "@quorate/sandbox";
import { parseSize, parseWhole } from "./units.ts";

/** Options that make a package out of files. */
export type PackageOptions = {
  readonly runtime?: string;
  readonly data?: readonly string[];
  readonly stdin?: string;
  readonly arg?: readonly string[];
  readonly env?: readonly string[];
  readonly fuel: string;
  readonly memory: string;
  readonly output: string;
  readonly wallTime: string;
};

/**
 * Makes a package of a program file and data files.
 *
 * @param program - `.wasm` for WASI, `.js` or `.mjs` for QuickJS, unless the runtime is named.
 * @param options - Data, arguments, limits.
 * @throws FatalError `USAGE_FILE`, `USAGE_RUNTIME`, `USAGE_ENV` and those of the limits.
 */
export function packageFromFiles(program: string, options: PackageOptions): Package {
  const files = new Map<string, Uint8Array>();
  const add = (path: string): string => {
    const name = basename(path);
    if (!isSafeFileName(name))
      throw new FatalError(
        "USAGE_FILE",
        `"${name}" cannot be the name of a file in a package: use letters, digits, dots, dashes, underscores. Rename it.`,
      );
    if (files.has(name))
      throw new FatalError("USAGE_FILE", `Two files are called ${name}. In a package names are unique; rename one.`);
    files.set(name, readInput(path));
    return name;
  };
  const programName = add(program);
  const stdin = options.stdin === undefined ? undefined : add(options.stdin);
  for (const path of options.data ?? []) add(path);
  const manifest: Manifest = {
    version: 1,
    engine: chooseEngine(program, options.runtime),
    program: programName,
    args: [...(options.arg ?? [])],
    env: Object.fromEntries((options.env ?? []).map(parseVariable)),
    ...(stdin === undefined ? {} : { stdin }),
    limits: {
      fuel: parseWhole(options.fuel, "--fuel", 1, Number.MAX_SAFE_INTEGER),
      memoryBytes: parseSize(options.memory, "--memory"),
      outputBytes: parseSize(options.output, "--output"),
      wallTimeMs: parseWhole(options.wallTime, "--wall-time", 1, 604_800) * 1_000,
    },
  };
  return { manifest, files };
}

function readInput(path: string): Uint8Array {
  try {
    if (!statSync(path).isFile()) throw new Error("it is not a regular file");
    return readFileSync(path);
  } catch (error) {
    throw new FatalError("USAGE_FILE", `${path} cannot be read. Check the path and its permissions.`, { cause: error });
  }
}

function chooseEngine(program: string, runtime: string | undefined): Manifest["engine"] {
  const extension = extname(program);
  const name =
    runtime === "wasi" || (runtime === undefined && extension === ".wasm")
      ? "wasi-p1"
      : runtime === "js" || (runtime === undefined && (extension === ".js" || extension === ".mjs"))
        ? "quickjs"
        : undefined;
  const engine = engines.find((candidate) => candidate.name === name);
  if (engine === undefined) {
    throw new FatalError(
      "USAGE_RUNTIME",
      `It is not clear what runs ${program}. Name the runtime: --runtime wasi or --runtime js.`,
    );
  }
  return { name: engine.name as Manifest["engine"]["name"], version: engine.version };
}

function parseVariable(text: string): [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw new FatalError("USAGE_ENV", `"${text}" is not NAME=VALUE.`);
  return [text.slice(0, at), text.slice(at + 1)];
}
