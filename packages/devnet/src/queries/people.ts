import type { Papers } from "@quorate/proofs";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { readDataset } from "../programs/program.ts";

/** Somebody on a payroll. Nobody real: drawn from a public distribution. */
export type Person = {
  /** Number on the payroll. */
  readonly number: string;
  readonly name: string;
  /** YYYY-MM-DD. */
  readonly birthDate: string;
  readonly documentNumber: string;
  readonly state: string;
  /** Dollars a year. */
  readonly income: number;
  /** What loans cost, dollars a year. */
  readonly debtService: number;
  /** Credit score, 300 to 850. */
  readonly score: number;
};

/**
 * Papers of a person.
 *
 * @param person - Of {@link generatePeople}.
 */
export function papersOf({ name, birthDate, documentNumber }: Person): Papers {
  return { name, birthDate, documentNumber };
}

/** A row of `income.json`: share of a state's households with an income in a group. */
type IncomeShare = { readonly name: string; readonly pct: number; readonly total: number; readonly group: string };

const GIVEN_NAMES =
  "Ada Amina Arjun Bruno Carmen Chiara Dario Elif Emeka Eva Farid Grace Greta Hana Hugo Ines Ivan Jonas Kofi Lena Liam Mara Mei Nadia Noah Olga Omar Paula Quinn Rosa Sami Selma Tariq Uma Viktor Wanda Yara Zoe".split(
    " ",
  );
const FAMILY_NAMES =
  "Abbott Alvarez Bauer Bianchi Chen Costa Dubois Eriksen Farkas Fischer Garcia Hansen Haddad Ito Jansen Kaya Keller Kowalski Lindgren Lopez Marino Mensah Moreau Novak Okafor Olsen Park Petrov Quist Rahman Rossi Sato Silva Tanaka Ueda Varga Weber Yilmaz Zhang".split(
    " ",
  );

/** Pareto tail of the open group: twice the income is a quarter as frequent. */
const TAIL_EXPONENT = 2;
const HIGHEST_INCOME = 5_000_000;

/**
 * Draws people whose incomes follow the shares of households by income group and state in `income.json` of vega-datasets
 * (United States): a state and group by its number of households, then a whole dollar evenly within the group, and beyond
 * 200,000 by a Pareto tail.
 *
 * @param count - How many.
 * @param seed - The same people for the same seed.
 * @returns The people, with document numbers that are unique.
 */
export async function generatePeople(count: number, seed: number): Promise<readonly Person[]> {
  const shares = JSON.parse(new TextDecoder().decode(await readDataset("income.json"))) as readonly IncomeShare[];
  let sum = 0;
  const cumulative = shares.map(({ pct, total }) => (sum += Math.round(pct * total)));
  const random = xoroshiro128plus(seed);
  const draw = (from: number, to: number): number => uniformInt(random, from, to);
  const pick = <T>(list: readonly T[]): T => list[draw(0, list.length - 1)] as T;
  return Array.from({ length: count }, (_, index) => {
    const ticket = draw(1, sum);
    const share = shares[cumulative.findIndex((bound) => ticket <= bound)] as IncomeShare;
    const income = incomeIn(share.group, draw);
    return {
      number: `E-${String(index + 1).padStart(6, "0")}`,
      name: `${pick(GIVEN_NAMES)} ${pick(FAMILY_NAMES)}`,
      birthDate: `${draw(1957, 2004)}-${twoDigits(draw(1, 12))}-${twoDigits(draw(1, 28))}`,
      documentNumber: `P${String(draw(10, 99))}${String(index + 1).padStart(6, "0")}`,
      state: share.name,
      income,
      debtService: Math.floor((income * draw(3, 60)) / 100),
      score: Math.round((draw(300, 850) + draw(300, 850) + 2 * draw(500, 850)) / 4),
    };
  });
}

function incomeIn(group: string, draw: (from: number, to: number) => number): number {
  if (group.startsWith("<")) return draw(1_000, Number(group.slice(1)) - 1);
  if (group.endsWith("+")) {
    const least = Number(group.slice(0, -1));
    const uniform = draw(1, 1_000_000) / 1_000_000;
    return Math.min(HIGHEST_INCOME, Math.floor(least * uniform ** (-1 / TAIL_EXPONENT)));
  }
  const [from, to] = group.split(" to ").map(Number) as [number, number];
  return draw(from, to);
}

function twoDigits(number: number): string {
  return String(number).padStart(2, "0");
}
