// Reads constraint systems in iden3's binary format (github.com/iden3/r1csfile, version 1).
import { readFileSync } from "node:fs";

/** A linear combination: wire and coefficient. */
export type Combination = readonly (readonly [wire: number, coefficient: bigint])[];

/** What the header of an .r1cs file says. */
export type R1csHeader = {
  readonly prime: bigint;
  readonly wires: number;
  readonly publicOutputs: number;
  readonly publicInputs: number;
  readonly privateInputs: number;
  readonly constraints: number;
};

/** A constraint system: each constraint is a · b = c. */
export type R1cs = R1csHeader & {
  readonly rows: readonly { readonly a: Combination; readonly b: Combination; readonly c: Combination }[];
};

const HEADER = 1;
const CONSTRAINTS = 2;

function sections(data: Buffer): ReadonlyMap<number, Buffer> {
  if (data.toString("latin1", 0, 4) !== "r1cs" || data.readUInt32LE(4) !== 1) throw new Error("not an .r1cs file");
  const found = new Map<number, Buffer>();
  for (let at = 12, left = data.readUInt32LE(8); left > 0; left--) {
    const size = Number(data.readBigUInt64LE(at + 4));
    found.set(data.readUInt32LE(at), data.subarray(at + 12, at + 12 + size));
    at += 12 + size;
  }
  return found;
}

function element(data: Buffer, at: number, size: number): bigint {
  return BigInt(
    `0x${Buffer.from(data.subarray(at, at + size))
      .reverse()
      .toString("hex")}`,
  );
}

function header(data: Buffer | undefined): R1csHeader & { readonly elementSize: number } {
  if (data === undefined) throw new Error("the .r1cs file has no header");
  const elementSize = data.readUInt32LE(0);
  const at = 4 + elementSize;
  return {
    elementSize,
    prime: element(data, 4, elementSize),
    wires: data.readUInt32LE(at),
    publicOutputs: data.readUInt32LE(at + 4),
    publicInputs: data.readUInt32LE(at + 8),
    privateInputs: data.readUInt32LE(at + 12),
    constraints: data.readUInt32LE(at + 24),
  };
}

/**
 * Reads the numbers of a constraint system.
 *
 * @param file path of an .r1cs file
 * @returns its header
 * @throws Error for another format
 */
export function readR1csHeader(file: string): R1csHeader {
  const { elementSize: _, ...numbers } = header(sections(readFileSync(file)).get(HEADER));
  return numbers;
}

/**
 * Reads a whole constraint system.
 *
 * @param file path of an .r1cs file
 * @returns header and constraints
 * @throws Error for another format
 */
export function readR1cs(file: string): R1cs {
  const parts = sections(readFileSync(file));
  const { elementSize, ...numbers } = header(parts.get(HEADER));
  const data = parts.get(CONSTRAINTS);
  if (data === undefined) throw new Error("the .r1cs file has no constraints");
  let at = 0;
  const combination = (): Combination => {
    const count = data.readUInt32LE(at);
    at += 4;
    return Array.from({ length: count }, () => {
      const term = [data.readUInt32LE(at), element(data, at + 4, elementSize)] as const;
      at += 4 + elementSize;
      return term;
    });
  };
  const rows = Array.from({ length: numbers.constraints }, () => ({
    a: combination(),
    b: combination(),
    c: combination(),
  }));
  return { ...numbers, rows };
}
