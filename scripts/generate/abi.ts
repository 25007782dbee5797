// packages/abi/src: ABIs `as const`, addresses by chain id, and the artifacts that deploy.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../lib/workspace.ts";
import { banner, type GeneratedFile, prettyJson } from "./output.ts";

/** A contract whose ABI is published. */
type Published = {
  readonly name: string;
  /** Prefix of the exported constants. */
  readonly constant: string;
  /** Source below the root. */
  readonly source: string;
  /** File below packages/abi/src. */
  readonly file: string;
};

const published: readonly Published[] = [
  { name: "JobMarket", constant: "jobMarket", source: "contracts/JobMarket.sol", file: "job-market.ts" },
  { name: "TestToken", constant: "testToken", source: "test/contracts/tokens/TestToken.sol", file: "test-token.ts" },
];

/** The parts of Hardhat's artifact that are read. */
type Artifact = {
  readonly _format: string;
  readonly contractName: string;
  readonly sourceName: string;
  readonly abi: readonly AbiItem[];
  readonly bytecode: string;
  readonly deployedBytecode: string;
};
type AbiItem = { readonly type: string; readonly name?: string };

function readArtifact({ name, source }: Published): Artifact {
  const path = join(root, "artifacts", source, `${name}.json`);
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Artifact;
  } catch (cause) {
    throw new Error(`${path} cannot be read. Run \`npx hardhat build\` first.`, { cause });
  }
}

/**
 * Files of packages/abi/src.
 *
 * @returns them with their text
 * @throws Error when the contracts are not compiled
 */
export function generateAbi(): readonly GeneratedFile[] {
  const artifacts = published.map((contract) => ({ contract, artifact: readArtifact(contract) }));
  const addresses: unknown = JSON.parse(readFileSync(join(root, "packages/abi/addresses.json"), "utf8"));
  const files = artifacts.map(({ contract, artifact }) => ({
    path: `packages/abi/src/${contract.file}`,
    text: `${banner(contract.source)}
/** ABI of \`${contract.name}\` with its events and errors. */
export const ${contract.constant}Abi = ${json(sorted(artifact.abi))} as const;
`,
  }));
  return [
    ...files,
    {
      path: "packages/abi/src/addresses.ts",
      text: `${banner("packages/abi/addresses.json")}
/** Where a market is deployed. */
export type MarketAddress = {
  readonly jobMarket: \`0x\${string}\`;
  /** Block from which its events are read. */
  readonly deployedAtBlock: number;
};

/** Known markets by chain id. */
export const addresses: Readonly<Record<number, MarketAddress>> = ${json(addresses)};
`,
    },
    {
      path: "packages/abi/src/artifacts.ts",
      text: `${banner(published.map(({ source }) => source).join(", "))}
import { jobMarketAbi } from "./job-market.ts";
import { testTokenAbi } from "./test-token.ts";

/** Hardhat's artifact of a contract; Hardhat Ignition deploys it as it is. */
export type ContractArtifact<Abi extends readonly unknown[]> = {
  readonly _format: string;
  readonly contractName: string;
  readonly sourceName: string;
  readonly abi: Abi;
  readonly bytecode: \`0x\${string}\`;
  readonly deployedBytecode: \`0x\${string}\`;
  readonly linkReferences: Record<string, never>;
  readonly deployedLinkReferences: Record<string, never>;
};
${artifacts
  .map(
    ({ contract, artifact }) => `
/** Artifact of \`${contract.name}\`. */
export const ${contract.constant}Artifact: ContractArtifact<typeof ${contract.constant}Abi> = {
  _format: ${json(artifact._format)},
  contractName: ${json(artifact.contractName)},
  sourceName: ${json(artifact.sourceName)},
  abi: ${contract.constant}Abi,
  bytecode: ${json(artifact.bytecode)},
  deployedBytecode: ${json(artifact.deployedBytecode)},
  linkReferences: {},
  deployedLinkReferences: {},
};
`,
  )
  .join("")}`,
    },
    {
      path: "packages/abi/src/index.ts",
      text: `${banner("scripts/generate/abi.ts")}
export { addresses, type MarketAddress } from "./addresses.ts";
${files
  .map(({ path }) => path.slice(path.lastIndexOf("/") + 1))
  .map((file, index) => `export { ${(published[index] as Published).constant}Abi } from "./${file}";\n`)
  .join("")}`,
    },
  ];
}

/** By kind, then name: the order of declarations is no news. */
function sorted(abi: readonly AbiItem[]): readonly AbiItem[] {
  const kinds = ["constructor", "function", "event", "error"];
  const rank = ({ type, name = "" }: AbiItem): string => `${kinds.indexOf(type)}${name}`;
  return [...abi].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

function json(value: unknown): string {
  return prettyJson(value).trimEnd();
}
