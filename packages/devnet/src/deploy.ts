import {
  type Artifact,
  DeploymentResultType,
  deploy,
  type IgnitionModule,
  type IgnitionModuleResult,
} from "@nomicfoundation/ignition-core";
import { jobMarketArtifact, testTokenArtifact } from "@quorate/abi/artifacts";
import { type Address, FatalError } from "@quorate/core";
import jobMarketModule from "./ignition/modules/JobMarket.ts";
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
  const market = await deployOne(jobMarketModule, "market", {
    JobMarket: { minWindow: localWindows.min, maxWindow: localWindows.max },
  });
  const token = await deployOne(testTokenModule, "token", {});
  return { chainId, market, token, fromBlock };

  async function deployOne(
    ignitionModule: IgnitionModule<string, string, IgnitionModuleResult<string>>,
    folder: string,
    deploymentParameters: Record<string, Record<string, number | string>>,
  ): Promise<Address> {
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
      deploymentDir: `${deploymentDir}/${folder}`,
      ignitionModule,
      deploymentParameters,
      accounts,
      defaultSender: deployer as string,
    });
    if (result.type !== DeploymentResultType.SUCCESSFUL_DEPLOYMENT) {
      throw new FatalError(
        "DEPLOYMENT_FAILED",
        `Ignition did not deploy ${ignitionModule.id}: ${JSON.stringify(result)}`,
      );
    }
    const [contract] = Object.values(result.contracts);
    if (contract === undefined) throw new FatalError("DEPLOYMENT_FAILED", `${ignitionModule.id} names no contract.`);
    return contract.address as Address;
  }
}
