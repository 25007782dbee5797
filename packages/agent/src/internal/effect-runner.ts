import { isQuorateError, type Logger } from "@quorate/core";
import { pause } from "./pause.ts";

/** An effect as the runner sees it. */
export type KeyedEffect = { readonly key: string; readonly type: string; readonly jobId: string };

/** Runs what the state wants: each key once at a time, again after a failure, no longer than it is wanted. */
export type EffectRunner<E extends KeyedEffect> = {
  /** The complete list of what is wanted now. */
  want(effects: readonly E[]): void;
  /** Effects that run or wait to be tried again. */
  active(): readonly { readonly key: string; readonly type: string; readonly failures: number }[];
  /** Failures since the start, by code. */
  failures(): ReadonlyMap<string, number>;
  /** Resolves when everything that ran when the signal was aborted has ended. */
  idle(): Promise<void>;
};

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

type Running<E> = { effect: E; failures: number; readonly stop: AbortController; done: Promise<void> };

/**
 * @param execute Does one effect. Returning means that it is done or that its completion is journaled; throwing means
 *   that it is tried again while it is wanted.
 * @param signal Ends everything.
 */
export function createEffectRunner<E extends KeyedEffect>(input: {
  readonly execute: (effect: E, signal: AbortSignal) => Promise<void>;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}): EffectRunner<E> {
  const { execute, logger, signal } = input;
  const running = new Map<string, Running<E>>();
  const failed = new Map<string, number>();
  let wanted: ReadonlyMap<string, E> = new Map();

  const live = async (entry: Running<E>, key: string): Promise<void> => {
    const { stop } = entry;
    try {
      while (!stop.signal.aborted) {
        const { effect } = entry;
        try {
          await execute(effect, stop.signal);
          return;
        } catch (error) {
          if (stop.signal.aborted) return;
          entry.failures += 1;
          const code = isQuorateError(error) ? error.code : "UNEXPECTED";
          failed.set(code, (failed.get(code) ?? 0) + 1);
          const level = entry.failures === 1 ? "warn" : "debug";
          logger[level]("effect_failed", {
            jobId: effect.jobId,
            effect: effect.type,
            failures: entry.failures,
            code,
            error,
          });
          await pause(Math.min(FIRST_PAUSE_MS * 2 ** (entry.failures - 1), LONGEST_PAUSE_MS), stop.signal);
        }
      }
    } catch (error) {
      // The pause was cut short because nobody wants the effect any more.
      if (!stop.signal.aborted) throw error;
    } finally {
      running.delete(key);
      // Wanted again in the meantime, or still: whatever it did not journal is done once more.
      const again = wanted.get(key);
      if (again !== undefined && stop.signal.aborted && !signal.aborted) start(again);
    }
  };

  const start = (effect: E): void => {
    const stop = new AbortController();
    const entry: Running<E> = { effect, failures: 0, stop, done: Promise.resolve() };
    running.set(effect.key, entry);
    entry.done = live(entry, effect.key);
  };

  signal.addEventListener(
    "abort",
    () => {
      wanted = new Map();
      for (const { stop } of running.values()) stop.abort(signal.reason);
    },
    { once: true },
  );

  return {
    want(effects) {
      if (signal.aborted) return;
      wanted = new Map(effects.map((effect) => [effect.key, effect]));
      for (const [key, entry] of running) {
        const effect = wanted.get(key);
        if (effect === undefined) entry.stop.abort(new Error("no longer wanted"));
        else entry.effect = effect;
      }
      for (const effect of effects) if (!running.has(effect.key)) start(effect);
    },
    active: () => [...running].map(([key, { effect, failures }]) => ({ key, type: effect.type, failures })),
    failures: () => failed,
    async idle() {
      await Promise.allSettled([...running.values()].map(({ done }) => done));
    },
  };
}
