/**
 * Stands in for a child whose program has broken out of the engine: it has the child's rights and does what it likes.
 * Its one argument says what.
 */
import { spawn, spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { connect } from "node:net";
import { Worker } from "node:worker_threads";
import { encodeResult, READY } from "../internal/frames.ts";

const [, , mode = "", argument = ""] = process.argv;

function send(...parts: Uint8Array[]): void {
  for (const part of parts) {
    let offset = 0;
    while (offset < part.length) {
      try {
        offset += writeSync(1, part, offset);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      }
    }
  }
}

async function readInput(): Promise<void> {
  for await (const _ of process.stdin);
}

/** What an attempt gives: "done", or the code of its error. */
function attempt(action: () => unknown): string {
  try {
    action();
    return "done";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? (error as Error).name;
  }
}

async function probe(): Promise<void> {
  const outcomes: Record<string, string> = {
    readPasswd: attempt(() => readFileSync("/etc/passwd")),
    readSelf: attempt(() => readFileSync("/proc/self/environ")),
    listRoot: attempt(() => readdirSync("/")),
    write: attempt(() => writeFileSync("/tmp/escaped", "x")),
    spawn: attempt(() => {
      const { error } = spawnSync("/bin/true");
      if (error !== undefined) throw error;
    }),
    worker: attempt(() => new Worker("0", { eval: true })),
    kill: attempt(() => process.kill(Number(argument.split("/")[0]), 0)),
    environment: Object.keys(process.env).sort().join(),
  };
  outcomes.network = await new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port: Number(argument.split("/")[1] ?? 9) });
    socket.on("connect", () => resolve("done"));
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.name));
  });
  const output = new TextEncoder().encode(JSON.stringify(outcomes));
  const usage = { fuel: 0, memoryBytes: 0, outputBytes: output.length };
  send(...encodeResult({ kind: "ok", output, usage, diagnostics: "" }));
  process.exit(0);
}

switch (mode) {
  case "probe": {
    await crypto.subtle.digest("SHA-256", new Uint8Array(1));
    const input = readInput();
    send(Uint8Array.of(READY));
    await input;
    await probe();
    break;
  }
  case "early":
    send(new TextEncoder().encode("no"));
    break;
  case "garbage":
    send(Uint8Array.of(READY));
    await readInput();
    send(
      new Uint8Array(8),
      Uint8Array.from({ length: 100 }, (_, index) => index * 37),
    );
    break;
  case "short":
    send(Uint8Array.of(READY));
    await readInput();
    send(Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0, 0x7b));
    break;
  case "forged": {
    // A well-formed frame around a value of the program's choice.
    send(Uint8Array.of(READY));
    await readInput();
    const header = new TextEncoder().encode(argument);
    const lengths = new Uint8Array(8);
    new DataView(lengths.buffer).setUint32(0, header.length, true);
    send(lengths, header);
    break;
  }
  case "flood":
    send(Uint8Array.of(READY));
    for (;;) send(new Uint8Array(65_536).fill(0x41));
  case "deaf":
    send(Uint8Array.of(READY));
    for (;;);
  case "dies":
    send(Uint8Array.of(READY));
    process.kill(process.pid, "SIGKILL");
    break;
  case "hoards": {
    send(Uint8Array.of(READY));
    await readInput();
    const kept: Buffer[] = [];
    for (;;) kept.push(Buffer.alloc(16 * 2 ** 20, 1));
  }
  case "spawns":
    send(Uint8Array.of(READY));
    for (let count = 0; count < 100; count += 1)
      attempt(() => spawn("/bin/sleep", [argument], { detached: true, stdio: "ignore" }));
    break;
  default:
    throw new Error(`unknown mode ${mode}`);
}
