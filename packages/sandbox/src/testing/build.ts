import type { Manifest, Package } from "@quorate/core";
import binaryen from "binaryen";

/** A feature that the typings do not know yet. */
const COMPACT_IMPORTS = 1 << 26;

/**
 * Builds a module from its text form with every feature on, so that tests can write what the engine must refuse.
 *
 * @param text Module in the text form of Binaryen.
 */
export function wasm(text: string): Uint8Array {
  const module = binaryen.parseText(text);
  // Compact imports would change the bytes of every module that imports two functions.
  module.setFeatures(binaryen.Features.All & ~COMPACT_IMPORTS);
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}

/** Limits that no test comes near by chance. */
export const ample: Manifest["limits"] = {
  fuel: 1_000_000_000,
  memoryBytes: 64 * 2 ** 20,
  outputBytes: 2 ** 20,
  wallTimeMs: 30_000,
};

/** Parts of a package that a test changes. */
export type PackageOptions = {
  readonly limits?: Partial<Manifest["limits"]>;
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
};

function packageOf(engine: Manifest["engine"], program: string, code: Uint8Array, options: PackageOptions): Package {
  const encoder = new TextEncoder();
  const files = Object.entries(options.files ?? {}).map(
    ([name, content]) => [name, typeof content === "string" ? encoder.encode(content) : content] as const,
  );
  return {
    manifest: {
      version: 1,
      engine,
      program,
      args: options.args ?? [],
      env: options.env ?? {},
      ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
      limits: { ...ample, ...options.limits },
    },
    files: new Map([[program, code], ...files]),
  };
}

/** A package for the WASI engine; a text is compiled. */
export function wasiPackage(code: string | Uint8Array, options: PackageOptions = {}): Package {
  const bytes = typeof code === "string" ? wasm(code) : code;
  return packageOf({ name: "wasi-p1", version: "1.0.0" }, "main.wasm", bytes, options);
}

/** A package for the QuickJS engine. */
export function quickjsPackage(source: string, options: PackageOptions = {}): Package {
  return packageOf({ name: "quickjs", version: "0.32.0+1" }, "main.js", new TextEncoder().encode(source), options);
}

/** A command that runs `body`; its memory has a page unless `memory` says otherwise. */
export function command(body: string, rest = "", memory = '(memory (export "memory") 1)'): string {
  return `(module
    (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
    ${memory}
    ${rest}
    ;; Writes length bytes from an address to standard output.
    (func $write (param $at i32) (param $length i32)
      (i32.store (i32.const 0) (local.get $at))
      (i32.store (i32.const 4) (local.get $length))
      (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
    (func (export "_start") ${body}))`;
}
