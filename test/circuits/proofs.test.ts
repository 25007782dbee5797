// One real proof of each circuit, verified in JavaScript and by the generated contract, with its gas on record.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { getBytes } from "ethers";
import { network } from "hardhat";
import { type Groth16Proof, groth16, type VerificationKey } from "snarkjs";
import { type Instance, readConfig } from "../../scripts/circuits/config.ts";
import { root } from "../../scripts/lib/workspace.ts";
import { type Example, scorecard, sealedAnswer } from "./support/reference.ts";
import { P } from "./support/witness.ts";

/** Modulus of the coordinates. */
const Q = 21888242871839275222246405745257275088696311157297823662689037894645226208583n;
const GAS_TARGET = 209_500;

type Paths = { readonly r1cs: string; readonly wasm: string; readonly zkey: string };
type KeyFile = {
  readonly constraints: number;
  readonly publicSignals: readonly string[];
  readonly verificationKey: VerificationKey;
};
type Vectors = Readonly<
  Record<
    string,
    { readonly constraints: number; readonly publicSignals: readonly string[]; readonly verifyGas: number }
  >
>;

const readJson = <T>(path: string): T => JSON.parse(readFileSync(join(root, path), "utf8")) as T;
const vectors = readJson<{ readonly circuits: Vectors }>("test/vectors/circuits.json").circuits;

async function run(script: string, argv: readonly string[], input = ""): Promise<string> {
  const child = spawn(process.execPath, [join(root, script), ...argv], {
    cwd: root,
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.end(input);
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, "close")]);
  assert.equal(code, 0, `${script} ended with ${code}`);
  return output;
}

let paths: Readonly<Record<string, Paths>>;
let chain: Awaited<ReturnType<typeof network.create>>;
before(async () => {
  paths = JSON.parse(await run("scripts/circuits.ts", [])) as Readonly<Record<string, Paths>>;
  chain = await network.create();
});
after(async () => {
  await chain.close();
  const { curve_bn128: curve } = globalThis as { curve_bn128?: { terminate(): Promise<void> } };
  await curve?.terminate();
});

type Points = readonly [a: readonly bigint[], b: readonly (readonly bigint[])[], c: readonly bigint[]];

/** Points as the contract takes them: affine, the halves of B's coordinates the other way round. */
function pointsOf({ pi_a, pi_b, pi_c }: Groth16Proof): Points {
  const affine = (point: readonly string[]): bigint[] => point.slice(0, 2).map(BigInt);
  return [affine(pi_a), pi_b.slice(0, 2).map((pair) => affine(pair).reverse()), affine(pi_c)];
}

/** (−A, −B, C): other bytes, the same statement. */
function negated(proof: Groth16Proof): Groth16Proof {
  const minus = (value: string | undefined): string => ((Q - BigInt(value ?? 0)) % Q).toString();
  const [ax = "", ay, az = ""] = proof.pi_a;
  const [bx = [], by = [], bz = []] = proof.pi_b;
  return { ...proof, pi_a: [ax, minus(ay), az], pi_b: [bx, by.map(minus), bz] };
}

