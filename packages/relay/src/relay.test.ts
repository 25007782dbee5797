import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import {
  blocksOf,
  cidOf,
  DAG_PB_CODEC,
  type Hex,
  hashRequirements,
  MAX_BLOCK_BYTES,
  requirementsOf,
} from "@quorate/core";
import {
  assertCode,
  buildManifest,
  buildRequest,
  type FakeClock,
  fakeClock,
  testAddress,
  testDomain,
  testHash,
  until,
} from "@quorate/testkit";
import {
  type Envelope,
  encodeEnvelope,
  encodePresence,
  encodeProfile,
  MAX_MESSAGE_BYTES,
  MAX_WAIT_MS,
  REQUESTS_TOPIC,
  signEnvelope,
  signPresence,
  signProfile,
} from "@quorate/wire";
import { type PrivateKeyAccount, privateKeyToAccount } from "viem/accounts";
import type { RelayLimits } from "./config.ts";
import { type RunningRelay, type StartRelayOptions, startRelay } from "./relay.ts";

const nowS = 1_800_000_000;
const topic = testHash(0x70);
const key = (index: number): PrivateKeyAccount => privateKeyToAccount(testHash(0x5000 + index));
const otherMarket = { chainId: 1, market: testAddress(0x11) };

let nonce = 0;
async function message(changes: Partial<Envelope<"redelivery">> = {}, signer = key(0)): Promise<Envelope> {
  const draft = { kind: "redelivery" as const, topic, createdAt: nowS, expiry: nowS + 600, ...changes };
  return signEnvelope({ ...draft, body: changes.body ?? { reason: `again ${nonce++}` } }, signer, testDomain);
}

type World = { relay: RunningRelay; clock: FakeClock; dataDir: string; options: StartRelayOptions };
const worlds: World[] = [];

async function world(limits: Partial<RelayLimits> = {}, more: Partial<StartRelayOptions> = {}): Promise<World> {
  const dataDir = await mkdtemp(join(tmpdir(), "quorate-relay-"));
  const clock = fakeClock(nowS * 1000);
  const options: StartRelayOptions = { dataDir, markets: [testDomain], port: 0, clock, limits, ...more };
  const started = { relay: await startRelay(options), clock, dataDir, options };
  worlds.push(started);
  return started;
}

after(async () => {
  for (const { relay, dataDir } of worlds) {
    await relay.close();
    await rm(dataDir, { recursive: true, force: true });
  }
});

type Answer = { status: number; code: string | undefined; json: Record<string, unknown>; headers: Headers };

async function call(base: string, method: string, path: string, body?: unknown, headers = {}): Promise<Answer> {
  const raw = typeof body === "string" || body instanceof Uint8Array;
  const response = await fetch(base + path, {
    method,
    headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { body: raw ? (body as BodyInit) : JSON.stringify(body) }),
  });
  const text = await response.text();
  const json = text.startsWith("{") ? JSON.parse(text) : {};
  const { error } = json as { error?: Record<string, unknown> };
  if (error !== undefined) assert.deepEqual(Object.keys(error), ["code", "message", "docs"], "errors have one shape");
  return { status: response.status, code: error?.code as string | undefined, json, headers: response.headers };
}

const post = (base: string, envelope: Envelope): Promise<Answer> =>
  call(base, "POST", "/v1/messages", encodeEnvelope(envelope));
const page = (base: string, query = "", of: Hex = topic): Promise<Answer> =>
  call(base, "GET", `/v1/topics/${of}/messages${query}`);
const putBlock = (base: string, cid: string, bytes: Uint8Array, type = "application/vnd.ipld.raw"): Promise<Answer> =>
  call(base, "PUT", `/ipfs/${cid}`, bytes, { "content-type": type });

