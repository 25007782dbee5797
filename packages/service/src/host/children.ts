import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { type Logger, silentLogger } from "@quorate/core";

/** Child processes of a service, all ended with it. */
export type Children = {
  /** Starts a program and remembers it until it ends. */
  spawn(command: string, args: readonly string[], options?: SpawnOptions): ChildProcess;
  /** Those that run now. */
  running(): ChildProcess[];
  /** SIGTERM to all, SIGKILL to those left after the deadline; resolves when all have ended. */
  stopAll(deadlineMs: number): Promise<void>;
  /** SIGKILL to all, without waiting. */
  killAll(): void;
};

/**
 * Makes an empty set of children.
 *
 * @param options Logger.
 */
export function createChildren(options: { readonly logger?: Logger } = {}): Children {
  const logger = options.logger ?? silentLogger;
  const alive = new Set<ChildProcess>();
  return {
    spawn(command, args, spawnOptions = {}) {
      const child = spawn(command, args, spawnOptions);
      alive.add(child);
      const gone = (): void => void alive.delete(child);
      child.once("exit", gone);
      // A program that could not be started has no exit.
      child.once("error", gone);
      return child;
    },
    running: () => [...alive],
    async stopAll(deadlineMs) {
      const children = [...alive];
      const ended = Promise.all(
        children.map(
          (child) =>
            new Promise<void>((resolve) =>
              child.exitCode !== null || child.signalCode !== null
                ? resolve()
                : void child.once("exit", () => resolve()),
            ),
        ),
      );
      for (const child of children) child.kill("SIGTERM");
      const timer = setTimeout(() => {
        for (const child of alive) {
          logger.warn("child.killed", { pid: child.pid });
          child.kill("SIGKILL");
        }
      }, deadlineMs);
      await ended;
      clearTimeout(timer);
    },
    killAll() {
      for (const child of alive) child.kill("SIGKILL");
    },
  };
}
