import { FatalError } from "@quorate/core";
import type { AttributeStatement, DatasetDefinition, Papers, Statement } from "@quorate/proofs";
import type { Command } from "commander";
import { readJsonFile } from "./json-file.ts";

/** Options that name a statement. */
export type StatementOptions = {
  readonly attribute?: string;
  readonly atLeast?: string;
  readonly atMost?: string;
  readonly lessThan?: string;
  readonly greaterThan?: string;
  readonly equal?: string;
  readonly notEqual?: string;
  readonly between?: readonly string[];
  readonly outside?: readonly string[];
  readonly statement?: string;
  readonly asOf?: string;
};

/**
 * Adds the options that name a statement.
 *
 * @param command - Command.
 */
export function withStatementOptions(command: Command): Command {
  return command
    .option("--attribute <name>", "attribute of the dataset that the statement is about")
    .option("--at-least <value>", "the attribute is at least this, in its unit")
    .option("--at-most <value>", "the attribute is at most this")
    .option("--less-than <value>", "the attribute is less than this")
    .option("--greater-than <value>", "the attribute is greater than this")
    .option("--equal <value>", "the attribute is exactly this")
    .option("--not-equal <value>", "the attribute is not this")
    .option("--between <values...>", "the attribute lies between two values, both included")
    .option("--outside <values...>", "the attribute lies outside of two values")
    .option("--statement <file>", "statement as JSON, for scorecards")
    .option("--as-of <date>", "day that the statement is about, YYYY-MM-DD or unix seconds (default: now)");
}

const relations = {
  atLeast: "at-least",
  atMost: "at-most",
  lessThan: "less-than",
  greaterThan: "greater-than",
  equal: "equal",
  notEqual: "not-equal",
  between: "between",
  outside: "outside",
} as const;

/**
 * The statement that options name, with the definitions of a dataset.
 *
 * @param options - As typed.
 * @param definition - Of the dataset.
 * @param proofs - Package of proofs.
 * @param now - Unix s.
 * @throws FatalError `USAGE_STATEMENT`, `STATEMENT_INVALID`, `VALUE_INVALID`
 */
export function statementOf(
  options: StatementOptions,
  definition: DatasetDefinition,
  proofs: typeof import("@quorate/proofs"),
  now: number,
): Statement {
  const asOf = options.asOf === undefined ? now : parseDay(options.asOf);
  const named = (Object.keys(relations) as (keyof typeof relations)[]).filter((name) => options[name] !== undefined);
  if (options.statement !== undefined) {
    if (named.length > 0 || options.attribute !== undefined) {
      throw misstated("--statement stands alone: leave out --attribute and the relation");
    }
    return proofs.parseStatement(completeStatement(readJsonFile(options.statement, "statement"), definition, asOf));
  }
  const [relation, ...others] = named;
  if (options.attribute === undefined || relation === undefined || others.length > 0) {
    throw misstated('name --attribute and one relation, for example: --attribute "yearly income" --at-least 100000');
  }
  const attribute = byName(definition.attributes, options.attribute, "attribute");
  const values = options[relation];
  if (relation === "between" || relation === "outside") {
    const [low, high, ...more] = values as readonly string[];
    if (low === undefined || high === undefined || more.length > 0) {
      throw misstated(`--${relation} takes two values, the lower one first`);
    }
    return proofs.parseStatement({ kind: "attribute", attribute, relation, low, high, asOf });
  }
  const value = values as string;
  const statement = { kind: "attribute", attribute, relation: relations[relation], value, asOf };
  return proofs.parseStatement(statement as AttributeStatement);
}

/** A file may name attribute or scorecard by its name, and leave out the day. */
function completeStatement(json: unknown, definition: DatasetDefinition, asOf: number): unknown {
  if (typeof json !== "object" || json === null) return json;
  const statement: Record<string, unknown> = { asOf, ...json };
  if (typeof statement.scorecard === "string") {
    statement.scorecard = byName(definition.scorecards, statement.scorecard, "scorecard");
  }
  if (typeof statement.attribute === "string") {
    statement.attribute = byName(definition.attributes, statement.attribute, "attribute");
  }
  return statement;
}

function byName<T extends { readonly name: string }>(items: readonly T[], name: string, what: string): T {
  const [found, ...others] = items.filter((item) => item.name === name);
  if (found !== undefined && others.length === 0) return found;
  const known = items.map((item) => `"${item.name}"`).join(", ") || "none";
  throw misstated(
    found === undefined
      ? `the dataset has no ${what} "${name}"; it has: ${known}`
      : `the dataset has ${others.length + 1} ${what}s called "${name}"; write the statement as a file with the full definition`,
  );
}

function misstated(why: string): FatalError {
  return new FatalError("USAGE_STATEMENT", `The statement is not clear: ${why}.`);
}

function parseDay(text: string): number {
  if (/^\d{1,12}$/.test(text)) return Number(text);
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(ms)) throw misstated(`--as-of ${text} is neither YYYY-MM-DD nor unix seconds`);
  return ms / 1_000;
}

/** Options that name a person's papers. */
export type PapersOptions = {
  readonly name?: string;
  readonly birthDate?: string;
  readonly document?: string;
};

/**
 * Adds the options that name papers.
 *
 * @param command - Command.
 */
export function withPapersOptions(command: Command): Command {
  return command
    .option("--name <text>", "name as on the papers")
    .option("--birth-date <date>", "birth date, YYYY-MM-DD")
    .option("--document <number>", "number of the document");
}

/**
 * The papers that options name.
 *
 * @param options - As typed.
 * @returns Undefined when none is named.
 * @throws FatalError `USAGE_PAPERS` when a part is missing.
 */
export function papersOf({ name, birthDate, document }: PapersOptions): Papers | undefined {
  if (name === undefined && birthDate === undefined && document === undefined) return undefined;
  if (name === undefined || birthDate === undefined || document === undefined) {
    throw new FatalError(
      "USAGE_PAPERS",
      "Papers are a name, a birth date and a document number. Give all of the three.",
    );
  }
  return { name, birthDate, documentNumber: document };
}
