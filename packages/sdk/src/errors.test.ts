import assert from "node:assert/strict";
import { test } from "node:test";
import { jobMarketAbi, queryMarketAbi } from "@quorate/abi";
import { OfferFault } from "@quorate/core";
import { encodeErrorResult } from "viem";
import { contractErrors, tokenErrors } from "./contractErrors.ts";
import { ContractRefused, decodeContractError, offerFaultName, toContractError } from "./errors.ts";
import { queryContractErrors } from "./queryContractErrors.ts";
import { offerFaultReason } from "./trust/judgeOffer.ts";

const errorNames = jobMarketAbi.flatMap((item) => (item.type === "error" ? [item.name as string] : []));
const queryErrorNames = queryMarketAbi.flatMap((item) => (item.type === "error" ? [item.name as string] : []));

test("every custom error of the job market has a row, and no row is left over", () => {
  assert.ok(errorNames.length > 20, "the ABI has errors");
  assert.deepEqual(Object.keys(contractErrors).sort(), [...errorNames].sort());
});

test("every custom error of the query market has one row, and no row is left over", () => {
  const own = queryErrorNames.filter((name) => !errorNames.includes(name));
  assert.ok(own.length > 20, "the ABI has errors of its own");
  assert.deepEqual(Object.keys(queryContractErrors).sort(), own.sort());
});

test("codes are stable spellings, and every row says what happened and what to do", () => {
  for (const [name, row] of Object.entries({ ...contractErrors, ...queryContractErrors, ...tokenErrors })) {
    assert.match(row.code, /^[A-Z][A-Z0-9_]+$/, name);
    assert.match(row.reason, /[^.]$/, `${name}: the reason is continued by the arguments`);
    assert.match(row.advice, /\.$/, name);
  }
});

test("a refusal carries code, name, arguments and advice", () => {
  const error = decodeContractError(
    encodeErrorResult({
      abi: jobMarketAbi,
      errorName: "InsufficientFree",
      args: [`0x${"01".repeat(20)}`, `0x${"02".repeat(20)}`, 5n, 7n],
    }),
  );
  assert.ok(error instanceof ContractRefused);
  assert.equal(error.code, "INSUFFICIENT_FREE_BALANCE");
  assert.equal(error.errorName, "InsufficientFree");
  assert.equal(error.errorArguments.free, 5n);
  assert.equal(error.retry, true);
  assert.match(error.message, /free: 5, required: 7\)\. Deposit the difference/);
  assert.equal(error.details?.required, "7");
});

test("bad offers are named by place and fault", () => {
  const error = decodeContractError(
    encodeErrorResult({
      abi: jobMarketAbi,
      errorName: "BadOffers",
      args: [
        [
          { place: 2, fault: OfferFault.Expired },
          { place: 3, fault: OfferFault.BondExceedsFree },
        ],
      ],
    }),
  );
  assert.equal(error.code, "BAD_OFFERS");
  assert.deepEqual(error.refusedOffers, [
    { place: 2, fault: "Expired" },
    { place: 3, fault: "BondExceedsFree" },
  ]);
  assert.match(error.message, /place 2: Expired/);
});

test("every fault of an offer has words", () => {
  for (const [name, fault] of Object.entries(OfferFault)) {
    assert.equal(offerFaultName(fault), name);
    assert.ok(offerFaultReason(name as keyof typeof OfferFault).length > 5);
  }
});

test("an error that the ABI does not know is refused by selector", () => {
  const error = decodeContractError("0xdeadbeef");
  assert.equal(error.code, "CONTRACT_ERROR_UNKNOWN");
  assert.match(error.message, /0xdeadbeef/);
});

test("silence of a node is no refusal", () => {
  const error = toContractError(new TypeError("fetch failed"));
  assert.equal(error.code, "NODE_UNREACHABLE");
  assert.ok(!(error instanceof ContractRefused));
});
