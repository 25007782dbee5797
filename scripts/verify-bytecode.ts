// What is deployed is what stands here: the bytecode of the build equals its record, and the code at an address equals the build.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Address, getAddress, type Hex, keccak256, padHex, slice, toHex } from "viem";
import { prettyJson } from "./generate/output.ts";
import { poseidonArtifact } from "./generate/poseidon.ts";
import {
  type Artifact,
  type Creation,
  compareDeployed,
  domainWords,
  type ImmutableNames,
  judgeCreation,
  judgeImmutables,
  namesOfImmutables,
  sayWord,
} from "./lib/deployed.ts";
import { root } from "./lib/workspace.ts";

const USAGE = `usage: node scripts/verify-bytecode.ts [options]

Compares the bytecode of the last build (npx hardhat build) with test/vectors/bytecode.json. With an address it then compares the
code that lies there with the build, and what the constructor put into it (immutables) with what that has to be: the windows, the
chain, the address, name and version of the EIP-712 domain, a contract with the code of Poseidon. With the transaction that made the
contract it also compares the constructor and its arguments.

  --rpc <url>           endpoint of the chain
  --address <address>   of a contract on it
  --transaction <hash>  that made the contract
  --min-window <s>      shortest window that it should have, seconds; 300 unless told
  --max-window <s>      longest, 604800 unless told
  --write               write the record
  --help                print this`;

const RECORD = "test/vectors/bytecode.json";
/** Contracts that hold money. */
const CONTRACTS = ["JobMarket", "QueryMarket"] as const;
/** The immutable that names another contract. */
const POSEIDON = "QueryMarket.poseidon2";

/** Bytecode of one kind on record. */
type Code = { readonly bytes: number; readonly keccak256: Hex };
/** A contract on record: everything that its bytecode depends on beside the sources, and the bytecode. */
type Entry = {
  readonly contract: string;
  readonly compiler: string;
  readonly settings: unknown;
  readonly creation: Code;
  /** With zeros in the place of immutables. */
  readonly runtime: Code;
};

function readArtifact(name: string): Artifact {
  const file = join(root, "artifacts", "contracts", `${name}.sol`, `${name}.json`);
  if (!existsSync(file)) throw new Error(`there is no build of ${name}: run npx hardhat build`);
  return JSON.parse(readFileSync(file, "utf8")) as Artifact;
}

function entryOf(artifact: Artifact): Entry {
  const buildInfo = JSON.parse(
    readFileSync(join(root, "artifacts", "build-info", `${artifact.buildInfoId}.json`), "utf8"),
  ) as { solcLongVersion: string; input: { settings: Record<string, unknown> } };
  const { outputSelection: _, remappings: __, ...settings } = buildInfo.input.settings;
  return {
    contract: `${artifact.sourceName}:${artifact.contractName}`,
    compiler: buildInfo.solcLongVersion,
    settings,
    creation: codeOf(artifact.bytecode),
    runtime: codeOf(artifact.deployedBytecode),
  };
}

function codeOf(code: Hex): Code {
  return { bytes: code.length / 2 - 1, keccak256: keccak256(code) };
}

/** Names of the immutables of all that was compiled with a contract. */
function immutableNamesOf(artifact: Artifact): ImmutableNames {
  const file = join(root, "artifacts", "build-info", `${artifact.buildInfoId}.output.json`);
  const { output } = JSON.parse(readFileSync(file, "utf8")) as { output: { sources: unknown } };
  return namesOfImmutables(output.sources);
}

/** Asks a chain. */
type Rpc = <T>(method: string, ...params: readonly unknown[]) => Promise<T>;

function rpcOf(url: string): Rpc {
  return async <T>(method: string, ...params: readonly unknown[]): Promise<T> => {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    });
    const { result, error } = (await response.json()) as { result?: T; error?: { message: string } };
    if (result === undefined) throw new Error(`${url}: ${error?.message ?? response.statusText}`);
    return result;
  };
}

async function readCreation(rpc: Rpc, hash: string): Promise<Creation> {
  const [transaction, receipt] = await Promise.all([
    rpc<{ to: Address | null; input: Hex } | null>("eth_getTransactionByHash", hash),
    rpc<{ status: Hex; contractAddress: Address | null } | null>("eth_getTransactionReceipt", hash),
  ]);
  if (transaction === null || receipt === null) throw new Error(`the chain has no transaction ${hash}`);
  const { to, input } = transaction;
  return { to, input, success: BigInt(receipt.status) === 1n, contractAddress: receipt.contractAddress };
}

