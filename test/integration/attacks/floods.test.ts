// Whoever floods a topic, for example a relay of several that makes up senders, may cost work, never the service.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Hex, hashRequirements, jobIdOf, type Request, requirementsOf, silentLogger } from "@quorate/core";
import { buildManifest, buildRequest, testDomain, until } from "@quorate/testkit";
import type { RequestJudgement } from "../../../packages/agent/src/internal/judge-request.ts";
import { createOfferDesk } from "../../../packages/agent/src/internal/offer-desk.ts";

const FLOOD = 2_100;
const FAR = 2 ** 39;
const requirements = requirementsOf(buildManifest());
const request = (nonce: number): Request =>
  buildRequest({ requirementsHash: hashRequirements(requirements), expiry: FAR, nonce: BigInt(nonce) });
const jobIdOfNonce = (nonce: number): Hex => jobIdOf(request(nonce), testDomain);
const refusal = (code: string): RequestJudgement => ({ takes: false, reasons: [{ code, message: "" }] });

/** An offer desk that takes the request with nonce zero, and a count of what it asked the chain. */
function deskOf(onFlood: () => RequestJudgement, policyTakes: (nonce: bigint) => boolean) {
  const stop = new AbortController();
  const offered: Hex[] = [];
  let asked = 0;
  const desk = createOfferDesk({
    domain: testDomain,
    judgePolicy: ({ nonce }) => (policyTakes(nonce) ? undefined : [{ code: "TOKEN_NOT_ACCEPTED", message: "" }]),
    judge: async ({ nonce }) => {
      asked += 1;
      return nonce === 0n ? { takes: true, price: 1n, roles: 1, expiry: FAR, reasons: [] } : onFlood();
    },
    offer: (jobId) => void offered.push(jobId),
    isKnown: (jobId) => offered.includes(jobId),
    now: () => 1_000,
    // Between two looks at what was refused, the desk rests: that is when it has the most in hand.
    tick: (signal) => new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true })),
    logger: silentLogger,
  });
  const running = desk.run(stop.signal);
  return {
    desk,
    offered,
    asked: () => asked,
    close: async () => {
      stop.abort();
      await running;
    },
  };
}

describe("a flood of requests", () => {
  test("that may be funded later does not keep a new request out", async () => {
    const { desk, offered, asked, close } = deskOf(
      () => refusal("REQUESTER_UNFUNDED"),
      () => true,
    );
    for (let nonce = 1; nonce <= FLOOD; nonce++) {
      desk.see(request(nonce), requirements);
      if (nonce % 500 === 0) await until(() => asked() >= Math.min(nonce, 2_000));
    }
    desk.see(request(0), requirements);
    await until(() => offered.length > 0);
    await close();
    assert.deepEqual(offered, [jobIdOfNonce(0)]);
  });

  test("whose facts cannot be read does not keep a new request out", async () => {
    const { desk, offered, asked, close } = deskOf(
      () => {
        throw new Error("the token of this request is no contract");
      },
      () => true,
    );
    for (let nonce = 1; nonce <= FLOOD; nonce++) {
      desk.see(request(nonce), requirements);
      if (nonce % 500 === 0) await until(() => asked() >= Math.min(nonce, 2_000));
    }
    desk.see(request(0), requirements);
    await until(() => offered.length > 0);
    await close();
    assert.deepEqual(offered, [jobIdOfNonce(0)]);
  });

  test("that the policy refuses whatever the chain says costs no look at the chain", async () => {
    const { desk, offered, asked, close } = deskOf(
      () => refusal("UNREACHABLE"),
      (nonce) => nonce === 0n,
    );
    for (let nonce = 1; nonce <= 100; nonce++) desk.see(request(nonce), requirements);
    desk.see(request(0), requirements);
    await until(() => offered.length > 0);
    await close();
    assert.equal(asked(), 1);
    assert.equal(desk.refusals().get(jobIdOfNonce(7))?.[0]?.code, "TOKEN_NOT_ACCEPTED");
  });
});
