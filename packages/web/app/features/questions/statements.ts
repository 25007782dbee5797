import { describeStatement, parseStatement } from "@quorate/proofs";

/**
 * A stored statement in words.
 *
 * @param json - As a store keeps it.
 * @returns Undefined when this version cannot read it.
 */
export function statementOf(json: unknown): string | undefined {
  try {
    return describeStatement(parseStatement(json));
  } catch {
    return undefined;
  }
}
