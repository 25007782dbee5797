import type { AttributeDefinition } from "./dataset.ts";
import { type AttributeStatement, type Clause, dateOf, type ScorecardStatement, type Statement } from "./statement.ts";
import { decodeValue, encodeValue, formatDecimal, parseDecimal } from "./value.ts";

/**
 * A statement in plain words, for example `yearly income is at least 100,000 EUR on 2026-11-22`.
 *
 * @param statement Statement.
 * @throws FatalError `VALUE_INVALID`, `STATEMENT_INVALID` when it has no meaning.
 */
export function describeStatement(statement: Statement): string {
  const words = statement.kind === "attribute" ? describeAttribute(statement) : describeScorecard(statement);
  return `${words} on ${dateOf(statement.asOf)}`;
}

/**
 * A value with its unit, as `52,000.5 EUR`.
 *
 * @param value Encoded, below `2^64`.
 * @param definition What it is.
 */
export function describeValue(value: bigint, definition: AttributeDefinition): string {
  return withUnit(grouped(decodeValue(value, definition)), definition);
}

function describeAttribute(statement: AttributeStatement): string {
  const { attribute } = statement;
  // By way of the circuit's number, so that the words say what is proved.
  const show = (text: string): string => describeValue(encodeValue(text, attribute), attribute);
  switch (statement.relation) {
    case "at-least":
      return `${attribute.name} is at least ${show(statement.value)}`;
    case "at-most":
      return `${attribute.name} is at most ${show(statement.value)}`;
    case "less-than":
      return `${attribute.name} is less than ${show(statement.value)}`;
    case "greater-than":
      return `${attribute.name} is greater than ${show(statement.value)}`;
    case "equal":
      return `${attribute.name} is exactly ${show(statement.value)}`;
    case "not-equal":
      return `${attribute.name} is not ${show(statement.value)}`;
    case "between":
      return `${attribute.name} is from ${show(statement.low)} to ${show(statement.high)}`;
    case "outside":
      return `${attribute.name} is below ${show(statement.low)} or above ${show(statement.high)}`;
    default:
      return statement satisfies never;
  }
}

function describeScorecard({ scorecard, clauses, cutoff }: ScorecardStatement): string {
  const parts = clauses.map((clause) => `(${describeClause(clause, scorecard.fields)})`);
  const equal = clauses.every(({ weight }) => weight === 1);
  const [only = ""] = parts;
  let body: string;
  if (equal && parts.length === 1 && cutoff === 1) body = `${only} holds`;
  else if (equal && cutoff === parts.length) body = `all of ${parts.join(" and ")} hold`;
  else if (equal && cutoff === 1) body = `one or more of ${parts.join(", ")} hold`;
  else if (equal) body = `${cutoff} or more of ${parts.join(", ")} hold`;
  else {
    const points = clauses.map(({ weight }, n) => `${weight} for ${parts[n]}`);
    body = `the points ${points.join(", ")} add up to ${cutoff} or more`;
  }
  return `in ${scorecard.name}, ${body}`;
}

function describeClause({ coefficients, atLeast }: Clause, fields: readonly AttributeDefinition[]): string {
  const used = fields.flatMap((field) => {
    const coefficient = parseDecimal(Object.hasOwn(coefficients, field.name) ? (coefficients[field.name] ?? "0") : "0");
    return coefficient === undefined || coefficient.digits === 0n ? [] : [{ field, coefficient }];
  });
  const terms = used.map(({ field, coefficient: { digits, scale } }, n) => {
    const amount = formatDecimal({ digits: digits < 0n ? -digits : digits, scale }, ",");
    const term =
      amount === "1" ? withUnit(field.name, field, true) : `${amount} × ${withUnit(field.name, field, true)}`;
    if (n === 0) return digits < 0n ? `−${term}` : term;
    return digits < 0n ? ` − ${term}` : ` + ${term}`;
  });
  return `${terms.join("")} is at least ${grouped(atLeast)}`;
}

function grouped(text: string): string {
  const parsed = parseDecimal(text);
  return parsed === undefined ? text : formatDecimal(parsed, ",");
}

function withUnit(text: string, { unit }: AttributeDefinition, bracket = false): string {
  if (unit === "") return text;
  return bracket ? `${text} (${unit})` : `${text} ${unit}`;
}
