import { isQuorateError } from "@quorate/core";
import {
  type AttributeDefinition,
  attributeOf,
  checkStatement,
  type DatasetDefinition,
  dateOf,
  describeStatement,
  parseStatement,
  type RangeRelation,
  type Relation,
  type ScorecardDefinition,
  type Statement,
  schemaOf,
} from "@quorate/proofs";
import type { Hex } from "viem";

/** A clause as it is being typed. */
export type ClauseDraft = {
  /** By name of the field. */
  readonly coefficients: Readonly<Record<string, string>>;
  readonly atLeast: string;
  readonly weight: string;
};

/** A question as it is being written; kept in this browser until it is prepared. */
export type AskDraft = {
  /** Empty until one is chosen. */
  readonly providerUrl: string;
  /** Undefined for the provider's only dataset. */
  readonly dataset: Hex | undefined;
  /** Number of the attribute or scorecard, decimal; empty for the first. */
  readonly topic: string;
  readonly relation: Relation | RangeRelation;
  readonly value: string;
  readonly high: string;
  readonly clauses: readonly ClauseDraft[];
  readonly cutoff: string;
  /** `YYYY-MM-DD`, UTC; empty for today. */
  readonly day: string;
  /** The subject's card as it was handed over. */
  readonly card: string;
  /** Whose record it must be: of papers that the asker saw, of the person of an earlier question, of nobody's papers. */
  readonly identity: "papers" | "same" | "nobody";
  /** From an earlier question, decimal; for `same`. */
  readonly person: string;
  readonly name: string;
  readonly birthDate: string;
  readonly documentNumber: string;
  readonly askerName: string;
  readonly label: string;
};

/** A question before anything is written. */
export const emptyDraft: AskDraft = {
  providerUrl: "",
  dataset: undefined,
  topic: "",
  relation: "at-least",
  value: "",
  high: "",
  clauses: [],
  cutoff: "",
  day: "",
  card: "",
  identity: "papers",
  person: "",
  name: "",
  birthDate: "",
  documentNumber: "",
  askerName: "",
  label: "",
};

/** Relations to one value or two, as they stand in the form. */
export const relations: readonly { readonly id: Relation | RangeRelation; readonly label: string }[] = [
  { id: "at-least", label: "is at least" },
  { id: "at-most", label: "is at most" },
  { id: "greater-than", label: "is greater than" },
  { id: "less-than", label: "is less than" },
  { id: "equal", label: "is exactly" },
  { id: "not-equal", label: "is not" },
  { id: "between", label: "is between" },
  { id: "outside", label: "is outside of" },
];

/** What a dataset can be asked about. */
export type Topic =
  | { readonly id: string; readonly kind: "attribute"; readonly attribute: AttributeDefinition }
  | { readonly id: string; readonly kind: "scorecard"; readonly scorecard: ScorecardDefinition };

/**
 * What a dataset can be asked about, in its order.
 *
 * @param definition - Of the dataset.
 */
export function topicsOf({ attributes, scorecards }: DatasetDefinition): readonly Topic[] {
  return [
    ...attributes.map((attribute): Topic => ({ id: attributeOf(attribute).toString(), kind: "attribute", attribute })),
    ...scorecards.map((scorecard): Topic => ({ id: schemaOf(scorecard).toString(), kind: "scorecard", scorecard })),
  ];
}

/**
 * Whether a relation needs two values.
 *
 * @param relation - Relation.
 */
export function isRange(relation: Relation | RangeRelation): relation is RangeRelation {
  return relation === "between" || relation === "outside";
}

/**
 * An example that can be changed: whether the first field less the second, where there are two, reaches a number, and whether
 * the last one does.
 *
 * @param scorecard - Its fields give the names.
 */
export function exampleClauses({ fields }: ScorecardDefinition): readonly ClauseDraft[] {
  const [first, second] = fields;
  const last = fields.at(-1);
  if (first === undefined || last === undefined) return [];
  const single = (name: string): ClauseDraft => ({ coefficients: { [name]: "1" }, atLeast: "1", weight: "1" });
  if (second === undefined) return [single(first.name)];
  const share: ClauseDraft = { coefficients: { [first.name]: "0.36", [second.name]: "-1" }, atLeast: "0", weight: "1" };
  return last === second ? [share] : [share, { ...single(last.name), atLeast: "700" }];
}

