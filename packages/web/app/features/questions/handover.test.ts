import assert from "node:assert/strict";
import { test } from "node:test";
import { subjectFromSecret, toJson } from "@quorate/proofs";
import { consentFileOf } from "@quorate/sdk/queries";
import { getAddress } from "viem";
import { toLinkPart } from "../../lib/share.ts";
import { readCard } from "./card.ts";
import { readConsentFile } from "./consentFile.ts";

test("a card is read from text and from a link", () => {
  const site = { chainId: 31_337, market: getAddress("0x00000000000000000000000000000000000000b2") } as const;
  const provider = "0x00000000000000000000000000000000000000A1";
  const card = {
    version: 1,
    ...site,
    provider,
    providerUrl: "https://payroll.example",
    dataset: `0x${"ab".repeat(32)}`,
    subjectKey: subjectFromSecret(new Uint8Array(32).fill(7), provider).publicKey,
  } as const;
  const json = toJson(card) as Record<string, unknown>;
  for (const text of [JSON.stringify(json), `https://app.example/#/ask/${toLinkPart(json)}`]) {
    assert.deepEqual(readCard(text, site), card);
  }
});

test("a consent goes to the asker as text and comes back as it was", () => {
  const file = consentFileOf({ query: 5n, sealed: "AQID", notAfter: 100 });
  assert.deepEqual(readConsentFile(JSON.stringify(file), file.query), file);
});
