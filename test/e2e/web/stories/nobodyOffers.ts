import assert from "node:assert/strict";
import type { Stage } from "../support/stage.ts";
import { fillInRequest, publishRequest } from "./requestAndWatch.ts";

/** A price under every asking price: the form warns, nobody offers, and the page says why. */
export async function nobodyOffers(stage: Stage): Promise<void> {
  const visitor = await stage.visitor({ wallet: "funded" });
  const { page } = visitor;
  await visitor.open("#/request");
  await visitor.connect();
  await fillInRequest(page, "5");
  await publishRequest(page);
  const note = page.getByRole("status").filter({ hasText: "The price is too low." });
  await note.waitFor();
  assert.match((await note.textContent()) ?? "", /at most 5 tUSD for a seat.*the lowest asks 80 tUSD/);
  assert.equal(await page.getByRole("button", { name: "Open the job" }).isDisabled(), true);
  await note.getByRole("link", { name: "Request again" }).click();
  await page.getByRole("heading", { name: "Request a job", level: 1 }).waitFor();
}
