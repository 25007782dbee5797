export { bloomHoldsLog, bloomMayMatch, bloomOf, logMatches } from "./bloom.ts";
export { decodeMarketLog, type MarketEvent, marketEvents } from "./decode.ts";
export * from "./errors.ts";
export {
  type BlockRef,
  createFollower,
  type Follower,
  type FollowerCounters,
  type FollowerStatus,
} from "./follower/follower.ts";
export type { FollowerOptions } from "./follower/options.ts";
export * from "./follower/step.ts";
export { applyUpdate, memoryStore } from "./memory-store.ts";
export { type Sleep, sleep, withTimeout } from "./sleep.ts";
export { headerHash, type RpcHeader } from "./sources/header-hash.ts";
export { type RpcClient, type ViemBlockSourceOptions, viemBlockSource } from "./sources/viem-source.ts";
export type * from "./types.ts";
