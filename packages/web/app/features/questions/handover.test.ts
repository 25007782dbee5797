import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { subjectFromSecret, toJson } from "@quorate/proofs";
import { assertCode } from "@quorate/testkit";
import { toLinkPart } from "../../lib/share.ts";
import { readCard } from "./card.ts";
import { consentFileOf, readConsentFile } from "./consentFile.ts";

const market = { chainId: 31_337, market: "0x00000000000000000000000000000000000000b2" } as const;
const provider = "0x00000000000000000000000000000000000000A1";
const { publicKey } = subjectFromSecret(new Uint8Array(32).fill(7), provider);
const card = {
  version: 1,
  ...market,
  provider,
  providerUrl: "https://payroll.example",
  dataset: `0x${"ab".repeat(32)}`,
  subjectKey: publicKey,
} as const;
const json = toJson(card) as Record<string, unknown>;

describe("a card", () => {
  test("is read from text and from a link", () => {
    for (const text of [JSON.stringify(json), `https://app.example/#/ask/${toLinkPart(json)}`]) {
      assert.deepEqual(readCard(text, market), card);
    }
  });

  test("of another market, of no usable key, or of another form is refused", async () => {
    const read = (change: object) => () => readCard(JSON.stringify({ ...json, ...change }), market);
    await assertCode(read({ chainId: 1 }), "SUBJECT_CARD_OTHER_MARKET");
    await assertCode(read({ market: provider }), "SUBJECT_CARD_OTHER_MARKET");
    await assertCode(read({ subjectKey: ["1", "2"] }), "SUBJECT_CARD_INVALID");
    await assertCode(read({ subjectKey: ["0", "1"] }), "SUBJECT_CARD_INVALID");
    await assertCode(read({ providerUrl: "javascript:alert(1)" }), "SUBJECT_CARD_INVALID");
    await assertCode(read({ version: 2 }), "SUBJECT_CARD_INVALID");
  });
});

describe("a consent", () => {
  const file = consentFileOf({ query: 5n, sealed: "AQID", notAfter: 100 });

  test("goes to the asker as text and comes back as it was", () => {
    assert.equal(file.query, `0x${"0".repeat(63)}5`);
    assert.deepEqual(readConsentFile(JSON.stringify(file), file.query), file);
  });

  test("to another question, or of another form, is refused", async () => {
    const other = `0x${"0".repeat(63)}6` as const;
    await assertCode(() => readConsentFile(JSON.stringify(file), other), "CONSENT_FILE_OTHER_QUERY");
    const broken = JSON.stringify({ ...file, consent: "not base64!" });
    await assertCode(() => readConsentFile(broken, file.query), "CONSENT_FILE_INVALID");
  });
});
