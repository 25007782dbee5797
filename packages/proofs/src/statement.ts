import { FatalError } from "@quorate/core";
import { z } from "zod";
import {
  type AttributeDefinition,
  attributeDefinitionSchema,
  attributeOf,
  SCHEMA_BITS,
  SCORECARD_FIELDS,
  type ScorecardDefinition,
  schemaOf,
  scorecardDefinitionSchema,
} from "./dataset.ts";
import { hash } from "./field.ts";
import { parseWith, unixTime } from "./internal/json.ts";
import { encodeValue, parseDecimal, SIGN_SHIFT, VALUE_LIMIT } from "./value.ts";

/** Circuits by name, as in `circuits/circuits.json`. */
export type Circuit = "sealed-answer" | "scorecard";
/** All circuits. */
export const CIRCUITS: readonly Circuit[] = ["sealed-answer", "scorecard"];

/** Relations to one value. */
export type Relation = "at-least" | "at-most" | "less-than" | "greater-than" | "equal" | "not-equal";
/** Relations to two values. */
export type RangeRelation = "between" | "outside";

/** A statement about one attribute. Values are decimals in its unit, as `100000` or `100000 EUR`. */
export type AttributeStatement = {
  readonly kind: "attribute";
  readonly attribute: AttributeDefinition;
  /** The day that it is about, unix s. */
  readonly asOf: number;
} & (
  | { readonly relation: Relation; readonly value: string }
  | {
      readonly relation: RangeRelation;
      /** Belongs to the range. */
      readonly low: string;
      /** Belongs to the range. */
      readonly high: string;
    }
);

/** Points for a record whose values satisfy `Σ coefficient · value >= atLeast`. */
export type Clause = {
  /** By name of the field, decimals; fields that are missing count nothing. */
  readonly coefficients: Readonly<Record<string, string>>;
  /** Decimal in the unit of the sum. */
  readonly atLeast: string;
  /** Points, a whole number, also negative. */
  readonly weight: number;
};

/** A statement about a scorecard: its clauses' points reach the cut-off. */
export type ScorecardStatement = {
  readonly kind: "scorecard";
  readonly scorecard: ScorecardDefinition;
  /** 1 to 4. */
  readonly clauses: readonly Clause[];
  readonly cutoff: number;
  /** The day that it is about, unix s. */
  readonly asOf: number;
};

/** What is asked. */
export type Statement = AttributeStatement | ScorecardStatement;

/** A clause as the circuit runs it: whole numbers over encoded values. */
export type EncodedClause = {
  /** 8 of 32 bits, signed. */
  readonly coefficients: readonly bigint[];
  /** 100 bits, signed. */
  readonly bound: bigint;
  /** 32 bits, signed. */
  readonly weight: bigint;
};

type Encoded = {
  /** What a query names: the attribute, or the program. */
  readonly topic: bigint;
  /** What a use of a record counts for: the attribute, or the schema. */
  readonly nullifierTopic: bigint;
  /** Rest of the statement, packed, with the circuit's form. */
  readonly params: bigint;
  readonly asOf: bigint;
};

/** An attribute statement in the numbers of its circuit: `(lo <= value <= hi) xor negate`. */
export type EncodedAttributeStatement = Encoded & {
  readonly circuit: "sealed-answer";
  readonly form: 0;
  readonly lo: bigint;
  readonly hi: bigint;
  readonly negate: boolean;
};
/** A scorecard statement in the numbers of its circuit. */
export type EncodedScorecardStatement = Encoded & {
  readonly circuit: "scorecard";
  readonly form: 1;
  readonly schema: bigint;
  /** Four; those that a statement does not use hold and count 0. */
  readonly clauses: readonly EncodedClause[];
  /** 36 bits, signed. */
  readonly cutoff: bigint;
};
/** A statement in the numbers of its circuit. */
export type EncodedStatement = EncodedAttributeStatement | EncodedScorecardStatement;

/** Clauses of the circuit. */
const CLAUSES = 4;
const COEFFICIENT_SHIFT = 1n << 31n;
const BOUND_SHIFT = 1n << 99n;
const CUTOFF_SHIFT = 1n << 35n;
const FORM_SHIFT = 232n;
const MAX_VALUE = VALUE_LIMIT - 1n;
/** How far `asOf` may be away from now where there is no history, seconds. */
export const AS_OF_TOLERANCE_S = 86_400;

const decimal = z.string().min(1).max(130);
const name = z.string().min(1).max(100);
const smallInteger = z
  .int()
  .min(-(2 ** 31))
  .max(2 ** 31 - 1);
