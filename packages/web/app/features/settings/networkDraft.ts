import { type NetworkConfig, parseNetwork } from "../../../src/config.ts";

/** A network while somebody edits it: text alone. */
export type NetworkDraft = Readonly<
  Record<
    | "name"
    | "chainId"
    | "market"
    | "queryMarket"
    | "fromBlock"
    | "confirmations"
    | "firstVisitBlocks"
    | "index"
    | "rpc"
    | "relays"
    | "domains"
    | "tokens",
    string
  >
>;

/**
 * A network as an editor shows it.
 *
 * @param network - Settings; undefined for a new one.
 */
export function networkDraftOf(network: NetworkConfig | undefined): NetworkDraft {
  return {
    name: network?.name ?? "",
    chainId: network === undefined ? "" : String(network.chainId),
    market: network?.market ?? "",
    queryMarket: network?.queryMarket ?? "",
    fromBlock: String(network?.fromBlock ?? 0),
    confirmations: String(network?.confirmations ?? 2),
    firstVisitBlocks: String(network?.firstVisitBlocks ?? 20_000),
    index: network?.index ?? "",
    rpc: (network?.rpc ?? []).join("\n"),
    relays: (network?.relays ?? []).join("\n"),
    domains: (network?.domains ?? []).join("\n"),
    tokens: (network?.tokens ?? [])
      .map(({ address, symbol, decimals }) => `${address} ${symbol} ${decimals}`)
      .join("\n"),
  };
}

/**
 * Reads what was typed.
 *
 * @param draft - As typed.
 * @param base - What was edited: fields that the editor does not show are kept.
 * @throws FatalError `SITE_CONFIG_INVALID` naming every field that is wrong.
 */
export function judgeNetwork(draft: NetworkDraft, base: NetworkConfig | undefined): NetworkConfig {
  const queryMarket = draft.queryMarket.trim();
  const index = draft.index.trim();
  return parseNetwork({
    name: draft.name.trim(),
    chainId: numberOf(draft.chainId),
    rpc: lines(draft.rpc),
    market: draft.market.trim(),
    ...(queryMarket === "" ? {} : { queryMarket }),
    ...(base?.verifiers === undefined ? {} : { verifiers: base.verifiers }),
    tokens: lines(draft.tokens).map((line) => {
      const [address, symbol, decimals = ""] = line.split(/[\s,]+/);
      return { address, symbol, decimals: numberOf(decimals) };
    }),
    relays: lines(draft.relays),
    domains: lines(draft.domains),
    fromBlock: numberOf(draft.fromBlock),
    confirmations: numberOf(draft.confirmations),
    firstVisitBlocks: numberOf(draft.firstVisitBlocks),
    ...(index === "" ? {} : { index }),
  });
}

function lines(text: string): string[] {
  return text.split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trim()]));
}

function numberOf(text: string): number {
  return text.trim() === "" ? Number.NaN : Number(text);
}
