export { sumOfBalances } from "./balances.ts";
export { type Deployment, deployMarket, localWindows } from "./deploy.ts";
export {
  type LocalMarket,
  type LocalMarketOptions,
  type LocalRelay,
  type NamedRestartable,
  type Provider,
  startLocalMarket,
} from "./market.ts";
export { createNarrator, formatMoney, type Narrator } from "./narrator.ts";
export {
  type JobSummary,
  type JobTransaction,
  type MoneyFlow,
  moneyOf,
  type ObservedJob,
  observeJobs,
  summarizeJob,
} from "./observer.ts";
export { type Organization, organizations } from "./organizations.ts";
export type { RequesterCommand, RequesterEvent } from "./requester-events.ts";
export { type RunDevnetOptions, runDevnet } from "./run-devnet.ts";
export { runStories, type StoriesSummary } from "./run-stories.ts";
export { type Mishap, type Story, stories, WALL_TIME_MS } from "./stories.ts";
export { listenToRequester, type RequesterTells } from "./tells.ts";
