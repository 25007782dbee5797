import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Request, Role } from "@quorate/core";
import { parseTrustPolicy, type ReceivedOffer } from "@quorate/sdk";
import { addOffer, offersState, samePanel } from "./offers.ts";

const jobId = `0x${"0a".repeat(32)}` as const;
const account = (digit: number) => `0x${String(digit).repeat(40)}` as const;
const request = { seats: 2, spares: 1, shadows: 0, flags: 0, bond: 5n, requester: account(9) } as Request;
const offer = (digit: number, price: bigint): ReceivedOffer => ({
  kind: "offer",
  sender: account(digit),
  agent: account(digit),
  offer: {
    provider: account(digit),
    price,
    encryptionKey: jobId,
    roles: Role.Seat | Role.Spare,
    expiry: 1_000,
    signature: `0x0${digit}`,
    keyWrap: "0x",
  },
  faults: [],
  facts: { free: 10n, onProbation: false },
  judgement: { accepted: false, reasons: [], roles: 0, organization: "", onAllowList: false },
});
const received = [offer(1, 40n), offer(2, 20n), offer(3, 30n), offer(4, 10n)];
const trusting = (...digits: number[]) =>
  parseTrustPolicy({ version: 1, allow: digits.map((digit) => ({ provider: account(digit) })) });
const stateOf = (policy: ReturnType<typeof trusting>, now = 500) =>
  offersState({ jobId, request, policy, history: new Map(), received, now });

describe("offers", () => {
  it("are judged anew by each policy, whatever was judged when they came", () => {
    const nobody = stateOf(trusting());
    assert.equal(nobody.selection.complete, false);
    assert.ok(nobody.rows.every(({ role }) => role === undefined));
    const some = stateOf(trusting(1, 2, 3));
    assert.equal(some.selection.complete, true);
    assert.deepEqual(
      some.rows.map(
        ({
          received: {
            offer: { provider },
          },
          role,
        }) => [provider, role],
      ),
      [
        [account(2), "seat"],
        [account(3), "seat"],
        [account(1), "spare"],
        [account(4), undefined],
      ],
    );
  });

  it("that the policy takes and nobody needs are told from refused ones", () => {
    const all = stateOf(trusting(1, 2, 3, 4));
    const last = all.rows.at(-1);
    assert.equal(last?.isPassedOver, true);
    assert.match(last?.reasons.join() ?? "", /went to a better offer/);
    assert.match(stateOf(trusting(1)).rows.at(-1)?.reasons.join() ?? "", /not on the allow list/);
  });

  it("end with their time", () => {
    assert.equal(stateOf(trusting(1, 2, 3), 1_000).selection.complete, false);
  });

  it("are listed once, however often they come", () => {
    const once = addOffer([], offer(1, 40n));
    assert.equal(addOffer(once, offer(1, 40n)), once);
    const bad: ReceivedOffer = { kind: "unusable", sender: account(1), code: "X", reason: "y" };
    assert.equal(addOffer(addOffer(once, bad), bad).length, 2);
  });

  it("give another panel when somebody else is seated", () => {
    const a = stateOf(trusting(1, 2, 3)).selection;
    assert.equal(samePanel(a, stateOf(trusting(1, 2, 3)).selection), true);
    assert.equal(samePanel(a, stateOf(trusting(1, 2, 4)).selection), false);
  });
});
