import * as quickjsPackage from "@jitl/quickjs-wasmfile-release-sync";
import {
  newQuickJSWASMModuleFromVariant,
  type QuickJSSyncVariant,
  type QuickJSWASMModule,
} from "quickjs-emscripten-core";
import { QUICKJS_MODULE } from "../../generated/quickjs-module.ts";
import { PAGE_BYTES } from "../engine.ts";
import { HostFailed } from "../stops.ts";
import { FUEL_EXPORT } from "../wasm/instrument.ts";

/** Pages that the interpreter needs before any program: its data, its stack, an empty heap. */
export const QUICKJS_INITIAL_PAGES = 256;
/** Pages that the interpreter can use at most. */
const QUICKJS_MAX_PAGES = 32_768;

/** First moment of the program's clock: 2000-01-01T00:00:00Z, in milliseconds. */
const CLOCK_START_MS = 946_684_800_000;
const CLOCK_STEP_MS = 0.001;

/** What the interpreter and the host tell each other. */
type InterpreterState = {
  /** The program asked for memory beyond its limit and got none. */
  growthRefused: boolean;
  /** Set by a host function to end the run when it returns. */
  stopped: boolean;
  /** What this host could not do for the interpreter; the run is a report then. */
  failure: Error | undefined;
  /** Fuel that is left; a negative value stops the interpreter at its next function or loop. */
  fuel: WebAssembly.Global<"i64"> | undefined;
  /** Fuel at the call of the host that is being served. */
  fuelAtCall: bigint | undefined;
};

/** A fresh interpreter and what the host holds of it. */
export type Interpreter = InterpreterState & {
  readonly quickjs: QuickJSWASMModule;
  readonly memory: WebAssembly.Memory;
  readonly fuel: WebAssembly.Global<"i64">;
  /** What is left now; may be negative. */
  fuelLeft(): number;
};

let compiled: Promise<WebAssembly.Module> | undefined;

