import { FatalError, type Hex, isQuorateError, RetryableError } from "@quorate/core";
import type { Asker, QueryView } from "@quorate/sdk/queries";
import { Command } from "commander";
import { numberToHex } from "viem";
import { action, type Context, queryMarketOf } from "../context.ts";
import { Interrupted } from "../exit-codes.ts";
import { readJsonFile } from "../json-file.ts";
import { askTerminal } from "../passphrase.ts";
import { writeWhole } from "../provider-files.ts";
import { askerOf, datasetAt, findQueryId, loadQueries, verifiersOf } from "../queries.ts";
import {
  type PapersOptions,
  papersOf,
  type StatementOptions,
  statementOf,
  withPapersOptions,
  withStatementOptions,
} from "../statement-options.ts";
import { readToken, type Token } from "../token.ts";
import { formatDuration, parseAddress, parseDuration } from "../units.ts";

type AskOptions = StatementOptions &
  PapersOptions & {
    readonly url?: string;
    readonly dataset?: string;
    readonly subject?: string;
    readonly maxPrice?: string;
    readonly askerName?: string;
    readonly label?: string;
    readonly out?: string;
    readonly consent?: string;
    readonly yes?: boolean;
  };

/** As the store takes it. */
const MAX_LABEL = 200;

/** `quorate query`: from a statement about somebody to a receipt. */
export function queryCommand(): Command {
  const command = new Command("query").description("ask domain providers for sealed answers, read and show them");

  withPapersOptions(withStatementOptions(command.command("ask [query]")))
    .description(
      "prepare a query and write the request for the subject's consent; with its id and --consent, pay and ask",
    )
    .option("--url <url>", "URL of the domain provider's agent")
    .option("--dataset <id>", "dataset, if the provider has several")
    .option("--subject <file>", "card of the subject: quorate subject card")
    .option("--max-price <amount>", "highest price of the answer")
    .option("--asker-name <text>", "what you call yourself towards the subject")
    .option("--label <text>", "name for this folder only")
    .option("--out <file>", "file for the consent request (default: standard output)")
    .option("--consent <file>", "the subject's consent; goes on with the query")
    .option("-y, --yes", "pay without asking")
    .action(
      action(async (context, query: string | undefined, options: AskOptions) => {
        if (query === undefined) await prepare(context, options);
        else await ask(context, findQueryId(context, query), options);
      }),
    );

  command
    .command("status [query]")
    .description("where a query stands, or all of the chosen key")
    .action(
      action(async (context, query: string | undefined) => {
        const asker = await askerOf(context, { signs: false });
        if (query !== undefined) {
          const view = await asker.resume(findQueryId(context, query));
          context.output.result(view, describeView(view));
          return;
        }
        const views: QueryView[] = [];
        for (const { queryId } of await asker.list()) views.push(await asker.resume(queryId));
        context.output.result(
          { queries: views },
          views.length === 0
            ? ["This key has prepared no query. Begin: quorate query ask --help"]
            : views.map(({ queryId, stage, statement }) => `${queryId}  ${stage.padEnd(8)}  ${statement}`),
        );
      }),
    );

  command
    .command("answer <query>")
    .description("wait for the answer and open it; take price and bond back when the provider stays silent")
    .option("--wait <duration>", "how long to wait (default: until it is answered or overdue)")
    .action(
      action(async (context, query: string, options: { wait?: string }) => {
        await answer(context, findQueryId(context, query), options.wait);
      }),
    );

  command
    .command("receipt <query>")
    .description("make a receipt that shows question and answer to whoever gets it")
    .option("--out <file>", "file for the receipt (default: standard output)")
    .option("--challenge <text>", "words of the one who wants to see it, signed as its asker")
    .action(
      action(async (context, query: string, options: { out?: string; challenge?: string }) => {
        const queryId = findQueryId(context, query);
        const { proofs } = await loadQueries();
        const asker = await askerOf(context, { signs: options.challenge !== undefined });
        const receipt = await asker.receipt(queryId);
        const signature =
          options.challenge === undefined
            ? undefined
            : await (await context.account()).signMessage({
                message: proofs.challengeMessage(receipt, options.challenge),
              });
        const json = proofs.receiptToJson(receipt);
        if (options.out !== undefined) writeWhole(options.out, `${JSON.stringify(json, null, 2)}\n`);
        const said = signature === undefined ? [] : [`Signature of the challenge: ${signature}`];
        context.output.result(
          { queryId, file: options.out, receipt: json, signature },
          options.out === undefined
            ? [JSON.stringify(json, null, 2), ...said]
            : [`Receipt in ${options.out}. Whoever gets it knows question and answer, and can show them on.`, ...said],
        );
      }),
    );

  withPapersOptions(command.command("verify <file>"))
    .description("verify a receipt, against the chain unless told otherwise")
    .requiredOption("--provider <address...>", "domain providers whose word counts")
    .option("--expect <file>", "statement that it must be about, as JSON; its day does not matter")
    .option("--max-age <duration>", "how old the day of the statement may be", "30d")
    .option("--challenge <text>", "fresh words that the asker had to sign, with --signature")
    .option("--signature <hex>", "what the asker signed")
    .option("--offline", "do not ask the chain: the result is not anchored")
    .action(action(verify));
  return command;
}

