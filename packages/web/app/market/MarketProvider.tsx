import { createContext, type ReactNode, use, useEffect, useMemo, useSyncExternalStore } from "react";
import { useTicking } from "./chainTime.ts";
import { type HubOptions, type HubState, MarketHub } from "./hub.ts";

/** The market for components. */
export type MarketState = HubState & {
  /** Forgets what was read of the chain, and reads it again. */
  readonly restart: () => Promise<void>;
  /** Reads all of the market's history, and not only the newest blocks. */
  readonly readAll: () => Promise<void>;
};

const MarketContext = createContext<MarketState | undefined>(undefined);

/** Follows the markets of one network for everything below. */
export function MarketProvider({
  options,
  children,
}: {
  readonly options: HubOptions;
  readonly children: ReactNode;
}): ReactNode {
  const hub = useMemo(() => new MarketHub(options), [options]);
  useEffect(() => {
    hub.start();
    return () => hub.stop();
  }, [hub]);
  const state = useSyncExternalStore(hub.subscribe, hub.state);
  const value = useMemo(() => ({ ...state, restart: () => hub.restart(), readAll: () => hub.readAll() }), [state, hub]);
  return <MarketContext value={value}>{children}</MarketContext>;
}

/** The market as this tab knows it. */
export function useMarket(): MarketState {
  const state = use(MarketContext);
  if (state === undefined) throw new TypeError("useMarket needs a MarketProvider above");
  return state;
}

/** Time of the chain, ticking; unix s, undefined before the first block. */
export function useChainTime(): number | undefined {
  return useTicking(useMarket().head);
}
