import { datasetIdOf, FatalError, type MarketDomain } from "@quorate/core";
import { type DatasetDefinition, definitionHash, parseDatasetDefinition } from "@quorate/proofs";
import type { DomainClient, DomainDataset } from "@quorate/wire";
import { type Address, type Hex, isAddressEqual } from "viem";

/** Parameters of {@link fetchDataset}. */
export type FetchDatasetParameters = {
  /** Query market that the provider must answer on. */
  readonly domain: MarketDomain;
  /** Id; default: the provider's only dataset. */
  readonly dataset?: string | undefined;
  /** Whose dataset it must be; default: whom the agent answers for. */
  readonly provider?: Address | undefined;
};

/** A dataset by its provider's word, whose definition hashes to its id. */
export type FetchedDataset = {
  readonly provider: Address;
  readonly dataset: Hex;
  readonly definition: DatasetDefinition;
  readonly offers: DomainDataset["offers"];
};

/**
 * Asks a domain provider's agent for a dataset, and holds the definition against its id: another definition, or another
 * provider, would have another one.
 *
 * @param agent Client of the agent, which is not trusted.
 * @param parameters Market, dataset, provider.
 * @throws FatalError `DOMAIN_OTHER_MARKET`, `DATASET_UNKNOWN`, `DATASET_AMBIGUOUS`, `DATASET_MISMATCH`, `DATASET_INVALID`; what
 * `createDomainClient` throws
 */
export async function fetchDataset(agent: DomainClient, parameters: FetchDatasetParameters): Promise<FetchedDataset> {
  const { domain } = parameters;
  const info = await agent.info();
  if (info.chainId !== domain.chainId || !isAddressEqual(info.market, domain.market)) {
    throw new FatalError(
      "DOMAIN_OTHER_MARKET",
      `${agent.url} answers on market ${info.market} of chain ${info.chainId}; this client is for ${domain.market} on chain ${domain.chainId}.`,
    );
  }
  const wanted = parameters.dataset?.toLowerCase();
  const [found, ...others] = info.datasets.filter(({ dataset }) => wanted === undefined || dataset === wanted);
  const known = info.datasets.map(({ dataset }) => dataset).join(", ") || "none";
  if (found === undefined) {
    throw new FatalError("DATASET_UNKNOWN", `${agent.url} does not offer this dataset. It offers: ${known}.`);
  }
  if (others.length > 0) {
    throw new FatalError("DATASET_AMBIGUOUS", `${agent.url} offers several datasets: ${known}. Name one.`);
  }
  const { dataset, offers } = found;
  const provider = parameters.provider ?? info.provider;
  const definition = parseDatasetDefinition(found.definition);
  if (datasetIdOf(provider, definitionHash(definition)) !== dataset) {
    throw new FatalError(
      "DATASET_MISMATCH",
      `The definition that ${agent.url} gives is not that of dataset ${dataset} of ${provider}: what its numbers mean is unclear. Check URL and provider.`,
    );
  }
  return { provider, dataset, definition, offers };
}
