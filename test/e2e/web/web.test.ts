// The web app in Debian's Chromium, against a local market with real agents and real proofs. Stories come first; what they leave
// behind is what the pictures of all pages show.
import { after, afterEach, before, describe, test } from "node:test";
import { ensureBuilt } from "../../../scripts/web.ts";
import { askAndCheck } from "./stories/askAndCheck.ts";
import { connect } from "./stories/connect.ts";
import { consentRefused } from "./stories/consentRefused.ts";
import { batchingWallet, contractAccount } from "./stories/contractAccount.ts";
import { nobodyOffers } from "./stories/nobodyOffers.ts";
import { olderHistory } from "./stories/olderHistory.ts";
import { overdueQuestion } from "./stories/overdueQuestion.ts";
import { requestAndWatch } from "./stories/requestAndWatch.ts";
import { resumeRequest } from "./stories/resumeRequest.ts";
import { seeTheMarket } from "./stories/seeTheMarket.ts";
import { lookAtPage } from "./support/looks.ts";
import { fragmentOf, pictures } from "./support/pages.ts";
import { type Stage, setStage } from "./support/stage.ts";

/** Where pictures go; none are written unless told. */
const folder = process.env.QUORATE_SCREENSHOTS;
/** The long version. */
const isFull = process.env.QUORATE_WEB_FULL === "1";

let stage: Stage;

before(
  async () => {
    await ensureBuilt((line) => console.error(line));
    stage = await setStage();
  },
  { timeout: 400_000 },
);
after(() => stage?.close());
afterEach(() => stage.endStory());

test("a job is tried in the browser, published, opened with two prompts, watched, and its result opened", () =>
  requestAndWatch(stage));
test("a price that nobody works for is explained where offers are waited for", () => nobodyOffers(stage));
if (isFull) {
  test("a request that is interrupted at each step goes on, and is paid once", () => resumeRequest(stage));
  test("a contract account announces on chain, is offered for, and opens with three transactions", () =>
    contractAccount(stage));
}
test("a wallet that declines, one on another network, a node that is gone and a chain that began anew are noticed", () =>
  connect(stage));
test("a wallet that batches calls funds and opens with one prompt, and once when its answer is lost", () =>
  batchingWallet(stage));
test("the market shows its figures, jobs, providers and reasons; money goes in and out, and two tabs agree", () =>
  seeTheMarket(stage));
test("older history comes from an index that holds against the chain, and from no other", () => olderHistory(stage));
test("a question is asked with its subject's consent, answered with a proof, and its receipt checked", () =>
  askAndCheck(stage));
if (isFull) {
  test("a question whose provider stays silent is paid back", () => overdueQuestion(stage));
}
test("a subject that says no is not asked about", () => consentRefused(stage));

describe("every page, in light and dark, on a phone and on a desk, is accessible and fits its window", () => {
  for (const picture of pictures) {
    test(picture.name, async () => {
      const owner = picture.as === undefined ? undefined : stage.kept[picture.as];
      const visitor = await (owner === undefined ? stage.visitor() : stage.comesBack(owner));
      await visitor.open(fragmentOf(picture, stage));
      // Code of the page and of its charts comes when it is needed, and says so meanwhile.
      await visitor.page.getByText(/^Loading/).waitFor({ state: "detached" });
      await lookAtPage(visitor.page, picture.name, { folder, isThorough: isFull });
    });
  }
});
