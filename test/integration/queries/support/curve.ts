// Points of BN254, added and paired by the chain's own precompiles.
import { readFileSync } from "node:fs";
import { type JsonRpcApiProvider, toBeHex } from "ethers";
import type { Proven, Words } from "./market.ts";

/** Modulus of coordinates. */
export const Q = 21888242871839275222246405745257275088696311157297823662689037894645226208583n;
/** Modulus of scalars. */
export const R = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;

/** A point of G1, affine. */
export type G1 = readonly [x: bigint, y: bigint];
/** A point of G2, affine, in the order of EIP-197. */
export type G2 = readonly [bigint, bigint, bigint, bigint];

type Caller = Pick<JsonRpcApiProvider, "call">;

async function precompile(chain: Caller, address: number, words: readonly bigint[]): Promise<readonly bigint[]> {
  const data = `0x${words.map((word) => toBeHex(word, 32).slice(2)).join("")}`;
  const output = await chain.call({ to: toBeHex(address, 20), data });
  return (output.slice(2).match(/.{64}/g) ?? []).map((word) => BigInt(`0x${word}`));
}

/** Sum of two points. */
export async function add(chain: Caller, a: G1, b: G1): Promise<G1> {
  const [x = 0n, y = 0n] = await precompile(chain, 6, [...a, ...b]);
  return [x, y];
}

/** A point times a number. */
export async function multiply(chain: Caller, point: G1, scalar: bigint): Promise<G1> {
  const [x = 0n, y = 0n] = await precompile(chain, 7, [...point, scalar]);
  return [x, y];
}

/** The other point with the same x. */
export const negate = ([x, y]: G1): G1 => [x, (Q - y) % Q];

/** (−A, −B, C): other bytes, the same statement. */
export function malleated([ax, ay, bx0, bx1, by0, by1, cx, cy]: Words): Words {
  return [...negate([ax, ay]), bx0, bx1, (Q - by0) % Q, (Q - by1) % Q, cx, cy] as Words;
}

type VerificationKey = Readonly<Record<"vk_alpha_1", readonly string[]>> &
  Readonly<Record<"vk_beta_2" | "vk_gamma_2" | "vk_delta_2" | "IC", readonly (readonly string[])[]>>;

/**
 * What a verifier of batches without random coefficients would compute: whether the product of all equations holds.
 *
 * @param chain with the precompiles
 * @param circuit whose key is taken
 * @param questions proofs with their signals
 */
export async function naiveBatch(chain: Caller, circuit: string, questions: readonly Proven[]): Promise<boolean> {
  const url = new URL(`../../../../circuits/keys/${circuit}.json`, import.meta.url);
  const { verificationKey: key } = JSON.parse(readFileSync(url, "utf8")) as { verificationKey: VerificationKey };
  const g1 = ([x = "", y = ""]: readonly string[]): G1 => [BigInt(x), BigInt(y)];
  const g2 = ([x = [], y = []]: readonly (readonly string[])[]): bigint[] =>
    [...[...x].reverse(), ...[...y].reverse()].map(BigInt);
  let [vk, c]: [G1, G1] = [
    [0n, 0n],
    [0n, 0n],
  ];
  const pairs: bigint[] = [];
  for (const { cipher, nullifier, root, query, proof } of questions) {
    const [ax, ay, bx0, bx1, by0, by1, cx, cy] = proof;
    pairs.push(...negate([ax, ay]), bx0, bx1, by0, by1);
    const scalars = [1n, cipher, nullifier, root, query];
    for (const [index, scalar] of scalars.entries()) {
      vk = await add(chain, vk, await multiply(chain, g1(key.IC[index] ?? []), scalar));
    }
    c = await add(chain, c, [cx, cy]);
  }
  const alpha = await multiply(chain, g1(key.vk_alpha_1), BigInt(questions.length));
  pairs.push(...alpha, ...g2(key.vk_beta_2), ...vk, ...g2(key.vk_gamma_2), ...c, ...g2(key.vk_delta_2));
  const [isOne] = await precompile(chain, 8, pairs);
  return isOne === 1n;
}