const attributePart = { kind: z.literal("attribute"), attribute: attributeDefinitionSchema, asOf: unixTime };
const attributeStatement = z.union([
  z.strictObject({
    ...attributePart,
    relation: z.enum(["at-least", "at-most", "less-than", "greater-than", "equal", "not-equal"]),
    value: decimal,
  }),
  z.strictObject({ ...attributePart, relation: z.enum(["between", "outside"]), low: decimal, high: decimal }),
]);
const scorecardStatement = z.strictObject({
  kind: z.literal("scorecard"),
  scorecard: scorecardDefinitionSchema,
  clauses: z
    .array(z.strictObject({ coefficients: z.record(name, decimal), atLeast: decimal, weight: smallInteger }))
    .min(1)
    .max(CLAUSES),
  cutoff: z
    .int()
    .min(-(2 ** 35))
    .max(2 ** 35 - 1),
  asOf: unixTime,
});

/** Schema of a statement in JSON. */
export const statementSchema: z.ZodType<Statement> = z.union([attributeStatement, scorecardStatement]);

/**
 * Reads a statement.
 *
 * @param json Parsed JSON from anywhere.
 * @throws FatalError `STATEMENT_INVALID` for what has another shape or cannot be put into numbers without loss.
 */
export function parseStatement(json: unknown): Statement {
  const isScorecard = typeof json === "object" && json !== null && "kind" in json && json.kind === "scorecard";
  // By its kind, so that the error names the member instead of "no variant fits".
  const schema: z.ZodType<Statement> = isScorecard ? scorecardStatement : attributeStatement;
  const statement = parseWith(schema, json, "STATEMENT_INVALID", "The statement is malformed");
  encodeStatement(statement);
  return statement;
}

/**
 * Puts a statement into the numbers of its circuit.
 *
 * @param statement Statement.
 * @throws FatalError `STATEMENT_INVALID` when it does not fit; `VALUE_INVALID` for a bound that loses digits, has another
 *   unit or is out of range.
 */
export function encodeStatement(statement: Statement): EncodedStatement {
  return statement.kind === "attribute" ? encodeAttribute(statement) : encodeScorecard(statement);
}

function encodeAttribute(statement: AttributeStatement): EncodedAttributeStatement {
  const { attribute } = statement;
  const asOf = timeOf(statement.asOf);
  const [lo, hi, negate] = rangeOf(statement);
  const topic = attributeOf(attribute);
  const params = lo | (hi << 64n) | (asOf << 128n) | ((negate ? 1n : 0n) << 168n);
  return { circuit: "sealed-answer", form: 0, topic, nullifierTopic: topic, params, asOf, lo, hi, negate };
}

function rangeOf(statement: AttributeStatement): readonly [lo: bigint, hi: bigint, negate: boolean] {
  const { attribute } = statement;
  if ("low" in statement) {
    const low = encodeValue(statement.low, attribute);
    const high = encodeValue(statement.high, attribute);
    return [low, high, statement.relation === "outside"];
  }
  const value = encodeValue(statement.value, attribute);
  const { relation } = statement;
  switch (relation) {
    case "at-least":
      return [value, MAX_VALUE, false];
    case "at-most":
      return [0n, value, false];
    case "less-than":
      return [value, MAX_VALUE, true];
    case "greater-than":
      return [0n, value, true];
    case "equal":
      return [value, value, false];
    case "not-equal":
      return [value, value, true];
    default:
      return relation satisfies never;
  }
}

function encodeScorecard(statement: ScorecardStatement): EncodedScorecardStatement {
  const { scorecard, cutoff } = statement;
  const asOf = timeOf(statement.asOf);
  const schema = schemaOf(scorecard);
  const clauses = statement.clauses.map((clause, n) => encodeClause(clause, scorecard, n + 1));
  if (clauses.length === 0 || clauses.length > CLAUSES) invalid(`has ${clauses.length} clauses, 1 to ${CLAUSES} fit`);
  while (clauses.length < CLAUSES) {
    clauses.push({ coefficients: Array.from({ length: SCORECARD_FIELDS }, () => 0n), bound: 0n, weight: 0n });
  }
  const encodedCutoff = signed(whole(cutoff, "The cut-off"), CUTOFF_SHIFT, "The cut-off");
  return {
    circuit: "scorecard",
    form: 1,
    topic: programOf(clauses, encodedCutoff),
    nullifierTopic: schema,
    params: schema | (asOf << SCHEMA_BITS) | (1n << FORM_SHIFT),
    asOf,
    schema,
    clauses,
    cutoff: encodedCutoff,
  };
}

/**
 * Puts a clause into whole numbers over encoded values. A value `x` of scale `s` is encoded as `v = x · 10^s + shift`, so
 * the clause is multiplied by the power of ten that makes every coefficient of a `v` whole, divided by what these have in
 * common, and the shifts of signed fields go to the bound. A sum of whole numbers reaches a bound exactly if it reaches the
 * next whole number above it: nothing is rounded.
 */
