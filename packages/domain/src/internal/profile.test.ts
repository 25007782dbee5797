import assert from "node:assert/strict";
import { test } from "node:test";
import { assertCode, testAddress } from "@quorate/testkit";
import { encodeProfile, signProfile } from "@quorate/wire";
import { privateKeyToAccount } from "viem/accounts";
import { parseDomainConfig } from "./config.ts";
import { assertProfile } from "./profile.ts";

const account = privateKeyToAccount(`0x${"5".repeat(64)}`);
const site = { chainId: 31_337, market: testAddress(2) };
const body = { name: "Tidewater Payroll", agents: [testAddress(3)], engines: [], endpoints: [] };

test("a profile is taken that the provider signed for this market, and no other", async () => {
  const profile = await signProfile({ body, createdAt: 1, expiry: 2 }, account, site);
  const settings = {
    ...site,
    provider: account.address,
    rpcUrls: ["http://127.0.0.1:8545"],
    dataDir: "data",
    profile: encodeProfile(profile),
  };
  const config = parseDomainConfig(JSON.parse(JSON.stringify(settings)));
  assert.deepEqual(config.profile, profile);
  await assertProfile(config);
  await assertProfile({ ...config, profile: undefined });
  await assertCode(assertProfile({ ...config, provider: testAddress(4) }), "DOMAIN_CONFIG");
  await assertCode(assertProfile({ ...config, market: testAddress(9) }), "DOMAIN_CONFIG");
  await assertCode(
    assertProfile({ ...config, profile: { ...profile, body: { ...body, name: "Another" } } }),
    "DOMAIN_CONFIG",
  );
  await assertCode(
    () => parseDomainConfig({ ...settings, profile: { ...settings.profile, body: {} } }),
    "DOMAIN_CONFIG",
  );
});
