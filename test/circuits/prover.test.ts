// The prover process of @quorate/proofs over the real circuits and keys.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type CircuitInputs, FIELD_MODULUS, type ProofWords, type Signals, verifyProof } from "@quorate/proofs";
import { createProver, type Prover } from "@quorate/proofs/node";
import { assertCode, until } from "@quorate/testkit";
import { scorecard, sealedAnswer } from "./support/reference.ts";

const GIB = 2 ** 30;
const artifacts = join(import.meta.dirname, "../../packages/proofs/artifacts");
const question = (value: bigint): { readonly inputs: CircuitInputs; readonly signals: Signals } => {
  const { inputs, signals } = sealedAnswer({ value });
  return { inputs: inputs as CircuitInputs, signals: signals as unknown as Signals };
};
/** Of {@link question} with 120,000, made by the first test. */
let sealedProof: ProofWords;
const children = (): readonly number[] => {
  const text = execFileSync("ps", ["-o", "pid=,args=", "--ppid", `${process.pid}`], { encoding: "utf8" });
  const lines = text.split("\n").filter((line) => line.includes(join("prover", "child")));
  return lines.map((line) => Number.parseInt(line.trim(), 10));
};
const only = (): number => {
  const [pid, ...others] = children();
  assert.ok(pid !== undefined && others.length === 0, "there is exactly one prover process");
  return pid;
};

