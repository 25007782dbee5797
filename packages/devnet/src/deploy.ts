import {
  type Artifact,
  DeploymentResultType,
  deploy,
  type IgnitionModule,
  type IgnitionModuleResult,
} from "@nomicfoundation/ignition-core";
import {
  jobMarketArtifact,
  mortgageDeskArtifact,
  queryMarketArtifact,
  scorecardVerifierArtifact,
  sealedAnswerVerifierArtifact,
  testTokenArtifact,
} from "@quorate/abi/artifacts";
import { type Address, FatalError } from "@quorate/core";
import developmentVerifiersModule from "./ignition/modules/DevelopmentVerifiers.ts";
import jobMarketModule from "./ignition/modules/JobMarket.ts";
import mortgageDeskModule from "./ignition/modules/MortgageDesk.ts";
import queryMarketModule from "./ignition/modules/QueryMarket.ts";
import testTokenModule from "./ignition/modules/TestToken.ts";

/** Where the contracts of a local market are. */
export type Deployment = {
  readonly chainId: number;
  readonly market: Address;
  readonly token: Address;
  /** Block from which a follower has to read. */
  readonly fromBlock: number;
};

/** Shortest and longest window that the local market accepts, in seconds. */
export const localWindows: { readonly min: number; readonly max: number } = { min: 5, max: 604_800 };

const artifacts: Readonly<Record<string, Artifact>> = {
  JobMarket: jobMarketArtifact,
  MortgageDesk: mortgageDeskArtifact,
  QueryMarket: queryMarketArtifact,
  ScorecardVerifier: scorecardVerifierArtifact,
  SealedAnswerVerifier: sealedAnswerVerifierArtifact,
  TestToken: testTokenArtifact,
};

/** A JSON-RPC endpoint as EIP-1193 provider. */
type RpcProvider = {
  request(args: { readonly method: string; readonly params?: readonly unknown[] | object }): Promise<unknown>;
};

function rpcProvider(url: string): RpcProvider {
  let id = 0;
  return {
    async request({ method, params }) {
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ jsonrpc: "2.0", id: ++id, method, params: params ?? [] }),
      });
      const answer = (await response.json()) as { result?: unknown; error?: { message: string } };
      if (answer.error !== undefined) throw new Error(answer.error.message);
      return answer.result;
    },
  };
}

/**
 * Deploys the market and a test token on a local chain through Hardhat Ignition, from the chain's own unlocked account.
 *
 * @param rpcUrl - JSON-RPC endpoint of the local chain.
 * @param deploymentDir - Folder for Ignition's journal: a deployment that was interrupted goes on there.
 * @returns Addresses and the block before the first deployment transaction.
 * @throws FatalError `DEPLOYMENT_FAILED` with Ignition's reasons.
 */
export async function deployMarket(rpcUrl: string, deploymentDir: string): Promise<Deployment> {
  const { chainId, fromBlock, deployModule } = await createDeployer(rpcUrl, deploymentDir);
  const { jobMarket } = await deployModule(jobMarketModule, { JobMarket: windows });
  const { testToken } = await deployModule(testTokenModule, {});
  return { chainId, market: jobMarket as Address, token: testToken as Address, fromBlock };
}

/** Where the contracts of queries are. */
export type QueryDeployment = {
  /** Query market. */
  readonly market: Address;
  /** Verifiers by circuit, under the keys for development. */
  readonly verifiers: Readonly<Record<"sealed-answer" | "scorecard", Address>>;
};

/**
 * Deploys the query market and the verifiers on a local chain.
 *
 * @param rpcUrl - JSON-RPC endpoint of the local chain.
 * @param deploymentDir - Folder for Ignition's journal.
 * @returns Addresses.
 * @throws FatalError `DEPLOYMENT_FAILED`
 */
