import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { subjectFromSecret, toJson } from "@quorate/proofs";
import { assertCode } from "@quorate/testkit";
import { getAddress } from "viem";
import { consentFileOf, parseConsentFile, parseSubjectCard } from "./handover.ts";

const site = { chainId: 31_337, market: getAddress("0x00000000000000000000000000000000000000b2") } as const;
const provider = "0x00000000000000000000000000000000000000A1";
const { publicKey } = subjectFromSecret(new Uint8Array(32).fill(7), provider);
const card = {
  version: 1,
  ...site,
  provider,
  providerUrl: "https://payroll.example",
  dataset: `0x${"ab".repeat(32)}`,
  subjectKey: publicKey,
} as const;
const json = JSON.parse(JSON.stringify(toJson(card))) as Record<string, unknown>;

describe("a card", () => {
  test("is read as it was written", () => {
    assert.deepEqual(parseSubjectCard(json, site), card);
  });

  test("of another market, of no usable key, or of another form is refused", async () => {
    const read = (change: object) => () => parseSubjectCard({ ...json, ...change }, site);
    await assertCode(read({ chainId: 1 }), "SUBJECT_CARD_OTHER_MARKET");
    await assertCode(read({ market: provider }), "SUBJECT_CARD_OTHER_MARKET");
    await assertCode(read({ subjectKey: ["1", "2"] }), "SUBJECT_CARD_INVALID");
    await assertCode(read({ subjectKey: ["0", "1"] }), "SUBJECT_CARD_INVALID");
    await assertCode(read({ providerUrl: "javascript:alert(1)" }), "SUBJECT_CARD_INVALID");
    await assertCode(read({ version: 2 }), "SUBJECT_CARD_INVALID");
    await assertCode(() => parseSubjectCard(undefined, site), "SUBJECT_CARD_INVALID");
  });
});

describe("a consent", () => {
  const file = consentFileOf({ query: 5n, sealed: "AQID", notAfter: 100 });

  test("comes back as it was", () => {
    assert.equal(file.query, `0x${"0".repeat(63)}5`);
    assert.deepEqual(parseConsentFile(JSON.parse(JSON.stringify(file)), file.query), file);
  });

  test("to another question, or of another form, is refused", async () => {
    await assertCode(() => parseConsentFile(file, `0x${"0".repeat(63)}6`), "CONSENT_FILE_OTHER_QUERY");
    await assertCode(() => parseConsentFile({ ...file, consent: "not base64!" }, file.query), "CONSENT_FILE_INVALID");
    await assertCode(() => parseConsentFile("", file.query), "CONSENT_FILE_INVALID");
  });
});
