import assert from "node:assert/strict";
import type { Stage } from "../support/stage.ts";
import { fillPapers, hrefOf, unlockCard } from "./askAndCheck.ts";

/**
 * A question about other papers than the record's is refused by the subject's own client, in words; one that fits is declined, and
 * nothing comes of it. Played after `askAndCheck`, whose subject it is.
 *
 * @param stage - Where it is played; keeps the link of the second question.
 */
export async function consentRefused(stage: Stage): Promise<void> {
  const { papers } = stage.market.enrollee;
  const kept = stage.kept.subject;
  assert.ok(kept !== undefined, "somebody has enrolled");
  const subject = await stage.comesBack(kept);
  const card = await unlockCard(subject);

  const asker = await stage.visitor({ wallet: "funded", dollars: 0 });
  await asker.open("#/");
  await asker.connect();
  const requestOf = async (name: string): Promise<string> => {
    await asker.open(card);
    await asker.page.getByRole("textbox", { name: "Value" }).fill("90000");
    await fillPapers(asker.page, { ...papers, name });
    await asker.page.getByRole("button", { name: "Prepare the question" }).click();
    return hrefOf(asker.page, "Link to the request for consent");
  };

  await subject.open(await requestOf("Somebody Else"));
  await subject.page.getByText("The asker saw other papers than those of your record.").waitFor();
  await subject.page.getByText("CONSENT_REFUSED_PERSON").waitFor();
  assert.equal(await subject.page.getByRole("button", { name: "I consent" }).count(), 0);

  const request = await requestOf(papers.name);
  await subject.open(request);
  await subject.page.getByRole("button", { name: "I consent" }).waitFor();
  await subject.page.getByRole("button", { name: "No", exact: true }).click();
  await subject.page.getByText("You did not consent.").waitFor();
  await asker.page.getByText("Waits for the consent.").waitFor();
  assert.equal(await asker.page.getByRole("button", { name: "Send the question" }).isDisabled(), true);
  stage.kept.consentLink = request;
}
