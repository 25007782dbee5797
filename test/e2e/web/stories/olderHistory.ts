import assert from "node:assert/strict";
import type { Stage, Visitor } from "../support/stage.ts";

/**
 * A first visit that reads few blocks by itself: what happened before comes from an index, compared with the chain; from one that
 * leaves events out nothing is taken, and the whole history is read from the chain on request. Played after a story that settles a job.
 *
 * @param stage - Where it is played.
 */
export async function olderHistory(stage: Stage): Promise<void> {
  const honest = await visit(stage, (answer) => answer);
  const { page } = honest.visitor;
  const job = `a[href="#/jobs/${stage.kept.settledJob}"]`;
  await page
    .getByText(/Up to block \d+: from the index at localhost:\d+, compared with the chain in \d+ places?\./)
    .waitFor();
  await page.locator(job).waitFor();
  // Read up to the head: a visit that is far behind asks again.
  await page.getByText(/Block \d+,/).waitFor();
  const asked = honest.asked();
  assert.ok(asked > 0);
  await page.reload();
  await page.getByText(/from the index at localhost/).waitFor();
  await page.locator(job).waitFor();
  assert.equal(honest.asked(), asked, "what was taken over is not asked for again");
  await page.getByRole("button", { name: "Read it from the chain" }).click();
  await page.getByText(/from the index at localhost/).waitFor({ state: "detached" });
  await page.locator(job).waitFor();
  assert.equal(honest.asked(), asked);

  const lying = await visit(stage, () => []);
  const other = lying.visitor.page;
  await other.getByText("The index for older history is not used.").waitFor();
  await other.getByText(/it tells other events than your nodes/).waitFor();
  await other.getByText(/Read since block \d+; the market began at block \d+\./).waitFor();
  await other.getByRole("button", { name: "Read all of it" }).click();
  await other.locator(job).waitFor();
  assert.equal(await other.getByText("The index for older history is not used.").count(), 0);
}

/** Blocks that a visit reads by itself. */
const FIRST_VISIT_BLOCKS = 30;

type Call = { readonly id: number; readonly method: string };
type Answer = { readonly id: number; readonly result?: unknown };

/** Somebody whose app knows an index: the local chain itself by another name, whose answers for logs are changed. */
async function visit(
  stage: Stage,
  tell: (logs: unknown) => unknown,
): Promise<{ readonly visitor: Visitor; readonly asked: () => number }> {
  const { network } = stage.market;
  const index = new URL(network.rpc[0] as string);
  index.hostname = "localhost";
  let asked = 0;
  const visitor = await stage.visitor();
  const networks = [{ ...network, firstVisitBlocks: FIRST_VISIT_BLOCKS, index: index.href }];
  await visitor.context.route("**/config.json", (route) => route.fulfill({ json: { version: 1, networks } }));
  await visitor.context.route(`${index.href}**`, async (route) => {
    const calls = [route.request().postDataJSON() as Call | readonly Call[]].flat();
    asked += calls.length;
    const response = await route.fetch();
    const body = (await response.json()) as Answer | readonly Answer[];
    const changed = [body].flat().map((answer) => {
      const isLogs = calls.some(({ id, method }) => id === answer.id && method === "eth_getLogs");
      return isLogs ? { ...answer, result: tell(answer.result) } : answer;
    });
    await route.fulfill({ response, json: Array.isArray(body) ? changed : changed[0] });
  });
  await visitor.open("#/jobs?status=accepted");
  return { visitor, asked: () => asked };
}