async function compileModule(): Promise<WebAssembly.Module> {
  const compressed = Uint8Array.from(atob(QUICKJS_MODULE), (letter) => letter.charCodeAt(0));
  const stream = new Blob([compressed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return WebAssembly.compile(await new Response(stream).arrayBuffer());
}

// The package's types describe its CommonJS form, in which the default export is one level deeper.
const baseVariant = quickjsPackage.default as unknown as QuickJSSyncVariant;

/** Emscripten's loader, with the options that its documentation names and the package's types leave out. */
type Loader = (options: {
  readonly wasmMemory: WebAssembly.Memory;
  instantiateWasm(imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void): object;
  print(text: string): void;
  printErr(text: string): void;
}) => Promise<never>;

/**
 * Starts an interpreter whose every contact with the host is deterministic: the functions that Emscripten's support
 * code would answer with the host's clock, time zone, language or timers are replaced before it sees them.
 *
 * @param maxMemoryBytes Ceiling of its memory.
 */
export async function startInterpreter(maxMemoryBytes: number): Promise<Interpreter> {
  const maximum = Math.min(Math.floor(maxMemoryBytes / PAGE_BYTES), QUICKJS_MAX_PAGES);
  const memory = new WebAssembly.Memory({ initial: QUICKJS_INITIAL_PAGES, maximum });
  compiled ??= compileModule();
  const module = await compiled;
  const state: InterpreterState = {
    growthRefused: false,
    stopped: false,
    failure: undefined,
    fuel: undefined,
    fuelAtCall: undefined,
  };
  const fail = (why: string): void => {
    state.failure ??= new HostFailed(why);
    state.stopped = true;
    if (state.fuel !== undefined) state.fuel.value = -1n;
  };
  let clockMs = CLOCK_START_MS;
  const instantiateWasm = (imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void): object => {
    const original = imports.a as Record<string, WebAssembly.ImportValue>;
    const grow = original.k as (size: number) => boolean;
    const call = original.s as (...args: number[]) => number;
    const view = (): DataView => new DataView(memory.buffer);
    const replaced: Record<string, WebAssembly.ImportValue> = {
      // environ_get, environ_sizes_get: no environment.
      e: () => 0,
      f: (count: number, size: number) => {
        view().setUint32(count, 0, true);
        view().setUint32(size, 0, true);
        return 0;
      },
      // _setitimer_js: no timers.
      j: () => 0,
      // emscripten_resize_heap
      k: (size: number) => {
        const expected = grownSize(size >>> 0, memory.buffer.byteLength, maximum);
        if (expected === undefined) {
          state.growthRefused = true;
          return 0;
        }
        const grown = grow(size);
        if (grown && memory.buffer.byteLength === expected) return 1;
        fail("out of memory");
        return grown ? 1 : 0;
      },
      // _localtime_js: local time is UTC.
      m: (time: bigint, result: number) => {
        writeBrokenDownTime(view(), result, Number(time) * 1_000);
      },
      // _tzset_js: names are "UTC", offset and daylight saving 0.
      n: (timezone: number, daylight: number, standardName: number, daylightName: number) => {
        view().setInt32(timezone, 0, true);
        view().setInt32(daylight, 0, true);
        for (const name of [standardName, daylightName]) new Uint8Array(memory.buffer).set([0x55, 0x54, 0x43, 0], name);
      },
      // The binding turns whatever is thrown on its way into an error that the program can catch. The end of the host's
      // stack must not become one: there has to be room before the call.
      s: (...args: number[]) => {
        try {
          probeStack(PROBE_DEPTH);
        } catch {
          fail("out of stack");
          return 0;
        }
        // Within the call the interpreter works for the host and may not stop half-way: what it uses is charged after.
        const { fuel } = state;
        if (fuel === undefined) return call(...args);
        const before = fuel.value;
        fuel.value = CALL_FUEL;
        state.fuelAtCall = before;
        const result = call(...args);
        state.fuelAtCall = undefined;
        fuel.value = state.stopped ? -1n : before - (CALL_FUEL - fuel.value) - FUEL_PER_CALL;
        return result;
      },
      // emscripten_date_now: each look moves the clock.
      p: () => {
        clockMs += CLOCK_STEP_MS;
        return clockMs;
      },
    };
    void WebAssembly.instantiate(module, { a: { ...original, ...replaced } }).then((created) => {
      state.fuel = created.exports[FUEL_EXPORT] as WebAssembly.Global<"i64">;
      done(created);
    });
    return {};
  };
  const load = (await baseVariant.importModuleLoader()) as unknown as Loader;
  const variant: QuickJSSyncVariant = {
    ...baseVariant,
    importModuleLoader: async () => (options) =>
      load({ ...options, wasmMemory: memory, instantiateWasm, print: () => {}, printErr: () => {} }),
  };
  const quickjs = await newQuickJSWASMModuleFromVariant(variant);
  if (state.fuel === undefined) throw new HostFailed("the interpreter has no meter");
  const { fuel } = state;
  const fuelLeft = (): number =>
    Number(state.fuelAtCall === undefined ? fuel.value : state.fuelAtCall - (CALL_FUEL - fuel.value));
  return Object.assign(state, { quickjs, memory, fuel, fuelLeft });
}

/** Fuel of a call of the host, beside what the interpreter does for it. */
const FUEL_PER_CALL = 1_000n;
/** More than any call uses. */
const CALL_FUEL = 2n ** 60n;
/** Frames that a call of the host may need, with room to spare. */
const PROBE_DEPTH = 400;

function probeStack(depth: number): number {
  return depth === 0 ? 0 : 1 + probeStack(depth - 1);
}

/**
 * Size that the support code grows the memory to: it tries 20 %, 10 % and 5 % more than needed and takes the first that
 * fits the maximum. Growth to any other size means that the host refused one of these, which must not be seen by the
 * program.
 */
function grownSize(requested: number, current: number, maximumPages: number): number | undefined {
  const most = QUICKJS_MAX_PAGES * PAGE_BYTES;
  if (requested > most) return undefined;
  for (let divisor = 1; divisor <= 4; divisor *= 2) {
    const generous = Math.min(current * (1 + 0.2 / divisor), requested + 100_663_296);
    const pages = Math.min(QUICKJS_MAX_PAGES, Math.ceil(Math.max(requested, generous) / PAGE_BYTES));
    if (pages <= maximumPages) return pages * PAGE_BYTES;
  }
  return undefined;
}

/** Writes C's `struct tm` for a moment in UTC. */
function writeBrokenDownTime(view: DataView, pointer: number, timeMs: number): void {
  const date = new Date(timeMs);
  const firstDay = Date.UTC(date.getUTCFullYear(), 0, 1);
  const fields = [
    date.getUTCSeconds(),
    date.getUTCMinutes(),
    date.getUTCHours(),
    date.getUTCDate(),
    date.getUTCMonth(),
    date.getUTCFullYear() - 1_900,
    date.getUTCDay(),
    Math.floor((timeMs - firstDay) / 86_400_000),
    0,
    0,
  ];
  for (const [index, value] of fields.entries()) view.setInt32(pointer + index * 4, value, true);
}
