import assert from "node:assert/strict";
import { test } from "node:test";
import { testAddress } from "@quorate/testkit";
import { type DomainInfo, signProfile } from "@quorate/wire";
import { privateKeyToAccount } from "viem/accounts";
import { signedNameOf } from "./signedName.ts";

const NOW = 1_800_000_000;
const account = privateKeyToAccount(`0x${"5".repeat(64)}`);
const site = { chainId: 31_337, market: testAddress(2) };
const body = { name: "Tidewater Payroll", agents: [], engines: [], endpoints: [] };
const sign = (at = site) => signProfile({ body, createdAt: NOW - 10, expiry: NOW + 10 }, account, at);

test("a domain provider has the name that its account signed for this market, and only as long as it says so", async () => {
  const info: DomainInfo = {
    ...site,
    name: "whatever the agent says",
    version: "1",
    provider: account.address,
    agent: testAddress(3),
    datasets: [],
  };
  const profile = await sign();
  assert.equal(await signedNameOf({ ...info, profile }, NOW), "Tidewater Payroll");
  assert.equal(await signedNameOf(info, NOW), undefined);
  assert.equal(await signedNameOf({ ...info, profile }, NOW + 10), undefined);
  assert.equal(await signedNameOf({ ...info, provider: testAddress(4), profile }, NOW), undefined);
  assert.equal(
    await signedNameOf({ ...info, profile: { ...profile, body: { ...body, name: "Other" } } }, NOW),
    undefined,
  );
  assert.equal(
    await signedNameOf({ ...info, profile: await sign({ ...site, market: testAddress(9) }) }, NOW),
    undefined,
  );
});
