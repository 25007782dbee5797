import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { CheckedReceipt, CheckReceiptOptions } from "@quorate/web/receipt-check";
import { build } from "esbuild";
import type { Page } from "playwright-core";
import { assertAccessible } from "../support/looks.ts";
import type { Stage, Visitor } from "../support/stage.ts";

const WORDS = /annual income is at least 104,250 USD on \d{4}-\d{2}-\d{2}/;

/**
 * Somebody binds its records to its wallet and hands out its card; a lender asks about it, gets consent by a link, pays, and reads
 * an answer that was really proved; a third one without a wallet checks the receipt, and a receipt that was changed.
 *
 * @param stage - Where it is played; keeps both browsers and the receipt.
 */
export async function askAndCheck(stage: Stage): Promise<void> {
  const { papers, code } = stage.market.enrollee;

  // The subject binds its records to its wallet.
  const subject = await stage.visitor({ wallet: "funded", dollars: 0 });
  await subject.open("#/records");
  await subject.connect();
  await subject.page.getByRole("button", { name: "Unlock my records" }).click();
  await subject.page.getByRole("textbox", { name: "Code of the provider" }).fill(code);
  await fillPapers(subject.page, papers);
  await subject.page.getByRole("button", { name: "Enrol", exact: true }).click();
  await subject.page.getByText("Published", { exact: true }).waitFor();
  const card = await hrefOf(subject.page, "Link that asks about you");

  // The asker writes the question; what says nothing is refused in words.
  const asker = await stage.visitor({ wallet: "funded" });
  await asker.open(card);
  await asker.connect();
  const { page } = asker;
  const value = page.getByRole("textbox", { name: "Value" });
  await value.fill("0");
  await page
    .getByText(/says nothing about anybody/)
    .first()
    .waitFor();
  await value.fill("104250");
  await page.getByText(WORDS).first().waitFor();
  await fillPapers(page, papers);
  await page.getByRole("textbox", { name: "What you call yourself" }).fill("Harbor Mortgage");
  await page
    .getByRole("definition")
    .filter({ hasText: /^25 tUSD$/ })
    .waitFor();
  await page.getByRole("button", { name: "Prepare the question" }).click();
  const request = await hrefOf(page, "Link to the request for consent");

  // The subject reads what would be learned, and consents.
  await subject.open(request);
  await subject.page.getByText("Nobody has checked this name.").waitFor();
  await subject.page.getByText("It calls itself “Harbor Mortgage”.").waitFor();
  await subject.page.getByText("Yes, it is true").waitFor();
  await subject.page.getByRole("heading", { name: "What stays hidden" }).waitFor();
  const consent = await giveConsent(subject.page);

  // A reload in between loses nothing.
  await page.reload();
  await page.getByRole("textbox", { name: "Consent that came back" }).fill(consent);
  await page.getByRole("button", { name: "Send the question" }).click();
  await page.getByRole("button", { name: "Pay and ask" }).click();
  await page.getByText(new RegExp(`^Yes: ${WORDS.source}\\.$`)).waitFor({ timeout: 120_000 });
  const receiptLink = await hrefOf(page, "Link to the receipt");
  assert.deepEqual(
    (await asker.prompts()).filter((method) => method.startsWith("eth_s")),
    ["eth_signTypedData_v4", "eth_signTypedData_v4", "eth_sendTransaction"],
    "the sealed question, the permit, the transaction",
  );
  const downloading = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download the receipt" }).click();
  const file = await (await downloading).path();

  // The subject sees who asked.
  await subject.open("#/records");
  await subject.page.getByText("Answered", { exact: true }).waitFor();

  // Whoever is shown the receipt needs no wallet.
  const stranger = await stage.visitor();
  await stranger.open("#/check");
  await takeFile(stranger.page, file);
  await stranger.page.getByText("The proof is good. Do you take its provider's word?").waitFor();
  for (const part of ["Computed here", "Compared with the chain", "Judged by the verifier on chain"]) {
    const item = stranger.page
      .getByRole("listitem")
      .filter({ has: stranger.page.getByRole("heading", { name: part }) });
    await item.getByRole("img", { name: "passed" }).waitFor();
  }
  for (const signal of ["The answer, encrypted", "One use of the record", "The provider's data", "The question"]) {
    await stranger.page.getByRole("term").filter({ hasText: signal }).waitFor();
  }
  await stranger.page.getByRole("checkbox", { name: /gave this answer/ }).click({ force: true });
  await stranger.page.getByText("The receipt is good").waitFor();

  // One that was changed is refused, with what that means.
  const changed = JSON.parse(readFileSync(file, "utf8")) as { statement: { value: string } };
  changed.statement.value = "204250";
  await stranger.page.getByRole("link", { name: "Check another receipt" }).click();
  await stranger.page.getByRole("textbox", { name: "Or paste it" }).fill(JSON.stringify(changed));
  await stranger.page.getByRole("button", { name: "Check it" }).click();
  await stranger.page.getByText("The receipt is refused: it was changed").waitFor();
  await stranger.page.getByText("RECEIPT_ANSWER").waitFor();

  // A relying party's own page embeds the same check.
  await checkEmbedded(stage, stranger, readFileSync(file, "utf8"));

  const [queryId] = /0x[0-9a-f]{64}$/.exec(page.url()) ?? [];
  assert.ok(asker.privateKey !== undefined && subject.privateKey !== undefined && queryId !== undefined);
  stage.kept.asker = { storage: await asker.storage(), privateKey: asker.privateKey };
  stage.kept.subject = { storage: await subject.storage(), privateKey: subject.privateKey };
  stage.kept.answeredQuestion = queryId as `0x${string}`;
  stage.kept.consentLink = request;
  stage.kept.receiptLink = receiptLink;
}

