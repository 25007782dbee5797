import { type EngineInput, type EngineResult, type EngineUsage, NO_USAGE, PAGE_BYTES } from "../engine.ts";
import { randomSeed } from "../random.ts";
import { FuelExhausted, HostFailed, OutputExceeded, ProgramExit } from "../stops.ts";
import { ModuleRefused } from "../wasm/bytes.ts";
import { FUEL_EXPORT, type InstrumentedModule, instrumentModule, STATE_EXPORT, StateBit } from "../wasm/instrument.ts";
import { signatures } from "./abi.ts";
import { WasiHost } from "./host.ts";

const WASI_MODULE = "wasi_snapshot_preview1";
const I32 = 0x7f;
const I64 = 0x7e;

/**
 * Runs a WASI preview 1 command module.
 *
 * @param input Manifest and files.
 */
export async function runWasi(input: EngineInput): Promise<EngineResult> {
  const { manifest, files } = input;
  const { limits } = manifest;
  const maxPages = Math.floor(limits.memoryBytes / PAGE_BYTES);
  let module: InstrumentedModule;
  try {
    module = instrumentModule(files.get(manifest.program) as Uint8Array, { maxMemoryPages: maxPages });
    checkInterface(module);
  } catch (error) {
    if (error instanceof ModuleRefused) return failed("ProgramInvalid", error.message);
    throw error;
  }
  if ((module.initialPages ?? 0) > maxPages) {
    return failed("MemoryExceeded", `the program begins with ${module.initialPages} pages of memory`);
  }
  let compiled: WebAssembly.Module;
  try {
    compiled = await WebAssembly.compile(module.bytes as Uint8Array<ArrayBuffer>);
  } catch (error) {
    if (error instanceof WebAssembly.CompileError) return failed("ProgramInvalid", error.message);
    return hostFailure(error, NO_USAGE);
  }
  return execute(input, compiled, await randomSeed(input));
}

/** A command exports `_start` and its memory, and imports functions of preview 1 with their exact signatures. */
function checkInterface(module: InstrumentedModule): void {
  for (const { module: from, name, params, results } of module.imports) {
    const signature = from === WASI_MODULE && Object.hasOwn(signatures, name) ? signatures[name] : undefined;
    if (signature === undefined) throw new ModuleRefused(`import ${from}.${name} is not known`);
    const expected = [...signature].map((letter) => (letter === "i" ? I32 : I64));
    const returned = name === "proc_exit" ? [] : [I32];
    if (params.join() !== expected.join() || results.join() !== returned.join()) {
      throw new ModuleRefused(`import ${from}.${name} has another signature`);
    }
  }
  if (module.exports.get("memory") !== "memory") throw new ModuleRefused("no memory is exported");
  if (module.exports.get("_start") !== "function") throw new ModuleRefused("no function `_start` is exported");
}

async function execute(input: EngineInput, compiled: WebAssembly.Module, seed: Uint8Array): Promise<EngineResult> {
  const { limits } = input.manifest;
  const host = new WasiHost(input, seed);
  let instance: WebAssembly.Instance;
  try {
    instance = await WebAssembly.instantiate(compiled, { [WASI_MODULE]: host.imports() });
  } catch (error) {
    // A segment out of bounds: the same everywhere.
    if (error instanceof WebAssembly.RuntimeError) return failed("Trap", error.message);
    return hostFailure(error, NO_USAGE);
  }
  const memory = instance.exports.memory as WebAssembly.Memory;
  const fuel = instance.exports[FUEL_EXPORT] as WebAssembly.Global<"i64">;
  const state = instance.exports[STATE_EXPORT] as WebAssembly.Global<"i32">;
  const start = instance.exports._start as unknown;
  if (typeof start !== "function" || start.length !== 0) return failed("ProgramInvalid", "`_start` takes parameters");
  fuel.value = BigInt(limits.fuel);
  host.connect({
    memory: () => memory.buffer,
    charge: (amount) => {
      fuel.value -= BigInt(amount);
      if (fuel.value < 0n) throw new FuelExhausted();
    },
  });
  const usage = (): EngineUsage => ({
    fuel: limits.fuel - Math.max(0, Number(fuel.value)),
    memoryBytes: memory.buffer.byteLength,
    outputBytes: host.output.length,
  });
  const ended = (cause: Extract<EngineResult, { kind: "failed" }>["cause"], exitCode = 0): EngineResult => ({
    kind: "failed",
    cause,
    exitCode,
    usage: usage(),
    diagnostics: host.diagnostics.text(),
  });
  let exitCode = 0;
  let trapped = false;
  try {
    start();
  } catch (error) {
    if (error instanceof ProgramExit) exitCode = error.exitCode;
    else if (error instanceof OutputExceeded) return ended("OutputExceeded");
    else if (error instanceof FuelExhausted) return ended("FuelExhausted");
    else if (error instanceof WebAssembly.RuntimeError) {
      trapped = true;
      host.diagnostics.write(new TextEncoder().encode(`${error.message}\n`));
    } else {
      // Above all the end of the host's own stack, which is deeper here and shallower there.
      return hostFailure(error, usage());
    }
  }
  if ((state.value & StateBit.HostOutOfMemory) !== 0) return hostFailure(new HostFailed("out of memory"), usage());
  if (fuel.value < 0n) return ended("FuelExhausted");
  const grewBeyond = (state.value & StateBit.GrowthRefused) !== 0;
  if (trapped || exitCode !== 0) {
    if (grewBeyond) return ended("MemoryExceeded");
    return trapped ? ended("Trap") : ended("NonZeroExit", exitCode);
  }
  return { kind: "ok", output: host.output.bytes(), usage: usage(), diagnostics: host.diagnostics.text() };
}

function failed(cause: "ProgramInvalid" | "MemoryExceeded" | "Trap", diagnostics: string): EngineResult {
  return { kind: "failed", cause, exitCode: 0, usage: NO_USAGE, diagnostics };
}

function hostFailure(error: unknown, usage: EngineUsage): EngineResult {
  const detail = error instanceof Error ? `${error.name}: ${error.message}` : "unknown";
  return { kind: "report", code: "HostFailure", detail: `The host could not go on with the run: ${detail}.`, usage };
}
