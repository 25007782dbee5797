import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { after, describe, it } from "node:test";
import { FatalError, silentLogger } from "@quorate/core";
import { assertCode, recordingLogger, testAddress, testHash } from "@quorate/testkit";
import {
  createDomainClient,
  domainError,
  domainRoutes,
  encodeProfile,
  MAX_DOMAIN_BODY_BYTES,
  signProfile,
} from "@quorate/wire";
import { asker, World } from "../testing/world.ts";
import { type DomainLimits, defaultDomainLimits } from "./config.ts";
import { createDomainApp, type HttpPorts, type ListeningServer, listen } from "./http.ts";

const servers: ListeningServer[] = [];
after(async () => {
  for (const server of servers) await server.close();
});

async function serve(
  ports: Partial<HttpPorts>,
  { limits = {}, refusalMs = 0 }: { limits?: Partial<DomainLimits>; refusalMs?: number } = {},
): Promise<string> {
  const config = {
    trustProxy: 0,
    refusalMs,
    listen: { host: "127.0.0.1", port: 0 },
    limits: { ...defaultDomainLimits, writesPerMinute: 10_000, ...limits },
  };
  const unused = (): never => {
    throw new Error("not used");
  };
  const app = createDomainApp({
    config,
    info: unused,
    key: unused,
    question: unused,
    subject: unused,
    logger: silentLogger,
    ...ports,
  });
  const server = await listen(app, config);
  servers.push(server);
  return server.url;
}

type Raw = { readonly status: number; readonly body: string; readonly headers: Headers };
async function post(url: string, body: string | Uint8Array<ArrayBuffer>, type = "application/json"): Promise<Raw> {
  const response = await fetch(url, { method: "POST", body, headers: { "content-type": type } });
  return { status: response.status, body: await response.text(), headers: response.headers };
}

const keyRequest = JSON.stringify({ dataset: testHash(1), asker: testAddress(1) });
const codeOf = ({ body }: Raw): string => (JSON.parse(body) as { error: { code: string } }).error.code;

