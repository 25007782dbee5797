// Deployment by Ignition: the market with its hash anywhere, verifiers under the keys for development on local chains only.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { network } from "hardhat";
import verifiersModule from "../../../packages/devnet/src/ignition/modules/DevelopmentVerifiers.ts";
import deskModule from "../../../packages/devnet/src/ignition/modules/MortgageDesk.ts";
import queryMarketModule from "../../../packages/devnet/src/ignition/modules/QueryMarket.ts";
import type { MortgageDesk, QueryMarket, SealedAnswerVerifier } from "../../../types/ethers-contracts/index.js";
import { proven } from "./support/market.ts";

const open: Awaited<ReturnType<typeof network.create>>[] = [];
after(async () => {
  for (const connection of open) await connection.close();
});
async function ignitionOf(chainId: number) {
  const connection = await network.create({ override: { chainId } });
  open.push(connection);
  return connection.ignition;
}

describe("deployment", () => {
  test("the Ignition modules deploy market, hash, verifiers and desk on a local chain", async () => {
    const ignition = await ignitionOf(31_337);
    const parameters = { QueryMarket: { minWindow: 5, maxWindow: 3_600 } };
    const deployed = await ignition.deploy(queryMarketModule, { parameters, displayUi: false });
    const market = deployed.queryMarket as unknown as QueryMarket;
    assert.deepEqual([await market.minWindow(), await market.maxWindow()], [5n, 3_600n]);
    assert.equal(await market.poseidon2(), await deployed.poseidon2?.getAddress());

    const verifiers = await ignition.deploy(verifiersModule, { displayUi: false });
    const { cipher, nullifier, root, query, proof } = proven("true");
    const verifier = verifiers.sealedAnswerVerifier as unknown as SealedAnswerVerifier;
    assert.equal(await verifier.verifyProofs([proof], [[cipher, nullifier, root, query]]), true);

    const policy = {
      market: await market.getAddress(),
      lender: await market.getAddress(),
      provider: await market.getAddress(),
      verifier: await verifier.getAddress(),
      attribute: "77",
      minimum: "100000",
      maxAge: 86_400,
    };
    const { mortgageDesk } = await ignition.deploy(deskModule, {
      parameters: { MortgageDesk: policy },
      displayUi: false,
    });
    const desk = mortgageDesk as unknown as MortgageDesk;
    assert.deepEqual(
      [...(await desk.policy())],
      [policy.market, policy.lender, policy.provider, policy.verifier, 77n, 100_000n, 86_400n],
    );
  });

  test("other chains take the market, but neither short windows nor verifiers that anybody can forge for", async () => {
    const ignition = await ignitionOf(1);
    const short = { QueryMarket: { minWindow: 5, maxWindow: 3_600 } };
    await assert.rejects(
      ignition.deploy(queryMarketModule, { parameters: short, displayUi: false }),
      /MarketWindowsOutOfRange/,
    );
    const fresh = await ignitionOf(10);
    const { queryMarket } = await fresh.deploy(queryMarketModule, { displayUi: false });
    assert.equal(await (queryMarket as unknown as QueryMarket).minWindow(), 300n);
    await assert.rejects(fresh.deploy(verifiersModule, { displayUi: false }), /DevelopmentKeys/);
  });
});