describe("messages", () => {
  let base = "";
  before(async () => {
    base = (await world()).relay.url;
  });

  it("are stored once, numbered upwards, and read after a cursor", async () => {
    const [a, b] = [await message(), await message()];
    const first = await post(base, a);
    assert.equal(first.status, 201);
    const again = await post(base, a);
    assert.deepEqual([again.status, again.json.seq, again.json.duplicate], [200, first.json.seq, true]);
    const second = await post(base, b);
    assert.ok(Number(second.json.seq) > Number(first.json.seq));

    const all = await page(base);
    const { messages, cursor, more } = all.json as { messages: unknown[]; cursor: string; more: boolean };
    assert.deepEqual(messages, [
      { seq: first.json.seq, message: encodeEnvelope(a) },
      { seq: second.json.seq, message: encodeEnvelope(b) },
    ]);
    assert.equal(more, false);
    assert.deepEqual((await page(base, `?after=${cursor}`)).json, { messages: [], cursor, more: false });
    const stranger = await page(base, "?after=ffff-1");
    assert.equal((stranger.json.messages as unknown[]).length, 2, "a cursor of another database reads everything");
    const ahead = await page(base, `?after=${cursor.split("-")[0]}-999999`);
    assert.equal((ahead.json.messages as unknown[]).length, 2, "a number that was never given out reads everything");
    assert.deepEqual((await page(base, "", testHash(1))).json.messages, [], "topics are apart");
  });

  it("are one message whatever the spelling of their signature", async () => {
    const envelope = await message();
    const first = await post(base, envelope);
    const v = envelope.signature.slice(-2) === "1b" ? "00" : "01";
    const respelled = { ...envelope, signature: `${envelope.signature.slice(0, -2)}${v}` as Hex };
    const again = await post(base, respelled);
    assert.deepEqual([again.status, again.json.seq], [200, first.json.seq]);
  });

  it("wake a long poll, and an empty one ends after its wait", async () => {
    const of = testHash(0x71);
    const cursor = (await page(base, "", of)).json.cursor;
    const waiting = page(base, `?after=${cursor}&waitMs=${MAX_WAIT_MS}`, of);
    await until(async () => (await metric(base, 'held{what="streams"}')) === 1);
    const envelope = await message({ topic: of });
    await post(base, envelope);
    const { messages } = (await waiting).json as { messages: { message: unknown }[] };
    assert.deepEqual(messages[0]?.message, encodeEnvelope(envelope));
    const startedAt = performance.now();
    assert.deepEqual((await page(base, "?waitMs=150", testHash(0x72))).json.messages, []);
    assert.ok(performance.now() - startedAt >= 140);
  });

  it("come as server-sent events that resume at the last id", async () => {
    const of = testHash(0x73);
    const [a, b] = [await message({ topic: of }), await message({ topic: of })];
    await post(base, a);
    const first = await events(base, of, 1);
    assert.deepEqual(first[0]?.message, encodeEnvelope(a));
    const later = events(base, of, 1, { "last-event-id": first[0]?.id as string });
    await post(base, b);
    assert.deepEqual((await later)[0]?.message, encodeEnvelope(b));
  });

  it("are refused at the door when anything about them is wrong", async () => {
    const good = await message();
    const json = encodeEnvelope(good);
    const cases: Record<string, [unknown, number, string]> = {
      "forged body": [{ ...json, body: { reason: "other" } }, 403, "BAD_SIGNATURE"],
      "forged sender": [{ ...json, sender: testAddress(1) }, 403, "BAD_SIGNATURE"],
      "forged topic": [{ ...json, topic: testHash(2) }, 403, "BAD_SIGNATURE"],
      "other market": [
        encodeEnvelope(
          await signEnvelope(
            { kind: "redelivery", topic, body: { reason: "x" }, createdAt: nowS, expiry: nowS + 9 },
            key(0),
            otherMarket,
          ),
        ),
        403,
        "BAD_SIGNATURE",
      ],
      expired: [encodeEnvelope(await message({ createdAt: nowS - 9, expiry: nowS })), 400, "MESSAGE_EXPIRED"],
      early: [encodeEnvelope(await message({ createdAt: nowS + 900, expiry: nowS + 999 })), 400, "MESSAGE_FROM_FUTURE"],
      "too long a life": [encodeEnvelope(await message({ expiry: nowS + 46 * 86_400 })), 400, "LIFETIME_TOO_LONG"],
      "unknown kind": [{ ...json, kind: "gossip" }, 400, "INVALID_MESSAGE"],
      "prototype key": [`${JSON.stringify(json).slice(0, -1)},"__proto__":{"x":1}}`, 400, "INVALID_MESSAGE"],
      "deep nesting": ["[".repeat(15_000) + "]".repeat(15_000), 400, "INVALID_MESSAGE"],
      "broken JSON": ['{"kind":', 400, "MALFORMED_JSON"],
      "invalid UTF-8": [
        Buffer.concat([Buffer.from('{"kind":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]),
        400,
        "MALFORMED_JSON",
      ],
      nothing: ["", 400, "MALFORMED_JSON"],
      "huge body": [" ".repeat(MAX_MESSAGE_BYTES + 1), 413, "PAYLOAD_TOO_LARGE"],
    };
    for (const [what, [body, status, code]] of Object.entries(cases)) {
      const answer = await call(base, "POST", "/v1/messages", body);
      assert.deepEqual([answer.status, answer.code], [status, code], what);
    }
    for (const [what, headers, status, code] of [
      ["form", { "content-type": "application/x-www-form-urlencoded" }, 415, "UNSUPPORTED_MEDIA_TYPE"],
      ["text", { "content-type": "text/plain" }, 415, "UNSUPPORTED_MEDIA_TYPE"],
      ["compressed", { "content-encoding": "gzip" }, 415, "UNSUPPORTED_MEDIA_TYPE"],
    ] as const) {
      const answer = await call(base, "POST", "/v1/messages", json, headers);
      assert.deepEqual([answer.status, answer.code], [status, code], what);
    }
    assert.equal((await post(base, good)).status, 201, "the genuine message still goes in");
  });

  it("are read with queries that make sense only", async () => {
    for (const [path, code] of [
      ["/v1/topics/0x12/messages", "INVALID_TOPIC"],
      [`/v1/topics/${topic.toUpperCase()}/messages`, "INVALID_TOPIC"],
      ["/v1/topics/..%2F..%2Fetc/messages", "INVALID_TOPIC"],
      [`/v1/topics/${topic}/messages?after=1`, "INVALID_QUERY"],
      [`/v1/topics/${topic}/messages?after=a-1&after=a-2`, "INVALID_QUERY"],
      [`/v1/topics/${topic}/messages?waitMs=-1`, "INVALID_QUERY"],
      [`/v1/topics/${topic}/messages?waitMs=${MAX_WAIT_MS + 1}`, "INVALID_QUERY"],
      [`/v1/topics/${topic}/messages?waitMs=1e3`, "INVALID_QUERY"],
      ["/v1/topics/%E0%A4%A/messages", "MALFORMED_URL"],
      ["/v1/profiles/0x1", "INVALID_QUERY"],
    ] as const) {
      const answer = await call(base, "GET", path);
      assert.deepEqual([answer.status, answer.code], [400, code], path);
    }
    const wrong = await call(base, "DELETE", "/v1/messages");
    assert.deepEqual([wrong.status, wrong.code, wrong.headers.get("allow")], [405, "METHOD_NOT_ALLOWED", "POST"]);
    const nowhere = await call(base, "GET", "/v1/../admin");
    assert.deepEqual([nowhere.status, nowhere.code], [404, "NOT_FOUND"]);
  });

  it("go away with their expiry, before the collection and after", async () => {
    const { relay, clock } = await world();
    const [short, long] = [await message({ expiry: nowS + 10 }), await message({ expiry: nowS + 600 })];
    for (const envelope of [short, long]) await post(relay.url, envelope);
    clock.advance(10_000);
    assert.equal(((await page(relay.url)).json.messages as unknown[]).length, 1);
    assert.deepEqual(await relay.collect(), { messages: 1, blocks: 0, profiles: 0 });
    assert.deepEqual(await relay.collect(), { messages: 0, blocks: 0, profiles: 0 });
    assert.equal(await metric(relay.url, 'held{what="messages"}'), 1);
  });

  it("come in pages", async () => {
    const { relay } = await world({ perSenderAndTopic: 1_000, othersPerTopic: 1_000 });
    const all = await Promise.all(Array.from({ length: 230 }, () => message()));
    await Promise.all(all.map((envelope) => post(relay.url, envelope)));
    const first = (await page(relay.url)).json as { messages: { seq: number }[]; cursor: string; more: boolean };
    assert.deepEqual([first.messages.length, first.more], [200, true]);
    const rest = (await page(relay.url, `?after=${first.cursor}`)).json as typeof first;
    assert.deepEqual([rest.messages.length, rest.more], [30, false]);
    const seqs = [...first.messages, ...rest.messages].map(({ seq }) => seq);
    assert.deepEqual(
      seqs,
      [...new Set(seqs)].sort((a, b) => a - b),
    );
  });
});

describe("quotas", () => {
  it("stop a sender that floods, and leave the others alone", async () => {
    const { relay } = await world({ perSenderAndTopic: 3, othersPerTopic: 100, messagesPerSender: 5 });
    const statuses = async (count: number, of: Hex, signer: PrivateKeyAccount): Promise<string[]> => {
      const got: string[] = [];
      for (let index = 0; index < count; index++) {
        const { status, code } = await post(relay.url, await message({ topic: of }, signer));
        got.push(code ?? String(status));
      }
      return got;
    };
    assert.deepEqual(await statuses(4, topic, key(1)), ["201", "201", "201", "SENDER_QUOTA_EXCEEDED"]);
    assert.deepEqual(
      await statuses(3, testHash(2), key(1)),
      ["201", "201", "SENDER_QUOTA_EXCEEDED"],
      "over all topics",
    );
    assert.deepEqual(await statuses(1, topic, key(2)), ["201"]);
  });

  it("stop one address with many keys at its share of a topic, without evicting anybody", async () => {
    const { relay } = await world({ othersPerTopic: 8, sourceShare: 25 }, { trustProxy: 1 });
    const from = async (ip: string, signer: PrivateKeyAccount): Promise<string> => {
      const body = encodeEnvelope(await message({}, signer));
      const { status, code } = await call(relay.url, "POST", "/v1/messages", body, { "x-forwarded-for": ip });
      return code ?? String(status);
    };
    assert.equal(await from("192.0.2.9", key(0)), "201", "an honest message is there first");
    const flood: string[] = [];
    for (let index = 1; index <= 5; index++) flood.push(await from("198.51.100.7", key(index)));
    assert.deepEqual(flood, ["201", "201", ...Array(3).fill("SOURCE_QUOTA_EXCEEDED")]);
    assert.equal(await from("2001:db8:1:100::1", key(6)), "201");
    assert.equal(await from("2001:db8:1:1ff::2", key(7)), "201", "two addresses of one /56 are one source");
    assert.equal(await from("2001:db8:1:123::3", key(8)), "SOURCE_QUOTA_EXCEEDED");
    const held = (await page(relay.url)).json.messages as { message: { sender: string } }[];
    assert.equal(held[0]?.message.sender, key(0).address.toLowerCase(), "the honest message was not put out");
  });

  it("fill a topic kind by kind, and keep room for senders whom the operator knows", async () => {
    const limits = { othersPerTopic: 4, offersPerTopic: 2, sourceShare: 100, strangerShare: 50 };
    const { relay } = await world(limits, { trustedSenders: [key(9).address] });
    const codes: string[] = [];
    for (let index = 1; index <= 3; index++) {
      codes.push((await post(relay.url, await message({}, key(index)))).code ?? "ok");
    }
    assert.deepEqual(codes, ["ok", "ok", "TOPIC_FULL"]);
    assert.equal((await post(relay.url, await message({}, key(9)))).status, 201);
    const offer = { kind: "offer" as const, topic, body: { sealed: "AAAA" }, createdAt: nowS, expiry: nowS + 60 };
    assert.equal((await post(relay.url, await signEnvelope(offer, key(1), testDomain))).status, 201);
  });

  it("bound the relay as a whole, and free their room when messages expire", async () => {
    const { relay, clock } = await world({ messages: 2, sourceShare: 100 });
    const send = async (changes: object): Promise<string> => {
      const { code } = await post(relay.url, await message({ topic: testHash(nonce + 1), ...changes }));
      return code ?? "ok";
    };
    assert.deepEqual([await send({ expiry: nowS + 5 }), await send({}), await send({})], ["ok", "ok", "RELAY_FULL"]);
    clock.advance(6_000);
    await relay.collect();
    assert.equal(await send({}), "ok");
  });

  it("bound rates by address with an answer that says when to come back", async () => {
    const { relay } = await world({ writesPerMinute: 2, readsPerMinute: 50 });
    const envelopes = [await message(), await message(), await message()];
    const answers: Answer[] = [];
    for (const envelope of envelopes) answers.push(await post(relay.url, envelope));
    assert.deepEqual(
      answers.map(({ code }) => code ?? "ok"),
      ["ok", "ok", "RATE_LIMITED"],
    );
    assert.ok(Number(answers[2]?.headers.get("retry-after")) > 0);
    assert.equal((await page(relay.url)).status, 200, "reads have a budget of their own");
  });

  it("bound readers that wait, and give places back when they leave", async () => {
    const { relay } = await world({ streamsPerSource: 2 });
    const leave = new AbortController();
    const pending = [1, 2].map(() =>
      fetch(`${relay.url}/v1/topics/${topic}/messages?waitMs=20000`, { signal: leave.signal }).catch(() => undefined),
    );
    await until(async () => (await metric(relay.url, 'held{what="streams"}')) === 2);
    const third = await page(relay.url, "?waitMs=1000");
    assert.deepEqual([third.status, third.code], [429, "TOO_MANY_STREAMS"]);
    assert.equal((await page(relay.url)).status, 200, "reading without a wait is always possible");
    leave.abort();
    await Promise.all(pending);
    await until(async () => (await metric(relay.url, 'held{what="streams"}')) === 0);
  });

  it("keep requests of the whole market in one topic of their own", async () => {
    const { relay } = await world({ requests: 4, sourceShare: 100, requestsPerSender: 1 });
    const send = async (signer: PrivateKeyAccount): Promise<string> => {
      const requirements = requirementsOf(buildManifest());
      const request = buildRequest({
        requester: signer.address,
        requirementsHash: hashRequirements(requirements),
        nonce: BigInt(nonce++),
      });
      const body = { request, requirements, ...testDomain };
      const draft = { kind: "request" as const, topic: REQUESTS_TOPIC, body, createdAt: nowS, expiry: nowS + 60 };
      return (await post(relay.url, await signEnvelope(draft, signer, testDomain))).code ?? "ok";
    };
    assert.deepEqual(
      [await send(key(1)), await send(key(1)), await send(key(2))],
      ["ok", "SENDER_QUOTA_EXCEEDED", "ok"],
    );
  });
});

describe("blocks", () => {
  let running: World;
  let base = "";
  const bytes = new Uint8Array(5_000).map((_, index) => index % 251);
  const { cid } = blocksOf(bytes)[0] as { cid: string };
  before(async () => {
    running = await world();
    base = running.relay.url;
  });

  it("go in under their CID and come out as an IPFS gateway gives them", async () => {
    assert.equal((await putBlock(base, cid, bytes)).status, 201);
    assert.equal((await putBlock(base, cid, bytes)).status, 200);
    const response = await fetch(`${base}/ipfs/${cid}?format=raw`);
    assert.deepEqual(new Uint8Array(await response.arrayBuffer()), bytes);
    for (const [name, value] of Object.entries({
      "content-type": "application/vnd.ipld.raw",
      "content-length": "5000",
      "content-disposition": `attachment; filename="${cid}.bin"`,
      "cache-control": "public, max-age=29030400, immutable",
      etag: `"${cid}.raw"`,
      "x-ipfs-path": `/ipfs/${cid}`,
      "x-content-type-options": "nosniff",
      "access-control-allow-origin": "*",
    })) {
      assert.equal(response.headers.get(name), value, name);
    }
    const accept = await fetch(`${base}/ipfs/${cid}`, { headers: { accept: "application/vnd.ipld.raw" } });
    assert.equal((await accept.arrayBuffer()).byteLength, 5_000);
    const head = await fetch(`${base}/ipfs/${cid}?format=raw`, { method: "HEAD" });
    assert.deepEqual([head.status, head.headers.get("content-length"), await head.text()], [200, "5000", ""]);
    const cached = await fetch(`${base}/ipfs/${cid}?format=raw`, { headers: { "if-none-match": `W/"${cid}.raw"` } });
    assert.deepEqual([cached.status, await cached.text()], [304, ""]);
    assert.equal((await fetch(`${base}/ipfs/bafkqaaa?format=raw`)).status, 200, "the probe of IPFS clients");
  });

  it("of every allowed sort are taken: dag-pb, empty, of the largest size", async () => {
    const root = cidOf(DAG_PB_CODEC, bytes).toString();
    assert.equal((await putBlock(base, root, bytes, "application/octet-stream")).status, 201);
    const empty = blocksOf(new Uint8Array())[0] as { cid: string };
    assert.equal((await putBlock(base, empty.cid, new Uint8Array())).status, 201);
    assert.equal((await (await fetch(`${base}/ipfs/${empty.cid}?format=raw`)).arrayBuffer()).byteLength, 0);
    const largest = blocksOf(new Uint8Array(MAX_BLOCK_BYTES).fill(3))[0] as { cid: string; bytes: Uint8Array };
    assert.equal((await putBlock(base, largest.cid, largest.bytes)).status, 201);
  });

  it("are refused when they are too large, do not match, or are named in another way", async () => {
    const large = new Uint8Array(MAX_BLOCK_BYTES + 1);
    for (const [what, path, body, type, status, code] of [
      ["too large", cid, large, undefined, 413, "PAYLOAD_TOO_LARGE"],
      ["other bytes", cid, bytes.slice(1), undefined, 400, "BLOCK_MISMATCH"],
      ["JSON", cid, bytes, "application/json", 415, "UNSUPPORTED_MEDIA_TYPE"],
      ["CIDv0", "QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR", bytes, undefined, 400, "INVALID_CID"],
      ["upper case", cid.toUpperCase(), bytes, undefined, 400, "INVALID_CID"],
      ["traversal", "..%2F..%2Fetc%2Fpasswd", bytes, undefined, 400, "INVALID_CID"],
      ["NUL", `${cid.slice(0, -1)}%00`, bytes, undefined, 400, "INVALID_CID"],
      ["padding bits", `${cid.slice(0, -1)}b`, bytes, undefined, 400, "INVALID_CID"],
    ] as const) {
      const answer = await putBlock(base, path, body, type);
      assert.deepEqual([answer.status, answer.code], [status, code], what);
    }
    for (const [query, headers, status, code] of [
      [`${cid}`, {}, 406, "NOT_ACCEPTABLE"],
      [`${cid}?format=car`, { accept: "application/vnd.ipld.raw" }, 406, "NOT_ACCEPTABLE"],
      ["..%2fetc?format=raw", {}, 400, "INVALID_CID"],
      [`${cidOf(DAG_PB_CODEC, bytes.slice(2))}?format=raw`, {}, 404, "BLOCK_NOT_FOUND"],
      [
        `${cidOf(DAG_PB_CODEC, bytes.slice(2))}?format=raw`,
        { "cache-control": "only-if-cached" },
        412,
        "BLOCK_NOT_CACHED",
      ],
    ] as const) {
      const answer = await call(base, "GET", `/ipfs/${query}`, undefined, headers);
      assert.deepEqual([answer.status, answer.code], [status, code], query);
    }
  });

  it("stay within quotas of the relay and of each address", async () => {
    const { relay } = await world({ blockBytes: 10_000, sourceShare: 60 });
    const blocks = [1, 2].map(
      (fill) => blocksOf(new Uint8Array(4_000).fill(fill))[0] as { cid: string; bytes: Uint8Array },
    );
    const results = await Promise.all(blocks.map((block) => putBlock(relay.url, block.cid, block.bytes)));
    assert.deepEqual(
      results.map(({ code }) => code ?? "ok").sort(),
      ["SOURCE_QUOTA_EXCEEDED", "ok"],
      "also when they race",
    );
  });

  it("live until their time is over, and longer after another upload", async () => {
    const { relay, clock, dataDir } = await world({ blockLifetimeS: 100 });
    const get = async (): Promise<number> => (await fetch(`${relay.url}/ipfs/${cid}?format=raw`)).status;
    await putBlock(relay.url, cid, bytes);
    clock.advance(99_000);
    assert.equal((await relay.collect()).blocks, 0);
    await putBlock(relay.url, cid, bytes);
    clock.advance(99_000);
    assert.equal(await get(), 200);
    clock.advance(1_000);
    assert.equal(await get(), 404);
    assert.equal((await relay.collect()).blocks, 1);
    await assert.rejects(readFile(join(dataDir, "blocks", cid.slice(-3, -1), cid)));
  });

  it("that the disk spoiled are healed by an upload; lost ones are an error, not a torn answer", async () => {
    const { relay, dataDir } = await world();
    await putBlock(relay.url, cid, bytes);
    const file = join(dataDir, "blocks", cid.slice(-3, -1), cid);
    await writeFile(file, "spoiled");
    await putBlock(relay.url, cid, bytes);
    assert.deepEqual(new Uint8Array(await readFile(file)), bytes);
    await rm(file);
    assert.equal((await call(relay.url, "GET", `/ipfs/${cid}?format=raw`)).code, "BLOCK_NOT_FOUND");
  });
});

describe("profiles", () => {
  const body = { name: "Quorum Labs", agents: [key(1).address], engines: [], endpoints: [] };
  const sign = (createdAt: number, changes = {}) =>
    signProfile({ body: { ...body, ...changes }, createdAt, expiry: nowS + 900 }, key(0), testDomain);
  const path = `/v1/profiles/${key(0).address}`;

  it("are replaced by newer ones only, and carry the newest sign of life of an agent", async () => {
    const { relay, clock } = await world();
    const put = async (profile: object, to = path): Promise<string> => {
      const { status, code } = await call(relay.url, "PUT", to, profile);
      return code ?? String(status);
    };
    const [older, newer] = [encodeProfile(await sign(nowS - 9)), encodeProfile(await sign(nowS - 5, { name: "New" }))];
    assert.deepEqual([await put(newer), await put(newer), await put(older)], ["201", "200", "OUTDATED"]);
    assert.equal(await put({ ...newer, createdAt: nowS - 1 }), "BAD_SIGNATURE");
    assert.equal(await put(newer, `/v1/profiles/${key(3).address}`), "INVALID_PROFILE");

    const draft = { provider: key(0).address, createdAt: nowS - 4, expiry: nowS + 60 };
    const presence = encodePresence(await signPresence(draft, key(1), testDomain));
    assert.equal(await put(presence, `${path}/presence`), "200");
    const forged = encodePresence(await signPresence(draft, key(2), testDomain));
    assert.equal(await put(forged, `${path}/presence`), "BAD_SIGNATURE");
    const earlier = encodePresence(await signPresence({ ...draft, createdAt: nowS - 50 }, key(1), testDomain));
    assert.equal(await put(earlier, `${path}/presence`), "OUTDATED");
    assert.deepEqual((await call(relay.url, "GET", path)).json, { profile: newer, presence });
    assert.deepEqual((await call(relay.url, "GET", "/v1/profiles")).json, { profiles: [{ profile: newer, presence }] });

    const dismissed = encodeProfile(await sign(nowS - 1, { agents: [] }));
    assert.equal(await put(dismissed), "201");
    assert.deepEqual((await call(relay.url, "GET", path)).json, { profile: dismissed });
    clock.advance(900_000);
    assert.equal((await call(relay.url, "GET", path)).code, "PROFILE_NOT_FOUND");
    assert.equal((await relay.collect()).profiles, 1);
    assert.equal(await put(presence, `${path}/presence`), "MESSAGE_EXPIRED");
  });

  it("come in pages ordered by provider", async () => {
    const { relay } = await world({ sourceShare: 100 });
    const providers: string[] = [];
    for (let index = 0; index < 53; index++) {
      const profile = await signProfile({ body, createdAt: nowS, expiry: nowS + 900 }, key(100 + index), testDomain);
      await call(relay.url, "PUT", `/v1/profiles/${profile.provider}`, encodeProfile(profile));
      providers.push(profile.provider.toLowerCase());
    }
    const first = (await call(relay.url, "GET", "/v1/profiles")).json as {
      profiles: { profile: { provider: string } }[];
      next: string;
    };
    const rest = (await call(relay.url, "GET", `/v1/profiles?after=${first.next}`)).json as typeof first;
    assert.equal(first.profiles.length, 50);
    assert.equal("next" in rest, false);
    assert.deepEqual(
      [...first.profiles, ...rest.profiles].map(({ profile }) => profile.provider),
      providers.sort(),
    );
  });
});

describe("the server", () => {
  it("tells about itself, and lets pages of any origin in", async () => {
    const { relay } = await world();
    const info = await call(relay.url, "GET", "/v1/info");
    assert.equal(info.json.name, "quorate-relay");
    assert.deepEqual(info.json.markets, [{ chainId: 31337, market: testDomain.market.toLowerCase() }]);
    for (const path of ["/health", "/ready"]) assert.deepEqual((await call(relay.url, "GET", path)).json, { ok: true });
    const preflight = await fetch(`${relay.url}/v1/messages`, {
      method: "OPTIONS",
      headers: { origin: "https://app.example", "access-control-request-method": "POST" },
    });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get("access-control-allow-origin"), "*");
    assert.match(preflight.headers.get("access-control-allow-headers") ?? "", /Content-Type/);
    assert.equal(preflight.headers.get("access-control-allow-credentials"), null);
  });

  it("cuts clients that send too many or too large headers, or more than they said", async () => {
    const { relay } = await world();
    const { port } = new URL(relay.url);
    const raw = async (text: string): Promise<string> => {
      const socket = connect(Number(port), "127.0.0.1");
      let got = "";
      socket.setEncoding("utf8").on("data", (part: string) => {
        got += part;
      });
      socket.on("error", () => {});
      socket.write(text);
      await once(socket, "close");
      return got.split("\r\n")[0] ?? "";
    };
    const close = "Connection: close\r\n\r\n";
    assert.match(await raw(`GET /health HTTP/1.1\r\nHost: x\r\nX-Big: ${"a".repeat(9_000)}\r\n${close}`), / 431 /);
    assert.match(await raw(`GET /health HTTP/1.1\r\nHost: x\r\nHost: y\r\nContent-Length: a\r\n${close}`), / 400 /);
    assert.match(
      await raw(`POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n${close}`),
      / 400 /,
    );
    assert.match(await raw(`GET /health HTTP/1.1\r\nHost: x\r\n${close}`), / 200 /, "and goes on serving");
  });

  it("takes only so many connections of one address", async () => {
    const { relay } = await world({ connectionsPerSource: 3 });
    const { port } = new URL(relay.url);
    const sockets = Array.from({ length: 5 }, () => connect(Number(port), "127.0.0.1").on("error", () => {}));
    const closed = (): number => sockets.filter((socket) => socket.closed).length;
    for (const socket of sockets) socket.resume();
    await until(() => closed() === 2, { what: "two connections to be cut" });
    for (const socket of sockets) socket.destroy();
  });

  it("takes only so many uploads at once", async () => {
    const { relay } = await world({ concurrentUploads: 1 });
    const { cid, bytes } = blocksOf(new Uint8Array(100).fill(5))[0] as { cid: string; bytes: Uint8Array<ArrayBuffer> };
    const slow = httpRequest(`${relay.url}/ipfs/${cid}`, {
      method: "PUT",
      headers: { "content-type": "application/vnd.ipld.raw", "content-length": 100 },
    }).on("error", () => {});
    slow.write(bytes.slice(0, 10));
    const busy = await until(async () => {
      const answer = await putBlock(relay.url, cid, bytes);
      return answer.code === "RELAY_BUSY" ? answer : undefined;
    });
    assert.equal(busy.status, 503);
    slow.destroy();
    await until(async () => (await putBlock(relay.url, cid, bytes)).code === undefined);
  });

  it("answers waiting readers when it closes, and frees folder and port", async () => {
    const { relay, options } = await world();
    const waiting = page(relay.url, "?waitMs=20000");
    await until(async () => (await metric(relay.url, 'held{what="streams"}')) === 1);
    await relay.close();
    assert.deepEqual((await waiting).json.messages, []);
    const again = await startRelay(options);
    await assertCode(startRelay(options), "ALREADY_RUNNING");
    const other = await mkdtemp(join(tmpdir(), "quorate-relay-"));
    await assertCode(startRelay({ ...options, dataDir: other, port: Number(new URL(again.url).port) }), "PORT_IN_USE");
    await again.close();
    await rm(other, { recursive: true });
  });

  it("keeps messages, profiles, blocks and their numbers over a restart, and clears what is no record", async () => {
    const { relay, options, dataDir } = await world();
    const envelope = await message();
    const { json } = await post(relay.url, envelope);
    const { cid, bytes } = blocksOf(new Uint8Array(100).fill(6))[0] as { cid: string; bytes: Uint8Array };
    await putBlock(relay.url, cid, bytes);
    const { cursor } = (await page(relay.url)).json;
    await relay.close();
    const orphan = join(dataDir, "blocks", cid.slice(-3, -1), "bafkreiorphan");
    await writeFile(orphan, "x");
    await writeFile(join(dataDir, "blocks", "tmp", "half"), "x");

    const again = await startRelay(options);
    worlds.push({ relay: again, clock: options.clock as FakeClock, dataDir, options });
    assert.equal((await post(again.url, envelope)).json.seq, json.seq);
    assert.deepEqual((await page(again.url)).json.cursor, cursor);
    assert.equal((await fetch(`${again.url}/ipfs/${cid}?format=raw`)).status, 200);
    await assert.rejects(readFile(orphan));
    assert.deepEqual(await readdir(join(dataDir, "blocks", "tmp")), []);
  });

  it("names every setting that is wrong", async () => {
    const error = await assertCode(
      startRelay({ dataDir: "", markets: [], port: 70_000, limits: { sourceShare: 101 } }),
      "RELAY_CONFIG_INVALID",
    );
    for (const name of ["dataDir", "markets", "port", "limits.sourceShare"])
      assert.ok(error.message.includes(name), name);
    const typo = { dataDir: "x", markets: [testDomain], limits: { mesages: 1 } };
    await assertCode(startRelay(typo as unknown as StartRelayOptions), "RELAY_CONFIG_INVALID");
  });
});

async function metric(base: string, name: string): Promise<number> {
  const text = await (await fetch(`${base}/metrics`)).text();
  const line = text.split("\n").find((one) => one.startsWith(`quorate_relay_${name} `));
  return Number(line?.split(" ").at(-1) ?? Number.NaN);
}

async function events(base: string, of: Hex, count: number, headers = {}): Promise<{ id: string; message: unknown }[]> {
  const stop = new AbortController();
  const response = await fetch(`${base}/v1/topics/${of}/events`, { signal: stop.signal, headers });
  assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream/);
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  const got: { id: string; message: unknown }[] = [];
  let text = "";
  while (got.length < count) {
    const { value } = await reader.read();
    text += decoder.decode(value, { stream: true });
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const field = (name: string): string | undefined =>
        new RegExp(`^${name}: (.*)$`, "m").exec(text.slice(0, end))?.[1];
      const [id, data] = [field("id"), field("data")];
      text = text.slice(end + 2);
      if (id !== undefined && data !== undefined) got.push({ id, message: JSON.parse(data).message });
    }
  }
  stop.abort();
  return got;
}
