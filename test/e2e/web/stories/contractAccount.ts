import assert from "node:assert/strict";
import type { Locator, Page } from "playwright-core";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import type { Stage, Visitor } from "../support/stage.ts";
import { fillInRequest, publishRequest, trustProviders } from "./requestAndWatch.ts";

/** Publishes a request of a contract account and leads it to the button that opens the job. */
async function collectOffers(stage: Stage, batches: boolean): Promise<Visitor> {
  const privateKey = generatePrivateKey();
  const contract = await stage.deployAccount(privateKeyToAccount(privateKey).address);
  const visitor = await stage.visitor({ wallet: { privateKey, contract, batches } });
  await visitor.open("#/request");
  await visitor.connect();
  await fillInRequest(visitor.page, "150");
  const before = (await visitor.prompts()).length;
  await publishRequest(visitor.page);
  assert.deepEqual((await visitor.prompts()).slice(before), ["eth_sendTransaction"], "an announcement on chain");
  await trustProviders(visitor.page);
  await visitor.page.getByText("3 parties will be able to read your data:").waitFor();
  return visitor;
}

/** What the page shows once the chain has the job. */
const eventsOf = (page: Page): Locator => page.getByRole("list", { name: "Events, newest first" });

/** An account with code (ERC-1271) announces its request on chain, and approves, pays in and opens in three transactions. */
export async function contractAccount(stage: Stage): Promise<void> {
  const visitor = await collectOffers(stage, false);
  const { page } = visitor;
  await page.getByText("Your wallet will ask three times:").waitFor();
  const paid = (await visitor.prompts()).length;
  await page.getByRole("button", { name: "Open the job" }).click();
  await eventsOf(page).waitFor();
  assert.deepEqual((await visitor.prompts()).slice(paid), Array(3).fill("eth_sendTransaction"));
}

/** A wallet that batches (EIP-5792) asks once; when its answer is lost, the page finds what it sent on the chain. */
export async function batchingWallet(stage: Stage): Promise<void> {
  const visitor = await collectOffers(stage, true);
  const { page } = visitor;
  await page.getByText("Your wallet will ask once:").waitFor();
  const paid = (await visitor.prompts()).length;
  await page.evaluate(() => {
    window.testWallet.mode = "lose";
  });
  await page.getByRole("button", { name: "Open the job" }).click();
  await page.getByText("its answer was lost").or(eventsOf(page)).first().waitFor();
  await page.reload();
  await eventsOf(page).waitFor();
  assert.deepEqual((await visitor.prompts()).slice(paid), ["wallet_sendCalls"]);
}
