import { execFile } from "node:child_process";
import { accessSync, constants, existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { FatalError } from "@quorate/core";

/**
 * How a run is kept apart from the host.
 *
 * - `bubblewrap`: namespaces of its own for users, processes, network, mounts and the rest; an empty file system with
 *   read-only views of Node and the engine. The kernel allows no network and no other file.
 * - `process`: a process with the resource limits, Node's permission model (no file but the engine's, no child process,
 *   no worker, no addon) and, where `prlimit` is installed, no right to open a further descriptor once the engine is
 *   loaded: no socket, file or pipe. Without `prlimit` the network is kept away by the engine alone.
 */
export type Isolation = "bubblewrap" | "process";

const SEARCH = ["/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin", "/sbin", "/opt/homebrew/bin"];

/** Absolute path of a system tool; the environment's search path is not consulted. */
export function findTool(name: string): string | undefined {
  return SEARCH.map((directory) => join(directory, name)).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Stack of the process, KiB; the engine's part of it is a little smaller. */
const STACK_KIB = 16_384;
const ENGINE_STACK_KIB = 14_000;

/** What the process may use. */
export type ProcessLimits = {
  /** Writable memory of the process, bytes. */
  readonly dataBytes: number;
  /** Processor time, whole seconds. */
  readonly cpuSeconds: number;
  /** Linear memory of the program, pages of 64 KiB. */
  readonly memoryPages: number;
  /** JavaScript heap, MiB. */
  readonly heapMebibytes: number;
};

/** A command line; the environment is empty. */
export type Command = { readonly file: string; readonly args: readonly string[] };

// The child lies beside this file, as TypeScript in the workspace and as JavaScript when packed.
const childPath = realpathSync(
  fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "./child.ts" : "./child.js", import.meta.url)),
);

/**
 * Script that runs one program, with the engine to prepare before the package comes.
 *
 * @param engine Name of the engine.
 */
export function childEntry(engine: string): readonly string[] {
  return [childPath, engine];
}

let readable: readonly string[] | undefined;

/**
 * Folders that the child loads code from: this package and its dependencies, each by the path where Node looks for it
 * and, where that is a link, by the path that it leads to.
 */
function readablePaths(): readonly string[] {
  if (readable !== undefined) return readable;
  const own = dirname(dirname(childPath));
  const paths = [own];
  const add = (name: string, from: string): string => {
    const path = installedPath(name, from);
    paths.push(path, realpathSync(path));
    return realpathSync(path);
  };
  add("@noble/ciphers", own);
  for (const name of ["@jitl/quickjs-wasmfile-release-sync", "quickjs-emscripten-core"]) {
    add("@jitl/quickjs-ffi-types", add(name, own));
  }
  readable = [...new Set(paths)];
  return readable;
}

/** Folder of a dependency, found as Node finds it: in the nearest `node_modules` on the way up. */
function installedPath(name: string, from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, "node_modules", name);
    if (existsSync(path)) return path;
    if (folder === dirname(folder)) {
      throw new FatalError("ISOLATION_UNAVAILABLE", `The dependency ${name} of the engine is not installed.`);
    }
  }
}

/** Package descriptions that Node looks at on its way up from a file, beside those in the folders themselves. */
function descriptions(): readonly string[] {
  const found = new Set<string>();
  for (const path of readablePaths()) {
    const description = join(dirname(path), "package.json");
    if (existsSync(description)) found.add(description);
  }
  return [...found];
}

/**
 * Builds the command line of the child.
 *
 * @param isolation Mode.
 * @param entry Script of the child below this package, and its arguments.
 * @param limits Resource limits.
 * @throws FatalError `ISOLATION_UNAVAILABLE` naming what is missing.
 */
