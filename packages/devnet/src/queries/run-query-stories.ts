import { queryMarketAbi } from "@quorate/abi";
import { FatalError, type Hex, QuestionStatus } from "@quorate/core";
import { attributeOf, describeStatement, encodeStatement, personOf, type Statement, schemaOf } from "@quorate/proofs";
import { readQuestion } from "@quorate/sdk";
import type { PublicClient } from "viem";
import { sumOfBalances } from "../balances.ts";
import type { Narrator } from "../narrator.ts";
import { guess, type Knowledge } from "./guesser.ts";
import { papersOf } from "./people.ts";
import { type Canary, chainBytes, findLeaks, folderBytes, wordsOf } from "./public-bytes.ts";
import type { ApplicantTells, QueryPlayers } from "./query-players.ts";
import type { DomainProvider, QuerySide } from "./query-side.ts";
import { datasets, type QueryOutcome, type QueryStory, queryStories, statementFor } from "./stories.ts";

/** A question in the summary. */
export type QuerySummary = {
  readonly name: string;
  readonly statement: string;
  /** Null where no answer may exist. */
  readonly expected: boolean | null;
  readonly answer: boolean | null;
  readonly status: QueryOutcome;
  readonly askGas: number | null;
  readonly answerGas: number | null;
  /** Time of the proof at the provider, milliseconds. */
  readonly proveMs: number | null;
};

/** What the questions came to. */
export type QueriesSummary = {
  readonly queries: readonly QuerySummary[];
  /** Secrets that were found in public, guesses that hit, differences between twins. */
  readonly leaks: number;
};

/** What an observer of the chain reads about a question. */
type Observed = {
  readonly story: QueryStory;
  readonly statement: Statement;
  readonly queryId: Hex;
  /** Answer key; for the search of public bytes. */
  readonly secret: bigint;
  readonly outcome: QueryOutcome;
  readonly answer: boolean | null;
  readonly ask?: Sent;
  readonly settled?: Sent;
  readonly proveMs?: number;
  readonly desk?: readonly Hex[];
};

/** A mined transaction as everybody sees it. */
type Sent = {
  readonly hash: Hex;
  readonly gas: number;
  readonly input: Hex;
  /** Topics and length of the data of each log. */
  readonly shape: string;
};

/** Everything that stories are played on. */
type QueryStage = QuerySide & QueryPlayers;

const STEP_TIMEOUT_MS = 120_000;

/**
 * Asks every question and holds what the chain shows against what had to happen; then searches every public byte for what must
 * not be there.
 *
 * @param side - Providers, lender and applicants that run.
 * @param narrator - Told what happens.
 * @param signal - Ends the run.
 * @throws FatalError `EXPECTATION_FAILED` naming the story and what differs; `STORY_TIMEOUT`; `ACTOR_ENDED`
 */
export async function runQueryStories(
  side: QueryStage,
  narrator: Narrator,
  signal: AbortSignal,
): Promise<QueriesSummary> {
  const { client, site } = side;
  const before = await sumOfBalances(client, site.token, site.fromBlock);
  const observed: Observed[] = [];
  for (const [index, story] of queryStories.entries()) {
    narrator.chapter(`Question ${index + 1} of ${queryStories.length}: ${story.title}`, story.explanation);
    const result = await runStory(side, story, narrator, signal);
    const { outcome, answer } = result;
    expect(outcome === story.outcome, story.name, `it ended as ${outcome}, expected ${story.outcome}`);
    expect(answer === story.expected, story.name, `the answer is ${answer}, expected ${story.expected}`);
    observed.push(result);
  }
  const after = await sumOfBalances(client, site.token, site.fromBlock);
  expect(before === after, "conservation", `all balances together were ${before} before and are ${after} after`);
  const leaks = await searchLeaks(side, observed, narrator);
  return {
    queries: observed.map(({ story, statement, answer, outcome, ask, settled, proveMs }) => ({
      name: story.name,
      statement: describeStatement(statement),
      expected: story.expected,
      answer,
      status: outcome,
      askGas: ask?.gas ?? null,
      answerGas: outcome === "Answered" ? (settled?.gas ?? null) : null,
      proveMs: proveMs ?? null,
    })),
    leaks,
  };
}

