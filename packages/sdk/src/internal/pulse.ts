/** Wakes one waiter when something changed. Changes between two waits count as one. */
export class Pulse {
  #fired = false;
  #wake: (() => void) | undefined;

  /** Something changed. */
  fire(): void {
    this.#fired = true;
    this.#wake?.();
  }

  /**
   * Waits for the next change, or returns at once when there was one since the last wait.
   *
   * @param signal Ends the wait: returns false.
   * @returns Whether something changed.
   */
  async wait(signal: AbortSignal): Promise<boolean> {
    if (!this.#fired && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const wake = (): void => resolve();
      this.#wake = wake;
      signal.addEventListener("abort", wake, { once: true });
      await promise;
      // A listener left behind for every wait would grow without end on a signal that lives as long as the program.
      signal.removeEventListener("abort", wake);
      this.#wake = undefined;
    }
    const fired = this.#fired;
    this.#fired = false;
    return fired && !signal.aborted;
  }
}
