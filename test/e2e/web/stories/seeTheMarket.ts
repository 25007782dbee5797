import assert from "node:assert/strict";
import type { Stage } from "../support/stage.ts";

/**
 * Figures and charts of the market, jobs by filter, a provider with its history and the reasons of what it was paid; money into the
 * market and out of it, in two tabs that agree; a provider put on the trust list. Played after a story that settles a job.
 *
 * @param stage - Where it is played.
 */
export async function seeTheMarket(stage: Stage): Promise<void> {
  const { page, open, connect, tab, prompts } = await stage.visitor({ wallet: "funded", dollars: 300 });
  await open("#/");
  await page.getByRole("link", { name: "Request a job" }).first().waitFor();
  await page.getByRole("img", { name: /^Jobs opened by / }).waitFor();
  await page.getByRole("img", { name: /^Paid by .* for jobs/ }).waitFor();
  await page.getByRole("list", { name: "Providers online" }).getByRole("listitem").first().waitFor();

  // Filters live in the address: what is linked is what is seen.
  await open("#/jobs?status=accepted");
  const rows = page.getByRole("region", { name: "Jobs", exact: true }).getByRole("row");
  await rows.nth(1).waitFor();
  assert.equal(await rows.getByText(/^Inconclusive$/).count(), 0);
  await page.getByRole("textbox", { name: "Id contains" }).fill("0xzz");
  await page.getByText("No job matches these filters.").waitFor();
  await page.waitForFunction(() => location.hash === "#/jobs?status=accepted&id=0xzz");
  assert.equal(await page.evaluate(() => location.search), "", "no host sees what is looked for");
  await page.getByRole("button", { name: "Show all jobs" }).click();
  await rows.nth(1).waitFor();

  // A provider: who it says it is, how it stands, what it was paid and why.
  await open("#/providers");
  // Who answers questions too: by the name that its account signed.
  const payroll = page.getByRole("region", { name: "Tidewater Payroll" });
  await payroll.getByRole("link", { name: "Tidewater Payroll" }).waitFor();
  await payroll.getByRole("img", { name: "signed profile" }).waitFor();
  await page.getByRole("link", { name: "Standing and history" }).first().click();
  await page.getByRole("heading", { name: "Standing on chain" }).waitFor();
  const history = page.getByRole("region", { name: "History of seats" });
  await history
    .getByText(/it gets its whole price|it gets the standby fee|it is not paid/)
    .first()
    .waitFor();
  await page.getByRole("img", { name: /^Income by / }).waitFor();
  await page.getByRole("button", { name: /^Trust / }).click();
  await page.getByText("Trusted by you").waitFor();
  await page.evaluate(() => {
    location.hash = "#/trust";
  });
  await page.getByText("Only the 1 provider on your list may be seated.").waitFor();
  await page.getByRole("button", { name: "Add a provider" }).click();
  await page.getByText(/The trust policy cannot be used/).waitFor();
  assert.equal(await page.getByRole("button", { name: "Save" }).isDisabled(), true);
  await page.getByRole("button", { name: "Undo changes" }).click();

  // Money in and out; the other tab hears of it.
  await open("#/account");
  await connect();
  const second = await tab("#/account");
  await second.getByRole("button", { name: "Connect a wallet" }).first().click();
  await second.getByRole("button", { name: "Connect Test Wallet" }).click();
  await second.getByText("300 tUSD", { exact: true }).first().waitFor();
  await page.getByRole("textbox", { name: "Amount to deposit" }).fill("120.5");
  await page.getByRole("button", { name: "Deposit into the job market", disabled: false }).click();
  await page.getByText("120.5 tUSD are in the job market now.").waitFor();
  assert.deepEqual((await prompts()).slice(-2), ["eth_signTypedData_v4", "eth_sendTransaction"]);
  for (const place of [page, second]) {
    await place.getByText("179.5 tUSD", { exact: true }).first().waitFor();
    await place.getByRole("region", { name: "Money in and out" }).getByText("Deposited").first().waitFor();
  }
  await second.close();
  await page.getByRole("radio", { name: /^Withdraw/ }).check({ force: true });
  await page.getByRole("button", { name: "Take all of it", disabled: false }).click();
  await page.getByRole("button", { name: "Withdraw from the job market", disabled: false }).click();
  await page.getByText("120.5 tUSD are in your wallet now.").waitFor();
  await page.getByText("300 tUSD", { exact: true }).first().waitFor();
}
