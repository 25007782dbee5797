import { type ChildProcess, fork } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FatalError, type Logger, type QuorateError, RetryableError, silentLogger } from "@quorate/core";
import { assertFieldElements, type CircuitInputs, type Signals } from "../inputs.ts";
import { CIRCUITS, type Circuit } from "../statement.ts";
import type { ProofWords } from "../verify.ts";
import { circuitArtifacts } from "./artifacts.ts";
import type { ChildReply, ChildRequest, ChildSettings, ProofPoints } from "./messages.ts";

/** A proof with what it says. */
export type Proof = {
  readonly proof: ProofWords;
  readonly signals: Signals;
  /** Time of the witness, ms. */
  readonly witnessMs: number;
  /** Time of the proof without the witness, ms. */
  readonly proveMs: number;
};

/** Options of {@link Prover.prove}. */
export type ProveOptions = {
  /** Gives up: a proof that runs is killed, one that waits never begins. */
  readonly signal?: AbortSignal | undefined;
  /** What the signals must be; anything else is an error. */
  readonly signals?: Signals | undefined;
};

/** Makes proofs, one at a time, in the order they are asked for. */
export type Prover = {
  /**
   * Makes a proof and verifies it.
   *
   * @param circuit Circuit.
   * @param inputs From `buildInputs`.
   * @param options How to give up, what must come out.
   * @throws FatalError `FIELD_OVERFLOW`, `WITNESS_REFUSED`, `PROOF_WRONG`, `PROVER_CLOSED`; RetryableError `PROVER_FAILED`,
   *   `PROVER_TIMEOUT`; the signal's reason.
   */
  prove(circuit: Circuit, inputs: CircuitInputs, options?: ProveOptions): Promise<Proof>;
  /**
   * Loads calculators and keys, so that the first proof takes no longer than the others.
   *
   * @throws As {@link Prover.prove}.
   */
  warm(): Promise<void>;
  /** Gives up all that waits or runs, and resolves once no process is left. May be called again. */
  close(): Promise<void>;
};

/** Settings of {@link createProver}. */
export type ProverOptions = {
  /** Folder with calculators and keys; that of this package unless given. */
  readonly artifactsDir?: string | undefined;
  /** Absolute path of an external prover, called as `<path> <key> <witness> <proof> <public>`; snarkjs unless given. */
  readonly executable?: string | undefined;
  /** A proof that takes longer is killed, ms; 5 minutes unless given. */
  readonly timeoutMs?: number | undefined;
  readonly logger?: Logger | undefined;
};

type Task = {
  readonly request: ChildRequest;
  readonly settle: (result: { readonly reply: ChildReply } | { readonly error: unknown }) => void;
  /** How often a child died over it. */
  deaths: number;
};

const DEFAULT_TIMEOUT_MS = 300_000;
/** Heap of the child; keys and points lie outside of it. */
const HEAP_MIB = 512;

/**
 * Makes a prover that proves in a process of its own. The process is started with the first proof, stays warm, is killed when
 * a running proof is given up, and never keeps an idle parent alive. A proof over which the process dies is tried once more.
 *
 * @param options Artifacts, external prover, limits.
 * @throws FatalError `ARTIFACTS_MISSING`, `ARTIFACTS_STALE`.
 */
