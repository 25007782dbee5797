/**
 * Entry of the process that runs one program. It reads the package from standard input, answers on standard output and
 * ends. It loads everything before it says that it is ready, because the parent then takes its right to open anything.
 */
import { writeSync } from "node:fs";
import { decodeInput, encodeResult, READY } from "../internal/frames.ts";
import { loadEngine, runEngine } from "../internal/run-engine.ts";

/** Starts what would start late: the threads that hash, and the code that the interpreter loads with its first run. */
async function warmUp(engine: string | undefined): Promise<void> {
  await crypto.subtle.digest("SHA-256", new Uint8Array(1));
  if (engine === "wasi-p1" || engine === "quickjs") await loadEngine(engine);
  if (engine === "quickjs") {
    const { startInterpreter } = await import("../internal/quickjs/module.ts");
    await startInterpreter(2 ** 24);
  }
}

async function readInput(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

function writeAll(bytes: Uint8Array): void {
  let offset = 0;
  while (offset < bytes.length) {
    try {
      offset += writeSync(1, bytes, offset);
    } catch (error) {
      // The pipe is full and does not wait.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

await warmUp(process.argv[2]);
const input = readInput();
writeAll(Uint8Array.of(READY));
const result = await runEngine(decodeInput(await input));
for (const part of encodeResult(result)) writeAll(part);