async function prepare(context: Context, options: AskOptions): Promise<void> {
  const { output } = context;
  const { url, subject } = options;
  if (url === undefined || subject === undefined) {
    throw new FatalError(
      "USAGE_QUERY",
      "A query needs --url of a domain provider, --subject with the card of whom it is about, and a statement. To go on with one, name it: quorate query ask 0x… --consent FILE",
    );
  }
  for (const [option, text = ""] of [
    ["--label", options.label],
    ["--asker-name", options.askerName],
  ] as const) {
    if (text.length > MAX_LABEL) {
      throw new FatalError("USAGE_LABEL", `${option} has ${text.length} characters. Write at most ${MAX_LABEL}.`);
    }
  }
  const papers = papersOf(options);
  const { proofs, sdk } = await loadQueries();
  const site = { chainId: context.network().network.chainId, market: queryMarketOf(context) };
  const card = fromFile(subject, "card", (json) => sdk.parseSubjectCard(json, site));
  const { dataset, definition, offers } = await datasetAt(context, url, options.dataset ?? card.dataset);
  const statement = statementOf(options, definition, proofs, Math.floor(Date.now() / 1_000));
  const asker = await askerOf(context, { signs: true });
  const { circuit } = proofs.encodeStatement(statement);
  const offer = offers.find((item) => item.circuit === circuit);
  const maxPrice =
    options.maxPrice === undefined || offer === undefined
      ? undefined
      : (await readToken(await context.publicClient(), offer.token)).parse(options.maxPrice, "--max-price");
  output.progress("reading the provider's data set and the chain");
  const prepared = await asker.prepare({
    providerUrl: url,
    dataset,
    statement,
    papers,
    subjectKey: card.subjectKey,
    maxPrice,
    askerName: options.askerName,
    label: options.label,
    signal: context.signal,
  });
  const { queryId } = prepared;
  const json = proofs.consentRequestToJson(prepared.consentRequest);
  if (options.out !== undefined) writeWhole(options.out, `${JSON.stringify(json, null, 2)}\n`);
  const token = await readToken(await context.publicClient(), prepared.offer.token);
  output.step(
    `prepared: ${proofs.describeStatement(statement)}; an answer costs ${token.format(prepared.offer.price)}`,
  );
  output.result(
    {
      queryId,
      consentRequest: json,
      file: options.out,
      offer: prepared.offer,
      rootPublishedAt: prepared.rootPublishedAt,
    },
    options.out === undefined
      ? [JSON.stringify(json, null, 2)]
      : [
          `Query ${queryId}`,
          `Hand ${options.out} to the subject: it says everything that is asked, and consents or not.`,
          `Next: quorate query ask ${queryId.slice(0, 10)} --consent FILE`,
        ],
  );
}

