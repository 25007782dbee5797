import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeErrorResult, parseAbi } from "viem";
import { judgeBroadcast, revertData } from "./failures.ts";
import { planFees } from "./fees.ts";
import { explainRevert } from "./revert.ts";

const gwei = 10n ** 9n;

test("planned fees never pass the cap, cover the base fee, and raise a replacement by more than a tenth", () => {
  const fee = fc.bigInt({ min: 0n, max: 1000n * gwei });
  fc.assert(
    fc.property(
      fee,
      fee,
      fee,
      fee,
      fc.option(fc.tuple(fee, fee)),
      (baseFee, suggested, cap, maxPriorityFee, earlier) => {
        const [one, two] = earlier ?? [0n, 0n];
        const [low, high] = one < two ? [one, two] : [two, one];
        const previous = earlier === null ? undefined : { maxFee: high, priorityFee: low };
        const fees = planFees({
          baseFee,
          suggested,
          cap,
          maxPriorityFee,
          ...(previous === undefined ? {} : { previous }),
        });
        if (fees === undefined) {
          // Only refused when the cap leaves no room.
          const least = previous === undefined ? baseFee : previous.maxFee + previous.maxFee / 8n + 1n;
          assert.ok(
            cap < least ||
              cap < baseFee ||
              (previous !== undefined && cap < previous.priorityFee + previous.priorityFee / 8n + 1n) ||
              (previous !== undefined && cap < suggested),
          );
          return;
        }
        assert.ok(fees.maxFee <= cap && fees.maxFee >= baseFee && fees.priorityFee <= fees.maxFee);
        if (previous !== undefined) {
          assert.ok(fees.maxFee * 10n >= previous.maxFee * 11n);
          assert.ok(fees.priorityFee * 10n >= previous.priorityFee * 11n);
        } else assert.ok(fees.priorityFee <= maxPriorityFee);
      },
    ),
    { numRuns: 2000 },
  );
});

test("answers of nodes are understood, whatever the words; what is not understood means nothing", () => {
  const cases: [string, string][] = [
    ["already known", "known"],
    ["Known transaction: 0x12", "known"],
    ["ALREADY_EXISTS: already known", "known"],
    ["transaction already imported", "known"],
    ["nonce too low: next nonce 5, tx nonce 3", "nonce-too-low"],
    ["OldNonce, Current nonce: 3, nonce of rejected tx: 1", "nonce-too-low"],
    ["Nonce too low. Expected nonce to be 1 but got 0.", "nonce-too-low"],
    ["replacement transaction underpriced", "underpriced"],
    ["transaction underpriced: tip needed 1, tip permitted 0", "underpriced"],
    ["max fee per gas less than block base fee: address 0x1", "underpriced"],
    ["insufficient funds for gas * price + value", "insufficient-funds"],
    ["Insufficient funds for gas * price + value", "insufficient-funds"],
    ["Sender doesn't have enough funds to send tx", "insufficient-funds"],
    ["intrinsic gas too low", "invalid"],
    ["exceeds block gas limit", "invalid"],
    ["internal error", "unknown"],
    ["fetch failed", "unknown"],
  ];
  for (const [message, verdict] of cases)
    assert.equal(judgeBroadcast(new Error("RPC request failed", { cause: { message } })), verdict, message);
});

test("revert data is found where clients hide it, and put into words", () => {
  const abi = parseAbi(["error SeatNotLate(bytes32 id, uint8 seat, uint40 deadline)"]);
  const data = encodeErrorResult({ abi, errorName: "SeatNotLate", args: [`0x${"01".repeat(32)}`, 2, 99] });
  const error = new Error("outer", { cause: Object.assign(new Error("execution reverted"), { data: { data } }) });
  assert.equal(revertData(error), data);
  assert.equal(revertData(new Error("fetch failed")), undefined);
  assert.equal(revertData(new Error("execution reverted")), "0x");
  const reason = explainRevert("REVERTED", data, abi);
  assert.equal(reason.errorName, "SeatNotLate");
  assert.deepEqual(reason.args, [`0x${"01".repeat(32)}`, "2", "99"]);
  const text = encodeErrorResult({ abi: parseAbi(["error Error(string message)"]), errorName: "Error", args: ["no"] });
  assert.match(explainRevert("REVERTED", text, undefined).message, /Error\(no\)/);
  assert.match(explainRevert("REVERTED", "0xdeadbeef", abi).message, /0xdeadbeef/);
});
