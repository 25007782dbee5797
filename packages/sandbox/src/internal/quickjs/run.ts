import type { QuickJSContext, QuickJSHandle, QuickJSRuntime } from "quickjs-emscripten-core";
import {
  DIAGNOSTICS_BYTES,
  type EngineInput,
  type EngineResult,
  type EngineUsage,
  NO_USAGE,
  PAGE_BYTES,
} from "../engine.ts";
import { OutputBuffer, TailBuffer } from "../output.ts";
import { DeterministicRandom, randomSeed } from "../random.ts";
import { HostFailed, OutputExceeded } from "../stops.ts";
import { type Interpreter, QUICKJS_INITIAL_PAGES, startInterpreter } from "./module.ts";
import { PRELUDE } from "./prelude.ts";

/**
 * Stack of a program inside the interpreter's memory, bytes. It ends in an error that the program can catch, long
 * before the host's own stack would end, so that recursion ends alike everywhere.
 */
const MAX_STACK_BYTES = 256 * 1_024;

/** Exit codes that the engine itself gives. */
const EXIT_UNCAUGHT = 1;
const EXIT_UNSETTLED = 13;

type Ending = { readonly exitCode: number } | "OutputExceeded" | "FuelExhausted" | "Trap";

/**
 * Runs a JavaScript module in QuickJS.
 *
 * @param input Manifest and files.
 */
export async function runQuickjs(input: EngineInput): Promise<EngineResult> {
  const { manifest, files } = input;
  const refuse = (cause: "ProgramInvalid" | "MemoryExceeded", diagnostics: string): EngineResult => ({
    kind: "failed",
    cause,
    exitCode: 0,
    usage: NO_USAGE,
    diagnostics,
  });
  const source = decodeSource(files.get(manifest.program) as Uint8Array);
  if (source === undefined) return refuse("ProgramInvalid", "the program is not UTF-8 text, or holds NUL");
  if (manifest.limits.memoryBytes < QUICKJS_INITIAL_PAGES * PAGE_BYTES) {
    return refuse("MemoryExceeded", `the interpreter needs ${QUICKJS_INITIAL_PAGES * PAGE_BYTES} bytes of memory`);
  }
  const seed = await randomSeed(input);
  let interpreter: Interpreter;
  try {
    interpreter = await startInterpreter(manifest.limits.memoryBytes);
  } catch (error) {
    return hostFailure(error, NO_USAGE);
  }
  return new Run(input, interpreter, seed).execute(source);
}

class Run {
  readonly #input: EngineInput;
  readonly #interpreter: Interpreter;
  readonly #random: DeterministicRandom;
  readonly #output: OutputBuffer;
  readonly #diagnostics = new TailBuffer(DIAGNOSTICS_BYTES);
  /** How the run ends and what it had used by then; what the program does after that has no effect. */
  #end: { readonly ending: Ending; readonly usage: EngineUsage; readonly growthRefused: boolean } | undefined;

  constructor(input: EngineInput, interpreter: Interpreter, seed: Uint8Array) {
    this.#input = input;
    this.#interpreter = interpreter;
    this.#random = new DeterministicRandom(seed);
    this.#output = new OutputBuffer(input.manifest.limits.outputBytes);
  }

