import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { type Hex, isHash } from "viem";
import type { Stage } from "../support/stage.ts";

/** The three cheapest organizations of the local market. */
const TRUSTED = ["Dune Data", "Ember Grid", "Aurora Compute"] as const;
/** Yearly volatility in per cent, as the local market's own reference has it. */
const VOLATILITY: Readonly<Record<string, string>> = {
  AAPL: "50.6",
  AMZN: "59.5",
  GOOG: "41.5",
  IBM: "29.5",
  MSFT: "34.4",
};
const SETTLED_TIMEOUT_MS = 240_000;

/**
 * Fills in the form with the stock example and terms for three seats, up to the review.
 *
 * @param page the app
 * @param ceiling highest price of a seat, whole test dollars
 */
export async function fillInRequest(page: Page, ceiling: string): Promise<void> {
  await page.getByText("Risk and return of five stocks").click();
  await page.getByRole("list", { name: "Data files" }).getByText("stocks.csv").waitFor();
  await goToReview(page, ceiling);
}

/**
 * Leads a form whose program is chosen to the review.
 *
 * @param page the app
 * @param ceiling highest price of a seat, whole test dollars
 */
export async function goToReview(page: Page, ceiling: string): Promise<void> {
  await page.getByRole("button", { name: "Go on to trying it" }).click();
  await page.getByRole("button", { name: "Run it here" }).click();
  await page.getByText("It runs.").waitFor();
  await page.getByRole("button", { name: "Go on to the terms" }).click();
  await page.getByLabel("Highest price of a seat").fill(ceiling);
  await page.getByRole("button", { name: "Spares, time and the rest" }).click();
  await page.getByLabel("Spares", { exact: true }).fill("0");
  await page.getByRole("button", { name: "Go on to the review" }).click();
  await page.getByRole("button", { name: "Publish the request" }).waitFor();
}

/**
 * Publishes the request that stands in review.
 *
 * @param page the app
 * @returns the job's id
 */
export async function publishRequest(page: Page): Promise<Hex> {
  await page.getByRole("button", { name: "Publish the request" }).click();
  await page.waitForURL(/#\/jobs\/0x/);
  const jobId = page.url().split("/").at(-1);
  assert.ok(jobId !== undefined && isHash(jobId));
  return jobId;
}

/**
 * Trusts providers as their offers come.
 *
 * @param page a job that collects offers
 * @param names whom
 */
export async function trustProviders(page: Page, names: readonly string[] = TRUSTED): Promise<void> {
  for (const name of names) {
    await page.getByRole("button", { name: `Trust ${name}`, exact: true }).click();
    await page.getByRole("button", { name: `Take ${name} off the trust list` }).waitFor();
  }
}

/** Somebody tries a program, publishes it, trusts three providers, opens the job with two prompts, and reads the result. */
export async function requestAndWatch(stage: Stage): Promise<void> {
  const visitor = await stage.visitor({ wallet: "funded" });
  const { page } = visitor;
  await visitor.open("#/request");
  await visitor.connect();
  await fillInRequest(page, "150");
  const before = (await visitor.prompts()).length;
  const jobId = await publishRequest(page);
  assert.deepEqual((await visitor.prompts()).slice(before), ["eth_signTypedData_v4"]);

  await trustProviders(page);
  await page.getByText("3 parties will be able to read your data:").waitFor();
  const panel = page.getByRole("list", { name: "Panel that would be opened" });
  for (const name of TRUSTED) await panel.getByText(name).waitFor();
  const paid = (await visitor.prompts()).length;
  await page.getByRole("button", { name: "Open the job" }).click();
  await page.getByRole("heading", { name: "The panel" }).waitFor();
  await page.getByRole("list", { name: "Events, newest first" }).waitFor();
  assert.deepEqual(
    (await visitor.prompts()).slice(paid),
    ["eth_signTypedData_v4", "eth_sendTransaction"],
    "permit and opening, nothing else",
  );

  await page.getByText("Accepted.", { exact: true }).waitFor({ timeout: SETTLED_TIMEOUT_MS });
  await page.getByText("Opened in this browser, and equal to what the chain accepted").waitFor();
  const result = page.getByRole("region", { name: "Result: stocks" });
  for (const [symbol, volatility] of Object.entries(VOLATILITY)) {
    const row = result.getByRole("row").filter({ hasText: symbol });
    const cells = await row.getByRole("cell").allInnerTexts();
    assert.equal(Number(cells[3]).toFixed(1), volatility, `${symbol}: ${cells.join(" ")}`);
  }
  const money = page.getByRole("img", { name: /^Escrow: / });
  await money.waitFor();
  assert.match((await money.getAttribute("aria-label")) ?? "", /80 tUSD paid to Dune Data/);
  await page.getByRole("img", { name: /^Bonds: 450 tUSD returned/ }).waitFor();
  // Somebody without keys sees the same job, and cannot open the result.
  const stranger = await stage.visitor();
  await stranger.open(`#/jobs/${jobId}`);
  await stranger.page.getByText("Accepted.", { exact: true }).waitFor();
  await stranger.page.getByText("The result is sealed to the requester.").waitFor();

  // The next job: whom one trusts is known already.
  await visitor.open("#/request");
  await page.getByText("A year of weather in Seattle").click();
  await page.getByRole("list", { name: "Data files" }).getByText("seattle-weather.csv").waitFor();
  await goToReview(page, "150");
  stage.kept.publishedJob = await publishRequest(page);
  await page.getByText("3 parties will be able to read your data:").waitFor();

  assert.ok(visitor.privateKey !== undefined);
  stage.kept.settledJob = jobId;
  stage.kept.requester = { storage: await visitor.storage(), privateKey: visitor.privateKey };
}