function suite(instance: Instance, { inputs, signals }: Example): void {
  describe(instance.name, () => {
    const key = readJson<KeyFile>(`circuits/keys/${instance.name}.json`);
    let proof: Groth16Proof;
    let publicSignals: readonly string[];
    let verifier: Awaited<ReturnType<typeof chain.ethers.deployContract>>;
    const onChain = (points: Points, values: readonly bigint[]): Promise<boolean> =>
      verifier.getFunction("verifyProof").staticCall(...points, values) as Promise<boolean>;

    before(async () => {
      const { wasm, zkey } = paths[instance.name] as Paths;
      const request = JSON.stringify({ wasm, zkey, inputs }, (_, value) =>
        typeof value === "bigint" ? value.toString() : value,
      );
      ({ proof, publicSignals } = JSON.parse(await run("test/circuits/support/prove.ts", [], request)) as {
        proof: Groth16Proof;
        publicSignals: string[];
      });
      verifier = await chain.ethers.deployContract(instance.verifier);
    });

    test("has the constraints and public signals on record", () => {
      const record = vectors[instance.name];
      assert.deepEqual([key.constraints, key.publicSignals], [record?.constraints, record?.publicSignals]);
      assert.deepEqual(instance.publicSignals, record?.publicSignals);
      assert.equal(key.verificationKey.nPublic, 4);
    });

    test("a proof verifies in JavaScript and on chain, for the signals of the reference", async () => {
      assert.deepEqual(publicSignals.map(BigInt), signals);
      assert.equal(await groth16.verify(key.verificationKey, publicSignals, proof), true);
      assert.equal(await onChain(pointsOf(proof), signals), true);
    });

    test("no signal can be another one", async () => {
      for (const n of signals.keys()) {
        const changed = signals.with(n, ((signals[n] ?? 0n) + 1n) % P);
        assert.equal(await groth16.verify(key.verificationKey, changed.map(String), proof), false);
        assert.equal(await onChain(pointsOf(proof), changed), false);
      }
    });

    test("a signal with the modulus added is refused in JavaScript and on chain", async () => {
      for (const n of signals.keys()) {
        const changed = signals.with(n, (signals[n] ?? 0n) + P);
        assert.equal(await groth16.verify(key.verificationKey, changed.map(String), proof), false);
        assert.equal(await onChain(pointsOf(proof), changed), false);
      }
    });

    test("(−A, −B, C) verifies as well, so the bytes of a proof are nobody's id", async () => {
      const other = negated(proof);
      assert.notDeepEqual(pointsOf(other), pointsOf(proof));
      assert.equal(await groth16.verify(key.verificationKey, publicSignals, other), true);
      assert.equal(await onChain(pointsOf(other), signals), true);
    });

    test("a proof with one negated point, swapped points or points off the curve is refused on chain", async () => {
      const [a, b, c] = pointsOf(proof);
      const [, ay = 0n] = a;
      // snarkjs' own verifier computes q − y modulo 2^256, and takes this y for the other.
      const wrapped = ((ay + 2n ** 256n) % Q) + Q;
      for (const points of [
        [a.with(1, wrapped), b, c],
        [a.with(1, Q - ay), b, c],
        [c, b, a],
        [a.with(1, ay + 1n), b, c],
        [[0n, 0n], b, c],
      ] satisfies Points[]) {
        assert.equal(await onChain(points, signals), false);
      }
    });

    test("verification costs what is on record", async () => {
      const [sender] = await chain.ethers.getSigners();
      const data = verifier.interface.encodeFunctionData("verifyProof", [...pointsOf(proof), signals]);
      const sent = await sender?.sendTransaction({ to: await verifier.getAddress(), data });
      const receipt = await sent?.wait();
      assert.equal(receipt?.status, 1);
      const intrinsic = getBytes(data).reduce((sum, byte) => sum + (byte === 0 ? 4 : 16), 21_000);
      const gas = Number(receipt?.gasUsed) - intrinsic;
      assert.ok(gas <= GAS_TARGET, `${gas} gas`);
      assert.equal(gas, vectors[instance.name]?.verifyGas);
    });

    test("the verifier has keys for development, so only a local chain takes it", async () => {
      const local = await network.create({ override: { chainId: 1_337 } });
      await local.ethers.deployContract(instance.verifier);
      await local.close();
      for (const chainId of [1, 10, 31_338]) {
        const other = await network.create({ override: { chainId } });
        await assert.rejects(other.ethers.deployContract(instance.verifier), /DevelopmentKeys/);
        await other.close();
      }
    });
  });
}

const EXAMPLES: Readonly<Record<string, Example>> = { "sealed-answer": sealedAnswer(), scorecard: scorecard() };
for (const instance of readConfig().instances) suite(instance, EXAMPLES[instance.name] as Example);
