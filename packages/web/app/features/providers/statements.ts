import { definitionHash, parseDatasetDefinition } from "@quorate/proofs";
import type { DomainDataset } from "@quorate/wire";
import type { MarketDataset } from "../../market/index.ts";

/** What a dataset can answer, for people. */
export type DatasetWords = {
  readonly name: string;
  /** One sentence a kind of question. */
  readonly questions: readonly string[];
  /** The description is the one that was registered on chain. */
  readonly isOnChain: boolean;
};

/**
 * Says what can be asked about a dataset.
 *
 * @param dataset - As its provider describes it.
 * @param registered - The same on chain, if it is there.
 * @returns Undefined when the description cannot be read.
 */
export function datasetWords(dataset: DomainDataset, registered: MarketDataset | undefined): DatasetWords | undefined {
  try {
    const definition = parseDatasetDefinition(dataset.definition);
    const ofAttributes = definition.attributes.map(
      ({ name, unit, description }) =>
        `Is the ${name}${unit === "" ? "" : ` (${unit})`} at least, at most, equal to or between? ${description}`,
    );
    const ofScorecards = definition.scorecards.map(
      ({ name, fields, description }) =>
        `Does a ${name} reach a score made of ${fields.map((field) => field.name).join(", ")}? ${description}`,
    );
    return {
      name: definition.name,
      questions: [...ofAttributes, ...ofScorecards].map((text) => text.trim()),
      isOnChain: registered !== undefined && registered.definition.toLowerCase() === definitionHash(definition),
    };
  } catch {
    return undefined;
  }
}