describe("HTTP of a domain provider", () => {
  it("carries a whole question through the client of the wire", async () => {
    const profile = await signProfile(
      { body: { name: "Tidewater", agents: [], engines: [], endpoints: [] }, createdAt: 1, expiry: 2 },
      asker,
      { chainId: 31_337, market: testAddress(2) },
    );
    using world = await World.start({ config: { profile: encodeProfile(profile) } });
    const { domain } = world;
    const url = await serve({
      info: () => domain.info(),
      key: (request, source) => domain.key(request, source),
      question: (message) => domain.question(message),
      subject: (action, message) => domain.subject(action, message),
    });
    const client = createDomainClient({ url });
    const info = await client.info();
    assert.equal(info.datasets[0]?.dataset, world.dataset);
    assert.equal(info.datasets[0]?.offers[0]?.price, 1_000n);
    assert.deepEqual(info.profile, profile);
    const { key } = await client.questionKey({ dataset: world.dataset, asker: asker.address });
    assert.equal(key.asker, asker.address);
    const { message, query } = await world.prepare();
    const { quote } = await client.question(message);
    assert.equal(quote.query, query);
    await assertCode(client.questionKey({ dataset: testHash(9), asker: asker.address }), "UNKNOWN_DATASET");
  });

  it("refuses in one way: status, headers, bytes and length are equal whatever the reason is", async () => {
    using world = await World.start();
    const { domain } = world;
    const url = await serve({
      question: (message) => domain.question(message),
      subject: (action, message) => domain.subject(action, message),
    });
    const messages = await Promise.all([
      world.prepare({ person: 5n }).then(({ message }) => message),
      world.prepare({ consentFor: 5n }).then(({ message }) => message),
      world.prepare({ notAfter: 5 }).then(({ message }) => message),
      world.prepare({ leaf: 5n }).then(({ message }) => message),
      world.prepare().then(({ message }) => ({ ...message, encryptionKey: testHash(5) })),
    ]);
    const answers: Raw[] = [];
    for (const message of messages)
      answers.push(await post(url + domainRoutes.postQuestion.path, JSON.stringify(message)));
    const { encryptionKey, dataset, sealed } = messages[0] as (typeof messages)[number];
    for (const { path } of [domainRoutes.postEnrol, domainRoutes.postRecords, domainRoutes.postAudit])
      answers.push(await post(url + path, JSON.stringify({ encryptionKey, dataset, sealed })));
    const shape = ({ status, body, headers }: Raw): unknown => {
      const names = [...headers.entries()].filter(([name]) => !/^(date|ratelimit)$/.test(name));
      return { status, body, headers: names };
    };
    assert.equal(answers[0]?.status, 403);
    assert.equal(codeOf(answers[0] as Raw), "CANNOT_ANSWER");
    for (const answer of answers) assert.deepEqual(shape(answer), shape(answers[0] as Raw));
  });

  it("sends refusals at multiples of a fixed time after the request, however long the reason took", async () => {
    let workMs = 0;
    const quantumMs = 300;
    const url = await serve(
      {
        key: async () => {
          await new Promise((resolve) => setTimeout(resolve, workMs));
          throw domainError("CANNOT_ANSWER", "cannot answer");
        },
      },
      { refusalMs: quantumMs },
    );
    for (const [duration, multiple] of [
      [0, 1],
      [120, 1],
      [340, 2],
    ] as const) {
      workMs = duration;
      const startedAt = performance.now();
      await post(url + domainRoutes.postKey.path, keyRequest);
      const elapsed = performance.now() - startedAt;
      assert.ok(elapsed >= multiple * quantumMs - 5, `${elapsed} ms after ${duration} ms of work`);
      assert.ok(elapsed < (multiple + 1) * quantumMs, `${elapsed} ms after ${duration} ms of work`);
    }
  });

  it("refuses what is malformed, too large, or of another type or method, by code", async () => {
    const url = await serve({});
    const path = url + domainRoutes.postKey.path;
    const cases: readonly (readonly [Promise<Raw>, number, string])[] = [
      [post(path, "{"), 400, "MALFORMED_JSON"],
      [post(path, new Uint8Array([0x22, 0xff, 0x22])), 400, "MALFORMED_JSON"],
      [post(path, "{}"), 400, "INVALID_MESSAGE"],
      [post(path, "null"), 400, "INVALID_MESSAGE"],
      [post(path, JSON.stringify({ ...JSON.parse(keyRequest), extra: 1 })), 400, "INVALID_MESSAGE"],
      [post(path, keyRequest, "text/plain"), 415, "UNSUPPORTED_MEDIA_TYPE"],
      [post(path, " ".repeat(MAX_DOMAIN_BODY_BYTES + 1)), 413, "PAYLOAD_TOO_LARGE"],
      [post(`${url}/v1/nothing`, "{}"), 404, "NOT_FOUND"],
      [post(url + domainRoutes.getInfo.path, "{}"), 405, "METHOD_NOT_ALLOWED"],
    ];
    for (const [promise, status, code] of cases) {
      const answer = await promise;
      assert.deepEqual([answer.status, codeOf(answer)], [status, code]);
    }
  });

  it("tells nothing of an unexpected failure but that it happened", async () => {
    const logger = recordingLogger();
    const url = await serve({
      logger,
      key: async () => {
        throw new Error("SECRET of the database");
      },
      question: async () => {
        throw new FatalError("RECORD_ENDED", "SECRET");
      },
    });
    const answer = await post(url + domainRoutes.postKey.path, keyRequest);
    assert.deepEqual([answer.status, codeOf(answer)], [500, "INTERNAL"]);
    assert.doesNotMatch(answer.body, /SECRET/);
    assert.equal(logger.entries.filter(({ event }) => event === "request_failed").length, 1);
  });

  it("bounds rates, open keys and work at once", async () => {
    const limited = await serve({}, { limits: { writesPerMinute: 2 } });
    const path = limited + domainRoutes.postKey.path;
    const codes = [];
    for (let n = 0; n < 3; n += 1) codes.push(codeOf(await post(path, "{}")));
    assert.deepEqual(codes, ["INVALID_MESSAGE", "INVALID_MESSAGE", "RATE_LIMITED"]);

    using world = await World.start({ config: { limits: { openKeysPerSource: 3 } } });
    const request = { dataset: world.dataset, asker: asker.address };
    for (let n = 0; n < 3; n += 1) await world.domain.key(request, "flood");
    await assertCode(world.domain.key(request, "flood"), "TOO_MANY_KEYS");
    await world.domain.key(request, "somebody else");

    const gate = Promise.withResolvers<void>();
    const busy = await serve(
      {
        key: async () => {
          await gate.promise;
          throw domainError("UNKNOWN_DATASET", "none");
        },
      },
      { limits: { concurrentRequests: 1 } },
    );
    const first = post(busy + domainRoutes.postKey.path, keyRequest);
    let second: Raw;
    do second = await post(busy + domainRoutes.postKey.path, "{}");
    while (codeOf(second) !== "DOMAIN_BUSY");
    gate.resolve();
    assert.equal(codeOf(await first), "UNKNOWN_DATASET");
  });

  it("says at the start that its port is taken", async () => {
    const url = await serve({});
    const config = {
      trustProxy: 0,
      listen: { host: "127.0.0.1", port: Number(new URL(url).port) },
      limits: defaultDomainLimits,
    };
    await assertCode(listen((() => {}) as never, config), "PORT_IN_USE");
  });

  it("survives a request that is cut in the middle", async () => {
    const url = await serve({ key: async () => Promise.reject(domainError("UNKNOWN_DATASET", "none")) });
    const request = httpRequest(url + domainRoutes.postKey.path, {
      method: "POST",
      headers: { "content-type": "application/json", "content-length": "1000" },
    });
    const closed = new Promise<void>((resolve) => request.once("close", () => resolve()));
    request.on("error", () => {});
    request.write("{");
    request.destroy();
    await closed;
    assert.equal(codeOf(await post(url + domainRoutes.postKey.path, keyRequest)), "UNKNOWN_DATASET");
  });
});
