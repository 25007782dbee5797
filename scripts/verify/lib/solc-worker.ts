// A thread with a compiler of its own: takes standard JSON, gives back standard JSON.
import { createRequire } from "node:module";
import { parentPort } from "node:worker_threads";

type Solc = { compile(input: string): string };

if (parentPort !== null) {
  const port = parentPort;
  const solc = createRequire(import.meta.url)("solc") as Solc;
  port.on("message", (input: string) => port.postMessage(solc.compile(input)));
}
