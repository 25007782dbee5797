import type { AttributeDefinition, DatasetDefinition, ScorecardDefinition, Statement } from "@quorate/proofs";
import { generatePeople, type Person } from "./people.ts";

/** Domain providers of the local market. */
export type DomainSlug = "payroll" | "credit";

/** How a question ends. */
export type QueryOutcome = "Answered" | "RefusedBySubject" | "RefusedByProvider" | "Refunded";

/** A question of the local market: who asks what, what goes wrong, what has to come out. */
export type QueryStory = {
  /** Name in the summary. */
  readonly name: string;
  /** One line for people. */
  readonly title: string;
  /** What a newcomer should know before it begins. */
  readonly explanation: string;
  /** Who shows its papers to the lender. */
  readonly applicant: string;
  /** Whose key and record are shown instead of the applicant's own. */
  readonly lentBy?: string;
  readonly at: DomainSlug;
  readonly manner: "looks" | "refuses" | "blindly";
  /** The provider's process is killed once it is asked. */
  readonly goesSilent?: true;
  /** The lender hands the answer to a contract, in public. */
  readonly actsOnChain?: true;
  readonly expected: boolean | null;
  readonly outcome: QueryOutcome;
};

/** Income that the lender wants to see, dollars a year. */
export const LEAST_INCOME = 104_250;
/** Part of the income that loans may cost, percent. */
const HIGHEST_DEBT_PERCENT = 36;
const LEAST_SCORE = 700;

const income: AttributeDefinition = {
  name: "annual income",
  unit: "USD",
  scale: 0,
  signed: false,
  description: "Gross income of the last twelve months, all sources.",
};
const creditFile: ScorecardDefinition = {
  name: "credit file",
  description: "Income, cost of loans and score of the same day.",
  fields: [
    income,
    {
      name: "debt service",
      unit: "USD",
      scale: 0,
      signed: false,
      description: "What all loans cost in twelve months, interest and repayment.",
    },
    { name: "credit score", unit: "", scale: 0, signed: false, description: "300 to 850, higher is better." },
  ],
};

/** What the providers answer questions about. */
export const datasets: Readonly<Record<DomainSlug, DatasetDefinition>> = {
  payroll: { version: 1, name: "Payroll", history: false, attributes: [income], scorecards: [] },
  credit: { version: 1, name: "Credit files", history: false, attributes: [], scorecards: [creditFile] },
};

/**
 * What the lender asks a provider.
 *
 * @param at - The provider.
 * @param asOf - Day of the statement, unix s.
 */
export function statementFor(at: DomainSlug, asOf: number): Statement {
  if (at === "payroll") {
    return { kind: "attribute", attribute: income, relation: "at-least", value: String(LEAST_INCOME), asOf };
  }
  return {
    kind: "scorecard",
    scorecard: creditFile,
    clauses: [
      // debt <= 36 % of income
      {
        coefficients: { "annual income": String(HIGHEST_DEBT_PERCENT), "debt service": "-100" },
        atLeast: "0",
        weight: 1,
      },
      { coefficients: { "credit score": "1" }, atLeast: String(LEAST_SCORE), weight: 1 },
    ],
    cutoff: 2,
    asOf,
  };
}

const earns = ({ income: dollars }: Person): boolean => dollars >= LEAST_INCOME;
const qualifies = ({ income: dollars, debtService, score }: Person): boolean =>
  debtService * 100 <= dollars * HIGHEST_DEBT_PERCENT && score >= LEAST_SCORE;

/** Who applies for a mortgage: the first of the people for whom this holds and who is not chosen yet. */
const casting: Readonly<Record<string, (person: Person) => boolean>> = {
  ada: earns,
  bruno: (person) => !earns(person),
  chiara: () => true,
  dario: earns,
  eva: (person) => !earns(person),
  ines: earns,
  greta: qualifies,
  hugo: qualifies,
  selma: earns,
};

/** Whose record has ended before the question is asked. */
export const STALE_APPLICANT = "dario";
/** Who has papers to show, and no record of its own: it borrows. */
const BORROWER = "eva";

/** The people of the local market. */
export type Cast = {
  /** Everybody on the payroll. */
  readonly people: readonly Person[];
  readonly applicants: Readonly<Record<string, Person>>;
};

