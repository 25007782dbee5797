import { FatalError } from "@quorate/core";
import type { LocalMarket } from "./market.ts";
import type { Actor } from "./processes.ts";
import type { RequesterCommand, RequesterEvent } from "./requester-events.ts";

/** What a process tells, kept until it is asked for. */
export type Tells<Command extends object, Event extends { readonly type: string }> = {
  send(command: Command): void;
  listen(listener: (event: Event) => void): () => void;
  until<T extends Event["type"]>(
    type: T | readonly T[],
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<Extract<Event, { type: T }>>;
};

/**
 * Listens to a process of a local market that takes commands.
 *
 * @param actor - The process.
 * @param name - What it is called in errors, for example `The requester`.
 */
export function listenTo<Command extends object, Event extends { readonly type: string }>(
  actor: Actor,
  name: string,
): Tells<Command, Event> {
  const waiting: Event[] = [];
  const listeners = new Set<(event: Event) => void>();
  let wake: () => void = () => {};
  actor.onMessage((message) => {
    const event = message as Event;
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
    async until<T extends Event["type"]>(
      wanted: T | readonly T[],
      timeoutMs: number,
      signal: AbortSignal,
    ): Promise<Extract<Event, { type: T }>> {
      const types = (typeof wanted === "string" ? [wanted] : wanted) as readonly string[];
      const deadline = performance.now() + timeoutMs;
      for (;;) {
        signal.throwIfAborted();
        for (let event = waiting.shift(); event !== undefined; event = waiting.shift()) {
          if (types.includes(event.type)) return event as Extract<Event, { type: T }>;
          if (event.type === "failed") {
            const { code, message } = event as unknown as { readonly code: string; readonly message: string };
            throw new FatalError(code, `${name} failed: ${message}`);
          }
        }
        if (!actor.alive())
          throw new FatalError("ACTOR_ENDED", `${name}: the process ended by itself. See ${actor.logFile}.`);
        if (performance.now() > deadline)
          throw new FatalError(
            "STORY_TIMEOUT",
            `${name} did not come to "${types.join('" or "')}" within ${timeoutMs / 1000} s. See ${actor.logFile}.`,
          );
        await new Promise<void>((resolve) => {
          wake = resolve;
          setTimeout(resolve, 500);
        });
      }
    },
  };
}

/** What the requester of a local market tells. */
export type RequesterTells = Tells<RequesterCommand, RequesterEvent>;

/**
 * Listens to the requester of a local market.
 *
 * @param market - The running market.
 */
export function listenToRequester(market: LocalMarket): RequesterTells {
  return listenTo(market.requester.process, "The requester");
}
