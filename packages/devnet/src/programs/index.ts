import { FatalError } from "@quorate/core";
import type { DemoProgram } from "./program.ts";
import { spokenBulletin } from "./spoken-bulletin.ts";
import { stockVolatility } from "./stock-volatility.ts";

export type { Checked, DemoProgram } from "./program.ts";

/** All demo programs, one for each engine. */
export const programs: readonly DemoProgram[] = [stockVolatility, spokenBulletin];

/**
 * Finds a demo program.
 *
 * @param name Its short name.
 * @throws FatalError `UNKNOWN_PROGRAM` naming those that there are.
 */
export function findProgram(name: string): DemoProgram {
  const found = programs.find((program) => program.name === name);
  if (found !== undefined) return found;
  const names = programs.map((program) => program.name).join(", ");
  throw new FatalError("UNKNOWN_PROGRAM", `There is no demo program "${name}". There are: ${names}.`);
}