export function commandFor(isolation: Isolation, entry: readonly string[], limits: ProcessLimits): Command {
  const shell = findTool("sh");
  if (shell === undefined) throw unavailable(isolation, "`sh` is not installed");
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (childPath.endsWith(".ts") && major < 23) throw unavailable(isolation, "the sources need Node 24");
  const stable = major > 23 || (major === 23 && minor >= 5) || (major === 22 && minor >= 13);
  const permissions = stable ? "--permission" : "--experimental-permission";
  const nodePath = realpathSync(process.execPath);
  const paths = [...readablePaths(), ...descriptions()];
  const node = [
    nodePath,
    permissions,
    ...paths.map((path) => `--allow-fs-read=${path}`),
    "--no-warnings",
    "--disallow-code-generation-from-strings",
    "--disable-proto=delete",
    `--max-old-space-size=${limits.heapMebibytes}`,
    `--wasm-max-mem-pages=${limits.memoryPages}`,
    `--stack-size=${ENGINE_STACK_KIB}`,
    "--v8-pool-size=1",
    ...entry,
  ];
  const inner =
    isolation === "bubblewrap" ? [...bubblewrapArguments(nodePath, paths), ...node] : [...tether(), ...node];
  // The shell lowers its own limits and becomes the child.
  const script = [
    "ulimit -c 0",
    "ulimit -f 0",
    `ulimit -S -s ${STACK_KIB}`,
    `ulimit -t ${limits.cpuSeconds}`,
    `ulimit -d ${Math.ceil(limits.dataBytes / 1_024)}`,
    'exec "$@"',
  ].join(" && ");
  return { file: shell, args: ["-c", script, "sandbox", ...inner] };
}

/** Ends the child with its parent, where the system can. */
function tether(): string[] {
  const setpriv = findTool("setpriv");
  return setpriv === undefined ? [] : [setpriv, "--pdeathsig", "KILL", "--no-new-privs", "--"];
}

function bubblewrapArguments(nodePath: string, paths: readonly string[]): string[] {
  const bubblewrap = findTool("bwrap");
  if (bubblewrap === undefined) throw unavailable("bubblewrap", "`bwrap` is not installed (package `bubblewrap`)");
  const bind = (path: string): string[] => {
    const real = realpathSync(path);
    // A link stays a link: what lies behind it looks for its own dependencies from there.
    return real === path ? ["--ro-bind", path, path] : ["--symlink", real, path];
  };
  return [
    bubblewrap,
    "--unshare-all",
    "--unshare-user",
    "--uid",
    "65534",
    "--gid",
    "65534",
    "--die-with-parent",
    "--new-session",
    "--clearenv",
    "--cap-drop",
    "ALL",
    ...["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache"].flatMap((path) => [
      "--ro-bind-try",
      path,
      path,
    ]),
    ...bind(nodePath),
    ...paths.flatMap(bind),
    "--remount-ro",
    "/",
    "--chdir",
    "/",
    "--",
  ];
}

function unavailable(isolation: Isolation, why: string): FatalError {
  return new FatalError(
    "ISOLATION_UNAVAILABLE",
    `Programs cannot be run with isolation "${isolation}": ${why}. Install it, or choose another isolation.`,
  );
}

let bubblewrapWorks: Promise<string | undefined> | undefined;

/** Why namespaces cannot be had here; undefined if they can. */
function bubblewrapProblem(): Promise<string | undefined> {
  bubblewrapWorks ??= new Promise((resolve) => {
    const bubblewrap = findTool("bwrap");
    if (bubblewrap === undefined) {
      resolve("`bwrap` is not installed (package `bubblewrap`)");
      return;
    }
    const probe = findTool("true") ?? "/bin/true";
    const args = ["--unshare-all", "--unshare-user", "--ro-bind", "/", "/", "--", probe];
    execFile(bubblewrap, args, { env: {}, timeout: 10_000 }, (error, _stdout, stderr) => {
      resolve(error === null ? undefined : `\`bwrap\` cannot make namespaces here (${stderr.trim() || error.message})`);
    });
  });
  return bubblewrapWorks;
}

/**
 * Checks that a mode can be had on this host.
 *
 * @param isolation Mode.
 * @throws FatalError `ISOLATION_UNAVAILABLE` naming what is missing.
 */
export async function requireIsolation(isolation: Isolation): Promise<void> {
  if (findTool("sh") === undefined) throw unavailable(isolation, "`sh` is not installed");
  if (isolation === "bubblewrap") {
    const problem = await bubblewrapProblem();
    if (problem !== undefined) throw unavailable(isolation, problem);
  }
}

/**
 * Modes that this host offers, the strongest first.
 *
 * @returns A list that may be empty, for example on Windows.
 */
export async function availableIsolations(): Promise<readonly Isolation[]> {
  if (findTool("sh") === undefined) return [];
  return (await bubblewrapProblem()) === undefined ? ["bubblewrap", "process"] : ["process"];
}
