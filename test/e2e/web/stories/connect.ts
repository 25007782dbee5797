import assert from "node:assert/strict";
import type { Route } from "playwright-core";
import type { Stage } from "../support/stage.ts";

/**
 * A wallet that says no, that is on another network, and one that is a burner; a node that does not answer, and a chain that began
 * anew: each is noticed and said, and the way out works.
 *
 * @param stage - Where it is played.
 */
export async function connect(stage: Stage): Promise<void> {
  await rejectedThenSwitched(stage);
  await burner(stage);
  await nodeDownAndBack(stage);
  await chainBeganAnew(stage);
}

async function rejectedThenSwitched(stage: Stage): Promise<void> {
  const { page, open, prompts, account } = await stage.visitor({ wallet: { startsOn: 1 }, dollars: 100 });
  await open("#/account");
  await page.evaluate(() => {
    window.testWallet.mode = "reject";
  });
  await page.getByRole("button", { name: "Connect a wallet" }).first().click();
  await page.getByRole("button", { name: "Connect Test Wallet" }).click();
  await page.getByRole("dialog").getByText("You declined in the wallet.").waitFor();
  await page.evaluate(() => {
    window.testWallet.mode = "accept";
  });
  await page.getByRole("button", { name: "Connect Test Wallet" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.getByText("Your wallet is on another network.").waitFor();
  // Until then nothing can be signed.
  await page.getByRole("textbox", { name: "Amount to deposit" }).fill("1");
  assert.equal(await page.getByRole("button", { name: "Deposit into the job market" }).isDisabled(), true);
  await page.getByRole("button", { name: `Switch to ${stage.market.network.name}` }).click();
  await page.getByText("Your wallet is on another network.").waitFor({ state: "detached" });
  assert.ok((await prompts()).includes("wallet_switchEthereumChain"));

  // A signature that is declined costs nothing, and is no error.
  await page.evaluate(() => {
    window.testWallet.mode = "reject";
  });
  await page.getByRole("button", { name: "Deposit into the job market", disabled: false }).click();
  await page.getByText("You declined in the wallet.").waitFor();
  assert.ok(account !== undefined);
}

async function burner(stage: Stage): Promise<void> {
  const { page, open } = await stage.visitor();
  await open("#/account");
  await page.getByRole("button", { name: "Connect a wallet" }).first().click();
  await page.getByRole("button", { name: "Use a burner wallet" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.getByText("5,000 tUSD", { exact: true }).first().waitFor();
}

async function nodeDownAndBack(stage: Stage): Promise<void> {
  const [rpc = ""] = stage.market.network.rpc;
  const { page, open } = await stage.visitor({ expectsConsole: /ERR_FAILED|ERR_CONNECTION/ });
  await open("#/");
  const isNode = (url: URL): boolean => url.href.startsWith(rpc);
  const abort = (route: Route): Promise<void> => route.abort();
  await page.route(isNode, abort);
  await page.getByText("The chain cannot be read").waitFor();
  await page.unroute(isNode, abort);
  await page.getByText("The chain cannot be read").waitFor({ state: "detached" });
}

async function chainBeganAnew(stage: Stage): Promise<void> {
  const { page, open } = await stage.visitor();
  await open("#/jobs");
  await page.getByText(/Block \d+/).waitFor();
  // What the browser remembers is made to be of another chain: as if the local one had been started again.
  await page.evaluate(
    () =>
      new Promise<void>((resolve, reject) => {
        const request = indexedDB.open("quorate");
        request.onerror = () => reject(request.error);
        request.onsuccess = () => {
          const transaction = request.result.transaction("cursors", "readwrite");
          const cursor = transaction.objectStore("cursors").openCursor();
          cursor.onsuccess = () => {
            const entry = cursor.result;
            if (entry === null) return;
            const other = (hash: string): string => `0xff${hash.slice(4)}`;
            const tail = entry.value.tail.map((header: { hash: string; parentHash: string }) => ({
              ...header,
              hash: other(header.hash),
              parentHash: other(header.parentHash),
            }));
            entry.update({ ...entry.value, tail, genesisHash: other(entry.value.genesisHash) });
            entry.continue();
          };
          transaction.oncomplete = () => {
            request.result.close();
            resolve();
          };
          transaction.onerror = () => reject(transaction.error);
        };
      }),
  );
  await page.reload();
  await page.getByText("The chain began anew.").waitFor();
  await page.getByRole("button", { name: "Forget the old chain and read the new one" }).click();
  await page.getByText("The chain began anew.").waitFor({ state: "detached" });
  await page.getByText(/Block \d+/).waitFor();
}
