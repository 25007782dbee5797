// Compiles a changed copy of the contracts, quickly: only what is asked for, without the optimizer, one compiler a core.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, posix } from "node:path";
import { Worker } from "node:worker_threads";
import { root } from "../../lib/workspace.ts";

/** Solidity sources by the name that the compiler knows them by: a path from the root, or that of an npm package. */
export type Sources = ReadonlyMap<string, string>;

/** Bytecode of a contract, hexadecimal with `0x`. */
export type Bytecode = {
  /** What deploys it, without the arguments of the constructor. */
  readonly creation: string;
  /** What lies on chain, immutables still zero. */
  readonly deployed: string;
};

/** What compiling gave. */
export type Compiled =
  | { readonly ok: true; readonly bytecodes: ReadonlyMap<string, Bytecode> }
  | { readonly ok: false; readonly errors: readonly string[] };

/** Settings of the compiler beside the selection of outputs. */
export type Settings = Readonly<Record<string, unknown>>;

/** Fast: without the optimizer, which takes most of the time. Everything else as in hardhat.config.ts. */
export const UNOPTIMIZED: Settings = {
  evmVersion: "osaka",
  viaIR: true,
  optimizer: { enabled: false },
  metadata: { bytecodeHash: "none", appendCBOR: false },
};
/** As it is deployed. */
export const OPTIMIZED: Settings = { ...UNOPTIMIZED, optimizer: { enabled: true, runs: 200 } };

const IMPORT = /^\s*import\s[^;]*?"([^"]+)"\s*;/gm;

/**
 * Reads a source file and all that it imports.
 *
 * @param entry path from `folder`, as `contracts/JobMarket.sol`
 * @param options.folder where paths begin; the repository unless told
 * @param options.overlay sources that take the place of files, by name
 * @returns the sources; imports of npm packages are taken from the repository's `node_modules`
 */
export function readSources(
  entry: string,
  options: { readonly folder?: string; readonly overlay?: Sources } = {},
): Map<string, string> {
  const { folder = root, overlay } = options;
  const sources = new Map<string, string>();
  const wanted = [entry];
  for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
    if (sources.has(name)) continue;
    const own = join(folder, name);
    const text = overlay?.get(name) ?? readFileSync(existsSync(own) ? own : join(root, "node_modules", name), "utf8");
    sources.set(name, text);
    for (const [, target = ""] of text.matchAll(IMPORT)) {
      wanted.push(target.startsWith(".") ? posix.join(posix.dirname(name), target) : target);
    }
  }
  return sources;
}

/** Compilers in threads. */
export type Compiler = {
  /**
   * Compiles contracts; several calls run beside each other, as many as there are threads.
   *
   * @param sources all that the contracts import
   * @param contracts fully qualified, as `contracts/JobMarket.sol:JobMarket`
   * @param settings of the compiler; {@link UNOPTIMIZED} unless told
   * @returns bytecode by fully qualified name, or the errors of the compiler
   */
  compile(sources: Sources, contracts: readonly string[], settings?: Settings): Promise<Compiled>;
  /**
   * Compiles standard JSON as it is: for other outputs than bytecode.
   *
   * @param input standard JSON
   * @returns the output, parsed
   */
  run(input: unknown): Promise<Output>;
  /** Ends the threads. */
  close(): Promise<void>;
};

/** The parts of the compiler's output that are read here. */
export type Output = {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly sources?: Readonly<Record<string, { readonly id: number; readonly ast?: unknown }>>;
  readonly contracts?: Readonly<
    Record<
      string,
      Record<
        string,
        { readonly evm: { readonly bytecode: { object: string }; readonly deployedBytecode: { object: string } } }
      >
    >
  >;
};

/**
 * Starts compilers.
 *
 * @param options.threads how many; one a core unless told. Each takes up to 1 GB of memory
 * @param options.cache folder for what was compiled before; nothing is kept without it
 */
export function createCompiler(options: { readonly threads?: number; readonly cache?: string } = {}): Compiler {
  const { threads = availableParallelism(), cache } = options;
  const idle: Worker[] = [];
  const waiting: ((worker: Worker) => void)[] = [];
  const all = new Set<Worker>();

  const take = (): Promise<Worker> => {
    const worker = idle.pop();
    if (worker !== undefined) return Promise.resolve(worker);
    if (all.size < threads) {
      const fresh = new Worker(new URL("./solc-worker.ts", import.meta.url));
      all.add(fresh);
      return Promise.resolve(fresh);
    }
    return new Promise((resolve) => waiting.push(resolve));
  };
  const giveBack = (worker: Worker): void => {
    const next = waiting.shift();
    if (next === undefined) idle.push(worker);
    else next(worker);
  };

  const run = async (input: unknown): Promise<Output> => {
    const text = JSON.stringify(input);
    const kept =
      cache === undefined ? undefined : join(cache, `${createHash("sha256").update(text).digest("hex")}.json`);
    if (kept !== undefined && existsSync(kept)) return JSON.parse(readFileSync(kept, "utf8")) as Output;
    const worker = await take();
    const output = await new Promise<string>((resolve, reject) => {
      worker.once("message", (message: string) => {
        worker.off("error", reject);
        resolve(message);
      });
      worker.once("error", reject);
      worker.postMessage(text);
    });
    giveBack(worker);
    if (kept !== undefined && cache !== undefined) {
      mkdirSync(cache, { recursive: true });
      writeFileSync(kept, output);
    }
    return JSON.parse(output) as Output;
  };

  return {
    run,
    async compile(sources, contracts, settings = UNOPTIMIZED) {
      const outputSelection: Record<string, Record<string, string[]>> = {};
      const wanted = contracts.map((contract) => {
        const [file = "", name = ""] = contract.split(":");
        outputSelection[file] = {
          ...outputSelection[file],
          [name]: ["evm.bytecode.object", "evm.deployedBytecode.object"],
        };
        return { contract, file, name };
      });
      const output = await run({
        language: "Solidity",
        // In one order, whatever the order of reading: the key of the cache.
        sources: Object.fromEntries([...sources].sort().map(([name, content]) => [name, { content }])),
        settings: { ...settings, outputSelection },
      });
      const errors = (output.errors ?? []).filter(({ severity }) => severity === "error");
      if (errors.length > 0) return { ok: false, errors: errors.map(({ formattedMessage }) => formattedMessage) };
      const bytecodes = new Map<string, Bytecode>();
      for (const { contract, file, name } of wanted) {
        const evm = output.contracts?.[file]?.[name]?.evm;
        if (evm === undefined) return { ok: false, errors: [`${file} has no contract ${name}`] };
        bytecodes.set(contract, {
          creation: `0x${evm.bytecode.object}`,
          deployed: `0x${evm.deployedBytecode.object}`,
        });
      }
      return { ok: true, bytecodes };
    },
    async close() {
      await Promise.all([...all].map((worker) => worker.terminate()));
      all.clear();
      idle.length = 0;
    },
  };
}