/** Fills in papers where the page asks for them. */
export async function fillPapers(page: Page, papers: Stage["market"]["enrollee"]["papers"]): Promise<void> {
  await page.getByLabel("Name", { exact: true }).fill(papers.name);
  await page.getByLabel("Birth date").fill(papers.birthDate);
  await page.getByLabel("Document number").fill(papers.documentNumber);
}

/** Somebody who has enrolled unlocks its records; returns where the link that asks about it leads. */
export async function unlockCard(subject: Visitor): Promise<string> {
  await subject.open("#/records");
  await subject.page.getByRole("button", { name: "Unlock my records" }).click();
  return await hrefOf(subject.page, "Link that asks about you");
}

/** Consents on the page of a request; returns the consent as it is handed to the asker. */
export async function giveConsent(page: Page): Promise<string> {
  await page.getByRole("button", { name: "I consent" }).click();
  await page.getByRole("button", { name: "Copy the consent" }).click();
  await page.getByRole("button", { name: "Copied: now send it" }).waitFor();
  return await page.evaluate(() => navigator.clipboard.readText());
}

/** Where a link leads, once it is there. */
export async function hrefOf(page: Page, name: string): Promise<string> {
  const href = await page.getByRole("link", { name }).getAttribute("href");
  assert.ok(href !== null);
  assert.ok(href.startsWith("#/"), `${name} leads to a page of the app`);
  return href;
}

type Embedded = {
  defineReceiptElement(): void;
  readonly RECEIPT_CHECKED_EVENT: string;
};

/** A page of a relying party, with nothing of the app but the element. */
async function checkEmbedded({ market: { network } }: Stage, { context }: Visitor, receipt: string): Promise<void> {
  const entry = fileURLToPath(import.meta.resolve("@quorate/web/receipt-check"));
  const bundle = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    platform: "browser",
    format: "iife",
    globalName: "receiptCheck",
    logLevel: "silent",
  });
  const page = await context.newPage();
  await page.setContent("<!doctype html><html lang='en'><title>A lender</title><main><h1>A lender</h1></main></html>");
  await page.addScriptTag({ content: bundle.outputFiles[0]?.text ?? "" });
  const { provider } = JSON.parse(receipt) as { readonly provider: `0x${string}` };
  const options: CheckReceiptOptions = {
    accepts: {
      chainId: network.chainId,
      market: network.queryMarket as `0x${string}`,
      providers: [provider],
      verifiers: { "sealed-answer": network.verifiers?.["sealed-answer"] ?? [], scorecard: [] },
    },
    rpc: network.rpc,
  };
  const verdict = await page.evaluate(
    async ({ text, given }) => {
      const { defineReceiptElement, RECEIPT_CHECKED_EVENT } = (window as unknown as { receiptCheck: Embedded })
        .receiptCheck;
      defineReceiptElement();
      const element = document.createElement("quorate-receipt");
      document.querySelector("main")?.append(element);
      const checked = new Promise<CheckedReceipt>((resolve) => {
        element.addEventListener(RECEIPT_CHECKED_EVENT, (event) =>
          resolve((event as CustomEvent<CheckedReceipt>).detail),
        );
      });
      Object.assign(element, { options: given, receipt: text });
      return (await checked).verdict;
    },
    { text: receipt, given: options },
  );
  assert.equal(verdict, "accepted");
  await page.getByRole("heading", { name: "The receipt is good." }).waitFor();
  await page.getByText(new RegExp(`^Yes: ${WORDS.source}\\.$`)).waitFor();
  await assertAccessible(page, "the embedded check of a receipt");
}

async function takeFile(page: Page, file: string): Promise<void> {
  const choosing = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Choose a receipt" }).click();
  await (await choosing).setFiles(file);
}