export async function createProver(options: ProverOptions = {}): Promise<Prover> {
  const { artifactsDir, executable, timeoutMs = DEFAULT_TIMEOUT_MS, logger = silentLogger } = options;
  const files = await circuitArtifacts(artifactsDir);
  const scratch = executable === undefined ? undefined : await mkdtemp(join(tmpdir(), "quorate-prove-"));
  const settings: ChildSettings = {
    kind: "settings",
    files,
    executable: executable === undefined || scratch === undefined ? undefined : { path: executable, scratch },
  };
  const waiting: Task[] = [];
  let running: Task | undefined;
  let child: ChildProcess | undefined;
  let closed = false;
  /** Kills what runs now; the task is settled by the caller. */
  let stopRunning: () => void = () => {};
  let nextId = 0;
  /** Children that were told to end and have not yet. */
  const ending = new Set<Promise<void>>();

  /** An idle child must not keep the parent alive, a working one must. */
  const hold = (held: ChildProcess, busy: boolean): void => {
    const change = busy ? "ref" : "unref";
    held[change]();
    held.channel?.[change]();
    (held.stderr as unknown as { ref(): void; unref(): void } | null)?.[change]();
  };

  /** Kills a child with all that it started. */
  const end = (victim: ChildProcess): void => {
    if (child === victim) child = undefined;
    if (victim.exitCode !== null || victim.signalCode !== null || victim.pid === undefined) return;
    const gone = new Promise<void>((resolve) => victim.once("close", () => resolve())).finally(() =>
      ending.delete(gone),
    );
    ending.add(gone);
    // Idle ones are let go of; whoever waits for the end of this one must not run out of events before it.
    hold(victim, true);
    try {
      process.kill(-victim.pid, "SIGKILL");
    } catch {
      victim.kill("SIGKILL");
    }
  };

  const start = (): ChildProcess => {
    const started = fork(fileURLToPath(new URL("./child.ts", import.meta.url)), [], {
      // A group of its own, so that an external prover ends with it.
      detached: true,
      env: {},
      execArgv: [`--max-old-space-size=${HEAP_MIB}`],
      serialization: "advanced",
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    started.stderr?.on("data", (chunk: Buffer) => {
      logger.debug("the prover says", { text: chunk.toString().slice(0, 1000) });
    });
    started.on("error", (error) => logger.warn("the prover's process", { error: error.message }));
    // Also while it is idle: the next proof needs another one then.
    started.once("exit", () => {
      if (child === started) child = undefined;
    });
    started.send(settings, () => {});
    return started;
  };

  const runNext = (): void => {
    if (running !== undefined || closed) return;
    const task = waiting.shift();
    if (task === undefined) return;
    running = task;
    child ??= start();
    const busy = child;
    const timer = setTimeout(() => {
      end(busy);
      finish({
        error: new RetryableError("PROVER_TIMEOUT", `The proof took longer than ${timeoutMs} ms and was given up.`),
      });
    }, timeoutMs);
    const onMessage = (reply: ChildReply): void => {
      if (reply.id === task.request.id) finish({ reply });
    };
    const onGone = (): void => {
      task.deaths++;
      if (task.deaths > 1) {
        finish({
          error: new RetryableError(
            "PROVER_FAILED",
            "The prover's process died twice over one proof. Look at the memory of the machine, then try again.",
          ),
        });
        return;
      }
      logger.warn("the prover's process died; once more", { circuit: task.request.circuit });
      waiting.unshift(task);
      release();
      runNext();
    };
    const release = (): void => {
      clearTimeout(timer);
      busy.off("message", onMessage);
      busy.off("close", onGone);
      hold(busy, false);
      running = undefined;
    };
    const finish = (result: Parameters<Task["settle"]>[0]): void => {
      release();
      task.settle(result);
      runNext();
    };
    stopRunning = () => {
      end(busy);
      release();
      runNext();
    };
    hold(busy, true);
    busy.on("message", onMessage);
    busy.once("close", onGone);
    busy.send(task.request, () => {});
  };
  const submit = (request: ChildRequest, signal?: AbortSignal): Promise<ChildReply> => {
    if (closed) return Promise.reject(proverClosed());
    signal?.throwIfAborted();
    return new Promise<ChildReply>((resolve, reject) => {
      const task: Task = {
        request,
        deaths: 0,
        settle: (result) => {
          signal?.removeEventListener("abort", onAbort);
          if ("reply" in result) resolve(result.reply);
          else reject(result.error);
        },
      };
      const onAbort = (): void => {
        const place = waiting.indexOf(task);
        if (place >= 0) waiting.splice(place, 1);
        task.settle({ error: signal?.reason });
        if (running === task) stopRunning();
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      waiting.push(task);
      runNext();
    });
  };

  return {
    prove: async (circuit, inputs, { signal, signals: expected } = {}) => {
      // The calculator reduces what is too large without a word.
      assertFieldElements(inputs);
      const reply = await submit({ kind: "prove", id: nextId++, circuit, inputs }, signal);
      if (reply.kind !== "proof") throw failureOf(reply);
      const signals = reply.signals.map(BigInt) as unknown as Signals;
      if (expected?.some((value, n) => value !== signals[n]) === true) {
        throw new FatalError("PROOF_WRONG", "The proof says something else than the question: it is not used.");
      }
      return { proof: wordsOf(reply.points), signals, witnessMs: reply.witnessMs, proveMs: reply.proveMs };
    },
    warm: async () => {
      for (const circuit of CIRCUITS) {
        const reply = await submit({ kind: "warm", id: nextId++, circuit });
        if (reply.kind !== "warm") throw failureOf(reply);
      }
    },
    close: async () => {
      closed = true;
      const tasks = running === undefined ? waiting.splice(0) : [running, ...waiting.splice(0)];
      if (running !== undefined) stopRunning();
      if (child !== undefined) end(child);
      for (const task of tasks) task.settle({ error: proverClosed() });
      await Promise.all(ending);
      if (scratch !== undefined) await rm(scratch, { recursive: true, force: true });
    },
  };
}

function wordsOf({ a, b, c }: ProofPoints): ProofWords {
  const [ax, ay, [bx, by], cx, cy] = [a[0], a[1], b, c[0], c[1]];
  // The contracts take the imaginary part first.
  const words = [ax, ay, bx?.[1], bx?.[0], by?.[1], by?.[0], cx, cy].map((word) => BigInt(word ?? ""));
  return words as unknown as ProofWords;
}

function failureOf(reply: ChildReply): QuorateError {
  if (reply.kind !== "failed") return new RetryableError("PROVER_FAILED", "The prover answered something else.");
  switch (reply.stage) {
    case "witness":
      return new FatalError(
        "WITNESS_REFUSED",
        `The circuit refuses the inputs (${reply.message}). Build them with buildInputs, which names the broken rule.`,
        { docsPath: "protocol/circuits.md#statement" },
      );
    case "proof":
      return new FatalError("PROOF_WRONG", "The proof does not verify and is not used. Check the external prover.");
    case "prover":
      return new RetryableError("PROVER_FAILED", `The prover failed: ${reply.message}.`);
    default:
      return reply.stage satisfies never;
  }
}

function proverClosed(): FatalError {
  return new FatalError("PROVER_CLOSED", "The prover is closed: this proof was not made.");
}
