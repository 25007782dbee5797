import { chacha20 } from "@noble/ciphers/chacha.js";
import type { EngineInput } from "./engine.ts";

const BLOCK_BYTES = 4_096;
const NONCE = new Uint8Array(12);

/**
 * Random bytes that are equal on every host: the ChaCha20 stream (RFC 8439, zero nonce) under a key that the package
 * determines. They are a secret only from those who cannot read the package: no program may rely on them as a key.
 */
export class DeterministicRandom {
  readonly #key: Uint8Array;
  readonly #block = new Uint8Array(BLOCK_BYTES);
  #offset = BLOCK_BYTES;
  #counter = 0;

  /** @param seed 32 bytes. */
  constructor(seed: Uint8Array) {
    this.#key = seed;
  }

  /** Fills the bytes. */
  fill(target: Uint8Array): void {
    let position = 0;
    while (position < target.length) {
      if (this.#offset === BLOCK_BYTES) this.#next();
      const count = Math.min(BLOCK_BYTES - this.#offset, target.length - position);
      target.set(this.#block.subarray(this.#offset, this.#offset + count), position);
      position += count;
      this.#offset += count;
    }
  }

  #next(): void {
    this.#block.fill(0);
    chacha20(this.#key, NONCE, this.#block, this.#block, this.#counter);
    this.#counter += BLOCK_BYTES / 64;
    this.#offset = 0;
  }
}

/**
 * Seed of a package's random bytes: SHA-256 over everything that the program can see.
 *
 * @param input Manifest and files.
 */
export async function randomSeed({ manifest, files }: EngineInput): Promise<Uint8Array> {
  const sha256 = async (bytes: Uint8Array): Promise<Uint8Array> =>
    new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
  const hashes: [string, number[]][] = [];
  for (const name of [...files.keys()].sort()) {
    hashes.push([name, [...(await sha256(files.get(name) as Uint8Array))]]);
  }
  const { engine, program, args, env, stdin, limits } = manifest;
  const facts = [
    "quorate/random/v1",
    [engine.name, engine.version],
    [program, args, Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1)), stdin ?? null],
    [limits.fuel, limits.memoryBytes, limits.outputBytes],
    hashes,
  ];
  return sha256(new TextEncoder().encode(JSON.stringify(facts)));
}
