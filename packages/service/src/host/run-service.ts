import { isQuorateError, type Logger, silentLogger } from "@quorate/core";
import type { Children } from "./children.ts";

/** Settings of {@link runService}. */
export type RunServiceOptions = {
  /** Time for a graceful end after the first signal; 10 s by default. */
  readonly deadlineMs?: number;
  readonly logger?: Logger;
  /** Signals that ask for the end. */
  readonly signals?: readonly NodeJS.Signals[];
  /** Ends the process at once; only the caller may: `process.exit`. Called at the deadline and at a second signal. */
  readonly exit: (code: number) => void;
  /** Ended after `main`. */
  readonly children?: Children;
};

/** Exit codes of a service. */
export const serviceExitCodes = { ok: 0, failed: 1, forced: 130 } as const;

/**
 * Runs a service until it ends or the process is asked to. The first signal aborts; a second one, or the deadline, forces.
 *
 * @param main Works until its signal is aborted, cleans up, returns.
 * @param options Deadline, signals, children.
 * @returns The exit code: 0 after a graceful end, 1 when `main` threw (logged with its code).
 */
export async function runService(
  main: (signal: AbortSignal) => Promise<void>,
  options: RunServiceOptions,
): Promise<number> {
  const { deadlineMs = 10_000, logger = silentLogger, signals = ["SIGINT", "SIGTERM"], exit, children } = options;
  const abort = new AbortController();
  let deadline: NodeJS.Timeout | undefined;
  const force = (why: string): void => {
    logger.error("service.forced", { why });
    children?.killAll();
    exit(serviceExitCodes.forced);
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    if (abort.signal.aborted) {
      force(`second signal ${signal}`);
      return;
    }
    logger.info("service.stopping", { signal, deadlineMs });
    deadline = setTimeout(() => force("deadline"), deadlineMs);
    abort.abort(new DOMException(`stopped by ${signal}`, "AbortError"));
  };
  for (const signal of signals) process.on(signal, onSignal);
  let code: number = serviceExitCodes.ok;
  try {
    await main(abort.signal);
  } catch (error) {
    const onlyAborted =
      abort.signal.aborted && (error === abort.signal.reason || (error as Error | undefined)?.name === "AbortError");
    if (!onlyAborted) {
      code = serviceExitCodes.failed;
      logger.error("service.failed", { code: isQuorateError(error) ? error.code : undefined, error });
    }
  } finally {
    abort.abort();
    await children?.stopAll(Math.max(100, deadlineMs / 2));
    clearTimeout(deadline);
    for (const signal of signals) process.off(signal, onSignal);
    logger.info("service.stopped", { code });
  }
  return code;
}
