import { type EngineInput, type EngineResult, NO_USAGE } from "./engine.ts";
import { isKnownEngine } from "./engines.ts";
import { runQuickjs } from "./quickjs/run.ts";
import { runWasi } from "./wasi/run.ts";

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
  switch (engine.name) {
    case "wasi-p1":
      return runWasi(input);
    case "quickjs":
      return runQuickjs(input);
    default:
      return engine.name satisfies never;
  }
}
