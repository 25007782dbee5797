import assert from "node:assert/strict";
import { it } from "node:test";
import { promptsInWords } from "./prompts.ts";

it("counts a wallet's prompts by what the account can do", () => {
  const words = (missing: bigint, isContract: boolean, batchesCalls: boolean): string =>
    promptsInWords({ isContract, batchesCalls }, missing, "open");
  assert.match(words(0n, true, false), /^once: to open$/);
  assert.match(words(5n, false, false), /^twice at most: .* to open$/);
  assert.match(words(5n, true, false), /^three times: .* to open$/);
  for (const isContract of [true, false]) assert.match(words(5n, isContract, true), /^once: to pay in .* to open$/);
  assert.match(promptsInWords(undefined, 5n, "ask"), /^twice at most/);
});
