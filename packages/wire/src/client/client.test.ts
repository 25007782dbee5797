import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { blocksOf, type Hex, type QuorateError, RetryableError } from "@quorate/core";
import { assertCode, fakeClock, recordingLogger, testDomain, testHash, until } from "@quorate/testkit";
import { privateKeyToAccount } from "viem/accounts";
import { type Envelope, encodeEnvelope, REQUESTS_TOPIC, signEnvelope } from "../envelope.ts";
import { agent, draftOf, jobId, nowS, otherDomain, requester } from "../fixtures/drafts.ts";
import { encodePresence, encodeProfile, type Profile, signPresence, signProfile } from "../profile.ts";
import { createRelayClient } from "./client.ts";
import { VerifiedMessages } from "./topic.ts";
import type { RelayClient, RelayClientOptions } from "./types.ts";

type Handler = (request: Request) => Promise<Response> | Response;

/** A relay in memory: honest unless a test replaces one of its answers. */
class MemoryRelay {
  messages: unknown[] = [];
  readonly blocks = new Map<string, Uint8Array<ArrayBuffer>>();
  profiles: unknown[] = [];
  calls: string[] = [];
  epoch = "aa";
  override: Handler | undefined;

  async handle(request: Request): Promise<Response> {
    const url = new URL(request.url);
    this.calls.push(`${request.method} ${url.pathname}`);
    if (this.override !== undefined) return this.override(request);
    if (request.method === "POST") {
      this.messages.push(await request.json());
      return Response.json({ seq: this.messages.length, digest: testHash(1), duplicate: false }, { status: 201 });
    }
    if (url.pathname.startsWith("/ipfs/")) return this.#block(request, url.pathname.slice(6));
    if (url.pathname === "/v1/profiles") return Response.json({ profiles: this.profiles });
    return this.page(url);
  }

  async page(url: URL): Promise<Response> {
    const [epoch, seq] = (url.searchParams.get("after") ?? "-").split("-") as [string, string];
    const start = epoch === this.epoch ? Number(seq) : 0;
    const waitMs = Number(url.searchParams.get("waitMs"));
    const deadline = performance.now() + waitMs;
    await until(() => this.messages.length > start || performance.now() >= deadline, { timeoutMs: waitMs + 1_000 });
    const messages = this.messages
      .slice(start, start + 200)
      .map((message, index) => ({ seq: start + index + 1, message }));
    const last = start + messages.length;
    return Response.json({ messages, cursor: `${this.epoch}-${last}`, more: last < this.messages.length });
  }

  async #block(request: Request, cid: string): Promise<Response> {
    if (request.method === "PUT") {
      this.blocks.set(cid, new Uint8Array(await request.arrayBuffer()));
      return Response.json({}, { status: 201 });
    }
    const bytes = this.blocks.get(cid);
    if (bytes === undefined) return refusal(404, "BLOCK_NOT_FOUND");
    return new Response(bytes);
  }
}

function refusal(status: number, code: string, headers: Record<string, string> = {}): Response {
  return Response.json({ error: { code, message: `${code} it is`, docs: "x.md" } }, { status, headers });
}

const hanging: Handler = () => new Promise<Response>(() => {});
const endless: Handler = () =>
  new Response(
    new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(65_536).fill(0x20)),
    }),
  );
const unreachable: Handler = () => {
  throw new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") });
};
const garbage: Handler = () => new Response("\u0000<html>500</html>");
const hostile: Record<string, Handler> = {
  hanging,
  endless,
  unreachable,
  garbage,
  "answering with a wrong shape": () => Response.json({ messages: "all", profiles: 5, cursor: {} }),
  "answering with an error that explains nothing": () => new Response("oops", { status: 502 }),
  "answering with an endless error": () =>
    new Response((endless(new Request("http://x")) as Response).body, { status: 500 }),
  redirecting: () => {
    throw new TypeError("redirect mode is set to error");
  },
};