const PEOPLE = 12_000;
const SEED = 20_261_122;

/** Draws the people, and chooses who applies. */
export async function castPeople(): Promise<Cast> {
  const people = await generatePeople(PEOPLE, SEED);
  const taken = new Set<Person>();
  const applicants = Object.fromEntries(
    Object.entries(casting).map(([slug, fits]) => {
      const person = people.find((candidate) => !taken.has(candidate) && fits(candidate));
      if (person === undefined) throw new Error(`nobody of ${PEOPLE} people can play ${slug}`);
      taken.add(person);
      return [slug, person];
    }),
  );
  return { people, applicants };
}

/** Who is played by whoever opens the web app: it gets a code, and nobody enrols for it. */
export const VISITOR = "selma";

/** Applicants who enrol at a provider with a client of their own. */
export const enrolments: Readonly<Record<DomainSlug, readonly string[]>> = {
  payroll: Object.keys(casting).filter((slug) => ![BORROWER, VISITOR, "greta", "hugo"].includes(slug)),
  credit: ["greta", "hugo"],
};

/** The questions of the local market, in their order. */
export const queryStories: readonly QueryStory[] = [
  {
    name: "income-true",
    title: "Is the income high enough? It is",
    explanation:
      "The lender asks the payroll provider about somebody whose papers it has seen. The applicant's client recomputes the question, says in plain words what will be learned, and consents. The answer lands on chain, encrypted, with its proof, and is paid in the same transaction.",
    applicant: "ada",
    at: "payroll",
    manner: "looks",
    expected: true,
    outcome: "Answered",
  },
  {
    name: "income-false",
    title: "The same question about somebody who earns less",
    explanation:
      "False is proved like true, costs the same and looks the same: on chain, nobody sees which of the two it was.",
    applicant: "bruno",
    at: "payroll",
    manner: "looks",
    expected: false,
    outcome: "Answered",
  },
  {
    name: "refused",
    title: "An applicant refuses",
    explanation:
      "Without the consent of the one whom it is about there is no question: nothing reaches provider or chain.",
    applicant: "chiara",
    at: "payroll",
    manner: "refuses",
    expected: null,
    outcome: "RefusedBySubject",
  },
  {
    name: "stale-record",
    title: "A record that has ended proves nothing",
    explanation:
      "The applicant's record ended last month, and a client that does not look consents all the same. There is no proof for it, so the provider gives no quote, with the words that it has for every refusal.",
    applicant: STALE_APPLICANT,
    at: "payroll",
    manner: "blindly",
    expected: null,
    outcome: "RefusedByProvider",
  },
  {
    name: "borrowed-record",
    title: "A borrowed record proves nothing either",
    explanation:
      "Somebody with a low income shows its own papers together with the key of a friend who earns more and signs for it. The lender computes the person from the papers, and the record belongs to another one.",
    applicant: BORROWER,
    lentBy: "ada",
    at: "payroll",
    manner: "blindly",
    expected: null,
    outcome: "RefusedByProvider",
  },
  {
    name: "scorecard",
    title: "Debt ratio and credit score in one answer",
    explanation:
      "Loans cost at most 36 % of the income, and the score is at least 700: two clauses over a credit file, one true or false. Which clause decides stays hidden.",
    applicant: "greta",
    at: "credit",
    manner: "looks",
    expected: true,
    outcome: "Answered",
  },
  {
    name: "silent",
    title: "A provider is paid nothing for silence",
    explanation:
      "The credit provider's process is killed once it is asked. When its time is over, anybody may end the question: the price goes back, and the bond with it.",
    applicant: "hugo",
    at: "credit",
    manner: "looks",
    goesSilent: true,
    expected: null,
    outcome: "Refunded",
  },
  {
    name: "contract",
    title: "A contract acts on an answer",
    explanation:
      "This applicant agreed that lender and contract may show the answer. The contract makes the query again from its own statement, opens the answer and approves the loan. What it is told is public from then on.",
    applicant: "ines",
    at: "payroll",
    manner: "looks",
    actsOnChain: true,
    expected: true,
    outcome: "Answered",
  },
];