function encodeClause(clause: Clause, { fields }: ScorecardDefinition, number: number): EncodedClause {
  const label = `Clause ${number}`;
  const unknown = Object.keys(clause.coefficients).find((key) => !fields.some((field) => field.name === key));
  if (unknown !== undefined) return invalid(`names "${unknown}", which is no field of the scorecard`, label);
  const parts = fields.map((field) => {
    const text = Object.hasOwn(clause.coefficients, field.name) ? clause.coefficients[field.name] : "0";
    const coefficient = parseDecimal(text ?? "");
    if (coefficient === undefined) return invalid(`has no plain decimal as coefficient of "${field.name}"`, label);
    // Of the encoded value: coefficient · 10^-scale of the field.
    return { digits: coefficient.digits, scale: coefficient.scale + field.scale, field };
  });
  const bound = parseDecimal(clause.atLeast);
  if (bound === undefined) return invalid("has no plain decimal as bound", label);
  const scale = Math.max(...parts.map((part) => part.scale));
  const whole_ = parts.map((part) => part.digits * 10n ** BigInt(scale - part.scale));
  const common = whole_.reduce(greatestCommonDivisor, 0n);
  if (common === 0n) return invalid("looks at no field: all of its coefficients are 0", label);
  const coefficients = whole_.map((digits) => signed(digits / common, COEFFICIENT_SHIFT, `A coefficient of ${label}`));
  const shift = parts.reduce(
    (sum, { field }, n) => sum + (field.signed ? (coefficients[n] ?? 0n) * SIGN_SHIFT : 0n),
    0n,
  );
  const atLeast = ceilDivide(bound.digits * 10n ** BigInt(scale), common * 10n ** BigInt(bound.scale));
  return {
    coefficients: [...coefficients, ...Array.from({ length: SCORECARD_FIELDS - fields.length }, () => 0n)],
    bound: signed(atLeast + shift, BOUND_SHIFT, `The bound of ${label}`),
    weight: signed(whole(clause.weight, `The weight of ${label}`), COEFFICIENT_SHIFT, `The weight of ${label}`),
  };
}

/** Id of a program, as `Program()` of the circuits computes it. */
function programOf(clauses: readonly EncodedClause[], cutoff: bigint): bigint {
  const coefficients = clauses.flatMap((clause) => clause.coefficients.map((number) => number + COEFFICIENT_SHIFT));
  const bounds = clauses.map(({ bound }) => bound + BOUND_SHIFT);
  const weights = clauses.map(({ weight }) => weight + COEFFICIENT_SHIFT);
  return hash(
    ...[0, 7, 14, 21, 28].map((start) => pack(coefficients.slice(start, start + 7), 32n)),
    pack(bounds.slice(0, 2), 100n),
    pack(bounds.slice(2), 100n),
    pack([...weights, cutoff + CUTOFF_SHIFT], 32n),
  );
}

/**
 * Inputs of the circuit that a statement gives, shifted as the circuit takes them.
 *
 * @param encoded From {@link encodeStatement}.
 */
export function statementInputs(encoded: EncodedStatement): Readonly<Record<string, CircuitInput>> {
  if (encoded.circuit === "sealed-answer") {
    const { lo, hi, asOf, negate } = encoded;
    return { lo, hi, asOf, negate: negate ? 1n : 0n };
  }
  const { clauses, cutoff, asOf } = encoded;
  return {
    coefficient: clauses.map((clause) => clause.coefficients.map((number) => number + COEFFICIENT_SHIFT)),
    bound: clauses.map(({ bound }) => bound + BOUND_SHIFT),
    weight: clauses.map(({ weight }) => weight + COEFFICIENT_SHIFT),
    cutoff: cutoff + CUTOFF_SHIFT,
    asOf,
  };
}

/** An input of a circuit in the shape of its signal. */
export type CircuitInput = bigint | readonly CircuitInput[];

/**
 * Packs numbers into one, lowest first.
 *
 * @param numbers Each below `2^bits`, the last may be larger.
 * @param bits Of each.
 */
export function pack(numbers: readonly bigint[], bits: bigint): bigint {
  return numbers.reduce((sum, number, n) => sum | (number << (BigInt(n) * bits)), 0n);
}

/**
 * Whether a statement holds for a record's values.
 *
 * @param statement Statement.
 * @param values Encoded: one of an attribute, eight of a scorecard.
 */
