export * from "./figures.ts";
export { type Head, type HubOptions, type Problem, spending } from "./hub.ts";
export { MarketProvider, type MarketState, useChainTime, useMarket } from "./MarketProvider.tsx";
export * from "./model.ts";
export * from "./stage.ts";