/** What is asked about. */
type Question = {
  readonly rpc: Rpc;
  readonly address: Address;
  /** Hash of the transaction that made the contract. */
  readonly transaction: string | undefined;
  /** Seconds. */
  readonly windows: Readonly<Record<"minWindow" | "maxWindow", number>>;
};

/** Compares a contract on a chain with the build, and says what it finds. */
async function judge(
  artifacts: readonly Artifact[],
  { rpc, address, transaction, windows }: Question,
): Promise<number> {
  const code = await rpc<Hex>("eth_getCode", address, "latest");
  if (code === "0x") throw new Error(`there is no code at ${address}`);
  const [artifact, immutables] =
    artifacts
      .map((one) => [one, compareDeployed(code, one)] as const)
      .find(([, immutables]) => immutables !== undefined) ?? [];
  if (artifact === undefined || immutables === undefined) {
    console.error(`${address} is neither ${CONTRACTS.join(" nor ")} of this build`);
    return 1;
  }
  const names = immutableNamesOf(artifact);
  // The address of Poseidon is as good as the code there, which is compared below: nobody has to know it.
  const poseidon = immutables.find(({ id }) => names.get(id) === POSEIDON)?.word;
  const expected: Record<string, Hex> = {
    ...domainWords(Number(await rpc<Hex>("eth_chainId")), address),
    ...Object.fromEntries(Object.entries(windows).map(([name, s]) => [`Windows.${name}`, toHex(s, { size: 32 })])),
    ...(poseidon === undefined ? {} : { [POSEIDON]: padHex(slice(poseidon, 12), { size: 32 }) }),
  };
  const wrong = judgeImmutables(immutables, names, expected).map(
    ({ name, found, expected }) => `the immutable ${name} is ${found}, expected ${expected}`,
  );
  if (poseidon !== undefined) {
    const hasher = await rpc<Hex>("eth_getCode", slice(poseidon, 12), "latest");
    if (hasher !== poseidonArtifact(2).deployedBytecode) {
      wrong.push(`the code at ${sayWord(POSEIDON, poseidon)} is not circomlibjs' Poseidon of two inputs`);
    }
  }
  if (transaction !== undefined) {
    const parameters = {
      minWindow_: windows.minWindow,
      maxWindow_: windows.maxWindow,
      ...(poseidon === undefined ? {} : { poseidon2_: getAddress(slice(poseidon, 12)) }),
    };
    wrong.push(...judgeCreation(await readCreation(rpc, transaction), address, artifact, parameters));
  }
  if (wrong.length > 0) {
    console.error(`${address} has the code of ${artifact.contractName}, but:`);
    for (const one of wrong) console.error(`  ${one}`);
    return 1;
  }
  console.log(`${address} is ${artifact.contractName}, with the immutables`);
  for (const { id, word } of immutables) {
    const name = names.get(id) ?? id;
    console.log(`  ${name} = ${sayWord(name, word)}`);
  }
  console.log(
    transaction === undefined
      ? "Its constructor was not looked at, which may have written storage: give --transaction."
      : "It was made by the constructor of this build, with these arguments.",
  );
  return 0;
}

function seconds(option: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`--${option} takes seconds, not ${text}`);
  return Number(text);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rpc: { type: "string" },
      address: { type: "string" },
      transaction: { type: "string" },
      "min-window": { type: "string", default: "300" },
      "max-window": { type: "string", default: "604800" },
      write: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const { rpc, address, transaction } = values;
  if ((rpc === undefined) !== (address === undefined)) throw new Error("--rpc and --address go together");
  if (transaction !== undefined && rpc === undefined) throw new Error("--transaction needs --rpc and --address");
  const artifacts = CONTRACTS.map(readArtifact);
  const text = prettyJson({
    about: "Bytecode of the markets; node scripts/verify-bytecode.ts --write",
    contracts: artifacts.map(entryOf),
  });
  if (values.write) writeFileSync(join(root, RECORD), text);
  else if (!existsSync(join(root, RECORD)) || readFileSync(join(root, RECORD), "utf8") !== text) {
    console.error(
      `The build differs from ${RECORD}. After a change of a contract: node scripts/verify-bytecode.ts --write`,
    );
    return 1;
  }
  console.log(`the bytecode of ${CONTRACTS.join(" and ")} is that on record`);
  if (rpc === undefined || address === undefined) return 0;
  const windows = {
    minWindow: seconds("min-window", values["min-window"]),
    maxWindow: seconds("max-window", values["max-window"]),
  };
  return judge(artifacts, { rpc: rpcOf(rpc), address: getAddress(address), transaction, windows });
}

process.exitCode = await main();