export async function deployQueryMarket(rpcUrl: string, deploymentDir: string): Promise<QueryDeployment> {
  const { deployModule } = await createDeployer(rpcUrl, deploymentDir);
  const { queryMarket } = await deployModule(queryMarketModule, { QueryMarket: windows });
  const { sealedAnswerVerifier, scorecardVerifier } = await deployModule(developmentVerifiersModule, {});
  return {
    market: queryMarket as Address,
    verifiers: { "sealed-answer": sealedAnswerVerifier as Address, scorecard: scorecardVerifier as Address },
  };
}

/** What a contract that acts on incomes asks for; fields of `MortgageDesk.Policy`. */
export type DeskPolicy = {
  readonly market: Address;
  readonly lender: Address;
  readonly provider: Address;
  readonly verifier: Address;
  readonly attribute: bigint;
  readonly minimum: bigint;
  /** Seconds. */
  readonly maxAge: number;
};

/**
 * Deploys the example of a contract that acts on an answer.
 *
 * @param rpcUrl - JSON-RPC endpoint of the local chain.
 * @param deploymentDir - Folder for Ignition's journal.
 * @param policy - Whose word it takes, and on what.
 * @throws FatalError `DEPLOYMENT_FAILED`
 */
export async function deployDesk(rpcUrl: string, deploymentDir: string, policy: DeskPolicy): Promise<Address> {
  const { deployModule } = await createDeployer(rpcUrl, deploymentDir);
  const { mortgageDesk } = await deployModule(mortgageDeskModule, { MortgageDesk: policy });
  return mortgageDesk as Address;
}

type Parameters = Readonly<Record<string, Readonly<Record<string, number | bigint | string>>>>;

type Deployer = {
  readonly chainId: number;
  readonly fromBlock: number;
  /** Addresses by the names that the module returns. */
  deployModule(
    ignitionModule: IgnitionModule<string, string, IgnitionModuleResult<string>>,
    parameters: Parameters,
  ): Promise<Readonly<Record<string, Address | undefined>>>;
};

const windows = { minWindow: localWindows.min, maxWindow: localWindows.max };

async function createDeployer(rpcUrl: string, deploymentDir: string): Promise<Deployer> {
  const provider = rpcProvider(rpcUrl);
  const chainId = Number(await provider.request({ method: "eth_chainId" }));
  const fromBlock = Number(await provider.request({ method: "eth_blockNumber" }));
  const accounts = (await provider.request({ method: "eth_accounts" })) as string[];
  const [deployer] = accounts;
  if (deployer === undefined) {
    throw new FatalError(
      "DEPLOYMENT_FAILED",
      `The chain at ${rpcUrl} has no unlocked account: the local market needs the chain that it starts itself.`,
    );
  }
  return {
    chainId,
    fromBlock,
    async deployModule(ignitionModule, deploymentParameters) {
      const result = await deploy({
        config: { requiredConfirmations: 1, blockPollingInterval: 200 },
        artifactResolver: {
          async loadArtifact(name: string): Promise<Artifact> {
            const artifact = artifacts[name];
            if (artifact === undefined) throw new FatalError("DEPLOYMENT_FAILED", `There is no artifact of ${name}.`);
            return artifact;
          },
          getBuildInfo: async () => undefined,
        },
        // biome-ignore lint/suspicious/noExplicitAny: the type that Ignition demands
        provider: provider as { request(args: unknown): Promise<any> },
        deploymentDir: `${deploymentDir}/${ignitionModule.id}`,
        ignitionModule,
        deploymentParameters: { ...deploymentParameters },
        accounts,
        defaultSender: deployer,
      });
      if (result.type !== DeploymentResultType.SUCCESSFUL_DEPLOYMENT) {
        throw new FatalError(
          "DEPLOYMENT_FAILED",
          `Ignition did not deploy ${ignitionModule.id}: ${JSON.stringify(result)}`,
        );
      }
      return Object.fromEntries(
        Object.entries(ignitionModule.results).map(([name, future]) => [
          name,
          result.contracts[future.id]?.address as Address | undefined,
        ]),
      );
    },
  };
}
