import { bulletin } from "./bulletin.ts";
import type { DemoProgram } from "./program.ts";
import { stocks } from "./stocks.ts";

export { bulletin } from "./bulletin.ts";
export type { DemoProgram } from "./program.ts";
export { stocks } from "./stocks.ts";

/** All demo programs, one for each engine. */
export const demoPrograms: readonly DemoProgram[] = [stocks, bulletin];
