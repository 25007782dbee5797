import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { parseAbiItem } from "viem";
import type { Stage } from "../support/stage.ts";
import { fillInRequest, publishRequest, trustProviders } from "./requestAndWatch.ts";

const jobOpened = parseAbiItem(
  "event Deposited(address indexed token, address indexed account, address indexed payer, uint256 amount)",
);
const SETTLED_TIMEOUT_MS = 240_000;

/** A page is loaded anew at each step of a request, also while the wallet is being asked: nothing is lost, nothing is paid twice. */
export async function resumeRequest(stage: Stage): Promise<void> {
  const visitor = await stage.visitor({ wallet: "funded" });
  const { page } = visitor;
  const reload = async (): Promise<void> => {
    await page.reload();
    await page.getByRole("heading", { level: 1 }).first().waitFor();
  };
  await visitor.open("#/request");
  await visitor.connect();

  // The form: files, the run, typed terms and the step itself survive.
  await page.getByText("A year of weather in Seattle").click();
  await page.getByRole("list", { name: "Data files" }).getByText("seattle-weather.csv").waitFor();
  await reload();
  await page.getByRole("list", { name: "Data files" }).getByText("seattle-weather.csv").waitFor();
  await fillInRequest(page, "140");
  await reload();
  await page.getByRole("button", { name: "Publish the request" }).waitFor();
  await page.getByText("140 tUSD").first().waitFor();

  // The wallet is asked to sign the request, and the page is gone: keys are stored, nothing is published.
  await hold(page);
  await page.getByRole("button", { name: "Publish the request" }).click();
  await waitForPrompt(page, "eth_signTypedData_v4");
  await reload();
  await page.getByText("but it was not published").waitFor();
  await page.getByRole("link", { name: "Go on with it" }).click();
  await page.getByRole("heading", { name: "Publish the request" }).waitFor();
  const jobId = await publishRequest(page);

  // Offers come again from the relays, trust stays.
  await trustProviders(page);
  await page.getByText("3 parties will be able to read your data:").waitFor();
  await reload();
  await page.getByText("3 parties will be able to read your data:").waitFor();

  // The permit is held: a reload leads back to the offers.
  await hold(page);
  await page.getByRole("button", { name: "Open the job" }).click();
  await waitForPrompt(page, "eth_signTypedData_v4");
  await reload();
  await page.getByText("3 parties will be able to read your data:").waitFor();

  // The transaction is held after the permit: whether the wallet sent is not known to the page.
  await page.getByRole("button", { name: "Open the job" }).click();
  await waitForPrompt(page, "eth_signTypedData_v4");
  await hold(page);
  await waitForPrompt(page, "eth_sendTransaction");
  await reload();
  await page.getByText("Your wallet was asked to send, and its answer was lost.").waitFor();
  await page.getByRole("button", { name: "Look again and go on" }).click();
  await page.getByRole("button", { name: "My wallet shows nothing pending: send again" }).click();
  await page.getByText("Where it stands").waitFor();
  await reload();
  await page.getByText("Accepted.", { exact: true }).waitFor({ timeout: SETTLED_TIMEOUT_MS });
  await page.getByText("Opened in this browser, and equal to what the chain accepted").waitFor();

  const deposits = await stage.client.getLogs({
    address: stage.market.network.market,
    event: jobOpened,
    args: { account: visitor.account ?? "0x" },
    fromBlock: 0n,
  });
  assert.equal(deposits.length, 1, `job ${jobId} was paid once`);
}

async function hold(page: Page): Promise<void> {
  await page.evaluate(() => {
    window.testWallet.mode = "hold";
  });
}

async function waitForPrompt(page: Page, method: string): Promise<void> {
  await page.waitForFunction((wanted) => window.testWallet.prompts().at(-1) === wanted, method);
}
