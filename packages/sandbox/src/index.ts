export { engines } from "./internal/engines.ts";
export type { RunOptions, RunResult, Usage } from "./result.ts";
export { runPackage } from "./run-package.ts";
export { supports } from "./supports.ts";
