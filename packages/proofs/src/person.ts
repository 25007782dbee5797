import { canonicalJson, FatalError, utf8 } from "@quorate/core";
import { keccak256 } from "viem";

/** What a person's papers say. */
export type Papers = {
  readonly name: string;
  /** `YYYY-MM-DD`. */
  readonly birthDate: string;
  readonly documentNumber: string;
};

/** Number of nobody: records that no papers were checked for. */
export const NOBODY = 0n;

/**
 * Number of a person, which asker and provider compute from the papers that they see, each by itself:
 * `keccak256(canonical JSON of the normalized papers) >> 8`.
 *
 * @param papers As written; case, spaces around and between words, and hyphens in the number do not matter.
 * @throws FatalError `PAPERS_INVALID` when a part is missing or the birth date is none.
 */
export function personOf(papers: Papers): bigint {
  const name = papers.name.normalize("NFC").toUpperCase().normalize("NFC").trim().replace(/\s+/gu, " ");
  const documentNumber = papers.documentNumber
    .normalize("NFC")
    .toUpperCase()
    .replace(/[\s\p{Pd}]+/gu, "");
  if (name === "" || /[\p{C}]/u.test(name)) refuse("have no name");
  if (documentNumber === "" || /[\p{C}]/u.test(documentNumber)) refuse("have no document number");
  if (!isDate(papers.birthDate)) refuse("have no birth date of the form YYYY-MM-DD");
  const text = canonicalJson({ birthDate: papers.birthDate, documentNumber, name });
  return BigInt(keccak256(utf8(text))) >> 8n;
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

function refuse(why: string): never {
  throw new FatalError("PAPERS_INVALID", `The papers ${why}. Copy name, birth date and number as they stand there.`);
}