describe("a prover", () => {
  let prover: Prover;
  before(async () => {
    prover = await createProver();
  });
  after(() => prover.close());

  test("proves both circuits, with the signals that were foreseen, below 1 GiB", async () => {
    const sealed = question(120_000n);
    const first = await prover.prove("sealed-answer", sealed.inputs, { signals: sealed.signals });
    assert.deepEqual(first.signals, sealed.signals);
    assert.equal(await verifyProof("sealed-answer", first.proof, first.signals), true);
    sealedProof = first.proof;
    const card = scorecard();
    const second = await prover.prove("scorecard", card.inputs as CircuitInputs);
    assert.deepEqual(second.signals, card.signals);
    assert.equal(await verifyProof("scorecard", second.proof, second.signals), true);
    assert.equal(await verifyProof("sealed-answer", second.proof, second.signals), false);
    const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${only()}/status`, "utf8"))?.[1];
    assert.ok(Number(peak) * 1024 < GIB, `the prover took ${peak} kB`);
  });

  test("a proof is refused when any signal, word or sign of it changes", async () => {
    const { signals } = question(120_000n);
    const proof = sealedProof;
    for (const n of signals.keys()) {
      for (const changed of [((signals[n] ?? 0n) + 1n) % FIELD_MODULUS, (signals[n] ?? 0n) + FIELD_MODULUS, -1n]) {
        assert.equal(await verifyProof("sealed-answer", proof, signals.with(n, changed) as unknown as Signals), false);
      }
    }
    for (const n of proof.keys()) {
      const changed = proof.with(n, (proof[n] ?? 0n) + 1n) as unknown as ProofWords;
      assert.equal(await verifyProof("sealed-answer", changed, signals), false);
      const zero = proof.with(n, 0n) as unknown as ProofWords;
      assert.equal(await verifyProof("sealed-answer", zero, signals), false);
    }
    const infinity = [0n, 0n, ...proof.slice(2)] as unknown as ProofWords;
    assert.equal(await verifyProof("sealed-answer", infinity, signals), false);
  });

  test("inputs that the circuit refuses, or would reduce, have no proof; a proof of something else is refused", async () => {
    const { inputs } = question(9n);
    const error = await assertCode(prover.prove("sealed-answer", { ...inputs, i: 3n }), "WITNESS_REFUSED");
    assert.match(error.message, /template Num2Bits, line \d+/);
    await assertCode(prover.prove("sealed-answer", { ...inputs, k: FIELD_MODULUS + 1n }), "FIELD_OVERFLOW");
    await assertCode(prover.prove("sealed-answer", { ...inputs, nobody: 1n }), "WITNESS_REFUSED");
    const other = question(10n);
    await assertCode(prover.prove("sealed-answer", inputs, { signals: other.signals }), "PROOF_WRONG");
  });

  test("proofs come in the order they were asked for; one that waits can be given up", async () => {
    const order: number[] = [];
    const controller = new AbortController();
    const ask = (n: number, signal?: AbortSignal): Promise<void> =>
      prover.prove("sealed-answer", question(BigInt(n)).inputs, { signal }).then(({ signals }) => {
        assert.deepEqual(signals, question(BigInt(n)).signals);
        order.push(n);
      });
    const first = ask(1);
    const second = ask(2, controller.signal);
    const third = ask(3);
    controller.abort(new Error("never mind"));
    await assert.rejects(second, /never mind/);
    await Promise.all([first, third]);
    assert.deepEqual(order, [1, 3]);
    await assert.rejects(ask(4, AbortSignal.abort(new Error("too late"))), /too late/);
  });

  test("a running proof that is given up ends its process, and the next proof has another one", async () => {
    const before = only();
    const controller = new AbortController();
    const given = prover.prove("sealed-answer", question(1n).inputs, { signal: controller.signal });
    const next = prover.prove("sealed-answer", question(2n).inputs);
    controller.abort(new Error("never mind"));
    await assert.rejects(given, /never mind/);
    assert.deepEqual((await next).signals, question(2n).signals);
    assert.notEqual(only(), before);
  });

  test("a process that dies over a proof is replaced once without a word, also when it was idle", async () => {
    const idle = only();
    process.kill(idle, "SIGKILL");
    await until(() => !existsSync(`/proc/${idle}`), { what: "the end of the idle process" });
    const running = prover.prove("sealed-answer", question(5n).inputs);
    process.kill(only(), "SIGKILL");
    assert.deepEqual((await running).signals, question(5n).signals);
  });
});

test("an idle prover does not keep a program alive, and close leaves no process", async () => {
  const run = (rest: string): string =>
    execFileSync(
      process.execPath,
      [
        "--input-type=module",
        "-e",
        `import { createProver } from "@quorate/proofs/node";
         const prover = await createProver();
         await prover.warm();
         ${rest}`,
      ],
      { cwd: join(artifacts, ".."), encoding: "utf8", timeout: 60_000 },
    );
  assert.equal(run('process.stdout.write("warm");'), "warm");
  assert.equal(run('await prover.close(); process.stdout.write("closed");'), "closed");
  const prover = await createProver();
  const running = prover.prove("sealed-answer", question(1n).inputs);
  const waiting = prover.prove("sealed-answer", question(2n).inputs);
  const [closing] = await Promise.all([
    prover.close(),
    assertCode(running, "PROVER_CLOSED"),
    assertCode(waiting, "PROVER_CLOSED"),
  ]);
  assert.equal(closing, undefined);
  assert.deepEqual(children(), []);
  await assertCode(prover.prove("sealed-answer", question(3n).inputs), "PROVER_CLOSED");
});

test("keys that are missing, or of another verifier, are refused by name", async () => {
  const folder = mkdtempSync(join(tmpdir(), "quorate-artifacts-"));
  try {
    await assertCode(createProver({ artifactsDir: folder }), "ARTIFACTS_MISSING");
    for (const circuit of ["sealed-answer", "scorecard"]) {
      writeFileSync(join(folder, `${circuit}.wasm`), readFileSync(join(artifacts, `${circuit}.wasm`)));
      writeFileSync(join(folder, `${circuit}.zkey`), readFileSync(join(artifacts, "scorecard.zkey")));
    }
    await assertCode(createProver({ artifactsDir: folder }), "ARTIFACTS_STALE");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

describe("an external prover", () => {
  const folder = mkdtempSync(join(tmpdir(), "quorate-external-"));
  const executable = (name: string, body: string): string => {
    const path = join(folder, name);
    writeFileSync(path, `#!${process.execPath}\n${body}`);
    chmodSync(path, 0o755);
    return path;
  };
  after(() => rmSync(folder, { recursive: true, force: true }));

  test("is called as rapidsnark is, and the witness does not stay on the disk", async () => {
    // The command line of snarkjs stands in for it, with a note of where the witness lay.
    const path = executable(
      "prover.cjs",
      `const { spawnSync } = require("node:child_process");
       const [key, witness, proof, signals] = process.argv.slice(2);
       require("node:fs").writeFileSync(${JSON.stringify(join(folder, "seen"))}, witness);
       const cli = ${JSON.stringify(join(import.meta.dirname, "../../node_modules/snarkjs/build/cli.cjs"))};
       process.exit(spawnSync(process.execPath, [cli, "groth16", "prove", key, witness, proof, signals]).status);`,
    );
    const prover = await createProver({ executable: path });
    const { inputs, signals } = question(11n);
    const made = await prover.prove("sealed-answer", inputs, { signals });
    assert.equal(await verifyProof("sealed-answer", made.proof, signals), true);
    const witness = readFileSync(join(folder, "seen"), "utf8");
    assert.equal(existsSync(witness), false);
    await prover.close();
    assert.equal(existsSync(join(witness, "..")), false);
  });

  test("that fails, hangs or lies gives no proof", async () => {
    const { inputs } = question(12n);
    const failing = await createProver({ executable: executable("failing.cjs", "process.exit(3);") });
    const error = await assertCode(failing.prove("sealed-answer", inputs), "PROVER_FAILED");
    assert.match(error.message, /ended with 3/);
    await failing.close();

    const hanging = await createProver({
      executable: executable("hanging.cjs", "setInterval(() => {}, 1000);"),
      timeoutMs: 3_000,
    });
    await assertCode(hanging.prove("sealed-answer", inputs), "PROVER_TIMEOUT");
    await hanging.close();
    const left = execFileSync("ps", ["-eo", "args="], { encoding: "utf8" });
    assert.equal(left.includes("hanging.cjs"), false);
    assert.deepEqual(
      readdirSync(tmpdir()).filter((name) => name === `quorate-prove-${process.pid}`),
      [],
    );

    const { signals } = question(120_000n);
    const proof = sealedProof;
    const text = (numbers: readonly bigint[]): string[] => numbers.map(String);
    const [a0, a1, b00, b01, b10, b11, c0, c1] = proof;
    const json = {
      pi_a: text([a0, a1, 1n]),
      pi_b: [text([b01, b00]), text([b11, b10]), ["1", "0"]],
      pi_c: text([c0, c1, 1n]),
      protocol: "groth16",
      curve: "bn128",
    };
    const lying = await createProver({
      executable: executable(
        "lying.cjs",
        `const { writeFileSync } = require("node:fs");
         writeFileSync(process.argv[4], ${JSON.stringify(JSON.stringify(json))});
         writeFileSync(process.argv[5], ${JSON.stringify(JSON.stringify(text(signals.with(0, 5n))))});`,
      ),
    });
    await assertCode(lying.prove("sealed-answer", inputs), "PROOF_WRONG");
    await lying.close();
  });
});
