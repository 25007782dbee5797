// A process that proves and ends: snarkjs keeps workers alive. Reads { wasm, zkey, inputs } as JSON from standard input,
// writes { proof, publicSignals } to standard output.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { groth16, wtns } from "snarkjs";

const { wasm, zkey, inputs } = JSON.parse(await text(process.stdin)) as Record<"wasm" | "zkey", string> & {
  readonly inputs: unknown;
};
const scratch = mkdtempSync(join(tmpdir(), "quorate-prove-"));
try {
  const witness = join(scratch, "witness.wtns");
  await wtns.calculate(inputs, wasm, witness);
  process.stdout.write(JSON.stringify(await groth16.prove(zkey, witness)));
} finally {
  rmSync(scratch, { recursive: true, force: true });
  const { curve_bn128: curve } = globalThis as { curve_bn128?: { terminate(): Promise<void> } };
  await curve?.terminate();
}
