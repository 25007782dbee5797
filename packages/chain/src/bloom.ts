import { bytesToHex, type Hex, hexToBytes, keccak256 } from "viem";
import type { LogFilter, RawLog } from "./types.ts";

const bloomBytes = 256;
const positionsOf = new Map<string, readonly number[]>();
const cacheLimit = 4096;

/** The three bits of an address or topic, as in the yellow paper, section 4.4.3. */
function bitPositions(item: Hex): readonly number[] {
  const key = item.toLowerCase();
  const known = positionsOf.get(key);
  if (known !== undefined) return known;
  const hash = keccak256(hexToBytes(item), "bytes");
  const positions = [0, 2, 4].map((i) => (((hash[i] as number) << 8) | (hash[i + 1] as number)) & 2047);
  if (positionsOf.size >= cacheLimit) positionsOf.clear();
  positionsOf.set(key, positions);
  return positions;
}

function holds(bloom: Uint8Array, item: Hex): boolean {
  return bitPositions(item).every((bit) => ((bloom[bloomBytes - 1 - (bit >> 3)] as number) & (1 << (bit & 7))) !== 0);
}

function asList<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}

/**
 * Tells whether a block with this bloom can hold a log that matches. `false` is a proof, `true` is not.
 *
 * @param bloom 256 bytes of a header's `logsBloom`.
 * @param filter What is looked for.
 */
export function bloomMayMatch(bloom: Hex, filter: LogFilter): boolean {
  const bits = hexToBytes(bloom);
  if (bits.length !== bloomBytes) return true;
  if (!asList(filter.address).some((address) => holds(bits, address))) return false;
  return (filter.topics ?? []).every(
    (choice) => choice === null || asList<Hex>(choice).some((topic) => holds(bits, topic)),
  );
}

/**
 * Tells whether a log can belong to a block with this bloom; `false` proves that it does not.
 *
 * @param bloom 256 bytes of a header's `logsBloom`.
 * @param log Log to look for.
 */
export function bloomHoldsLog(bloom: Hex, log: Pick<RawLog, "address" | "topics">): boolean {
  const bits = hexToBytes(bloom);
  if (bits.length !== bloomBytes) return false;
  return holds(bits, log.address) && log.topics.every((topic) => holds(bits, topic));
}

/**
 * The bloom of a set of logs; equals the header's when the set holds every log of the block.
 *
 * @param logs All logs of a block.
 * @returns 256 bytes.
 */
export function bloomOf(logs: readonly Pick<RawLog, "address" | "topics">[]): Hex {
  const bits = new Uint8Array(bloomBytes);
  for (const log of logs) {
    for (const item of [log.address, ...log.topics]) {
      for (const bit of bitPositions(item)) {
        const index = bloomBytes - 1 - (bit >> 3);
        bits[index] = (bits[index] as number) | (1 << (bit & 7));
      }
    }
  }
  return bytesToHex(bits);
}

/**
 * Tells whether a log matches a filter as `eth_getLogs` defines it.
 *
 * @param log Log to judge.
 * @param filter What is looked for.
 */
export function logMatches(log: Pick<RawLog, "address" | "topics">, filter: LogFilter): boolean {
  const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
  if (!asList(filter.address).some((address) => same(address, log.address))) return false;
  return (filter.topics ?? []).every((choice, position) => {
    if (choice === null) return true;
    const topic = log.topics[position];
    return topic !== undefined && asList<Hex>(choice).some((wanted) => same(wanted, topic));
  });
}
