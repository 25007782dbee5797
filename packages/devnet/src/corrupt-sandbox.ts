import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import type { SandboxPort } from "@quorate/agent";

/**
 * A sandbox whose first answers are wrong, as a broken or bribed machine would give them: the run is real, its output is not.
 * Stands around a real sandbox from outside; the agent behind it is the shipped one.
 *
 * @param sandbox - The real sandbox.
 * @param runs - Runs that are spoilt.
 * @param counterFile - Where spoilt runs are counted, so that a restart begins no new count.
 */
export function corruptSandbox(sandbox: SandboxPort, runs: number, counterFile: string): SandboxPort {
  return {
    supports: (requirements) => sandbox.supports(requirements),
    async run(pkg, options) {
      const result = await sandbox.run(pkg, options);
      const spoilt = existsSync(counterFile) ? Number(readFileSync(counterFile, "utf8")) : 0;
      if (result.kind !== "ok" || spoilt >= runs) return result;
      writeFileSync(`${counterFile}.tmp`, String(spoilt + 1));
      renameSync(`${counterFile}.tmp`, counterFile);
      const output = Uint8Array.from(result.output);
      if (output.length > 0) output[output.length - 1] = (output.at(-1) as number) ^ 1;
      return { ...result, output };
    },
  };
}