export function evaluateStatement(statement: Statement, values: readonly bigint[]): boolean {
  const encoded = encodeStatement(statement);
  if (encoded.circuit === "sealed-answer") {
    const [value] = values;
    if (value === undefined || values.length !== 1)
      throw new RangeError("a statement about an attribute has one value");
    return (encoded.lo <= value && value <= encoded.hi) !== encoded.negate;
  }
  if (values.length !== SCORECARD_FIELDS) throw new RangeError(`a scorecard has ${SCORECARD_FIELDS} values`);
  const score = encoded.clauses.reduce((sum, { coefficients, bound, weight }) => {
    const left = coefficients.reduce((total, coefficient, n) => total + coefficient * (values[n] ?? 0n), 0n);
    return left >= bound ? sum + weight : sum;
  }, 0n);
  return score >= encoded.cutoff;
}

/** Where a statement is checked. */
export type CheckStatementParameters = {
  /** Unix s. */
  readonly now: number;
  /** Whether the dataset answers about earlier days. */
  readonly history: boolean;
};

/**
 * Refuses statements that say nothing, and those about a day that the dataset does not answer for.
 *
 * @param statement Statement.
 * @param parameters Time and dataset.
 * @throws FatalError `STATEMENT_VACUOUS` when every record, or none, satisfies it; `STATEMENT_STALE`; what
 *   {@link encodeStatement} throws.
 */
export function checkStatement(statement: Statement, { now, history }: CheckStatementParameters): void {
  checkNotVacuous(statement);
  const { asOf } = statement;
  if (asOf > now + AS_OF_TOLERANCE_S) stale("is about a day that has not come");
  if (!history && asOf < now - AS_OF_TOLERANCE_S) {
    stale(`is about ${dateOf(asOf)}, and the dataset answers about the last day only`);
  }
}

/**
 * Refuses statements that say nothing whatever the record holds: an empty or a full range, a cut-off that is always or
 * never reached.
 *
 * @param statement Statement.
 * @throws FatalError `STATEMENT_VACUOUS`.
 */
export function checkNotVacuous(statement: Statement): void {
  const encoded = encodeStatement(statement);
  if (encoded.circuit === "sealed-answer") {
    const { lo, hi, negate } = encoded;
    if (lo > hi) vacuous("Its range is empty: the lower end lies above the upper one");
    if (lo === 0n && hi === MAX_VALUE) vacuous(`Its range ${negate ? "leaves out" : "holds"} every value`);
    return;
  }
  // Each clause by itself, over all values: sums reach from the negative to the positive coefficients' part.
  let scores = new Set([0n]);
  for (const { coefficients, bound, weight } of encoded.clauses) {
    const most = coefficients.reduce(
      (sum, coefficient) => (coefficient > 0n ? sum + coefficient * MAX_VALUE : sum),
      0n,
    );
    const least = coefficients.reduce(
      (sum, coefficient) => (coefficient < 0n ? sum + coefficient * MAX_VALUE : sum),
      0n,
    );
    const fulfilled = [...scores].map((score) => score + weight);
    if (least >= bound) scores = new Set(fulfilled);
    else if (most >= bound) scores = new Set([...scores, ...fulfilled]);
  }
  const reached = [...scores].map((score) => score >= encoded.cutoff);
  if (reached.every(Boolean)) vacuous("Every record reaches its cut-off");
  if (!reached.some(Boolean)) vacuous("No record reaches its cut-off");
}

/**
 * The day of a time, as `2026-03-01` (UTC).
 *
 * @param unixS Unix s.
 */
export function dateOf(unixS: number): string {
  return new Date(unixS * 1000).toISOString().slice(0, 10);
}

function timeOf(asOf: number): bigint {
  if (!Number.isInteger(asOf) || asOf < 0 || asOf >= 2 ** 40) return invalid("names no day: asOf is unix seconds");
  return BigInt(asOf);
}

function whole(number: number, label: string): bigint {
  return Number.isSafeInteger(number) ? BigInt(number) : invalid("is no whole number", label);
}

function signed(number: bigint, shift: bigint, label: string): bigint {
  if (number >= -shift && number < shift) return number;
  return invalid(`does not fit into ${shift.toString(2).length} bits; give fewer digits`, label);
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  let [x, y] = [a < 0n ? -a : a, b < 0n ? -b : b];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

/** `⌈numerator / denominator⌉` for a positive denominator. */
function ceilDivide(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  return numerator % denominator > 0n ? quotient + 1n : quotient;
}

function invalid(why: string, subject = "The statement"): never {
  throw new FatalError("STATEMENT_INVALID", `${subject} ${why}.`, {
    docsPath: "protocol/queries.md#what-numbers-mean",
  });
}

function vacuous(why: string): never {
  throw new FatalError("STATEMENT_VACUOUS", `The statement says nothing about anybody. ${why}.`, {
    docsPath: "protocol/circuits.md#who-checks-what",
  });
}

function stale(why: string): never {
  throw new FatalError("STATEMENT_STALE", `The statement ${why}. Ask about today.`);
}