  execute(source: string): EngineResult {
    const interpreter = this.#interpreter;
    try {
      const runtime = interpreter.quickjs.newRuntime({ maxStackSizeBytes: MAX_STACK_BYTES });
      runtime.setModuleLoader((name) => this.#loadModule(name));
      const context = runtime.newContext();
      const run = this.#setUp(context);
      interpreter.fuel.value = BigInt(this.#input.manifest.limits.fuel);
      this.#runProgram(runtime, context, run, source);
    } catch (error) {
      // Anything but a trap is the host's, above all the end of its stack, deeper here and shallower there.
      if (!(error instanceof WebAssembly.RuntimeError)) return hostFailure(error, this.#usage());
      this.#endWith("Trap");
    }
    if (interpreter.failure !== undefined) return hostFailure(interpreter.failure, this.#usage());
    if (this.#end === undefined) return hostFailure(new HostFailed("the run has no end"), this.#usage());
    const { ending, usage, growthRefused } = this.#end;
    const diagnostics = this.#diagnostics.text();
    const failed = (cause: Extract<EngineResult, { kind: "failed" }>["cause"], exitCode = 0): EngineResult => ({
      kind: "failed",
      cause,
      exitCode,
      usage,
      diagnostics,
    });
    if (typeof ending === "string") return failed(ending === "Trap" && growthRefused ? "MemoryExceeded" : ending);
    if (ending.exitCode === 0) return { kind: "ok", output: this.#output.bytes(), usage, diagnostics };
    return growthRefused ? failed("MemoryExceeded") : failed("NonZeroExit", ending.exitCode);
  }

  #usage(): EngineUsage {
    const limit = this.#input.manifest.limits.fuel;
    return {
      fuel: limit - Math.min(limit, Math.max(0, this.#interpreter.fuelLeft())),
      memoryBytes: this.#interpreter.memory.buffer.byteLength,
      outputBytes: this.#output.length,
    };
  }

  /** Notes the end of the run; the first one counts, and none that took more fuel than there was. */
  #endWith(ending: Ending): void {
    this.#end ??= {
      ending: this.#interpreter.fuelLeft() < 0 ? "FuelExhausted" : ending,
      usage: this.#usage(),
      growthRefused: this.#interpreter.growthRefused,
    };
  }

  /** Ends the run from a host function: the interpreter stops when it returns, whatever the program catches. */
  #stop(ending: Ending): void {
    this.#endWith(ending);
    this.#interpreter.stopped = true;
  }

  #runProgram(runtime: QuickJSRuntime, context: QuickJSContext, run: QuickJSHandle, source: string): void {
    const loaded = context.evalCode(source, this.#input.manifest.program, { type: "module" });
    const namespace = this.#settle(runtime, context, loaded);
    if (namespace === undefined) return;
    // What the program has queued runs first, then the rest of its output is taken.
    const flush = this.#settle(runtime, context, context.callFunction(run, context.undefined, namespace));
    if (flush === undefined) return;
    if (this.#settle(runtime, context, context.callFunction(flush, context.undefined)) === undefined) return;
    this.#endWith({ exitCode: 0 });
  }

  /** Runs all jobs; the value if it was one or became one, else the run has ended. */
  #settle(
    runtime: QuickJSRuntime,
    context: QuickJSContext,
    result: ReturnType<QuickJSContext["callFunction"]>,
  ): QuickJSHandle | undefined {
    if (result.error !== undefined) return this.#uncaught(context, result.error);
    const jobs = runtime.executePendingJobs();
    if (jobs.error !== undefined) return this.#uncaught(context, jobs.error);
    const state = context.getPromiseState(result.value);
    switch (state.type) {
      case "fulfilled":
        return state.value;
      case "rejected":
        return this.#uncaught(context, state.error);
      case "pending":
        // Nothing is left that could settle it.
        this.#endWith({ exitCode: EXIT_UNSETTLED });
        this.#diagnostics.write(new TextEncoder().encode("The program waits for a promise that nothing settles.\n"));
        return undefined;
      default:
        return state satisfies never;
    }
  }

  #uncaught(context: QuickJSContext, error: QuickJSHandle): undefined {
    this.#endWith({ exitCode: EXIT_UNCAUGHT });
    // Describing the error may run code of the program; the run has ended, so that nothing of it counts.
    this.#interpreter.fuel.value = DESCRIBE_FUEL;
    try {
      const dumped: unknown = context.dump(error);
      const text =
        typeof dumped === "object" && dumped !== null && "message" in dumped
          ? `${String((dumped as { name?: unknown }).name ?? "Error")}: ${String(dumped.message)}\n${String((dumped as { stack?: unknown }).stack ?? "")}`
          : String(dumped);
      this.#diagnostics.write(new TextEncoder().encode(`Uncaught ${text}\n`));
    } catch {
      this.#diagnostics.write(new TextEncoder().encode("Uncaught error that has no description.\n"));
    }
    return undefined;
  }

  #loadModule(name: string): string | { error: Error } {
    const bytes = this.#input.files.get(name);
    const source = bytes === undefined ? undefined : decodeSource(bytes);
    return source ?? { error: new Error(`There is no module "${name}" in the package.`) };
  }

  /** Builds the global API; the function that runs the program's module. */
  #setUp(context: QuickJSContext): QuickJSHandle {
    const { manifest, files } = this.#input;
    const names = [...files.keys()].filter((name) => name !== manifest.program).sort();
    const host = context.newObject();
    const set = (name: string, value: QuickJSHandle): void => context.setProp(host, name, value);
    const strings = (values: readonly string[]): QuickJSHandle => {
      const array = context.newArray();
      for (const [index, value] of values.entries()) context.setProp(array, index, context.newString(value));
      return array;
    };
    const define = (name: string, serve: (argument: QuickJSHandle, second: QuickJSHandle) => QuickJSHandle): void => {
      set(
        name,
        context.newFunction(name, (first, second) => serve(first ?? context.undefined, second ?? context.undefined)),
      );
    };
    const contentOf = (handle: QuickJSHandle): Uint8Array => {
      const name = context.typeof(handle) === "string" ? context.getString(handle) : manifest.stdin;
      const bytes = name === undefined || name === manifest.program ? undefined : files.get(name);
      return bytes ?? new Uint8Array(0);
    };
    const write = (stream: QuickJSHandle, bytes: Uint8Array): QuickJSHandle => {
      if (this.#end !== undefined) return context.undefined;
      if (context.getNumber(stream) !== 1) {
        this.#diagnostics.write(bytes);
        return context.undefined;
      }
      try {
        this.#output.write(bytes);
      } catch (error) {
        if (!(error instanceof OutputExceeded)) throw error;
        this.#stop("OutputExceeded");
      }
      return context.undefined;
    };

    set("args", strings(manifest.args));
    set("fileNames", strings(names));
    const env = context.newObject();
    for (const [name, value] of Object.entries(manifest.env).sort(([a], [b]) => (a < b ? -1 : 1))) {
      context.setProp(env, name, context.newString(value));
    }
    set("env", env);
    define("hasFile", (name) => (names.includes(context.getString(name)) ? context.true : context.false));
    define("bytes", (name) => context.newArrayBuffer(contentOf(name).slice().buffer));
    // A string crosses into the interpreter up to its first NUL: the pieces between are joined again inside.
    define("text", (name) => strings(decoder.decode(contentOf(name)).split("\0")));
    define("random", () => {
      const bytes = new Uint8Array(8);
      this.#random.fill(bytes);
      return context.newNumber(Number(new DataView(bytes.buffer).getBigUint64(0, true) >> 11n) / 2 ** 53);
    });
    define("writeAscii", (stream, text) => write(stream, new TextEncoder().encode(context.getString(text))));
    define("writeBytes", (stream, buffer) => {
      const view = context.getArrayBuffer(buffer);
      const bytes = view.value.slice();
      view.dispose();
      return write(stream, bytes);
    });
    define("exit", (code) => {
      const exitCode = context.getNumber(code) >>> 0;
      this.#stop({ exitCode });
      return context.undefined;
    });
    const build = context.unwrapResult(context.evalCode(PRELUDE, "prelude.js", { type: "global", strict: true }));
    return context.unwrapResult(context.callFunction(build, context.undefined, host));
  }
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
/** What describing an uncaught error may cost. */
const DESCRIBE_FUEL = 100_000_000n;

/** Source text; undefined if it is not UTF-8 or cannot cross into the interpreter. */
function decodeSource(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function hostFailure(error: unknown, usage: EngineUsage): EngineResult {
  const detail = error instanceof Error ? `${error.name}: ${error.message}` : "unknown";
  return { kind: "report", code: "HostFailure", detail: `The host could not go on with the run: ${detail}.`, usage };
}
