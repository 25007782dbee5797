import type { Hex } from "@quorate/core";
import { relayError } from "@quorate/wire";
import type { RelayLimits } from "./config.ts";

/** Readers that wait for messages: long polls and event streams. */
export type Streams = {
  /**
   * Takes a place among the waiting readers.
   * @returns Gives the place back
   * @throws RetryableError `TOO_MANY_STREAMS`
   */
  enter(source: string): () => void;
  /** Waits for a message in a topic, at most so long; false when the time is over or the relay closes. */
  wait(topic: Hex, timeoutMs: number, signal: AbortSignal): Promise<boolean>;
  /** Wakes the readers of topics. */
  ring(topics: Iterable<Hex>): void;
  /** Wakes everybody and lets nobody wait any more. */
  close(): void;
  /** True once closed. */
  readonly closed: boolean;
  /** Readers at present. */
  readonly size: number;
};

/**
 * Keeps the readers that wait.
 *
 * @param limits Most readers in all and of one source.
 */
export function createStreams(limits: Pick<RelayLimits, "streams" | "streamsPerSource">): Streams {
  const bySource = new Map<string, number>();
  const waiting = new Map<Hex, Set<(rung: boolean) => void>>();
  let size = 0;
  let closed = false;

  return {
    enter: (source) => {
      const ofSource = bySource.get(source) ?? 0;
      if (size >= limits.streams || ofSource >= limits.streamsPerSource) {
        throw relayError(
          "TOO_MANY_STREAMS",
          `Too many readers wait here (${ofSource} of your address, ${size} in all). Ask without waiting, or elsewhere.`,
        );
      }
      size++;
      bySource.set(source, ofSource + 1);
      let left = false;
      return () => {
        if (left) return;
        left = true;
        size--;
        const rest = (bySource.get(source) ?? 1) - 1;
        if (rest > 0) bySource.set(source, rest);
        else bySource.delete(source);
      };
    },
    wait: (topic, timeoutMs, signal) =>
      new Promise((resolve) => {
        if (closed || signal.aborted) return resolve(false);
        const done = (rung: boolean): void => {
          clearTimeout(timer);
          signal.removeEventListener("abort", onAbort);
          const set = waiting.get(topic);
          set?.delete(done);
          if (set?.size === 0) waiting.delete(topic);
          resolve(rung);
        };
        const onAbort = (): void => done(false);
        const timer = setTimeout(done, timeoutMs, false);
        signal.addEventListener("abort", onAbort, { once: true });
        const set = waiting.get(topic) ?? new Set();
        waiting.set(topic, set.add(done));
      }),
    ring: (topics) => {
      for (const topic of topics) for (const wake of [...(waiting.get(topic) ?? [])]) wake(true);
    },
    close: () => {
      closed = true;
      for (const set of [...waiting.values()]) for (const wake of [...set]) wake(false);
    },
    get closed() {
      return closed;
    },
    get size() {
      return size;
    },
  };
}
