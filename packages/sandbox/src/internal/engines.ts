import type { Engine } from "@quorate/core";

/**
 * Engines of this build. Any change that could change one byte of one program's result or count, in the host
 * functions, the instrumentation or the interpreter, is a new version.
 */
export const engines: readonly Engine[] = Object.freeze([
  Object.freeze({ name: "wasi-p1", version: "1.0.0" }),
  Object.freeze({ name: "quickjs", version: "0.32.0+1" }),
]);

/** Tells whether this build has the engine in exactly this version. */
export function isKnownEngine(engine: Engine): boolean {
  return engines.some(({ name, version }) => name === engine.name && version === engine.version);
}
