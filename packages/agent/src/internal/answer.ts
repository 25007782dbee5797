import {
  cidOfPackage,
  deriveResultKey,
  encodeFailure,
  type Hex,
  hashRequirements,
  isQuorateError,
  type JobFacts,
  type MarketDomain,
  Outcome,
  openPackage,
  openSealed,
  type Package,
  ReportCode,
  type Requirements,
  readPackageRoot,
  requirementsOf,
  resultHashOf,
  sealAad,
  ZERO_HASH,
} from "@quorate/core";
import type { RunResult } from "@quorate/sandbox";
import type { RelayClient } from "@quorate/wire";
import { hexToBytes } from "viem";
import { pause } from "./pause.ts";
import type { Answer } from "./vote-guard.ts";

/** Runs packages. Reaches no key, no RPC, no network. */
export type SandboxPort = {
  /** Whether it has exactly this engine, and these limits can be kept. */
  supports(requirements: Requirements): boolean;
  /** Runs a package under the limits of its manifest. */
  run(pkg: Package, options: { readonly signal: AbortSignal }): Promise<RunResult>;
};

/** An answer with what it needs to be delivered and explained. */
export type ComputedAnswer = Answer & {
  /** Output or encoded failure; absent for a report. */
  readonly result?: Uint8Array;
  readonly reportCode?: ReportCode;
  readonly detail?: string;
  readonly usage?: { readonly fuel: number; readonly elapsedMs: number; readonly outputBytes: number };
};

/** What an answer is waiting for; tells which report fits when time runs out. */
export type AnswerPhase = "unwrapping" | "fetching" | "queued" | "running";

/** The report that fits a phase at which time ran out. */
export const timeoutReport: Readonly<Record<AnswerPhase, { readonly code: ReportCode; readonly detail: string }>> = {
  unwrapping: { code: ReportCode.HostFailure, detail: "the commit window was nearly over before the work began" },
  fetching: { code: ReportCode.PackageUnavailable, detail: "no relay had all blocks of the package in time" },
  queued: { code: ReportCode.HostFailure, detail: "other jobs kept the sandbox busy until it was too late" },
  running: { code: ReportCode.WallTime, detail: "the program had not ended when the commitment had to leave" },
};

/** Blocks fetched at the same time. */
const PARALLEL_BLOCKS = 4;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

/**
 * Gets the answer of a place: unwraps the key, fetches and opens the package, runs it. Whatever prevents a computed
 * answer becomes a report with its code; only an abort makes it throw.
 *
 * @param input Job, own place, key, ports.
 * @throws The signal's reason.
 */
export async function computeAnswer(input: {
  readonly facts: JobFacts;
  readonly place: number;
  readonly domain: MarketDomain;
  /** Private half of the offer's key; undefined when it is lost. */
  readonly privateKey: Hex | undefined;
  readonly relays: RelayClient;
  readonly sandbox: SandboxPort;
  readonly maxPackageBytes: number;
  /** Waits for a free place in the sandbox; the returned function gives it back. */
  readonly enter: (signal: AbortSignal) => Promise<() => void>;
  readonly onPhase: (phase: AnswerPhase) => void;
  readonly signal: AbortSignal;
}): Promise<ComputedAnswer> {
  const { facts, signal, onPhase } = input;
  const { request, jobId } = facts;
  try {
    onPhase("unwrapping");
    const packageKey = await unwrapKey(input);
    onPhase("fetching");
    const pkg = await fetchPackage(input, packageKey);
    signal.throwIfAborted();
    const requirements = requirementsOf(pkg.manifest);
    if (hashRequirements(requirements) !== request.requirementsHash)
      throw new Reported(ReportCode.RequirementsExceeded, "the package's manifest is not the one that was offered for");
    if (!input.sandbox.supports(requirements))
      throw new Reported(
        ReportCode.EngineUnavailable,
        `engine ${requirements.engine.name} ${requirements.engine.version} is not installed`,
      );
    onPhase("queued");
    const leave = await input.enter(signal);
    try {
      onPhase("running");
      return answerOf(await input.sandbox.run(pkg, { signal }), packageKey, jobId);
    } finally {
      leave();
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Reported) return error.answer;
    return report(ReportCode.HostFailure, error instanceof Error ? error.message : String(error));
  }
}

/**
 * The answer that gives none.
 *
 * @param code Why, for diagnosis.
 * @param detail Why, in words.
 */
