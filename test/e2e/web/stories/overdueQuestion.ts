import assert from "node:assert/strict";
import type { Stage } from "../support/stage.ts";
import { fillPapers, giveConsent, hrefOf, unlockCard } from "./askAndCheck.ts";

/** Longer than the provider's time for an answer and the reveal of it, on a busy machine. */
const OVERDUE_TIMEOUT_MS = 180_000;

/**
 * A question is paid for and its provider stays silent: price and bond go to the asker. Played after `askAndCheck`, whose subject and
 * asker it is about.
 *
 * @param stage - Where it is played.
 */
export async function overdueQuestion(stage: Stage): Promise<void> {
  const { papers } = stage.market.enrollee;
  const { subject: keptSubject, asker: keptAsker } = stage.kept;
  assert.ok(keptSubject !== undefined && keptAsker !== undefined, "somebody has enrolled, and somebody has asked");
  const subject = await stage.comesBack(keptSubject);
  const card = await unlockCard(subject);

  const asker = await stage.comesBack(keptAsker);
  const { page } = asker;
  await asker.open(card);
  await page.getByRole("textbox", { name: "Value" }).fill("60000");
  await fillPapers(page, papers);
  await page.getByRole("button", { name: "Prepare the question" }).click();
  await subject.open(await hrefOf(page, "Link to the request for consent"));
  const consent = await giveConsent(subject.page);
  await page.getByRole("textbox", { name: "Consent that came back" }).fill(consent);
  await page.getByRole("button", { name: "Send the question" }).click();
  const pay = page.getByRole("button", { name: "Pay and ask" });
  await pay.waitFor();

  const stopped = stage.market.signal("domain-process", "SIGSTOP");
  assert.ok(stopped > 0, "a domain provider runs");
  try {
    await pay.click();
    await page.getByText("The answer is being proved").waitFor();
    await page.getByText("The provider stayed silent").waitFor({ timeout: OVERDUE_TIMEOUT_MS });
    const prompts = (await asker.prompts()).length;
    await page.getByRole("button", { name: "Take the money back" }).click();
    await page.getByText("The provider did not answer, and paid for it:").waitFor();
    assert.deepEqual((await asker.prompts()).slice(prompts), ["eth_sendTransaction"]);
  } finally {
    stage.market.signal("domain-process", "SIGCONT");
  }
}
