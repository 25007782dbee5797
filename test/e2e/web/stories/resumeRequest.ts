import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { parseAbiItem } from "viem";
import type { Stage } from "../support/stage.ts";
import { goToReview, trustProviders } from "./requestAndWatch.ts";

const deposited = parseAbiItem(
  "event Deposited(address indexed token, address indexed account, address payer, uint96 amount)",
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
  await goToReview(page, "145");
  await reload();
  await page.getByRole("button", { name: "Publish the request" }).waitFor();
  await page.getByText("145 tUSD").first().waitFor();

  // The wallet is asked to sign the request, and the page is gone: keys are stored, nothing is published.
  await hold(page);
  await duringPrompt(page, "eth_signTypedData_v4", () =>
    page.getByRole("button", { name: "Publish the request" }).click(),
  );
  await reload();
  await page.getByText("but it was not published").waitFor();
  await page.getByRole("link", { name: "Go on with it" }).click();
  await page.getByText("Nothing was paid, and no provider can offer yet.").waitFor();
  await page.getByRole("button", { name: "Publish the request" }).click();

  // Offers come again from the relays, trust stays.
  await trustProviders(page);
  await page.getByText("3 parties will be able to read your data:").waitFor();
  await reload();
  await page.getByText("3 parties will be able to read your data:").waitFor();

  // The permit is held: a reload leads back to the offers.
  await hold(page);
  const open = (): Promise<void> => page.getByRole("button", { name: "Open the job" }).click();
  await duringPrompt(page, "eth_signTypedData_v4", open);
  await reload();
  await page.getByText("3 parties will be able to read your data:").waitFor();

  // The transaction is held after the permit: whether the wallet sent is not known to the page.
  await hold(page);
  await duringPrompt(page, "eth_signTypedData_v4", open);
  await duringPrompt(page, "eth_sendTransaction", () =>
    page.evaluate(() => {
      window.testWallet.release();
      window.testWallet.mode = "hold";
    }),
  );
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
    event: deposited,
    args: { account: visitor.account ?? "0x" },
    fromBlock: 0n,
  });
  assert.equal(deposits.length, 1, "the escrow was paid in once");
}

async function hold(page: Page): Promise<void> {
  await page.evaluate(() => {
    window.testWallet.mode = "hold";
  });
}

/** Does something, and waits until the wallet was asked. */
async function duringPrompt(page: Page, method: string, act: () => Promise<void>): Promise<void> {
  const before = await page.evaluate(() => window.testWallet.prompts().length);
  await act();
  await page.waitForFunction(
    ([wanted, count]) => {
      const prompts = window.testWallet.prompts();
      return prompts.length > count && prompts.at(-1) === wanted;
    },
    [method, before] as const,
  );
}