function market(
  relays: readonly MemoryRelay[],
  options: Partial<RelayClientOptions> = {},
): { client: RelayClient; urls: string[] } {
  const urls = relays.map((_, index) => `http://relay${index}.test/base`);
  const fetch_ = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const { signal: _, ...rest } = init ?? {};
    assert.equal(rest.redirect, "error");
    assert.equal(rest.credentials, "omit");
    const url = new URL(String(input));
    assert.ok(url.pathname.startsWith("/base/"), "the base path is kept");
    const relay = relays[Number(/\d+/.exec(url.hostname)?.[0])] as MemoryRelay;
    url.pathname = url.pathname.slice(5);
    return relay.handle(new Request(url, rest));
  };
  const client = createRelayClient({
    urls,
    domain: testDomain,
    fetch: fetch_ as typeof fetch,
    clock: fakeClock(nowS * 1000),
    timeoutMs: 150,
    graceMs: 50,
    waitMs: 300,
    attempts: 2,
    ...options,
  });
  return { client, urls };
}

const offers: Envelope[] = [];
for (let index = 0; index < 6; index++) {
  offers.push(await signEnvelope(draftOf("offer", { createdAt: nowS - 10 + index }), agent, testDomain));
}
const json = (envelope: Envelope): unknown => JSON.parse(JSON.stringify(encodeEnvelope(envelope)));

async function take(
  client: RelayClient,
  topic: Hex,
  count: number,
  after?: Record<string, string>,
): Promise<{ got: Envelope[]; cursors: Record<string, string> }> {
  const stop = new AbortController();
  const deadline = setTimeout(() => stop.abort(), 8_000);
  const subscription = client.subscribe(topic, { signal: stop.signal, after });
  const got: Envelope[] = [];
  for await (const envelope of subscription) {
    got.push(envelope);
    if (got.length === count) break;
  }
  clearTimeout(deadline);
  return { got, cursors: subscription.cursors() };
}

