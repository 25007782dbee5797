/** Waits that can be cut short. */
export type Bell = {
  /** Ends the present wait, or the next one at once. */
  ring(): void;
  /** Waits for the bell, for a time (milliseconds) or until aborted; never rejects. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
};

/** Makes a bell. */
export function createBell(): Bell {
  let isRung = false;
  let wake: (() => void) | undefined;
  return {
    ring() {
      isRung = true;
      wake?.();
    },
    async wait(ms, signal) {
      if (!isRung && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const done = (): void => {
            clearTimeout(timer);
            signal.removeEventListener("abort", done);
            wake = undefined;
            resolve();
          };
          const timer = setTimeout(done, ms);
          signal.addEventListener("abort", done, { once: true });
          wake = done;
        });
      }
      isRung = false;
    },
  };
}