async function runStory(
  side: QueryStage,
  story: QueryStory,
  narrator: Narrator,
  signal: AbortSignal,
): Promise<Observed> {
  const { lender, client, site } = side;
  const provider = side.providers[story.at];
  const ownerSlug = story.lentBy ?? story.applicant;
  const owner = applicantOf(side, ownerSlug);
  const { papers } = side.cast[story.applicant]?.shown ?? fail(story.name, "nobody plays this applicant");
  const { timestamp } = await client.getBlock();
  const statement = statementFor(story.at, Number(timestamp));
  narrator.item("statement", `${describeStatement(statement)}?`);

  const at = { provider: provider.address, url: provider.url };
  const [subjectKey] = side.cast[ownerSlug]?.subjectKeys ?? [];
  if (subjectKey === undefined) fail(story.name, `${ownerSlug} has enrolled nowhere`);
  lender.send({
    type: "prepare",
    providerUrl: provider.url,
    statement,
    papers,
    subjectKey,
    label: story.title,
  });
  const { queryId, request, secret } = await lender.until("prepared", STEP_TIMEOUT_MS, signal);
  const begun = { story, statement, queryId, secret };
  narrator.item("question", `query ${short(queryId)}, for ${papers.name}; the lender asks for consent`);

  owner.send({ type: "consent", at, request, manner: story.manner });
  const said = await owner.until(["consented", "refused"], STEP_TIMEOUT_MS, signal);
  if (said.words !== undefined) {
    const { record, learns, together, forever } = said.words;
    for (const text of [record, learns, together, forever]) narrator.item("reads", text);
  }
  if (said.type === "refused") {
    narrator.item("refused", `${papers.name} says no`);
    await expectUntouched(side, provider, queryId, story);
    return { ...begun, outcome: "RefusedBySubject", answer: null };
  }
  narrator.item("consent", "signed, and sealed to the provider: the lender carries it and cannot read it");

  lender.send({ type: "quote", queryId, consent: said.sealed });
  try {
    const { price, bond } = await lender.until("quoted", STEP_TIMEOUT_MS, signal);
    narrator.item("quote", `price ${money(price)}, bond ${money(bond)}`);
  } catch (error) {
    if (!(error instanceof FatalError && error.code === "CANNOT_ANSWER")) throw error;
    narrator.item("no quote", "the provider says no more than that it cannot answer");
    await expectUntouched(side, provider, queryId, story);
    return { ...begun, outcome: "RefusedByProvider", answer: null };
  }

  const proofs = new Map<bigint, number>();
  const stopListening = provider.onProved((query, ms) => proofs.set(query, ms));
  try {
    lender.send({ type: "ask", queryId });
    if (story.goesSilent) await provider.kill();
    const { transaction } = await lender.until("asked", STEP_TIMEOUT_MS, signal);
    if (story.goesSilent) narrator.mishap(`the process of ${provider.name} is killed`);
    const ask = await readSent(client, transaction);
    narrator.item("asked", `price in escrow, bond locked; ${gas(ask.gas)}`);
    lender.send({ type: "finish", queryId });
    const end = await lender.until(["answered", "refunded"], STEP_TIMEOUT_MS, signal);
    const settled = await readSent(client, end.transaction);
    const { status } = await readQuestion(
      { public: client, chainId: site.chainId, market: site.market },
      { provider: provider.address, query: BigInt(queryId) },
    );
    if (end.type === "refunded") {
      expect(status === QuestionStatus.Expired, story.name, "the question is not expired on chain");
      narrator.item("refunded", `price and bond went to the lender; ${gas(settled.gas)}`);
      return { ...begun, outcome: "Refunded", answer: null, ask, settled };
    }
    expect(status === QuestionStatus.Answered, story.name, "the question is not answered on chain");
    const proveMs = proofs.get(BigInt(queryId)) ?? fail(story.name, "the provider's process told of no proof");
    narrator.item(
      "answered",
      `${end.answer}; proved in ${proveMs} ms, answer and payment in one transaction, ${gas(settled.gas)}`,
    );
    const answered = { ...begun, outcome: "Answered", answer: end.answer, ask, settled, proveMs } as const;
    return story.actsOnChain
      ? { ...answered, desk: await actOnChain(side, story, queryId, narrator, signal) }
      : answered;
  } finally {
    stopListening();
    if (story.goesSilent && !signal.aborted) {
      await provider.restart();
      narrator.mishap(`${provider.name} is back, on the data it had`);
    }
  }
}

async function actOnChain(
  { lender, desk, cast }: QueryStage,
  story: QueryStory,
  queryId: Hex,
  narrator: Narrator,
  signal: AbortSignal,
): Promise<readonly Hex[]> {
  const applicant = cast[story.applicant]?.wallet ?? fail(story.name, "the applicant has no wallet");
  lender.send({ type: "act", queryId, desk, applicant });
  const { transactions, approved } = await lender.until("acted", STEP_TIMEOUT_MS, signal);
  expect(approved, story.name, "the contract did not approve the loan");
  narrator.item("contract", "made the query again, opened the answer, approved the loan");
  return transactions;
}

