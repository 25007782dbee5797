import { FatalError } from "@quorate/core";
import type { LocalMarket } from "./market.ts";
import type { RequesterCommand, RequesterEvent } from "./requester-events.ts";

/** What the requester's process tells, kept until it is asked for. */
export type Tells = {
  send(command: RequesterCommand): void;
  listen(listener: (event: RequesterEvent) => void): () => void;
  until<T extends RequesterEvent["type"]>(
    type: T,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<Extract<RequesterEvent, { type: T }>>;
};

/**
 * Listens to the requester of a local market.
 *
 * @param market - The running market.
 */
export function listenToRequester(market: LocalMarket): Tells {
  const { process: actor } = market.requester;
  const waiting: RequesterEvent[] = [];
  const listeners = new Set<(event: RequesterEvent) => void>();
  let wake: () => void = () => {};
  actor.onMessage((message) => {
    const event = message as RequesterEvent;
    waiting.push(event);
    for (const listener of listeners) listener(event);
    wake();
  });
  return {
    send: (command) => actor.send(command),
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async until(type, timeoutMs, signal) {
      const deadline = performance.now() + timeoutMs;
      for (;;) {
        signal.throwIfAborted();
        for (let event = waiting.shift(); event !== undefined; event = waiting.shift()) {
          if (event.type === "failed") throw new FatalError(event.code, `The requester failed: ${event.message}`);
          if (event.type === type) return event as Extract<RequesterEvent, { type: typeof type }>;
        }
        if (!actor.alive())
          throw new FatalError("ACTOR_ENDED", `The requester's process ended by itself. See ${actor.logFile}.`);
        if (performance.now() > deadline)
          throw new FatalError(
            "STORY_TIMEOUT",
            `The requester did not come to "${type}" within ${timeoutMs / 1000} s. See the logs in ${market.folder}.`,
          );
        await new Promise<void>((resolve) => {
          wake = resolve;
          setTimeout(resolve, 500);
        });
      }
    },
  };
}
