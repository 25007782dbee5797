import type { Engine } from "@quorate/core";
import { type EngineInput, type EngineResult, NO_USAGE } from "./engine.ts";
import { isKnownEngine } from "./engines.ts";

type Run = (input: EngineInput) => Promise<EngineResult>;

/**
 * Loads an engine, and nothing of the other: a process that runs one program starts in half the time.
 *
 * @param name Engine.
 */
export async function loadEngine(name: Engine["name"]): Promise<Run> {
  switch (name) {
    case "wasi-p1":
      return (await import("./wasi/run.ts")).runWasi;
    case "quickjs":
      return (await import("./quickjs/run.ts")).runQuickjs;
    default:
      return name satisfies never;
  }
}

/**
 * Runs a package in the engine that its manifest names.
 *
 * @param input Manifest and files.
 */
export async function runEngine(input: EngineInput): Promise<EngineResult> {
  const { engine } = input.manifest;
  if (!isKnownEngine(engine)) {
    const detail = `The engine ${engine.name} ${engine.version} is not installed here.`;
    return { kind: "report", code: "EngineUnavailable", detail, usage: NO_USAGE };
  }
  const run = await loadEngine(engine.name);
  return run(input);
}