export function report(code: ReportCode, detail: string): ComputedAnswer {
  return { outcome: Outcome.Report, resultHash: ZERO_HASH, reportCode: code, detail };
}

/** Ends the way to an answer with a report. */
class Reported extends Error {
  readonly answer: ComputedAnswer;

  constructor(code: ReportCode, detail: string) {
    super(detail);
    this.answer = report(code, detail);
  }
}

function answerOf(result: RunResult, packageKey: Uint8Array, jobId: Hex): ComputedAnswer {
  if (result.kind === "report") return { ...report(result.code, result.detail), usage: usageOf(result) };
  const bytes =
    result.kind === "ok" ? result.output : encodeFailure({ cause: result.cause, exitCode: result.exitCode });
  return {
    outcome: result.kind === "ok" ? Outcome.Ok : Outcome.Failed,
    resultHash: resultHashOf(deriveResultKey(packageKey, jobId), bytes),
    result: bytes,
    usage: usageOf(result),
  };
}

function usageOf({ usage }: RunResult): NonNullable<ComputedAnswer["usage"]> {
  return { fuel: usage.fuel, elapsedMs: Math.round(usage.elapsedMs), outputBytes: usage.outputBytes };
}

async function unwrapKey(input: {
  readonly facts: JobFacts;
  readonly place: number;
  readonly domain: MarketDomain;
  readonly privateKey: Hex | undefined;
}): Promise<Uint8Array> {
  const { facts, place, domain, privateKey } = input;
  if (privateKey === undefined)
    throw new Reported(
      ReportCode.HostFailure,
      "the key of the offer is not here: this state is not the one that offered",
    );
  const provider = facts.terms.places[place]?.provider;
  const sealed = facts.keyWraps[place];
  if (provider === undefined || sealed === undefined)
    throw new Reported(ReportCode.PackageMismatch, "the job was opened without a key for this place");
  try {
    const aad = sealAad({ jobId: facts.jobId, provider, chainId: domain.chainId, market: domain.market });
    const key = await openSealed({ privateKey, purpose: "key-wrap", aad, sealed: hexToBytes(sealed) });
    if (key.length !== 32)
      throw new Reported(ReportCode.PackageMismatch, `the wrapped key has ${key.length} bytes, not 32`);
    return key;
  } catch (error) {
    if (error instanceof Reported) throw error;
    throw new Reported(ReportCode.PackageMismatch, "the key wrap does not open with this offer's key");
  }
}

async function fetchPackage(
  input: {
    readonly facts: JobFacts;
    readonly relays: RelayClient;
    readonly maxPackageBytes: number;
    readonly signal: AbortSignal;
  },
  packageKey: Uint8Array,
): Promise<Package> {
  const { facts, relays, signal } = input;
  const { packageHash, contentHash } = facts.request;
  const rootBytes = await fetchBlock(relays, cidOfPackage(packageHash), signal);
  try {
    const root = readPackageRoot(packageHash, rootBytes);
    if (root.totalBytes > input.maxPackageBytes)
      throw new Reported(
        ReportCode.RequirementsExceeded,
        `the package has ${root.totalBytes} bytes, most is ${input.maxPackageBytes}`,
      );
    const leaves = await fetchAll(relays, root.leaves, signal);
    return openPackage({ packageHash, contentHash, root: rootBytes, leaves }, packageKey);
  } catch (error) {
    if (isQuorateError(error, "PACKAGE_MISMATCH") || isQuorateError(error, "PACKAGE_MALFORMED"))
      throw new Reported(ReportCode.PackageMismatch, error.message);
    throw error;
  }
}

async function fetchAll(relays: RelayClient, cids: readonly string[], signal: AbortSignal): Promise<Uint8Array[]> {
  const blocks = new Array<Uint8Array>(cids.length);
  const queue = cids.entries();
  const worker = async (): Promise<void> => {
    for (const [index, cid] of queue) blocks[index] = await fetchBlock(relays, cid, signal);
  };
  await Promise.all(Array.from({ length: PARALLEL_BLOCKS }, worker));
  return blocks;
}

/** Tries for as long as there is time: the requester may still be uploading. */
async function fetchBlock(relays: RelayClient, cid: string, signal: AbortSignal): Promise<Uint8Array> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    try {
      return await relays.getBlock(cid, { signal });
    } catch {
      signal.throwIfAborted();
      await pause(pauseMs, signal);
    }
  }
}
