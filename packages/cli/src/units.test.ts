import assert from "node:assert/strict";
import { test } from "node:test";
import { assertCode } from "@quorate/testkit";
import { formatDuration, parseAddress, parseDuration, parsePercent, parseSize, parseWhole } from "./units.ts";

test("durations are read in s, m, h and d", () => {
  assert.deepEqual(
    ["90s", "15m", "2h", "1d", "0s"].map((text) => parseDuration(text, "--wait")),
    [90, 900, 7_200, 86_400, 0],
  );
});

for (const text of ["", "5", "m", "-5m", "1.5h", "5 m", "5w", "99999999999d", `${"9".repeat(400)}s`]) {
  test(`"${text.slice(0, 12)}" is no duration`, async () => {
    await assertCode(() => parseDuration(text, "--wait"), "USAGE_DURATION");
  });
}

test("sizes are read in bytes, k, M and G", () => {
  assert.deepEqual(
    ["1", "2k", "3M", "1G"].map((text) => parseSize(text, "--memory")),
    [1, 2_048, 3_145_728, 1_073_741_824],
  );
});

for (const text of ["", "0", "1.5M", "-1", "1m", "1T", "999999999G"]) {
  test(`"${text}" is no size`, async () => {
    await assertCode(() => parseSize(text, "--memory"), "USAGE_SIZE");
  });
}

test("whole numbers are digits within their bounds", async () => {
  assert.equal(parseWhole("16", "--seats", 2, 16), 16);
  for (const text of ["1", "17", "0x3", "3.0", "", " 3", "1e1"])
    await assertCode(() => parseWhole(text, "--seats", 2, 16), "USAGE_NUMBER");
});

test("percentages become ten thousandths without losing a hundredth", async () => {
  assert.deepEqual(
    ["0", "10", "12.5", "0.01", "33.33", "50"].map((text) => parsePercent(text, "--callout", 50)),
    [0, 1_000, 1_250, 1, 3_333, 5_000],
  );
  for (const text of ["50.01", "1.234", "-1", "ten", ""])
    await assertCode(() => parsePercent(text, "--callout", 50), "USAGE_PERCENT");
});

test("addresses are taken in one case or with the right checksum, and get their checksum", async () => {
  const address = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
  assert.equal(parseAddress(address, "The account"), address);
  assert.equal(parseAddress(address.toLowerCase(), "The account"), address);
  for (const text of ["", "0x1", "70997970C51812dc3A010C7d01b50e0d17dc79C8", address.replace("dc79", "dC79")])
    await assertCode(() => parseAddress(text, "The account"), "USAGE_ADDRESS");
});

test("time spans are told in the unit that fits", () => {
  assert.deepEqual([-5, 0, 119, 120, 7_199, 7_200, 172_800].map(formatDuration), [
    "0 s",
    "0 s",
    "119 s",
    "2 min",
    "120 min",
    "2 h",
    "2 d",
  ]);
});
