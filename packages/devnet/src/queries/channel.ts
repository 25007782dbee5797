/** The end of a process channel that takes commands, one at a time. */
export type Wire<Command, Event> = {
  /**
   * Tells that the process is ready, then answers each command with its events, in order, until the signal aborts.
   *
   * @param ready - The first event.
   * @param run - Carries out a command.
   * @param failed - The event for what `run` throws.
   * @param signal - Ends it.
   */
  serve(
    ready: Event,
    run: (command: Command) => Promise<readonly Event[]>,
    failed: (error: unknown) => Event,
    signal: AbortSignal,
  ): Promise<void>;
};

/**
 * The channel of a process that was started with one (messages are structured clones, so that large numbers pass).
 *
 * @param owner - The process itself.
 */
export function wireOf<Command, Event extends object>(owner: NodeJS.Process): Wire<Command, Event> {
  return {
    async serve(ready, run, failed, signal) {
      let last: Promise<void> = Promise.resolve();
      owner.channel?.ref();
      owner.on("message", (command: Command) => {
        last = last
          .then(() => run(command))
          .catch((error: unknown) => {
            console.error(error);
            return [failed(error)];
          })
          .then((events) => {
            for (const event of events) owner.send?.(event);
          });
      });
      owner.send?.(ready);
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      await last;
      owner.channel?.unref();
    },
  };
}

/**
 * Writes settings for a process to read from a file.
 *
 * @param settings - Plain values; large numbers become `{"$bigint": "…"}`.
 */
export function writeSettings(settings: object): string {
  const text = JSON.stringify(
    settings,
    (_key, value) => (typeof value === "bigint" ? { $bigint: value.toString() } : value),
    2,
  );
  return `${text}\n`;
}

/**
 * Reads what {@link writeSettings} wrote.
 *
 * @param text - Content of the file.
 */
export function parseSettings<T>(text: string): T {
  return JSON.parse(text, (_key, value) =>
    typeof value === "object" && value !== null && typeof value.$bigint === "string" ? BigInt(value.$bigint) : value,
  ) as T;
}
