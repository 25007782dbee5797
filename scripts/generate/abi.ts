// packages/abi/src: ABIs `as const`, addresses by chain id, and the artifacts that deploy.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../lib/workspace.ts";
import { banner, type GeneratedFile, prettyJson } from "./output.ts";
import { poseidonArtifact } from "./poseidon.ts";

/** A contract whose artifact is published. */
type Published = {
  readonly name: string;
  /** Prefix of the exported constants. */
  readonly constant: string;
  /** Source below the root. */
  readonly source: string;
};

/** With its ABI in a file of its own below packages/abi/src. */
const published: readonly (Published & { readonly file: string })[] = [
  { name: "JobMarket", constant: "jobMarket", source: "contracts/JobMarket.sol", file: "job-market.ts" },
  { name: "QueryMarket", constant: "queryMarket", source: "contracts/QueryMarket.sol", file: "query-market.ts" },
  {
    name: "MortgageDesk",
    constant: "mortgageDesk",
    source: "contracts/examples/MortgageDesk.sol",
    file: "mortgage-desk.ts",
  },
  { name: "TestToken", constant: "testToken", source: "test/contracts/tokens/TestToken.sol", file: "test-token.ts" },
];

/** Under the GPL, as the programs that write them. */
const verifiers: readonly Published[] = [
  {
    name: "SealedAnswerVerifier",
    constant: "sealedAnswerVerifier",
    source: "contracts/generated/SealedAnswerVerifier.sol",
  },
  { name: "ScorecardVerifier", constant: "scorecardVerifier", source: "contracts/generated/ScorecardVerifier.sol" },
];
const POSEIDONS: readonly number[] = [1, 2, 6];

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
/** Where the markets are deployed. */
export type MarketAddress = {
  readonly jobMarket: \`0x\${string}\`;
  /** Block from which the job market's events are read. */
  readonly deployedAtBlock: number;
  readonly queryMarket?: \`0x\${string}\`;
  /** Block from which the query market's events are read. */
  readonly queryMarketDeployedAtBlock?: number;
};

/** Known markets by chain id. */
export const addresses: Readonly<Record<number, MarketAddress>> = ${json(addresses)};
`,
    },
    {
      path: "packages/abi/src/artifacts.ts",
      text: `${banner(published.map(({ source }) => source).join(", "))}
${published.map(({ constant, file }) => `import { ${constant}Abi } from "./${file}";\n`).join("")}
export {
${[...POSEIDONS.map((inputs) => `poseidon${inputs}`), ...verifiers.map(({ constant }) => constant)]
  .map((constant) => `  ${constant}Artifact,\n`)
  .sort()
  .join("")}} from "./gpl-artifacts.ts";

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
  .map(({ contract, artifact }) => artifactText(contract.constant, `Artifact of \`${contract.name}\`.`, artifact))
  .join("")}`,
    },
    {
      path: "packages/abi/src/gpl-artifacts.ts",
      text: `${banner(["circomlibjs", ...verifiers.map(({ source }) => source)].join(", "))}// SPDX-License-Identifier: GPL-3.0-or-later
// What snarkjs and circomlibjs write is under the licence of these programs, unlike the rest of this package.

import type { ContractArtifact } from "./artifacts.ts";
${copyleft()
  .map(
    ({ constant, words, artifact }) => `
/** ABI of \`${artifact.contractName}\`. */
const ${constant}Abi = ${json(sorted(artifact.abi))} as const;
${artifactText(constant, words, artifact)}`,
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

/** Artifacts under the GPL. */
function copyleft(): readonly { readonly constant: string; readonly words: string; readonly artifact: Artifact }[] {
  const hashers = POSEIDONS.map((inputs) => {
    const { abi, ...code } = poseidonArtifact(inputs);
    return {
      constant: `poseidon${inputs}`,
      words: `circomlibjs' Poseidon of ${inputs === 1 ? "one input" : `${inputs} inputs`}. GPL-3.0-or-later.`,
      artifact: { _format: "hh3-artifact-1", sourceName: "circomlibjs", abi: abi as readonly AbiItem[], ...code },
    };
  });
  return [
    ...hashers,
    ...verifiers.map((contract) => ({
      constant: contract.constant,
      words: `Artifact of \`${contract.name}\`, with keys for development: local chains only. GPL-3.0-or-later.`,
      artifact: readArtifact(contract),
    })),
  ];
}

function artifactText(constant: string, words: string, artifact: Artifact): string {
  return `
/** ${words} */
export const ${constant}Artifact: ContractArtifact<typeof ${constant}Abi> = {
  _format: ${json(artifact._format)},
  contractName: ${json(artifact.contractName)},
  sourceName: ${json(artifact.sourceName)},
  abi: ${constant}Abi,
  bytecode: ${json(artifact.bytecode)},
  deployedBytecode: ${json(artifact.deployedBytecode)},
  linkReferences: {},
  deployedLinkReferences: {},
};
`;
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
