// What is deployed is what stands here: the bytecode of the build equals its record, and the code at an address equals the build.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { type Hex, keccak256 } from "viem";
import { prettyJson } from "./generate/output.ts";
import { root } from "./lib/workspace.ts";

const USAGE = `usage: node scripts/verify-bytecode.ts [options]

Compares the bytecode of the last build (npx hardhat build) with test/vectors/bytecode.json. With an address it then compares the
code that lies there with the build, leaving out what the constructor put in (immutables), and prints these.

  --rpc <url>          endpoint of the chain
  --address <address>  of a contract on it
  --write              write the record
  --help               print this`;

const RECORD = "test/vectors/bytecode.json";
/** Contracts that hold money. */
const CONTRACTS = ["JobMarket", "QueryMarket"] as const;

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

/** The parts of a build's artifact that are read here. */
export type Artifact = {
  readonly contractName: string;
  readonly sourceName: string;
  readonly bytecode: Hex;
  readonly deployedBytecode: Hex;
  readonly immutableReferences: Readonly<
    Record<string, readonly { readonly start: number; readonly length: number }[]>
  >;
  readonly buildInfoId: string;
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
): readonly Hex[] | undefined {
  if (code.length !== artifact.deployedBytecode.length) return undefined;
  let masked: string = code;
  const immutables: { readonly start: number; readonly value: Hex }[] = [];
  for (const places of Object.values(artifact.immutableReferences)) {
    const values = places.map(({ start, length }) => code.slice(2 + 2 * start, 2 + 2 * (start + length)));
    // One immutable has one value wherever it stands.
    if (new Set(values).size !== 1) return undefined;
    immutables.push({ start: places[0]?.start ?? 0, value: `0x${values[0]}` });
    for (const { start, length } of places) {
      masked = masked.slice(0, 2 + 2 * start) + "0".repeat(2 * length) + masked.slice(2 + 2 * (start + length));
    }
  }
  if (masked.toLowerCase() !== artifact.deployedBytecode.toLowerCase()) return undefined;
  return immutables.sort((a, b) => a.start - b.start).map(({ value }) => value);
}

async function codeAt(rpc: string, address: string): Promise<Hex> {
  const response = await fetch(rpc, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_getCode", params: [address, "latest"] }),
  });
  const { result, error } = (await response.json()) as { result?: Hex; error?: { message: string } };
  if (result === undefined) throw new Error(`${rpc}: ${error?.message ?? response.statusText}`);
  if (result === "0x") throw new Error(`there is no code at ${address}`);
  return result;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rpc: { type: "string" },
      address: { type: "string" },
      write: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  if ((values.rpc === undefined) !== (values.address === undefined)) throw new Error("--rpc and --address go together");
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
  if (values.rpc === undefined || values.address === undefined) return 0;

  const code = await codeAt(values.rpc, values.address);
  for (const artifact of artifacts) {
    const immutables = compareDeployed(code, artifact);
    if (immutables === undefined) continue;
    console.log(`${values.address} is ${artifact.contractName}, with the immutables`);
    for (const value of immutables) console.log(`  ${value}`);
    return 0;
  }
  console.error(`${values.address} is neither ${CONTRACTS.join(" nor ")} of this build`);
  return 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) process.exitCode = await main();