const plain = (text: string): string => text.replace(/[,\s_]/g, "").replace("−", "-");

/** What a draft says, or what keeps it from saying anything. */
export type DraftedStatement =
  | {
      readonly statement: Statement;
      readonly words: string;
      readonly problem?: undefined;
      readonly isUnfinished?: undefined;
    }
  | {
      readonly problem: string;
      /** Nothing is wrong, something is missing still. */
      readonly isUnfinished: boolean;
      readonly statement?: undefined;
      readonly words?: undefined;
    };

/**
 * The statement that a draft stands for.
 *
 * @param draft - As typed.
 * @param topic - What it is about.
 * @param parameters - Time in unix s, and whether the dataset answers about earlier days.
 */
export function draftedStatement(
  draft: AskDraft,
  topic: Topic,
  { now, history }: { readonly now: number; readonly history: boolean },
): DraftedStatement {
  const missing = missingIn(draft, topic);
  if (missing !== undefined) return { problem: missing, isUnfinished: true };
  try {
    const statement = parseStatement(jsonOf(draft, topic, asOfDay(draft.day, now)));
    checkStatement(statement, { now, history });
    return { statement, words: describeStatement(statement) };
  } catch (error) {
    if (!isQuorateError(error)) throw error;
    return { problem: error.message, isUnfinished: false };
  }
}

function missingIn(draft: AskDraft, topic: Topic): string | undefined {
  if (topic.kind === "attribute") {
    if (plain(draft.value) === "") return `Say which value ${topic.attribute.name} is compared with.`;
    if (isRange(draft.relation) && plain(draft.high) === "") return "Say where the range ends.";
    return;
  }
  if (draft.clauses.length === 0) return "Add a clause.";
  if (draft.clauses.some(({ atLeast, weight }) => plain(atLeast) === "" || plain(weight) === "")) {
    return "Each clause needs the number that its sum has to reach, and its points.";
  }
  return plain(draft.cutoff) === "" ? "Say how many points are enough." : undefined;
}

function jsonOf(draft: AskDraft, topic: Topic, asOf: number): unknown {
  if (topic.kind === "attribute") {
    const about = { kind: "attribute", attribute: topic.attribute, relation: draft.relation, asOf };
    return isRange(draft.relation)
      ? { ...about, low: plain(draft.value), high: plain(draft.high) }
      : { ...about, value: plain(draft.value) };
  }
  return {
    kind: "scorecard",
    scorecard: topic.scorecard,
    clauses: draft.clauses.map(({ coefficients, atLeast, weight }) => ({
      coefficients: Object.fromEntries(
        Object.entries(coefficients).flatMap(([name, text]) => (plain(text) === "" ? [] : [[name, plain(text)]])),
      ),
      atLeast: plain(atLeast),
      weight: Number(plain(weight)),
    })),
    cutoff: Number(plain(draft.cutoff)),
    asOf,
  };
}

/**
 * The moment that a statement about a day names: now for today, the end of a day that is over, the beginning of one that comes.
 *
 * @param day - `YYYY-MM-DD`, or empty for today.
 * @param now - Unix s.
 */
export function asOfDay(day: string, now: number): number {
  const today = dateOf(now);
  if (day === "" || day === today) return now;
  const begin = Date.parse(`${day}T00:00:00Z`) / 1000;
  if (Number.isNaN(begin)) return now;
  return day < today ? begin + 86_399 : begin;
}

/**
 * The number, as typed, with its thousands separated; what is no number stays as it is.
 *
 * @param text - As typed.
 */
export function tidyNumber(text: string): string {
  const match = /^(-?)(\d+)(\.\d*)?$/.exec(plain(text));
  if (match === null) return text;
  const [, sign = "", whole = "", fraction = ""] = match;
  return `${sign}${whole.replace(/\B(?=(\d{3})+$)/g, ",")}${fraction}`;
}
