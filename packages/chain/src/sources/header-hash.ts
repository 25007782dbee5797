import { type Hex, keccak256, toRlp } from "viem";

/** A block as `eth_getBlockBy…` returns it; fields vary by chain and fork. */
export type RpcHeader = Readonly<Record<string, unknown>> & {
  readonly hash: Hex;
  readonly parentHash: Hex;
  readonly number: Hex;
  readonly timestamp: Hex;
  readonly logsBloom: Hex;
};

/** Header fields in RLP order (yellow paper, then EIP-1559, 4895, 4844, 4788, 7685). `int` fields drop leading zeros. */
const fields: readonly { readonly name: string; readonly int: boolean; readonly since?: true }[] = [
  { name: "parentHash", int: false },
  { name: "sha3Uncles", int: false },
  { name: "miner", int: false },
  { name: "stateRoot", int: false },
  { name: "transactionsRoot", int: false },
  { name: "receiptsRoot", int: false },
  { name: "logsBloom", int: false },
  { name: "difficulty", int: true },
  { name: "number", int: true },
  { name: "gasLimit", int: true },
  { name: "gasUsed", int: true },
  { name: "timestamp", int: true },
  { name: "extraData", int: false },
  { name: "mixHash", int: false },
  { name: "nonce", int: false },
  { name: "baseFeePerGas", int: true, since: true },
  { name: "withdrawalsRoot", int: false, since: true },
  { name: "blobGasUsed", int: true, since: true },
  { name: "excessBlobGas", int: true, since: true },
  { name: "parentBeaconBlockRoot", int: false, since: true },
  { name: "requestsHash", int: false, since: true },
];

function trimmed(quantity: string): Hex {
  const digits = quantity.slice(2).replace(/^0+/, "");
  return `0x${digits.length % 2 === 0 ? digits : `0${digits}`}`;
}

/**
 * Recomputes the hash of a block header from the fields that a node reported.
 *
 * @param header Block as returned by JSON-RPC, Ethereum's header format up to Prague.
 * @returns The hash, or `undefined` when a field that every header has is missing.
 */
export function headerHash(header: RpcHeader): Hex | undefined {
  const parts: Hex[] = [];
  for (const field of fields) {
    const value = header[field.name];
    if (typeof value !== "string" || !value.startsWith("0x")) {
      if (field.since === true) continue;
      return undefined;
    }
    parts.push(field.int ? trimmed(value) : (value as Hex));
  }
  return keccak256(toRlp(parts));
}