describe("relay client", () => {
  it("refuses to be made without relays, with too many, or with URLs that are none", async () => {
    for (const urls of [
      [],
      ["relay.test"],
      ["file:///etc/passwd"],
      ["http://x.test/?a=1"],
      Array.from({ length: 17 }, (_, index) => `http://relay${index}.test`),
    ]) {
      await assertCode(() => createRelayClient({ urls, domain: testDomain }), "INVALID_RELAY_URL");
    }
    const same = createRelayClient({ urls: ["http://a.test/", "http://a.test"], domain: testDomain });
    assert.deepEqual(same.urls, ["http://a.test"]);
  });

  it("publishes to every relay", async () => {
    const relays = [new MemoryRelay(), new MemoryRelay()];
    const { client, urls } = market(relays);
    assert.deepEqual(await client.publish(offers[0] as Envelope), { accepted: urls, failed: [] });
    for (const relay of relays) assert.deepEqual(relay.messages, [json(offers[0] as Envelope)]);
  });

  for (const [name, handler] of Object.entries(hostile)) {
    it(`gets everything done beside a relay that is ${name}`, async () => {
      const [good, bad] = [new MemoryRelay(), new MemoryRelay()];
      bad.override = handler;
      const { client, urls } = market([bad, good]);
      const block = blocksOf(new Uint8Array([1, 2, 3]))[0] as { cid: string; bytes: Uint8Array };

      const report = await client.publish(offers[0] as Envelope);
      assert.ok(report.accepted.includes(urls[1] as string));
      await client.putBlock(block.cid, block.bytes);
      assert.deepEqual(await client.getBlock(block.cid), block.bytes);
      assert.deepEqual(await client.list(jobId), [offers[0]]);
      assert.deepEqual(await client.listProfiles(), []);
      assert.deepEqual((await take(client, jobId, 1)).got, [offers[0]]);
    });
  }

  it("reports why each relay failed", async () => {
    const relays = [new MemoryRelay(), new MemoryRelay(), new MemoryRelay(), new MemoryRelay()];
    const [, full, down, hung] = relays as [MemoryRelay, MemoryRelay, MemoryRelay, MemoryRelay];
    full.override = () => refusal(403, "BAD_SIGNATURE");
    down.override = unreachable;
    hung.override = hanging;
    const { client, urls } = market(relays, { graceMs: 400, attempts: 1, timeoutMs: 5_000 });
    const report = await client.publish(offers[0] as Envelope);
    assert.deepEqual(report.accepted, [urls[0]]);
    assert.deepEqual(
      report.failed.map(({ url, error }) => [url, error.code]),
      [
        [urls[1], "BAD_SIGNATURE"],
        [urls[2], "RELAY_UNREACHABLE"],
        [urls[3], "RELAY_SLOW"],
      ],
    );
  });

  it("fails for good when every relay refused, and says that trying again helps when one was only down", async () => {
    const [a, b] = [new MemoryRelay(), new MemoryRelay()];
    a.override = () => refusal(403, "BAD_SIGNATURE");
    b.override = () => refusal(400, "MESSAGE_EXPIRED");
    const { client } = market([a, b]);
    const refused = await assertCode(client.publish(offers[0] as Envelope), "RELAY_PUBLISH_FAILED");
    assert.equal(refused instanceof RetryableError, false);
    assert.equal(refused.details?.codes, "BAD_SIGNATURE,MESSAGE_EXPIRED");
    assert.equal(a.calls.length, 1, "a refusal is not repeated");
    b.override = unreachable;
    const failed = await assertCode(client.publish(offers[0] as Envelope), "RELAY_PUBLISH_FAILED");
    assert.equal(failed instanceof RetryableError, true);
  });

  it("tries again when a relay was busy", async () => {
    const relay = new MemoryRelay();
    let busy = 1;
    relay.override = () => {
      if (busy-- === 0) relay.override = undefined;
      return refusal(503, "RELAY_BUSY");
    };
    const { client } = market([relay], { attempts: 3 });
    await client.publish(offers[0] as Envelope);
    assert.equal(relay.messages.length, 1);
  });

  it("refuses to send what no relay may take", async () => {
    const { client } = market([new MemoryRelay()]);
    const { cid } = blocksOf(new Uint8Array([1]))[0] as { cid: string };
    await assertCode(client.putBlock(cid, new Uint8Array([2])), "BLOCK_MISMATCH");
    await assertCode(client.putBlock("../../x", new Uint8Array([2])), "BLOCK_MISMATCH");
  });

  it("ends at once when its caller aborts, even at a relay that ignores it", async () => {
    const relay = new MemoryRelay();
    relay.override = hanging;
    const { client } = market([relay], { timeoutMs: 60_000 });
    const reason = new Error("enough");
    for (const call of [
      (signal: AbortSignal) => client.publish(offers[0] as Envelope, { signal }),
      (signal: AbortSignal) => client.list(jobId, { signal }),
      (signal: AbortSignal) => client.getBlock(blocksOf(new Uint8Array([1]))[0]?.cid as string, { signal }),
      (signal: AbortSignal) => client.listProfiles({ signal }),
      (signal: AbortSignal) => client.status({ signal }),
    ]) {
      const stop = new AbortController();
      const running = call(stop.signal);
      stop.abort(reason);
      await assert.rejects(running, reason);
      await assert.rejects(call(AbortSignal.abort(reason)), reason);
    }
  });
});

describe("blocks from relays", () => {
  const block = blocksOf(new Uint8Array(1_000).fill(7))[0] as { cid: string; bytes: Uint8Array<ArrayBuffer> };

  it("come from the relay that has them, whoever lies", async () => {
    const relays = [new MemoryRelay(), new MemoryRelay(), new MemoryRelay()];
    const [liar, flood, good] = relays as [MemoryRelay, MemoryRelay, MemoryRelay];
    liar.override = () => new Response(new Uint8Array(1_000).fill(8));
    flood.override = endless;
    good.blocks.set(block.cid, block.bytes);
    const { client } = market(relays);
    assert.deepEqual(await client.getBlock(block.cid), block.bytes);
  });

  it("are asked for later at a relay that failed before", async () => {
    const [down, good] = [new MemoryRelay(), new MemoryRelay()];
    down.override = unreachable;
    good.blocks.set(block.cid, block.bytes);
    const { client } = market([down, good]);
    await client.getBlock(block.cid);
    const before = down.calls.length;
    await client.getBlock(block.cid);
    assert.equal(down.calls.length, before);
  });

  it("are not found when every relay says so, and unknown when one only failed", async () => {
    const [a, b] = [new MemoryRelay(), new MemoryRelay()];
    const { client } = market([a, b]);
    const missing = await assertCode(client.getBlock(block.cid), "BLOCK_NOT_FOUND");
    assert.equal(missing instanceof RetryableError, true);
    assert.equal(a.calls.length, 1, "asking again at once would not help");
    b.override = () => new Response(new Uint8Array(1));
    await assertCode(client.getBlock(block.cid), "RELAYS_UNREACHABLE");
  });
});

