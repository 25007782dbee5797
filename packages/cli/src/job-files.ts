import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, extname } from "node:path";
import {
  FatalError,
  isQuorateError,
  isSafeFileName,
  MAX_PACKAGE_BYTES,
  type Manifest,
  type Package,
} from "@quorate/core";
import { engines } from "@quorate/sandbox";
import { parseDuration, parseSize, parseWhole } from "./units.ts";

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
 * @returns Manifest and files, named by their last part of the path or as `name=path` says.
 */
export function packageFromFiles(program: string, options: PackageOptions): Package {
  const files = new Map<string, Uint8Array>();
  let bytes = 0;
  const add = (text: string): string => {
    const { name, path } = namedFile(text);
    if (!isSafeFileName(name))
      throw new FatalError(
        "USAGE_FILE",
        `"${name}" cannot be the name of a file in a package: letters, digits, dots, dashes and underscores can. Rename it, or give it a name: name=${path}`,
      );
    if (files.has(name))
      throw new FatalError(
        "USAGE_FILE",
        `Two files are called ${name}, and in a package names are unique. Give one another name: other-${name}=${path}`,
      );
    const content = readInput(path, MAX_PACKAGE_BYTES - bytes);
    bytes += content.length;
    files.set(name, content);
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
      wallTimeMs: parseDuration(options.wallTime, "--wall-time") * 1_000,
    },
  };
  return { manifest, files };
}

/** `name=path` gives a file another name in the package; a path that exists as it stands is never split. */
function namedFile(text: string): { name: string; path: string } {
  const at = text.indexOf("=");
  if (at < 1 || existsSync(text)) return { name: basename(text), path: text };
  return { name: text.slice(0, at), path: text.slice(at + 1) };
}

function readInput(path: string, mostBytes: number): Uint8Array {
  try {
    const found = statSync(path);
    if (!found.isFile()) throw new FatalError("USAGE_FILE", `${path} is not a regular file. Name a file.`);
    // Looked at before it is read: a disk image by mistake should not fill the memory.
    if (found.size > mostBytes) {
      throw new FatalError(
        "USAGE_FILE",
        `${path} has ${found.size} bytes, and a package holds at most ${MAX_PACKAGE_BYTES} in all. Make it smaller.`,
      );
    }
    return readFileSync(path);
  } catch (error) {
    if (isQuorateError(error)) throw error;
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
  if (at < 1) throw new FatalError("USAGE_ENV", `"${text}" is not a variable. Write NAME=VALUE.`);
  return [text.slice(0, at), text.slice(at + 1)];
}
