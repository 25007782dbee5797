// The parent's side of the worker: one question at a time, and an end to those that take too long.
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Bytecode } from "../lib/compile.ts";
import type { Verdict } from "./journal.ts";
import type { Question, Reply } from "./worker.ts";

const WORKER = fileURLToPath(new URL("./worker.ts", import.meta.url));

/** Runs tests against the batch that was loaded last. */
export class Bencher {
  readonly #timeoutMs: number;
  #child: ChildProcess | undefined;
  #bytecodes: readonly (readonly [string, Bytecode])[] = [];

  /** @param timeoutMs how long one mutant may take */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** Takes the code of the next batch. */
  load(bytecodes: ReadonlyMap<string, Bytecode>): void {
    this.#bytecodes = [...bytecodes];
    this.close();
  }

  /** Tests that fail though no mutant is on. */
  async original(suites: readonly string[]): Promise<readonly string[]> {
    const reply = await this.#ask({ kind: "original", suites }, 10 * this.#timeoutMs);
    if (reply?.kind !== "original") throw new Error("the tests of the original do not end");
    return reply.failures;
  }

  /** The verdict on a mutant. */
  async judge(number: number, suites: readonly string[], hints: readonly string[]): Promise<Verdict> {
    const reply = await this.#ask({ kind: "judge", number, suites, hints }, this.#timeoutMs);
    if (reply === undefined) return { status: "timeout" };
    if (reply.kind !== "judged") throw new Error(`the worker answered ${reply.kind}`);
    return reply.verdict;
  }

  /** Ends the worker. */
  close(): void {
    this.#child?.kill("SIGKILL");
    this.#child = undefined;
  }

  async #ask(question: Question, timeoutMs: number): Promise<Reply | undefined> {
    if (this.#child === undefined) {
      this.#child = fork(WORKER, [], { execArgv: [] });
      await send(this.#child, { kind: "load", bytecodes: this.#bytecodes }, 60_000);
    }
    const reply = await send(this.#child, question, timeoutMs);
    if (reply === undefined) this.close();
    return reply;
  }
}

/** The answer of a worker, or nothing when it takes too long. */
function send(child: ChildProcess, question: Question, timeoutMs: number): Promise<Reply | undefined> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle(() => resolve(undefined)), timeoutMs);
    const onMessage = (reply: Reply): void => settle(() => resolve(reply));
    const onExit = (code: number | null): void => settle(() => reject(new Error(`the worker ended with ${code}`)));
    const settle = (end: () => void): void => {
      clearTimeout(timer);
      child.off("message", onMessage).off("exit", onExit);
      end();
    };
    child.on("message", onMessage).on("exit", onExit);
    child.send(question);
  });
}
