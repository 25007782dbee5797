// Compares what lies on a chain with a build: code, what the constructor put into it, and the constructor itself.
import {
  type AbiParameter,
  type Address,
  concat,
  decodeAbiParameters,
  encodeAbiParameters,
  getAddress,
  type Hex,
  isAddressEqual,
  keccak256,
  padHex,
  size,
  slice,
  stringToHex,
  toHex,
} from "viem";

/** The parts of a build's artifact that are read here. */
export type Artifact = {
  readonly contractName: string;
  readonly sourceName: string;
  readonly abi: readonly { readonly type: string; readonly inputs?: readonly AbiParameter[] }[];
  readonly bytecode: Hex;
  readonly deployedBytecode: Hex;
  /** By the number of the variable in the compiler's syntax tree. */
  readonly immutableReferences: Readonly<
    Record<string, readonly { readonly start: number; readonly length: number }[]>
  >;
  readonly buildInfoId: string;
};

/** What a constructor put into code. */
export type Immutable = {
  /** Number of the variable in the compiler's syntax tree. */
  readonly id: string;
  /** 32 bytes, as they stand in the code. */
  readonly word: Hex;
};

/** Contract and name of an immutable, as `Windows.minWindow`, by its number in the syntax tree. */
export type ImmutableNames = ReadonlyMap<string, string>;

/** A value that is not what it should be. */
export type Finding = {
  /** As `Windows.minWindow`, or that of a constructor's parameter. */
  readonly name: string;
  readonly found: string;
  readonly expected: string;
};

/**
 * Compares code on chain with a build.
 *
 * @param code that lies on chain
 * @param artifact of the build
 * @returns the immutables in the order in which they stand in the code, or undefined where it is other code
 */
export function compareDeployed(
  code: Hex,
  artifact: Pick<Artifact, "deployedBytecode" | "immutableReferences">,
): readonly Immutable[] | undefined {
  if (code.length !== artifact.deployedBytecode.length) return undefined;
  let masked: string = code;
  const immutables: { readonly start: number; readonly immutable: Immutable }[] = [];
  for (const [id, places] of Object.entries(artifact.immutableReferences)) {
    const values = places.map(({ start, length }) => code.slice(2 + 2 * start, 2 + 2 * (start + length)));
    // One immutable has one value wherever it stands.
    if (new Set(values).size !== 1) return undefined;
    immutables.push({ start: places[0]?.start ?? 0, immutable: { id, word: `0x${values[0]}` } });
    for (const { start, length } of places) {
      masked = masked.slice(0, 2 + 2 * start) + "0".repeat(2 * length) + masked.slice(2 + 2 * (start + length));
    }
  }
  if (masked.toLowerCase() !== artifact.deployedBytecode.toLowerCase()) return undefined;
  return immutables.sort((a, b) => a.start - b.start).map(({ immutable }) => immutable);
}

/**
 * Finds the names of immutables in a syntax tree.
 *
 * @param tree of the compiler, or several
 * @returns names by number
 */
export function namesOfImmutables(tree: unknown): ImmutableNames {
  const names = new Map<string, string>();
  const walk = (node: unknown, contract: string): void => {
    if (typeof node !== "object" || node === null) return;
    if (Array.isArray(node)) {
      for (const one of node) walk(one, contract);
      return;
    }
    const { nodeType, name, id, mutability } = node as Record<string, unknown>;
    if (nodeType === "VariableDeclaration" && mutability === "immutable") names.set(String(id), `${contract}.${name}`);
    const inside = nodeType === "ContractDefinition" ? String(name) : contract;
    for (const value of Object.values(node)) walk(value, inside);
  };
  walk(tree, "");
  return names;
}

/**
 * Computes the words that the EIP-712 domain of a market puts into its code.
 *
 * @param chainId of the chain that it is on
 * @param address that it has there
 * @returns words by name
 */