/** A question that was never asked has no trace on chain. */
async function expectUntouched(
  { client, site }: QueryStage,
  provider: DomainProvider,
  queryId: Hex,
  story: QueryStory,
): Promise<void> {
  const { status } = await client
    .readContract({
      address: site.market,
      abi: queryMarketAbi,
      functionName: "questionOf",
      args: [provider.address, BigInt(queryId)],
    })
    .then(([found]) => ({ status: found }));
  expect(status === QuestionStatus.None, story.name, "the chain knows of a question that nobody asked");
}

async function readSent(client: PublicClient, hash: Hex): Promise<Sent> {
  const [{ input }, { gasUsed, logs }] = await Promise.all([
    client.getTransaction({ hash }),
    client.getTransactionReceipt({ hash }),
  ]);
  const shape = logs.map(({ topics, data }) => `${topics[0]}/${topics.length}/${data.length}`).join(" ");
  return { hash, gas: Number(gasUsed), input, shape };
}

/** Searches what is public for what must not be there. */
async function searchLeaks(side: QueryStage, observed: readonly Observed[], narrator: Narrator): Promise<number> {
  const { client, site, desk } = side;
  narrator.chapter(
    "What the chain saw, and did not",
    "Every byte of every transaction and log, and of everything that the relays store, is searched for what must not be there. What the contract of the last question was told is left out: that is public on purpose.",
  );
  const toDesk = new Set(observed.flatMap((item) => item.desk ?? []).concat(side.deskDeployment));
  const all = await chainBytes(client, site.fromBlock);
  const isOnPurpose = ({ where }: { readonly where: string }): boolean =>
    [...toDesk].some((hash) => where.endsWith(hash));
  const onChain = all.filter((item) => !isOnPurpose(item));
  const relayed = side.relayFolders.flatMap((folder) => folderBytes(folder));

  const canaries = canariesOf(side, observed);
  // The search has to find what is there: the contract was told threshold and person.
  const told = findLeaks(all.filter(isOnPurpose), canaries);
  expect(told.length > 0, "leaks", `the search does not find what ${desk} was told`);
  const found = findLeaks([...onChain, ...relayed], canaries);
  for (const { canary, form, where } of found) narrator.item("LEAK", `${canary} as ${form} in ${where}`);

  const questions = await publicQuestions(client, site.market, site.fromBlock);
  const hits = guess(knowledgeOf(side, observed), wordsOf(onChain), questions);
  for (const { what, word } of hits) narrator.item("LEAK", `${what} is guessed: ${word}`);

  const differences = compareTwins(observed);
  for (const text of differences) narrator.item("LEAK", text);

  const bytes = (items: readonly { readonly bytes: Uint8Array }[]): string =>
    items.reduce((sum, item) => sum + item.bytes.length, 0).toLocaleString("en");
  const sample = questions[0];
  narrator.item("saw", `that the lender asked a provider ${questions.length} times, the prices, and when`);
  if (sample !== undefined) {
    narrator.item("saw", `query  ${hexOf(sample.query)}`);
    narrator.item("saw", `cipher ${hexOf(sample.cipher)}`);
  }
  narrator.item("saw not", "who was asked about, what was asked, what the record says, what the answer is");
  narrator.item(
    "searched",
    `${bytes(onChain)} bytes on chain and ${bytes(relayed)} at the relays for ${canaries.length} secrets: ${found.length} found`,
  );
  narrator.item(
    "guessed",
    `with all ${side.people.length.toLocaleString("en")} people, thresholds and dates known: ${hits.length} hits`,
  );
  narrator.item(
    "twins",
    `the answers true and false: ${differences.length === 0 ? "alike in length, shape and gas" : "differ"}`,
  );
  return found.length + hits.length + differences.length;
}

function canariesOf(side: QueryStage, observed: readonly Observed[]): readonly Canary[] {
  const canaries: Canary[] = [];
  for (const [slug, { person, shown, subjectKeys }] of Object.entries(side.cast)) {
    canaries.push(
      { name: `income of ${slug}`, value: BigInt(person.income) },
      { name: `debt service of ${slug}`, value: BigInt(person.debtService) },
      { name: `name of ${slug}`, value: person.name },
      { name: `document of ${slug}`, value: person.documentNumber },
      { name: `person of ${slug}`, value: personOf(shown.papers) },
      ...subjectKeys.flatMap(([x, y]) => [
        { name: `subject key of ${slug}`, value: x },
        { name: `subject key of ${slug}`, value: y },
      ]),
    );
  }
  for (const { story, statement, secret } of observed) {
    const { topic, params, nullifierTopic } = encodeStatement(statement);
    if (story.actsOnChain !== true) canaries.push({ name: `answer key of ${story.name}`, value: secret });
    canaries.push(
      { name: `topic of ${story.name}`, value: topic },
      { name: `attribute or schema of ${story.name}`, value: nullifierTopic },
      { name: `parameters of ${story.name}`, value: params },
    );
    if (statement.kind === "attribute" && "value" in statement) {
      canaries.push({ name: "threshold", value: BigInt(statement.value) });
    }
    canaries.push({ name: `answer of ${story.name}`, value: `"answer":${story.expected}` });
  }
  return canaries;
}

