/// <reference path="./snarkjs.d.ts" />
// The process that proves. It keeps calculators, keys and curve warm, does one thing at a time, and ends with its parent:
// snarkjs' workers would keep any process alive that holds them.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type WitnessCalculator, WitnessCalculatorBuilder } from "circom_runtime";
import { curves, groth16 } from "snarkjs";
import type { CircuitInputs } from "../inputs.ts";
import type { Circuit } from "../statement.ts";
import { type VerificationKey, verificationKeyOf } from "../verify.ts";
import { type Curve, type Groth16Proof, type ProvingKey, proveGroth16, readProvingKey } from "./groth16.ts";
import type { ChildReply, ChildRequest, ChildSettings, ProofPoints } from "./messages.ts";

type Warm = {
  calculator: WitnessCalculator | undefined;
  readonly wasm: Uint8Array;
  readonly curve: Curve;
  /** Of no use to an external prover. */
  readonly provingKey: ProvingKey | undefined;
  readonly verificationKey: unknown;
};
type Made = { readonly proof: Groth16Proof; readonly publicSignals: readonly string[] };

let settings: ChildSettings | undefined;
const warm = new Map<Circuit, Warm>();

async function warmUp(circuit: Circuit): Promise<Warm> {
  const known = warm.get(circuit);
  if (known !== undefined) return known;
  const files = settings?.files[circuit];
  if (files === undefined) throw new Error(`no files are known of ${circuit}`);
  const [wasm, keyFile] = await Promise.all([
    readFile(files.wasm),
    settings?.executable === undefined ? readFile(files.zkey) : undefined,
  ]);
  const fresh: Warm = {
    calculator: await calculatorOf(wasm),
    wasm,
    curve: (await curves.getCurveFromName("bn128")) as Curve,
    provingKey: keyFile === undefined ? undefined : readProvingKey(keyFile),
    verificationKey: snarkjsKey(verificationKeyOf(circuit)),
  };
  warm.set(circuit, fresh);
  return fresh;
}

function calculatorOf(wasm: Uint8Array): Promise<WitnessCalculator> {
  // The memory is for calculators of circom 1; those of circom 2 bring their own.
  return WitnessCalculatorBuilder(wasm, { memorySize: 1 });
}

async function prove(id: number, circuit: Circuit, inputs: CircuitInputs): Promise<ChildReply> {
  const state = await warmUp(circuit);
  const start = performance.now();
  let witness: Uint8Array;
  try {
    state.calculator ??= await calculatorOf(state.wasm);
    witness = await state.calculator.calculateWTNSBin(inputs, true);
  } catch (error) {
    // What a calculator does after it threw is nowhere said.
    state.calculator = undefined;
    return { kind: "failed", id, stage: "witness", message: templateOf(error) };
  }
  const between = performance.now();
  const { executable, files } = settings ?? {};
  const { proof, publicSignals } =
    state.provingKey !== undefined
      ? await proveGroth16(state.curve, state.provingKey, witness)
      : await proveOutside(executable, files?.[circuit].zkey ?? "", witness);
  const proveMs = performance.now() - between;
  if (!(await groth16.verify(state.verificationKey, publicSignals, proof))) {
    return { kind: "failed", id, stage: "proof", message: "the proof does not verify" };
  }
  const points: ProofPoints = { a: proof.pi_a, b: proof.pi_b, c: proof.pi_c };
  return { kind: "proof", id, points, signals: publicSignals, witnessMs: between - start, proveMs };
}

/** Runs `<executable> <key> <witness> <proof> <public>`, as the command line of rapidsnark has it. */
async function proveOutside(
  executable: ChildSettings["executable"],
  provingKey: string,
  witness: Uint8Array,
): Promise<Made> {
  if (executable === undefined) throw new Error("there is neither a proving key nor an external prover");
  const { path, scratch } = executable;
  const [witnessFile = "", proofFile = "", publicFile = ""] = ["witness.wtns", "proof.json", "public.json"].map(
    (name) => join(scratch, name),
  );
  try {
    await writeFile(witnessFile, witness, { mode: 0o600 });
    const child = spawn(path, [provingKey, witnessFile, proofFile, publicFile], {
      stdio: ["ignore", "ignore", "inherit"],
      env: {},
    });
    const [code, signal] = (await once(child, "close")) as [number | null, string | null];
    if (code !== 0) throw new Error(`the external prover ended with ${code ?? signal}`);
    const [proof, publicSignals] = await Promise.all(
      [proofFile, publicFile].map(
        async (file) => JSON.parse((await readFile(file, "utf8")).replace(/\0+$/, "")) as unknown,
      ),
    );
    return { proof, publicSignals } as Made;
  } finally {
    await Promise.all([witnessFile, proofFile, publicFile].map((file) => rm(file, { force: true })));
  }
}

/** A verification key as snarkjs takes it. */
function snarkjsKey({ alpha, beta, gamma, delta, signals }: VerificationKey): unknown {
  const one = (point: readonly bigint[]): readonly string[] => [...point.map(String), "1"];
  const two = (point: readonly (readonly bigint[])[]): unknown => [
    ...point.map((pair) => pair.map(String)),
    ["1", "0"],
  ];
  return {
    protocol: "groth16",
    curve: "bn128",
    nPublic: signals.length - 1,
    vk_alpha_1: one(alpha),
    vk_beta_2: two(beta),
    vk_gamma_2: two(gamma),
    vk_delta_2: two(delta),
    IC: signals.map(one),
  };
}

/** Name of the template whose constraint failed; the rest of the message may be anything. */
function templateOf(error: unknown): string {
  const message = error instanceof Error ? error.message : "";
  const line = /Error in template (\w+?)_\d+ line: (\d+)/.exec(message);
  return line === null ? (message.split("\n")[0] ?? "") : `template ${line[1]}, line ${line[2]}`;
}

async function handle(request: ChildRequest): Promise<ChildReply> {
  const { id, circuit } = request;
  try {
    if (request.kind === "prove") return await prove(id, circuit, request.inputs);
    await warmUp(circuit);
    return { kind: "warm", id };
  } catch (error) {
    return { kind: "failed", id, stage: "prover", message: error instanceof Error ? error.message : String(error) };
  }
}

// The parent asks for one thing at a time.
process.on("message", (message: ChildSettings | ChildRequest) => {
  if (message.kind === "settings") {
    settings = message;
    return;
  }
  void handle(message).then((reply) => process.send?.(reply));
});
process.once("disconnect", () => process.exit(0));