describe("subscription", () => {
  it("merges relays and gives each message once", async () => {
    const [a, b] = [new MemoryRelay(), new MemoryRelay()];
    a.messages = offers.slice(0, 4).map(json);
    b.messages = offers.slice(2).reverse().map(json);
    const { client } = market([a, b]);
    const { got } = await take(client, jobId, 6);
    assert.deepEqual(
      got.map(({ createdAt }) => createdAt).sort(),
      offers.map(({ createdAt }) => createdAt),
    );
  });

  it("sees what is posted later", async () => {
    const relay = new MemoryRelay();
    const { client } = market([relay]);
    const waiting = take(client, jobId, 1);
    await until(() => relay.calls.length > 0);
    relay.messages.push(json(offers[3] as Envelope));
    assert.deepEqual((await waiting).got, [offers[3]]);
  });

  it("goes on where it was, and begins again at a relay that lost its data", async () => {
    const relay = new MemoryRelay();
    relay.messages = offers.slice(0, 3).map(json);
    const { client, urls } = market([relay]);
    const stop = new AbortController();
    const subscription = client.subscribe(jobId, { signal: stop.signal });
    const got: Envelope[] = [];
    for await (const envelope of subscription) {
      got.push(envelope);
      if (got.length === 3) relay.messages.push(json(offers[3] as Envelope));
      if (got.length === 4) break;
    }
    assert.deepEqual(subscription.cursors(), { [urls[0] as string]: "aa-3" });

    relay.messages.push(json(offers[4] as Envelope));
    const resumed = await take(client, jobId, 2, subscription.cursors());
    assert.deepEqual(resumed.got, offers.slice(3, 5));

    relay.epoch = "bb";
    relay.messages = [json(offers[5] as Envelope)];
    assert.deepEqual((await take(client, jobId, 1, { [urls[0] as string]: "aa-5" })).got, [offers[5]]);
  });

  it("comes back after its only relay was away", async () => {
    const relay = new MemoryRelay();
    relay.override = unreachable;
    const logger = recordingLogger();
    const { client } = market([relay], { logger });
    const waiting = take(client, jobId, 1);
    await until(() => relay.calls.length >= 2);
    relay.override = undefined;
    relay.messages = [json(offers[0] as Envelope)];
    assert.deepEqual((await waiting).got, [offers[0]]);
    assert.equal(logger.entries.filter(({ event }) => event === "relay_failed").length, 1, "an outage is told once");
  });

  it("passes nothing on that is forged, expired, of another topic or market", async () => {
    const [liar, good] = [new MemoryRelay(), new MemoryRelay()];
    const genuine = offers[0] as Envelope<"offer">;
    const request = await signEnvelope(draftOf("request"), requester, testDomain);
    const foreign = draftOf("request");
    const elsewhere = await signEnvelope(
      { ...foreign, body: { ...foreign.body, chainId: otherDomain.chainId } },
      requester,
      otherDomain,
    );
    const expired = await signEnvelope(draftOf("offer", { createdAt: 5, expiry: nowS }), agent, testDomain);
    const early = await signEnvelope(
      draftOf("offer", { createdAt: nowS + 9_000, expiry: nowS + 9_999 }),
      agent,
      testDomain,
    );
    const otherTopic = await signEnvelope(draftOf("offer", { topic: testHash(4) }), agent, testDomain);
    liar.messages = [
      json({ ...genuine, body: { sealed: "BBBB" } }),
      json({ ...genuine, sender: requester.address }),
      json({ ...genuine, expiry: genuine.expiry + 9 }),
      json(expired),
      json(early),
      json(otherTopic),
      json(request),
      { kind: "offer" },
      null,
    ];
    good.messages = [json(genuine)];
    const { client } = market([liar, good]);
    assert.deepEqual((await take(client, jobId, 1)).got, [genuine]);
    assert.deepEqual(await client.list(jobId), [genuine]);
    good.messages = [json(elsewhere), json(request)];
    assert.deepEqual(await client.list(REQUESTS_TOPIC), [request]);
  });

  it("is not silenced by a forged copy that comes first", async () => {
    const relay = new MemoryRelay();
    const genuine = offers[0] as Envelope;
    relay.messages = [json({ ...genuine, signature: `0x${"11".repeat(64)}1b` }), json(genuine)];
    const { client } = market([relay]);
    assert.deepEqual((await take(client, jobId, 1)).got, [genuine]);
  });

  it("slows down at a relay that answers at once with nothing, with lies, or with the same for ever", async () => {
    const genuine = offers[0] as Envelope;
    const spins: Record<string, (turn: number) => unknown> = {
      nothing: () => ({ messages: [], cursor: "aa-0", more: false }),
      "moving cursors": (turn) => ({ messages: [], cursor: `aa-${turn}`, more: true }),
      lies: (turn) => ({ messages: [{ seq: 1, message: {} }], cursor: `aa-${turn}`, more: true }),
      repetition: (turn) => ({ messages: [{ seq: 1, message: json(genuine) }], cursor: `aa-${turn}`, more: true }),
    };
    for (const [name, answer] of Object.entries(spins)) {
      const [spinning, good] = [new MemoryRelay(), new MemoryRelay()];
      let turn = 0;
      spinning.override = () => Response.json(answer(++turn));
      const { client } = market([spinning, good]);
      const stop = new AbortController();
      const running = (async () => {
        const got: Envelope[] = [];
        for await (const envelope of client.subscribe(jobId, { signal: stop.signal })) got.push(envelope);
        return got;
      })();
      // two turns of the honest relay are more than 600 ms
      await until(() => good.calls.length >= 3);
      stop.abort();
      const got = await running;
      assert.deepEqual(got, name === "repetition" ? [genuine] : [], name);
      assert.ok(turn <= 8, `${name}: asked ${turn} times`);
    }
  });

  it("holds one page of a flooding relay until it is taken, and goes on hearing the other", async () => {
    const [flooding, good] = [new MemoryRelay(), new MemoryRelay()];
    const spam = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const stranger = privateKeyToAccount(testHash(1_000 + index));
        return json(await signEnvelope(draftOf("offer"), stranger, testDomain));
      }),
    );
    let page = 0;
    flooding.override = () => {
      const messages = spam.slice(page * 10, page * 10 + 10).map((message, index) => ({ seq: index, message }));
      page++;
      return Response.json({ messages, cursor: `aa-${page}`, more: true });
    };
    good.messages = [json(offers[0] as Envelope)];
    const { client } = market([flooding, good]);
    const stop = new AbortController();
    const iterator = client.subscribe(jobId, { signal: stop.signal })[Symbol.asyncIterator]();
    const first = await iterator.next();
    await until(() => good.calls.length >= 1 && page >= 1);
    assert.equal(page, 1, "the second page is not asked for before the first is taken");
    let found = first.value?.sender === agent.address;
    for (let index = 0; index < 20 && !found; index++) {
      const { value } = await iterator.next();
      found = value?.sender === agent.address;
    }
    assert.ok(found, "the honest message came within two pages of spam");
    await iterator.return?.(undefined);
    stop.abort();
  });

  it("ends by returning when aborted, before and while it waits", async () => {
    const relay = new MemoryRelay();
    const { client } = market([relay], { waitMs: 20_000 });
    for await (const _ of client.subscribe(jobId, { signal: AbortSignal.abort() })) assert.fail("nothing comes");
    const stop = new AbortController();
    const running = take(client, jobId, 1);
    const second = (async () => {
      for await (const _ of client.subscribe(jobId, { signal: stop.signal })) assert.fail("nothing comes");
    })();
    await until(() => relay.calls.length >= 2);
    stop.abort();
    await second;
    relay.messages.push(json(offers[0] as Envelope));
    assert.equal((await running).got.length, 1);
  });
});