function knowledgeOf({ cast, people }: QueryStage, observed: readonly Observed[]): Knowledge {
  const encoded = observed.map(({ statement }) => encodeStatement(statement));
  const dates = observed.map(({ statement }) => statement.asOf);
  const day = 86_400;
  const around = dates.flatMap((date) => [date, date - (date % day)]);
  const thresholds = Array.from({ length: 400 }, (_, step) => step * 500).concat(
    observed.flatMap(({ statement }) =>
      statement.kind === "attribute" && "value" in statement ? [Number(statement.value)] : [],
    ),
  );
  const params = [...new Set(around)].flatMap((asOf) =>
    [...new Set(thresholds)].map(
      (value) => encodeStatement({ ...statementFor("payroll", asOf), value: String(value) } as Statement).params,
    ),
  );
  return {
    persons: people.map((person) => personOf(papersOf(person))),
    subjects: Object.values(cast).flatMap(({ shown, subjectKeys }) =>
      subjectKeys.map((key) => ({ key, person: personOf(shown.papers) })),
    ),
    topics: [
      ...datasets.payroll.attributes.map(attributeOf),
      ...datasets.credit.scorecards.map(schemaOf),
      ...encoded.map(({ topic }) => topic),
    ],
    params: [...encoded.map(({ params: asked }) => asked), ...params],
    values: Object.values(cast).map(({ person }) => BigInt(person.income)),
    metas: [0n],
  };
}

async function publicQuestions(
  client: PublicClient,
  market: Hex,
  fromBlock: number,
): Promise<readonly { readonly query: bigint; readonly cipher: bigint }[]> {
  const events = await client.getContractEvents({
    address: market,
    abi: queryMarketAbi,
    eventName: "QuestionAnswered",
    fromBlock: BigInt(fromBlock),
    toBlock: "latest",
    strict: true,
  });
  return events.map(({ args }) => ({ query: args.query, cipher: args.cipher }));
}

/** Two questions of one statement that differ in the answer: nothing on chain may. Returns what does. */
function compareTwins(observed: readonly Observed[]): readonly string[] {
  const named = (name: string): Observed | undefined => observed.find(({ story }) => story.name === name);
  // The first question of all writes to fresh storage, so it has no twin.
  const [no, yes] = [named("income-false"), named("contract")];
  const differences: string[] = [];
  for (const [what, left, right] of [
    ["ask", no?.ask, yes?.ask],
    ["answer", no?.settled, yes?.settled],
  ] as const) {
    if (left === undefined || right === undefined) return [`there are no twins to compare by ${what}`];
    if (left.input.length !== right.input.length) differences.push(`${what}: inputs differ in length`);
    if (left.shape !== right.shape) differences.push(`${what}: logs differ in shape`);
    const [leftGas, rightGas] = [left, right].map((sent) => sent.gas - calldataGas(sent.input));
    if (leftGas !== rightGas) differences.push(`${what}: ${leftGas} gas against ${rightGas} without calldata`);
  }
  return differences;
}

/** Gas of calldata: 4 for a zero byte, 16 for another (EIP-2028); how many are zero is chance. */
function calldataGas(input: Hex): number {
  const bytes = input.slice(2).match(/../g) ?? [];
  return bytes.reduce((sum, byte) => sum + (byte === "00" ? 4 : 16), 0);
}

function applicantOf(side: QueryStage, slug: string): ApplicantTells {
  return side.applicants[slug] ?? fail("queries", `no applicant ${slug} runs`);
}

function money(amount: bigint): string {
  return `$${(Number(amount) / 1e6).toFixed(2)}`;
}

function gas(used: number): string {
  return `${used.toLocaleString("en")} gas`;
}

function hexOf(number: bigint): string {
  return `0x${number.toString(16).padStart(64, "0")}`;
}

function short(id: Hex): string {
  return `${id.slice(0, 10)}…${id.slice(-6)}`;
}

function fail(story: string, message: string): never {
  throw new FatalError(
    "EXPECTATION_FAILED",
    `${story}: ${message}. See the logs of the processes in the market's folder.`,
  );
}

function expect(condition: boolean, story: string, message: string): void {
  if (!condition) fail(story, message);
}