async function ask(context: Context, queryId: Hex, options: AskOptions): Promise<void> {
  const { output, signal } = context;
  if (options.attribute !== undefined || options.statement !== undefined || options.url !== undefined) {
    throw new FatalError("USAGE_QUERY", "A query is fixed once it is prepared: leave out statement and provider.");
  }
  if (options.yes !== true && (!process.stdin.isTTY || output.json)) {
    throw new FatalError("USAGE_CONFIRM", "Asking moves money and there is nobody to ask. Say --yes.");
  }
  const { sdk } = await loadQueries();
  const consent =
    options.consent === undefined
      ? undefined
      : fromFile(options.consent, "consent", (json) => sdk.parseConsentFile(json, queryId)).consent;
  const asker = await askerOf(context, { signs: true });
  const asked = await comingBack(context, queryId, "ask", "--yes", async () => {
    output.progress("sending the question to the provider");
    const { quote } = await context.sending(() => asker.quote(queryId, consent, { signal }));
    const token = await readToken(await context.publicClient(), quote.token);
    const { stage } = await asker.resume(queryId);
    output.step(
      `the provider answers for ${token.format(quote.price)} within ${formatDuration(quote.window)}, or pays ${token.format(quote.bond)}`,
    );
    if (stage === "quoted") await confirm(context, options.yes === true);
    output.progress("asking: the price goes into escrow");
    return context.sending(() => asker.ask(queryId, { signal }));
  });
  output.result(asked, [
    asked.resumed ? `Query ${queryId} is asked already; it was paid once.` : `Asked, transaction ${asked.hash}.`,
    `Next: quorate query answer ${queryId.slice(0, 10)}`,
  ]);
}

async function confirm(context: Context, yes: boolean): Promise<void> {
  if (yes) return;
  const answer = await askTerminal({ input: process.stdin, output: process.stderr }, "Ask? [y/N] ", context.signal);
  if (!/^y(es)?$/i.test(answer.trim())) {
    throw new FatalError(
      "USAGE_CONFIRM",
      "Not asked; nothing was paid. The quote stands for a while: the same command asks it when you want to.",
    );
  }
}

async function answer(context: Context, queryId: Hex, wait: string | undefined): Promise<void> {
  const { output } = context;
  const waitSeconds = wait === undefined ? undefined : parseDuration(wait, "--wait");
  const asker = await askerOf(context, { signs: true });
  await comingBack(context, queryId, "answer", "", async () => {
    const { stage } = await waited(context, asker, queryId, waitSeconds);
    if (stage === "answered") {
      const opened = await asker.answer(queryId);
      const view = await asker.resume(queryId);
      output.result({ ...view, answer: opened.answer, cipher: opened.cipher }, [
        `${opened.answer ? "True" : "False"}: ${view.statement}`,
      ]);
      return;
    }
    const refunded = await context.sending(() => asker.refund(queryId, { signal: context.signal }));
    const token = await tokenOf(context, asker, queryId);
    output.step(`price and bond are yours: ${token.format(refunded.amount)} in the query market`);
    throw new FatalError(
      "QUERY_EXPIRED",
      `The provider did not answer query ${queryId} in time. Its price and the provider's bond, ${token.format(refunded.amount)}, are in your account of the query market: quorate account withdraw all --market queries.`,
      { details: { queryId, refunded: refunded.amount.toString() } },
    );
  });
}

async function waited(
  context: Context,
  asker: Asker,
  queryId: Hex,
  waitSeconds: number | undefined,
): Promise<QueryView> {
  const { output } = context;
  const limit = waitSeconds === undefined ? undefined : AbortSignal.timeout(waitSeconds * 1_000);
  const signal = limit === undefined ? context.signal : AbortSignal.any([context.signal, limit]);
  try {
    return await asker.wait(queryId, {
      signal,
      onChange: ({ stage, deadline }) =>
        output.progress(
          stage === "pending" && deadline !== undefined
            ? `waiting for the provider's proof, until ${new Date(deadline * 1_000).toISOString()} at the latest`
            : stage,
        ),
    });
  } catch (error) {
    if (limit?.aborted !== true || context.signal.aborted) throw error;
    throw new RetryableError(
      "QUERY_PENDING",
      `Query ${queryId} is not answered yet. The provider has time: ask again with quorate query answer ${queryId.slice(0, 10)}.`,
      { cause: error },
    );
  }
}

type VerifyOptions = PapersOptions & {
  readonly provider: readonly string[];
  readonly expect?: string;
  readonly maxAge: string;
  readonly challenge?: string;
  readonly signature?: string;
  readonly offline?: boolean;
};