describe("messages that were verified", () => {
  it("are known by every byte of their text, and the oldest are forgotten when there are many", () => {
    const known = new VerifiedMessages();
    const message = { digest: testHash(0), envelope: offers[0] as Envelope };
    const text = (index: number): string => String(index).padEnd(64 * 1024, "x");
    for (let index = 0; index < 128; index++) known.add(text(index), message);
    assert.equal(known.get(text(0)), message);
    assert.equal(known.get(`${text(0)} `), undefined);
    known.add(text(0), message);
    assert.equal(known.get(text(0)), message, "what is there already takes no room");
    known.add(text(128), message);
    assert.equal(known.get(text(0)), undefined);
    assert.equal(known.get(text(1)), message);
  });
});

describe("lists", () => {
  it("are merged, read page by page, ordered by time, and fail only when no relay answers", async () => {
    const [a, b] = [new MemoryRelay(), new MemoryRelay()];
    a.messages = [offers[4], offers[1]].map((envelope) => json(envelope as Envelope));
    b.messages = [offers[2], offers[4]].map((envelope) => json(envelope as Envelope));
    const { client } = market([a, b]);
    assert.deepEqual(await client.list(jobId), [offers[1], offers[2], offers[4]]);
    a.override = unreachable;
    assert.deepEqual(await client.list(jobId), [offers[2], offers[4]]);
    b.override = hanging;
    const error = await assertCode(client.list(jobId), "RELAYS_UNREACHABLE");
    const codes = (error.cause as AggregateError).errors.map(({ code }: QuorateError) => code);
    assert.deepEqual(codes, ["RELAY_UNREACHABLE", "RELAY_TIMEOUT"]);
  });

  it("verify each signature, whatever was verified of the same message before", async () => {
    const relay = new MemoryRelay();
    const { client } = market([relay]);
    const [good, other] = offers as [Envelope, Envelope];
    relay.messages = [json(good)];
    assert.deepEqual(await client.list(jobId), [good]);
    relay.messages = [json({ ...good, signature: other.signature })];
    assert.deepEqual(await client.list(jobId), []);
    relay.messages = [json(good)];
    assert.deepEqual(await client.list(jobId), [good]);
  });

  it("end although a relay says for ever that there is more", async () => {
    const relay = new MemoryRelay();
    let turn = 0;
    relay.override = () => {
      turn++;
      return Response.json({ messages: [], cursor: `aa-${turn}`, more: true });
    };
    const { client } = market([relay], { timeoutMs: 400 });
    assert.deepEqual(await client.list(jobId), []);
  });

  it("give the newest valid profile of each provider with the newest sign of life", async () => {
    const body: Profile["body"] = { name: "Old", agents: [agent.address], engines: [], endpoints: [] };
    const sign = (name: string, createdAt: number, agents = body.agents): Promise<Profile> =>
      signProfile({ body: { ...body, name, agents }, createdAt, expiry: nowS + 99 }, requester, testDomain);
    const [older, newer] = [await sign("Old", nowS - 50), await sign("New", nowS - 20)];
    const presenceAt = (createdAt: number) =>
      signPresence({ provider: requester.address, createdAt, expiry: createdAt + 60 }, agent, testDomain);
    const [early, late] = [await presenceAt(nowS - 30), await presenceAt(nowS - 5)];
    const forged = { ...newer, createdAt: nowS - 1 };
    const [a, b] = [new MemoryRelay(), new MemoryRelay()];
    a.profiles = [
      { profile: encodeProfile(older), presence: encodePresence(late) },
      { profile: encodeProfile(forged) },
    ];
    b.profiles = [{ profile: encodeProfile(newer), presence: encodePresence(early) }, "garbage", null];
    const { client } = market([a, b]);
    assert.deepEqual(await client.listProfiles(), [{ profile: newer, presence: late }]);

    const dismissed = await sign("Newest", nowS - 2, []);
    b.profiles = [{ profile: encodeProfile(dismissed) }];
    assert.deepEqual(await client.listProfiles(), [{ profile: dismissed }], "a dismissed agent does not speak");
  });
});
