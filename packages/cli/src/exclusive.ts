import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { FatalError, isQuorateError, RetryableError } from "@quorate/core";
import { lockState } from "@quorate/service";

/** How long a command waits for another one of the same state folder, milliseconds. */
const PATIENCE_MS = 300_000;

/** Between two tries, milliseconds. The kernel has no queue for these locks. */
const PAUSE_MS = 200;

/**
 * Runs what sends transactions: one process of a state folder at a time. Two that open the same job at once would choose two
 * panels, and two that send with the same key would take the same nonce. The lock goes when its process dies, however it dies.
 *
 * @param home - State folder.
 * @param options - Signal that ends the wait; told once when there is somebody to wait for; longest wait.
 * @param body - What is run under the lock.
 * @returns What `body` returns.
 * @throws FatalError `FILE_UNUSABLE` when the folder cannot be written; RetryableError `STATE_BUSY` when another command does not end; the signal's reason
 */
export async function exclusively<T>(
  home: string,
  options: { readonly signal: AbortSignal; readonly onWait: () => void; readonly patienceMs?: number },
  body: () => Promise<T>,
): Promise<T> {
  const { signal, onWait, patienceMs = PATIENCE_MS } = options;
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const deadline = performance.now() + patienceMs;
  let isTold = false;
  for (;;) {
    signal.throwIfAborted();
    let lock: ReturnType<typeof lockState> | undefined;
    try {
      lock = lockState(join(home, "sending"));
    } catch (error) {
      if (!isQuorateError(error, "ALREADY_RUNNING")) {
        throw new FatalError(
          "FILE_UNUSABLE",
          `No lock can be taken in ${home}, so nothing was sent. Check that the folder can be written and the disk is not full, or name another folder with --home.`,
          { cause: error, details: { path: home } },
        );
      }
      if (performance.now() > deadline) {
        throw new RetryableError(
          "STATE_BUSY",
          `Another quorate command of ${home} has been sending for more than ${Math.round(patienceMs / 1_000)} s. Wait until it has ended, or stop it; nothing was sent by this one.`,
          { cause: error },
        );
      }
    }
    if (lock !== undefined) {
      try {
        return await body();
      } finally {
        lock.close();
      }
    }
    if (!isTold) onWait();
    isTold = true;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
