import { isQuorateError } from "@quorate/core";

/** What a process tells when a command failed. */
export type FailedEvent = { readonly type: "failed"; readonly code: string; readonly message: string };

/**
 * The event for an error.
 *
 * @param error - Whatever was thrown.
 */
export function failureOf(error: unknown): FailedEvent {
  return {
    type: "failed",
    code: isQuorateError(error) ? error.code : "UNEXPECTED",
    message: error instanceof Error ? error.message : String(error),
  };
}

/**
 * Serves the process channel that this process was started with (messages are structured clones, so that large numbers
 * pass): tells that it is ready, then answers each command with one event, in order, until the signal aborts.
 *
 * @param owner - The process itself.
 * @param ready - The first event.
 * @param run - Carries out a command.
 * @param signal - Ends it.
 */
export async function serveCommands<Command, Event extends { readonly type: string }>(
  owner: NodeJS.Process,
  ready: Event,
  run: (command: Command) => Promise<Event>,
  signal: AbortSignal,
): Promise<void> {
  let last: Promise<void> = Promise.resolve();
  owner.channel?.ref();
  owner.on("message", (command: Command) => {
    last = last
      .then(() => run(command))
      .catch((error: unknown) => {
        console.error(error);
        return failureOf(error);
      })
      .then((event) => void owner.send?.(event));
  });
  owner.send?.(ready);
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  await last;
  owner.channel?.unref();
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
