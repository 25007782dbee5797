import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { assertCode, testAddress, testDomain, testHash } from "@quorate/testkit";
import { privateKeyToAccount } from "viem/accounts";
import { parseWire } from "./errors.ts";
import { agent, nowS, otherDomain, requester as provider } from "./fixtures/drafts.ts";
import {
  encodePresence,
  encodeProfile,
  type Profile,
  presenceSchema,
  profileSchema,
  signPresence,
  signProfile,
  verifyPresence,
  verifyProfile,
} from "./profile.ts";
import { verifyProfileUrl } from "./profile-url.ts";

const body: Profile["body"] = {
  name: "Quorum Labs",
  url: "https://labs.example",
  agents: [agent.address],
  engines: [{ name: "quickjs", version: "0.32.0" }],
  endpoints: ["https://relay.example/q"],
  prices: [{ token: testAddress(9), from: 12345678901234567890n }],
};
const times = { createdAt: nowS, expiry: nowS + 86_400 };
const profile = await signProfile({ body, ...times }, provider, testDomain);
const through = (value: Profile): Profile =>
  parseWire(profileSchema, JSON.parse(JSON.stringify(encodeProfile(value))), "INVALID_PROFILE", "The profile");

describe("profile", () => {
  it("travels as JSON and stays valid, for its market only", async () => {
    assert.deepEqual(through(profile), profile);
    assert.equal(await verifyProfile(through(profile), testDomain), true);
    assert.equal(await verifyProfile(profile, otherDomain), false);
  });

  it("is void after a change, and for another provider", async () => {
    const more = { ...body, agents: [agent.address, testAddress(1)] };
    assert.equal(await verifyProfile({ ...profile, body: more }, testDomain), false);
    assert.equal(await verifyProfile({ ...profile, provider: agent.address }, testDomain), false);
    assert.equal(await verifyProfile({ ...profile, expiry: profile.expiry + 1 }, testDomain), false);
  });

  it("refuses texts that fake or break a display, and URLs that are none", async () => {
    for (const changes of [
      { name: "" },
      { name: "x".repeat(81) },
      { name: "Quorum\nLabs" },
      { name: "Quorum\u202eLabs" },
      { url: "javascript:alert(1)" },
      { url: "https://user:secret@labs.example" },
      { url: "labs.example" },
      { endpoints: ["ftp://relay.example"] },
      { agents: Array.from({ length: 17 }, (_, index) => testAddress(index)) },
    ]) {
      await assertCode(
        signProfile({ body: { ...body, ...changes }, ...times }, provider, testDomain),
        "INVALID_PROFILE",
      );
    }
  });
});

describe("presence", () => {
  const draft = { provider: provider.address, createdAt: nowS, expiry: nowS + 600 };

  it("counts when the provider or an agent of its profile signs it", async () => {
    for (const signer of [provider, agent]) {
      const presence = await signPresence(draft, signer, testDomain);
      const copy = parseWire(presenceSchema, encodePresence(presence), "INVALID_PROFILE", "It");
      assert.equal(await verifyPresence(copy, profile, testDomain), true);
      assert.equal(await verifyPresence(copy, profile, otherDomain), false);
      assert.equal(await verifyPresence({ ...copy, expiry: copy.expiry + 1 }, profile, testDomain), false);
    }
  });

  it("does not count from a stranger, or for another provider", async () => {
    const stranger = privateKeyToAccount(testHash(77));
    const forged = await signPresence(draft, stranger, testDomain);
    assert.equal(await verifyPresence(forged, profile, testDomain), false);
    assert.equal(await verifyPresence({ ...forged, sender: agent.address }, profile, testDomain), false);
    const other = await signPresence({ ...draft, provider: stranger.address }, agent, testDomain);
    assert.equal(await verifyPresence(other, profile, testDomain), false);
  });
});

describe("profile URL", () => {
  const answering =
    (json: unknown, init?: ResponseInit): typeof fetch =>
    async () =>
      new Response(typeof json === "string" ? json : JSON.stringify(json), init);
  const naming = { version: 1, providers: [{ address: provider.address }], contact: "ignored" };
  const verdict = async (
    fetch_: typeof fetch,
    changes: Partial<Profile["body"]> = {},
    allowLocal = false,
  ): Promise<string> => {
    const changed = { ...profile, body: { ...body, ...changes } };
    const result = await verifyProfileUrl(changed, { fetch: fetch_, chainId: 31337, allowLocal });
    return result.proved ? result.origin : result.error.code;
  };

  it("is proved by a document at the site's origin that names the provider", async () => {
    const asked: string[] = [];
    const fetch_: typeof fetch = async (input, init) => {
      asked.push(`${String(input)} ${init?.redirect}`);
      return new Response(JSON.stringify(naming));
    };
    assert.equal(await verdict(fetch_, { url: "https://labs.example/about/us?x=1" }), "https://labs.example");
    assert.deepEqual(asked, ["https://labs.example/.well-known/quorate.json error"]);
  });

  it("is not proved by a document that names others, or the provider on another chain", async () => {
    assert.equal(await verdict(answering({ version: 1, providers: [] })), "PROFILE_URL_NOT_NAMED");
    const elsewhere = { version: 1, providers: [{ address: provider.address, chainId: 1 }] };
    assert.equal(await verdict(answering(elsewhere)), "PROFILE_URL_NOT_NAMED");
    const here = { version: 1, providers: [...elsewhere.providers, { address: provider.address, chainId: 31337 }] };
    assert.equal(await verdict(answering(here)), "https://labs.example");
  });

  it("survives sites that answer garbage, errors, floods or nothing", async () => {
    assert.equal(await verdict(answering("<html>")), "PROFILE_URL_UNREADABLE");
    assert.equal(await verdict(answering(naming, { status: 404 })), "PROFILE_URL_UNREADABLE");
    assert.equal(await verdict(answering("x".repeat(100_000))), "PROFILE_URL_UNREADABLE");
    assert.equal(await verdict(answering({ version: 2, providers: [] })), "PROFILE_URL_UNREADABLE");
    const failing: typeof fetch = async () => {
      throw new TypeError("fetch failed");
    };
    assert.equal(await verdict(failing), "PROFILE_URL_UNREADABLE");
    assert.equal(await verdict(answering(naming), { url: undefined }), "PROFILE_URL_MISSING");
  });

  it("calls no address of the reader's own network for a stranger's profile", async () => {
    const calls: unknown[] = [];
    const spy: typeof fetch = async (input) => {
      calls.push(input);
      return new Response(JSON.stringify(naming));
    };
    for (const url of [
      "http://labs.example",
      "https://127.0.0.1",
      "https://2130706433",
      "https://0x7f.1",
      "https://[::1]",
      "https://localhost",
      "https://db.internal",
      "https://printer.local.",
      "https://labs.example:8443",
    ]) {
      assert.equal(await verdict(spy, { url }), "PROFILE_URL_REFUSED", url);
    }
    assert.deepEqual(calls, []);
    assert.equal(await verdict(spy, { url: "http://127.0.0.1:8080/x" }, true), "http://127.0.0.1:8080");
  });
});