export function domainWords(chainId: number, address: Address): Readonly<Record<string, Hex>> {
  const [name, version] = ["Quorate", "1"];
  const hash = (text: string): Hex => keccak256(stringToHex(text));
  const words = [hash(name), hash(version), toHex(chainId, { size: 32 }), padHex(address, { size: 32 })];
  const typeHash = hash("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
  return {
    "EIP712._cachedDomainSeparator": keccak256(concat([typeHash, ...words])),
    "EIP712._cachedChainId": toHex(chainId, { size: 32 }),
    "EIP712._cachedThis": padHex(address, { size: 32 }),
    "EIP712._hashedName": hash(name),
    "EIP712._hashedVersion": hash(version),
    "EIP712._name": shortString(name),
    "EIP712._version": shortString(version),
  };
}

/** As OpenZeppelin packs a string of less than 32 bytes: the text on the left, its length in the last byte. */
function shortString(text: string): Hex {
  return concat([stringToHex(text, { size: 31 }), toHex(text.length, { size: 1 })]);
}

/**
 * Compares immutables with what they should be.
 *
 * @param immutables of {@link compareDeployed}
 * @param names of {@link namesOfImmutables}
 * @param expected words by name
 * @returns those that are something else
 * @throws Error for an immutable of which nothing is expected: a check that passes it over would say more than it knows
 */
export function judgeImmutables(
  immutables: readonly Immutable[],
  names: ImmutableNames,
  expected: Readonly<Record<string, Hex>>,
): readonly Finding[] {
  return immutables.flatMap(({ id, word }) => {
    const name = names.get(id) ?? id;
    const right = expected[name];
    if (right === undefined) throw new Error(`nothing is known of the immutable ${name}`);
    if (word.toLowerCase() === right.toLowerCase()) return [];
    return [{ name, found: sayWord(name, word), expected: sayWord(name, right) }];
  });
}

/**
 * Says a word as a person reads it: numbers in decimal digits, addresses with 20 bytes, all else as it stands.
 *
 * @param name of the immutable
 * @param word of 32 bytes
 * @returns text
 */
export function sayWord(name: string, word: Hex): string {
  if (/Window$|ChainId$/.test(name)) return BigInt(word).toString();
  // A word with more than an address in it is none, and has to show.
  if (/This$|poseidon2$/.test(name) && /^0x0{24}/.test(word)) return getAddress(slice(word, 12));
  return word;
}

/** What a chain knows of the transaction that made a contract. */
export type Creation = {
  /** Receiver; null for one that makes a contract. */
  readonly to: Address | null;
  /** Data that it carries: creation code and arguments. */
  readonly input: Hex;
  /** Whether it succeeded. */
  readonly success: boolean;
  /** Contract that it made. */
  readonly contractAddress: Address | null;
};

/**
 * Compares the transaction that made a contract with a build. Code on chain shows nothing of a constructor that also wrote storage;
 * what was sent does.
 *
 * @param creation transaction and receipt
 * @param address of the contract
 * @param artifact of the build
 * @param expected arguments by the name of their parameter
 * @returns what is wrong, one sentence each; empty if it is this constructor with these arguments
 */
export function judgeCreation(
  creation: Creation,
  address: Address,
  artifact: Pick<Artifact, "contractName" | "abi" | "bytecode">,
  expected: Readonly<Record<string, number | Address>>,
): readonly string[] {
  const { to, input, success, contractAddress } = creation;
  if (!success) return ["the transaction failed: it has made nothing"];
  if (to !== null) {
    return [`the transaction calls ${to}: only a contract that was made by a transaction of its own can be checked`];
  }
  if (contractAddress === null || !isAddressEqual(contractAddress, address)) {
    return [`the transaction has made ${contractAddress ?? "nothing"}, not ${address}`];
  }
  if (!input.toLowerCase().startsWith(artifact.bytecode.toLowerCase())) {
    return [
      `the transaction does not begin with the creation code of ${artifact.contractName}: it was another constructor`,
    ];
  }
  const parameters = artifact.abi.find(({ type }) => type === "constructor")?.inputs ?? [];
  const words: Hex = `0x${input.slice(artifact.bytecode.length)}`;
  if (size(words) !== 32 * parameters.length) {
    return [`${size(words)} bytes follow the creation code, expected ${32 * parameters.length}`];
  }
  return parameters.flatMap((parameter, i) => {
    const name = parameter.name ?? "";
    const value = expected[name];
    if (value === undefined) throw new Error(`nothing is known of the parameter ${name}`);
    const found = slice(words, 32 * i, 32 * (i + 1));
    if (found.toLowerCase() === encodeAbiParameters([parameter], [value]).toLowerCase()) return [];
    return [`constructor argument ${name} is ${sayArgument(parameter, found)}, expected ${value}`];
  });
}

function sayArgument(parameter: AbiParameter, word: Hex): string {
  try {
    return String(decodeAbiParameters([parameter], word)[0]);
  } catch {
    return word;
  }
}