async function verify(context: Context, file: string, options: VerifyOptions): Promise<void> {
  const { output } = context;
  const { proofs } = await loadQueries();
  const { network } = context.network();
  const receipt = proofs.parseReceipt(readJsonFile(file, "receipt"));
  const papers = papersOf(options);
  if ((options.challenge === undefined) !== (options.signature === undefined)) {
    throw new FatalError("USAGE_CHALLENGE", "--challenge and --signature belong together. Give both or none.");
  }
  if (options.signature !== undefined && !/^0x([0-9a-fA-F]{2})+$/.test(options.signature)) {
    throw new FatalError(
      "USAGE_CHALLENGE",
      "--signature is not hex. Copy what quorate query receipt --challenge printed.",
    );
  }
  const verified = await proofs.verifyReceipt(receipt, {
    client: options.offline === true ? undefined : await context.publicClient(),
    market: queryMarketOf(context),
    chainId: network.chainId,
    providers: options.provider.map((text) => parseAddress(text, "--provider")),
    verifiers: await verifiersOf(network),
    statement:
      options.expect === undefined ? undefined : proofs.parseStatement(readJsonFile(options.expect, "statement")),
    person: papers === undefined ? undefined : proofs.personOf(papers),
    maxAge: parseDuration(options.maxAge, "--max-age"),
    challenge:
      options.challenge === undefined ? undefined : { text: options.challenge, signature: options.signature as Hex },
    now: Math.floor(Date.now() / 1_000),
  });
  const { answer: value, anchored, words, askerPresent, root } = verified;
  output.result(
    { answer: value, anchored, askerPresent, words, query: numberToHex(verified.query, { size: 32 }), root },
    [value ? "True" : "False", words],
  );
}

/** Reads what somebody handed over; the error names the file. */
function fromFile<T>(file: string, what: "card" | "consent", parse: (json: unknown) => T): T {
  const json = readJsonFile(file, what);
  try {
    return parse(json);
  } catch (cause) {
    if (!isQuorateError(cause)) throw cause;
    if (what === "card") throw new FatalError("USAGE_CARD", `${file} cannot be used. ${cause.message}`, { cause });
    throw new FatalError("USAGE_CONSENT", `${file} cannot be used. ${cause.message}`, { cause });
  }
}

async function tokenOf(context: Context, asker: Asker, queryId: Hex): Promise<Token> {
  const record = (await asker.list()).find((item) => item.queryId === queryId);
  if (record === undefined) throw new TypeError("unreachable: the query was read before");
  return readToken(await context.publicClient(), record.offer.token);
}

function describeView(view: QueryView): string[] {
  const { queryId, stage, statement, provider, label, deadline } = view;
  const next: Readonly<Partial<Record<QueryView["stage"], string>>> = {
    prepared: `quorate query ask ${queryId.slice(0, 10)} --consent FILE`,
    sent: `quorate query ask ${queryId.slice(0, 10)}`,
    quoted: `quorate query ask ${queryId.slice(0, 10)}`,
    asking: `quorate query ask ${queryId.slice(0, 10)}`,
    pending: `quorate query answer ${queryId.slice(0, 10)}`,
    overdue: `quorate query answer ${queryId.slice(0, 10)}`,
    answered: `quorate query answer ${queryId.slice(0, 10)}`,
  };
  const command = next[stage];
  return [
    `Query     ${queryId}${label === undefined ? "" : `  ${label}`}`,
    `Statement ${statement}`,
    `Provider  ${provider}`,
    `Stage     ${stage}${deadline === undefined ? "" : `, until ${new Date(deadline * 1_000).toISOString()}`}`,
    ...(command === undefined ? [] : [`Next      ${command}`]),
  ];
}

/** Says how to come back after Ctrl-C. */
async function comingBack<T>(
  context: Context,
  queryId: Hex,
  verb: string,
  options: string,
  body: () => Promise<T>,
): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (!context.signal.aborted || isQuorateError(error, "INTERRUPTED")) throw error;
    const next = `quorate query ${verb} ${queryId}${options === "" ? "" : ` ${options}`}`;
    throw new Interrupted(
      `Stopped. What was sent stays sent, and nothing is paid twice; come back with: ${next}`,
      next,
    );
  }
}
