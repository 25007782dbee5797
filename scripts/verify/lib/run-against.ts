// Runs Solidity tests in this process against other bytecode than that of the artifacts. Tests deploy the markets with
// `vm.getCode`, which reads the artifacts that the runner is given: so no test is compiled again for a changed market.
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Artifact,
  EdrContext,
  L1_CHAIN_TYPE,
  l1GenesisState,
  l1HardforkFromString,
  l1SolidityTestRunnerFactory,
  type SolidityTestRunnerConfigArgs,
} from "@nomicfoundation/edr";
import { root } from "../../lib/workspace.ts";
import type { Bytecode } from "./compile.ts";

const HARDFORK = "osaka";
/** Of Hardhat's own runner, so that fuzz tests see the inputs that they see in `npm test`. */
const SEED = "0x7727ea51af0441c20da14dcd68a15dac8c9ebd589c5be8fa8c87c1d3720450bc";
/** As in hardhat.config.ts. */
const INVARIANT = { runs: 32, depth: 64 };

/** What the tests and what they deploy were compiled to, as `hardhat build` leaves it. */
export type Artifacts = {
  /** All of them, by fully qualified name, as `test/contracts/Open.t.sol:OpenTest`. */
  readonly byName: ReadonlyMap<string, Artifact>;
  /** Fully qualified names of the contracts with tests, sorted. */
  readonly suites: readonly string[];
};

/** How one test ended. */
export type TestOutcome = {
  /** Fully qualified name of its contract. */
  readonly suite: string;
  /** Name of the function, without its parameters. */
  readonly test: string;
  readonly status: "passed" | "failed" | "skipped";
  /** Why it failed, as the runner says it. */
  readonly reason?: string;
};

/** What to run, and against what. */
export type TestRun = {
  /** Bytecode that takes the place of the artifact's, by fully qualified name. */
  readonly replaced?: ReadonlyMap<string, Bytecode>;
  /** Fully qualified names of test contracts; all unless told. */
  readonly suites?: readonly string[];
  /** Regular expression for the names of tests; all unless told. */
  readonly pattern?: string;
  /** Everything else, as the runner takes it: `blockCoinbase`, `fuzz`, `invariant`, … */
  readonly config?: Partial<SolidityTestRunnerConfigArgs>;
};

let started: Promise<EdrContext> | undefined;

async function start(): Promise<EdrContext> {
  const context = new EdrContext();
  await context.registerSolidityTestRunnerFactory(L1_CHAIN_TYPE, l1SolidityTestRunnerFactory());
  return context;
}

/** The parts of Hardhat's artifacts that are read here. */
type ArtifactFile = {
  readonly contractName: string;
  readonly sourceName: string;
  readonly inputSourceName?: string;
  readonly buildInfoId?: string;
  readonly abi: readonly { readonly type: string; readonly name?: string }[];
  readonly bytecode: string;
  readonly deployedBytecode: string;
  readonly linkReferences: NonNullable<Artifact["contract"]["linkReferences"]>;
  readonly deployedLinkReferences: NonNullable<Artifact["contract"]["deployedLinkReferences"]>;
};

/**
 * Reads the artifacts of contracts and tests.
 *
 * @param folder of artifacts; the repository's unless told
 * @returns all artifacts; run `hardhat build` before, so that they are current
 */
export function loadArtifacts(folder: string = join(root, "artifacts")): Artifacts {
  const byName = new Map<string, Artifact>();
  const suites: string[] = [];
  for (const path of globSync("{contracts,test,@*}/**/*.sol/*.json", { cwd: folder }).sort()) {
    const file = JSON.parse(readFileSync(join(folder, path), "utf8")) as ArtifactFile;
    // An artifact whose build is gone is a leftover.
    if (file.buildInfoId === undefined || !existsSync(join(folder, "build-info", `${file.buildInfoId}.json`))) continue;
    const [, major, minor, patch] = /^solc-(\d+)_(\d+)_(\d+)/.exec(file.buildInfoId) ?? [];
    const name = `${file.sourceName}:${file.contractName}`;
    byName.set(name, {
      id: {
        name: file.contractName,
        source: file.inputSourceName ?? file.sourceName,
        solcVersion: `${major}.${minor}.${patch}`,
      },
      contract: {
        abi: JSON.stringify(file.abi),
        bytecode: file.bytecode,
        deployedBytecode: file.deployedBytecode,
        linkReferences: file.linkReferences,
        deployedLinkReferences: file.deployedLinkReferences,
      },
    });
    const isTest = file.abi.some((item) => item.type === "function" && /^(test|invariant)/.test(item.name ?? ""));
    if (isTest && file.sourceName.endsWith(".t.sol") && file.bytecode !== "0x") suites.push(name);
  }
  return { byName, suites: suites.sort() };
}

/**
 * Runs tests. Fuzz tests and invariants have the seed and the lengths of `npm test` unless `config` tells otherwise.
 *
 * @param artifacts of {@link loadArtifacts}
 * @param run what to run, and against what
 * @returns one outcome a test; a contract whose `setUp` fails has the one outcome `setUp`
 * @throws Error if a name is that of no artifact
 */
export async function runTests(artifacts: Artifacts, run: TestRun = {}): Promise<readonly TestOutcome[]> {
  const { replaced = new Map<string, Bytecode>(), suites = artifacts.suites, pattern, config } = run;
  const missing = [...replaced.keys(), ...suites].filter((name) => !artifacts.byName.has(name));
  if (missing.length > 0) throw new Error(`no artifact of ${missing.join(", ")}: build before`);
  if (suites.length === 0) return [];

  const used = [...artifacts.byName].map(([name, artifact]): Artifact => {
    const other = replaced.get(name);
    if (other === undefined) return artifact;
    const code = { bytecode: other.creation, deployedBytecode: other.deployed };
    return { id: artifact.id, contract: { ...artifact.contract, ...code } };
  });
  const named = new Map(suites.map((name) => [idOf((artifacts.byName.get(name) as Artifact).id), name]));
  const outcomes: TestOutcome[] = [];
  started ??= start();
  const context = await started;
  let left = suites.length;
  await new Promise<void>((resolve, reject) => {
    context
      .runSolidityTests(
        L1_CHAIN_TYPE,
        used,
        suites.map((name) => (artifacts.byName.get(name) as Artifact).id),
        {
          projectRoot: root,
          hardfork: HARDFORK,
          localPredeploys: l1GenesisState(l1HardforkFromString(HARDFORK)),
          fuzz: { seed: SEED },
          invariant: INVARIANT,
          disableBlockGasLimit: true,
          disableTransactionGasCap: true,
          ...(pattern === undefined ? {} : { testPattern: pattern }),
          ...config,
        },
        // Without build infos there are no stack traces, which nobody reads here.
        { buildInfos: [], ignoreContracts: true },
        ({ id, testResults }) => {
          for (const { name, status, reason } of testResults) {
            outcomes.push({
              suite: named.get(idOf(id)) ?? idOf(id),
              test: name.replace(/\(.*$/, ""),
              status: status === "Success" ? "passed" : status === "Failure" ? "failed" : "skipped",
              ...(reason === undefined ? {} : { reason }),
            });
          }
          if (--left === 0) resolve();
        },
      )
      .catch(reject);
  });
  return outcomes.sort((a, b) => (`${a.suite} ${a.test}` < `${b.suite} ${b.test}` ? -1 : 1));
}

function idOf({ source, name }: Artifact["id"]): string {
  return `${source}:${name}`;
}
