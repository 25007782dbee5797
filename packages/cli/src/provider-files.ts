import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Address, FatalError } from "@quorate/core";
import { z } from "zod";

/** Folder of everything that belongs to the provider of a state folder. */
export function providerFolder(home: string): string {
  return join(home, "provider");
}

/** Policy file: what is taken, and for how much. */
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
  profile: z.unknown(),
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

/** Writes the provider's settings, whole or not at all. */
export function writeProvider(home: string, settings: ProviderSettings): void {
  writeWhole(join(providerFolder(home), "provider.json"), `${JSON.stringify(settings, null, 2)}\n`);
}

/** A running agent, as `provider start` notes it for `stop` and `status`. */
export type RunningAgent = { readonly pid: number; readonly healthUrl?: string | undefined };

const runningSchema = z.object({ pid: z.int().positive(), healthUrl: z.string().optional() });

function runFile(home: string): string {
  return join(providerFolder(home), "run.json");
}

/** Notes the running agent. */
export function noteRunning(home: string, running: RunningAgent): void {
  writeWhole(runFile(home), `${JSON.stringify(running)}\n`);
}

/** Forgets the running agent. */
export function forgetRunning(home: string): void {
  rmSync(runFile(home), { force: true });
}

/**
 * The agent that runs on a state folder.
 *
 * @returns Undefined when none runs; a note that a killed one left does not count.
 */
export function readRunning(home: string): RunningAgent | undefined {
  if (!existsSync(runFile(home))) return undefined;
  const parsed = runningSchema.safeParse(JSON.parse(readFileSync(runFile(home), "utf8")));
  if (!parsed.success) return undefined;
  try {
    process.kill(parsed.data.pid, 0);
    return parsed.data;
  } catch {
    return undefined;
  }
}

/** Writes a file of the provider's folder, whole or not at all, readable by its owner only. */
export function writeWhole(file: string, text: string): void {
  mkdirSync(join(file, ".."), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, file);
}
