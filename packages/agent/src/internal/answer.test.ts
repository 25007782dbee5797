import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  contentHashOf,
  derivePackageKeys,
  deriveResultKey,
  encodeFailure,
  encodePackage,
  encryptPackage,
  FailureCause,
  generateEncryptionKeyPair,
  generatePackageKey,
  hashRequirements,
  hex,
  type JobFacts,
  jobIdOf,
  Outcome,
  ReportCode,
  requirementsOf,
  resultHashOf,
  sealAad,
  sealTo,
  utf8,
  ZERO_HASH,
} from "@quorate/core";
import type { RunResult } from "@quorate/sandbox";
import { buildPackage, buildPlaces, buildRequest, testDomain, until } from "@quorate/testkit";
import { FakeRelays } from "../testing/ports.ts";
import { type ComputedAnswer, computeAnswer, type SandboxPort } from "./answer.ts";
import { createSemaphore } from "./semaphore.ts";

const usage = { fuel: 10, memoryBytes: 1, outputBytes: 2, elapsedMs: 3 };
const okRun: RunResult = { kind: "ok", output: utf8("42"), usage, diagnostics: "" };

/** A job with its package at relays, opened for one provider. */
async function prepare(changes: {
  wrapped?: Uint8Array;
  contentKeyFrom?: Uint8Array;
  requirementsHash?: `0x${string}`;
  run?: () => Promise<RunResult>;
  supports?: boolean;
  maxPackageBytes?: number;
  withoutBlocks?: boolean;
}) {
  const relays = new FakeRelays();
  const pkg = buildPackage();
  const packageKey = generatePackageKey();
  const plaintext = encodePackage(pkg);
  const { root, blocks } = encryptPackage(plaintext, packageKey);
  const upload = (): void => {
    for (const { cid, bytes } of blocks) relays.blocks.set(cid, bytes);
  };
  if (changes.withoutBlocks !== true) upload();
  const { contentKey } = derivePackageKeys(changes.contentKeyFrom ?? packageKey);
  const request = buildRequest({
    packageHash: root,
    contentHash: contentHashOf(contentKey, plaintext),
    requirementsHash: changes.requirementsHash ?? hashRequirements(requirementsOf(pkg.manifest)),
  });
  const jobId = jobIdOf(request, testDomain);
  const places = buildPlaces(3);
  const { publicKey, privateKey } = generateEncryptionKeyPair();
  const aad = sealAad({ jobId, provider: places[0]?.provider as `0x${string}`, ...testDomain });
  const wrap = await sealTo({
    recipient: publicKey,
    purpose: "key-wrap",
    aad,
    plaintext: changes.wrapped ?? packageKey,
  });
  const facts = { jobId, request, terms: { places }, keyWraps: [hex(wrap)] } as unknown as JobFacts;
  const sandbox: SandboxPort = {
    supports: () => changes.supports ?? true,
    run: changes.run ?? (async () => okRun),
  };
  const compute = (signal: AbortSignal = new AbortController().signal): Promise<ComputedAnswer> =>
    computeAnswer({
      facts,
      place: 0,
      domain: testDomain,
      privateKey,
      relays: relays.client(),
      sandbox,
      maxPackageBytes: changes.maxPackageBytes ?? 10 ** 9,
      enter: (inner) => semaphore.enter(inner),
      onPhase: () => {},
      signal,
    });
  const semaphore = createSemaphore(1);
  return { compute, packageKey, jobId, relays, upload, semaphore, places, facts };
}

const reportOf = ({ outcome, resultHash, reportCode }: ComputedAnswer) => {
  assert.equal(outcome, Outcome.Report);
  assert.equal(resultHash, ZERO_HASH);
  return reportCode;
};

describe("an answer", () => {
  it("that returned hashes the output under the job's result key", async () => {
    const { compute, packageKey, jobId } = await prepare({});
    const answer = await compute();
    assert.equal(answer.outcome, Outcome.Ok);
    assert.equal(answer.resultHash, resultHashOf(deriveResultKey(packageKey, jobId), utf8("42")));
    assert.deepEqual(answer.result, utf8("42"));
  });

  it("that failed hashes the closed code of the failure", async () => {
    const failure = { cause: FailureCause.NonZeroExit, exitCode: 3 };
    const { compute, packageKey, jobId } = await prepare({
      run: async () => ({ kind: "failed", ...failure, usage, diagnostics: "" }),
    });
    const answer = await compute();
    assert.equal(answer.outcome, Outcome.Failed);
    assert.equal(answer.resultHash, resultHashOf(deriveResultKey(packageKey, jobId), encodeFailure(failure)));
  });

  it("to a key that is not the package's is a report, and so is garbage instead of a key", async () => {
    for (const wrapped of [generatePackageKey(), new Uint8Array(5)])
      assert.equal(reportOf(await (await prepare({ wrapped })).compute()), ReportCode.PackageMismatch);
  });

  it("to a key wrap for another place is a report", async () => {
    const { compute, facts } = await prepare({});
    (facts as { keyWraps: unknown }).keyWraps = ["0x00"];
    assert.equal(reportOf(await compute()), ReportCode.PackageMismatch);
  });

  it("to a package that opens to other bytes than the request names is a report", async () => {
    const { compute } = await prepare({ contentKeyFrom: generatePackageKey() });
    assert.equal(reportOf(await compute()), ReportCode.PackageMismatch);
  });

  it("to a manifest that asks more than was offered for is a report", async () => {
    const { compute } = await prepare({ requirementsHash: ZERO_HASH });
    assert.equal(reportOf(await compute()), ReportCode.RequirementsExceeded);
  });

  it("without the engine, or above the largest package, is a report", async () => {
    assert.equal(reportOf(await (await prepare({ supports: false })).compute()), ReportCode.EngineUnavailable);
    assert.equal(reportOf(await (await prepare({ maxPackageBytes: 10 })).compute()), ReportCode.RequirementsExceeded);
  });

  it("from a sandbox that breaks or reports is a report with its code, never a failure", async () => {
    const broken = await prepare({ run: () => Promise.reject(new Error("disk full")) });
    assert.equal(reportOf(await broken.compute()), ReportCode.HostFailure);
    const slow = await prepare({
      run: async () => ({ kind: "report", code: ReportCode.WallTime, detail: "too slow", usage }),
    });
    assert.equal(reportOf(await slow.compute()), ReportCode.WallTime);
    assert.equal(broken.semaphore.load(), 0);
  });

  it("waits for a package that is still being uploaded", async () => {
    const { compute, relays, upload } = await prepare({ withoutBlocks: true });
    const answer = compute();
    await until(() => relays.asked > 0);
    upload();
    assert.equal((await answer).outcome, Outcome.Ok);
  });

  it("that nobody waits for any more rejects with the signal's reason and votes nothing", async () => {
    const stop = new AbortController();
    const { compute } = await prepare({ withoutBlocks: true });
    const answer = compute(stop.signal);
    stop.abort(new Error("time is up"));
    await assert.rejects(answer, /time is up/);
  });
});
