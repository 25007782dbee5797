import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Address, FatalError } from "@quorate/core";
import { z } from "zod";

/**
 * Folder of everything that belongs to the provider of a state folder.
 *
 * @param home - State folder.
 */
export function providerFolder(home: string): string {
  return join(home, "provider");
}

/**
 * Policy file: what is taken, and for how much.
 *
 * @param home - State folder.
 */
export function policyFile(home: string): string {
  return join(providerFolder(home), "policy.json");
}

/** Settings of the provider, written by `provider init`. */
export type ProviderSettings = {
  readonly version: 1;
  /** Account of bond and standing. */
  readonly provider: Address;
  /** Name of the agent's key file. */
  readonly agentKey: string;
  readonly isolation: "process" | "bubblewrap";
  readonly health: { readonly host: string; readonly port: number };
  /** Signed profile as relays take it; absent when none is shown. */
  readonly profile?: unknown;
};

const settingsSchema: z.ZodType<ProviderSettings, unknown> = z.strictObject({
  version: z.literal(1),
  provider: z
    .string()
    .regex(/^0x[0-9a-fA-F]{40}$/)
    .transform((value) => value as Address),
  agentKey: z.string().min(1),
  isolation: z.enum(["process", "bubblewrap"]),
  health: z.strictObject({ host: z.string().min(1), port: z.int().min(0).max(65_535) }),
  profile: z.unknown().optional(),
}) as z.ZodType<ProviderSettings, unknown>;

/**
 * Reads the provider's settings.
 *
 * @param home - State folder.
 * @throws FatalError `CONFIG_NO_PROVIDER` before `provider init`, `CONFIG_INVALID` naming the fields that are wrong.
 */
export function readProvider(home: string): ProviderSettings {
  const file = join(providerFolder(home), "provider.json");
  if (!existsSync(file)) {
    throw new FatalError(
      "CONFIG_NO_PROVIDER",
      `There is no provider in ${home} yet. Make one: quorate provider init --name NAME.`,
    );
  }
  try {
    const parsed = settingsSchema.safeParse(JSON.parse(readFileSync(file, "utf8")));
    if (parsed.success) return parsed.data;
    throw new FatalError(
      "CONFIG_INVALID",
      `${file} is not usable:\n${z.prettifyError(parsed.error)}\nRepair these fields.`,
    );
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new FatalError(
        "CONFIG_INVALID",
        `${file} is not JSON. Repair it, or make the provider again with --force.`,
        { cause: error },
      );
    }
    throw error;
  }
}

/**
 * Writes the provider's settings, whole or not at all.
 *
 * @param home - State folder.
 * @param settings - What is written.
 */
export function writeProvider(home: string, settings: ProviderSettings): void {
  writeWhole(join(providerFolder(home), "provider.json"), `${JSON.stringify(settings, null, 2)}\n`);
}

/** A running agent, as `provider start` notes it for `stop` and `status`. */
export type RunningAgent = { readonly pid: number; readonly healthUrl?: string | undefined };

const runningSchema = z.object({
  pid: z.int().positive(),
  startedAt: z.string().optional(),
  healthUrl: z.string().optional(),
});

function runFile(home: string): string {
  return join(providerFolder(home), "run.json");
}

/**
 * Notes this process as the running agent.
 *
 * @param home - State folder.
 * @param healthUrl - Where its health server listens, once it does.
 */
export function noteRunning(home: string, healthUrl?: string): void {
  writeWhole(runFile(home), `${JSON.stringify({ pid: process.pid, startedAt: startOf(process.pid), healthUrl })}\n`);
}

/**
 * Forgets the running agent, if it is this process.
 *
 * @param home - State folder.
 */
export function forgetRunning(home: string): void {
  if (readRunning(home)?.pid === process.pid) rmSync(runFile(home), { force: true });
}

/**
 * The agent that runs on a state folder.
 *
 * @param home - State folder.
 * @returns Undefined when none runs; a note that a killed one left does not count, even when another process has its number now.
 */
export function readRunning(home: string): RunningAgent | undefined {
  let noted: unknown;
  try {
    noted = JSON.parse(readFileSync(runFile(home), "utf8"));
  } catch {
    // No note, or no note of ours: then there is no process to speak to. The agent's own lock still lets no second one start.
    return undefined;
  }
  const parsed = runningSchema.safeParse(noted);
  if (!parsed.success) return undefined;
  const { pid, startedAt, healthUrl } = parsed.data;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return undefined;
  }
  return startOf(pid) === startedAt ? { pid, healthUrl } : undefined;
}

/** When a process started, in the words of Linux; undefined elsewhere, where its number has to do. */
function startOf(pid: number): string | undefined {
  try {
    // The name in brackets may hold anything; the 20th word after it is the start time.
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ")[19];
  } catch {
    return undefined;
  }
}

/**
 * Writes a file of the provider's folder, whole or not at all, readable by its owner only.
 *
 * @param file - Path.
 * @param text - Content.
 */
export function writeWhole(file: string, text: string): void {
  mkdirSync(join(file, ".."), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, file);
}
