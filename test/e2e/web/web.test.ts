// The web app in Debian's Chromium, against a local market with real agents and real proofs.
import { after, afterEach, before, test } from "node:test";
import { ensureBuilt } from "../../../scripts/web.ts";
import { type Stage, setStage } from "./support/stage.ts";

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

test("the app opens on the market, and a burner wallet is one press away", async () => {
  const visitor = await stage.visitor();
  await visitor.open("#/");
  await visitor.page.getByRole("button", { name: "Connect a wallet" }).first().click();
  await visitor.page.getByRole("button", { name: "Use a burner wallet" }).click();
  await visitor.page.getByRole("dialog").waitFor({ state: "detached" });
});

test("an injected wallet connects", async () => {
  const visitor = await stage.visitor({ wallet: "funded" });
  await visitor.open("#/");
  await visitor.connect();
});
