export { availableIsolations, type Isolation } from "./isolation.ts";
export { type HostLimits, type IsolatedRunOptions, runIsolated } from "./run-isolated.ts";
