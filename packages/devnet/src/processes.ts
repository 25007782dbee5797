import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { FatalError, isQuorateError } from "@quorate/core";

/** How an actor ended. */
export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

/** A named operating-system process of the local market. */
export type Actor = {
  readonly name: string;
  readonly pid: number;
  /** File that receives everything the actor prints. */
  readonly logFile: string;
  /** Settles when the process has ended. */
  readonly exited: Promise<Exit>;
  /** True until the process has ended. */
  alive(): boolean;
  /** Asks the process to end and kills its whole group when it has not after `graceMs`. */
  stop(graceMs?: number): Promise<Exit>;
  /** Sends a signal to the process and everything it started, without waiting. */
  signal(signal: NodeJS.Signals): void;
  /** Sends a message over the process channel. */
  send(message: object): void;
  /** Hears what the process sends over the channel. */
  onMessage(listener: (message: unknown) => void): void;
};

/** What starts an actor. */
export type ActorSpec = {
  readonly name: string;
  /** Program of Node, a path. */
  readonly main: string;
  readonly args: readonly string[];
  readonly logFile: string;
  /** Whole environment of the process; nothing is inherited but PATH, HOME, the language and where compiled modules are kept. */
  readonly env?: Readonly<Record<string, string>>;
};

/** The path of a module beside this one, with the extension that this package runs under (`.ts` in a checkout, `.js` when installed). */
export function siblingModule(name: string): string {
  const here = fileURLToPath(import.meta.url);
  return join(dirname(here), `${name}${here.endsWith(".ts") ? ".ts" : ".js"}`);
}

/**
 * Starts a process of its own group with its own log file, tied to this one: it ends when this process is gone.
 *
 * @param spec - What to start.
 * @returns The running actor.
 * @throws FatalError `ACTOR_NOT_STARTED` when the process cannot be started.
 */
export function startActor(spec: ActorSpec): Actor {
  mkdirSync(dirname(spec.logFile), { recursive: true });
  const log = openSync(spec.logFile, "a");
  let child: ChildProcess;
  try {
    child = spawn(process.execPath, ["--import", siblingModule("leash"), spec.main, ...spec.args], {
      detached: true,
      serialization: "advanced",
      stdio: ["ignore", log, log, "ipc"],
      env: { ...inheritedEnvironment(), ...spec.env },
    });
  } finally {
    closeSync(log);
  }
  const { pid } = child;
  if (pid === undefined) {
    throw new FatalError("ACTOR_NOT_STARTED", `The process of ${spec.name} could not be started: see ${spec.logFile}.`);
  }
  let ended = false;
  const exited = new Promise<Exit>((resolve) => {
    child.once("exit", (code, signal) => {
      ended = true;
      resolve({ code, signal });
    });
  });
  const signalGroup = (signal: NodeJS.Signals): void => {
    try {
      process.kill(-pid, signal);
    } catch {
      // The group is gone already.
    }
  };
  return {
    name: spec.name,
    pid,
    logFile: spec.logFile,
    exited,
    alive: () => !ended,
    signal: signalGroup,
    send: (message) => void child.send(message),
    onMessage: (listener) => void child.on("message", listener),
    async stop(graceMs = 5_000): Promise<Exit> {
      if (!ended) {
        process.kill(pid, "SIGTERM");
        const timer = setTimeout(() => signalGroup("SIGKILL"), graceMs);
        await exited;
        clearTimeout(timer);
      }
      // What the actor itself started must not outlive it.
      signalGroup("SIGKILL");
      return exited;
    },
  };
}

/** A process that can be killed and started again on the same data. */
export type Restartable = {
  /** The running, or last, process. */
  process(): Actor;
  /** Kills the process without a chance to clean up. */
  kill(): Promise<void>;
  /** Starts the process again and waits until it is ready. */
  restart(): Promise<void>;
};

/**
 * Starts an actor so that it can be started again.
 *
 * @param actors - Everything that runs; holds the latest process.
 * @param launch - Starts the process, and adds it to `actors`.
 * @param readyLine - Beginning of the line by which it says that it is ready.
 * @param timeoutMs - Longest wait for that line.
 */
export function startRestartable(
  actors: Actor[],
  launch: () => Actor,
  readyLine: string,
  timeoutMs: number,
): Restartable {
  let actor = launch();
  return {
    process: () => actor,
    async kill() {
      actor.signal("SIGKILL");
      await actor.exited;
    },
    async restart() {
      actors.splice(actors.indexOf(actor), 1);
      rmSync(actor.logFile, { force: true });
      actor = launch();
      await waitForLine(actor, readyLine, timeoutMs);
    },
  };
}

/** A process that ended by itself. */
export type Casualty = {
  readonly name: string;
  /** End of its log. */
  readonly log: string;
};

/**
 * Every process that should be alive and is not.
 *
 * @param actors - Everything that was started.
 */
export function casualtiesOf(actors: readonly Actor[]): readonly Casualty[] {
  return actors
    .filter((actor) => !actor.alive())
    .map(({ name, logFile }) => ({ name, log: readFileSync(logFile, "utf8").slice(-1_500) }));
}

/**
 * Waits for a line that starts with `prefix` in an actor's log.
 *
 * @param actor - The actor whose log is read.
 * @param prefix - Beginning of the line, for example `listening `.
 * @param timeoutMs - Longest wait.
 * @returns The rest of that line.
 * @throws FatalError `ACTOR_NOT_READY` when the actor ends first or the time is over; the message has the end of the log.
 */
export async function waitForLine(actor: Actor, prefix: string, timeoutMs: number): Promise<string> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const text = readFileSync(actor.logFile, "utf8");
    const line = text
      .split("\n")
      .find((candidate, index, all) => candidate.startsWith(prefix) && index < all.length - 1);
    if (line !== undefined) return line.slice(prefix.length).trim();
    if (!actor.alive() || performance.now() > deadline) {
      throw new FatalError(
        "ACTOR_NOT_READY",
        `${actor.name} ${actor.alive() ? `was not ready after ${timeoutMs} ms` : "ended before it was ready"}. The end of ${actor.logFile}:\n${text.slice(-2_000)}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * Waits for the line by which an actor says that it serves a port.
 *
 * @param actor - The actor.
 * @param prefix - Beginning of the line.
 * @param port - That it was told to take.
 * @param timeoutMs - Longest wait.
 * @returns The rest of the line.
 * @throws FatalError `PORT_IN_USE` when another program has the port; as {@link waitForLine}.
 */
export async function waitForServer(actor: Actor, prefix: string, port: number, timeoutMs: number): Promise<string> {
  try {
    return await waitForLine(actor, prefix, timeoutMs);
  } catch (error) {
    if (isQuorateError(error, "ACTOR_NOT_READY") && /EADDRINUSE|PORT_IN_USE/.test(error.message)) {
      throw new FatalError(
        "PORT_IN_USE",
        `Port ${port} is taken by another program. Stop it, or choose other ports: --port NUMBER.`,
        { cause: error },
      );
    }
    throw error;
  }
}

function inheritedEnvironment(): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of ["PATH", "HOME", "LANG", "TZ", "NODE_COMPILE_CACHE"]) {
    const value = process.env[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}
