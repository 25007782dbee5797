/** Lets a limited number in; first come, first served. */
export type Semaphore = {
  /**
   * Waits for a free place.
   *
   * @returns Gives the place back; calling it twice does nothing.
   * @throws The signal's reason.
   */
  enter(signal: AbortSignal): Promise<() => void>;
  /** Those inside and those that wait. */
  load(): number;
};

/**
 * @param size Number of places.
 */
export function createSemaphore(size: number): Semaphore {
  let inside = 0;
  const waiting: (() => void)[] = [];
  const leaver = (): (() => void) => {
    let left = false;
    return () => {
      if (left) return;
      left = true;
      // Handed over, not given back: nobody who comes later can slip in between.
      const next = waiting.shift();
      if (next === undefined) inside -= 1;
      else next();
    };
  };
  return {
    async enter(signal) {
      signal.throwIfAborted();
      if (inside < size) inside += 1;
      else
        await new Promise<void>((resolve, reject) => {
          const admit = (): void => {
            signal.removeEventListener("abort", give);
            resolve();
          };
          const give = (): void => {
            waiting.splice(waiting.indexOf(admit), 1);
            reject(signal.reason);
          };
          waiting.push(admit);
          signal.addEventListener("abort", give, { once: true });
        });
      return leaver();
    },
    load: () => inside + waiting.length,
  };
}
