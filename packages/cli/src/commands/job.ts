import { renameSync, rmSync, writeFileSync } from "node:fs";
import {
  FatalError,
  type Hex,
  isQuorateError,
  MAX_CALLBACK_GAS,
  nameOf,
  RetryableError,
  shareOf,
  Verdict,
} from "@quorate/core";
import { availableIsolations, runIsolated } from "@quorate/sandbox/node";
import {
  escrowBoundOf,
  getJob,
  type JobRecord,
  type JobView,
  type JobWishes,
  makePackage,
  type OpenedJob,
  previewPackage,
  promoteSpares,
  type ReceivedOffer,
  type Requester,
  type Selection,
  settleJob,
} from "@quorate/sdk";
import { Command } from "commander";
import { action, type Context } from "../context.ts";
import { Interrupted } from "../exit-codes.ts";
import { type PackageOptions, packageFromFiles } from "../job-files.ts";
import { askTerminal } from "../passphrase.ts";
import { findJobId, jobStore, keptJobs, requesterOf } from "../requester.ts";
import { chooseToken, readToken, type Token } from "../token.ts";
import { formatDuration, parseAddress, parseDuration, parsePercent, parseWhole } from "../units.ts";

type RequestOptions = PackageOptions & {
  readonly price: string;
  readonly token?: string;
  readonly bond?: string;
  readonly carrierFee?: string;
  readonly seats: string;
  readonly quorum?: string;
  readonly spares: string;
  readonly shadows: string;
  readonly callout: string;
  readonly standby: string;
  readonly commitWindow: string;
  readonly revealWindow: string;
  readonly offerWindow: string;
  readonly acceptProbation?: boolean;
  readonly setVotes?: boolean;
  readonly callback?: string;
  readonly callbackGas?: string;
  readonly via: string;
  readonly label?: string;
};

type OfferOptions = { readonly wait: string };
type OpenOptions = OfferOptions & { readonly yes?: boolean; readonly offers?: string };
type ResultOptions = { readonly out?: string; readonly wait: string };

/** As the key store takes it. */
const MAX_LABEL = 200;

/** How long `job run` waits for a delivery, seconds. */
const RESULT_WAIT_S = 120;

/** `quorate job`: from a program to a checked result. */
export function jobCommand(): Command {
  const command = new Command("job").description("request work, choose who does it, follow it, fetch the result");

  withPackageOptions(command.command("preview <program>"))
    .description("run a program here, as the providers will, before paying for it")
    .action(action(previewJob));

  withRequestOptions(withPackageOptions(command.command("request <program>")))
    .description("encrypt program and data, and ask for offers")
    .action(
      action(async (context, program: string, options: RequestOptions) => {
        const { jobId, token, bound } = await request(context, program, options);
        context.output.result({ jobId, escrowBound: bound }, [
          `Job ${jobId}`,
          `Opening it will escrow at most ${token.format(bound)}.`,
          `Next: quorate job open ${jobId.slice(0, 10)}`,
        ]);
      }),
    );

  withRequestOptions(withPackageOptions(command.command("run <program>")))
    .description("request, open, watch and fetch the result in one go")
    .option("--wait <duration>", "how long to wait for offers", "2m")
    .option("--out <file>", "write the result to a file")
    .option("--offers <n>", "compare the offers of at least so many providers (default: until the panel is full)")
    .option("-y, --yes", "open without asking")
    .action(
      action(async (context, program: string, options: RequestOptions & OpenOptions & ResultOptions) => {
        requireYes(context, options);
        // Said before the request is published.
        parseDuration(options.wait, "--wait");
        if (options.offers !== undefined) parseWhole(options.offers, "--offers", 1, 256);
        const { jobId } = await request(context, program, options);
        const requester = await requesterOf(context, { signs: true, judges: true });
        await comingBack(context, jobId, "open", () => open(context, requester, jobId, options));
        await comingBack(context, jobId, "watch", () => watch(context, requester, jobId));
        await comingBack(context, jobId, "result", () =>
          deliver(context, requester, jobId, options.out, RESULT_WAIT_S),
        );
      }),
    );

  command
    .command("list")
    .description("list the jobs of this state folder; needs no network")
    .action(
      action(async (context) => {
        const { records, damaged } = await keptJobs(context.home);
        for (const { jobId, reason } of damaged) context.output.warn(`job ${jobId} cannot be read: ${reason}`);
        const jobs = records.map(({ jobId, label, createdAt, publishedAt, transactions }) => ({
          jobId,
          label,
          createdAt: new Date(createdAt).toISOString(),
          stage: transactions.length > 0 ? "opened" : publishedAt === undefined ? "drafted" : "requested",
        }));
        context.output.result(
          { jobs, damaged },
          jobs.length === 0
            ? ["No job was requested from this state folder."]
            : jobs.map(
                ({ jobId, label, createdAt, stage }) => `${jobId}  ${createdAt}  ${stage.padEnd(9)}  ${label ?? ""}`,
              ),
        );
      }),
    );

  command
    .command("offers <job>")
    .description("show the offers of a requested job and what the trust policy says of them")
    .option("--wait <duration>", "how long to collect", "20s")
    .action(
      action(async (context, job: string, options: OfferOptions) => {
        const jobId = findJobId(context.home, job);
        const requester = await requesterOf(context, { signs: false, judges: true });
        const token = await tokenOfJob(context, jobId);
        const { received, selection } = await collect(
          context,
          requester,
          jobId,
          token,
          options.wait,
          Number.POSITIVE_INFINITY,
        );
        await explainMissing(context, requester, jobId, received, selection);
        context.output.result({ jobId, offers: received, selection }, describeSelection(selection, token));
      }),
    );

  command
    .command("open <job>")
    .description("choose the panel, escrow the money, and let the work begin")
    .option("--wait <duration>", "how long to wait for offers", "2m")
    .option("--offers <n>", "compare the offers of at least so many providers (default: until the panel is full)")
    .option("-y, --yes", "open without asking")
    .action(
      action(async (context, job: string, options: OpenOptions) => {
        const jobId = findJobId(context.home, job);
        requireYes(context, options);
        const requester = await requesterOf(context, { signs: true, judges: true });
        const opened = await comingBack(context, jobId, "open", () => open(context, requester, jobId, options));
        context.output.result(opened, [`Next: quorate job watch ${jobId.slice(0, 10)}`]);
      }),
    );

  command
    .command("watch <job>")
    .description("follow a job until it is settled")
    .action(
      action(async (context, job: string) => {
        const jobId = findJobId(context.home, job);
        const requester = await requesterOf(context, { signs: false });
        const view = await comingBack(context, jobId, "watch", () => watch(context, requester, jobId));
        context.output.result(view, describeOutcome(view, await tokenOfJob(context, jobId)));
      }),
    );

  command
    .command("result <job>")
    .description("fetch the result, open it, and hold it against what the chain settled")
    .option("--out <file>", "write it to a file instead of standard output")
    .option("--wait <duration>", "how long to wait for a delivery", "2m")
    .action(
      action(async (context, job: string, options: ResultOptions) => {
        const jobId = findJobId(context.home, job);
        const waitSeconds = parseDuration(options.wait, "--wait");
        const requester = await requesterOf(context, { signs: true });
        await comingBack(context, jobId, "result", () => deliver(context, requester, jobId, options.out, waitSeconds));
      }),
    );

  command
    .command("settle <job>")
    .description("do what is left to do on chain for a job, whoever's duty it was: promote spares, settle")
    .action(
      action(async (context, job: string) => {
        const jobId = findJobId(context.home, job);
        await settle(context, jobId);
      }),
    );

  return command;
}

function withPackageOptions(command: Command): Command {
  return command
    .option("--runtime <name>", "wasi or js; by default from the file's extension")
    .option("--data <file...>", "files that the program may read, also as name=path")
    .option("--stdin <file>", "file that is standard input, also as name=path")
    .option("--arg <text...>", "arguments of the program")
    .option("--env <name=value...>", "environment of the program")
    .option("--fuel <units>", "work that the engine counts, at most", "10000000000")
    .option("--memory <size>", "memory, at most", "256M")
    .option("--output <size>", "output, at most", "4M")
    .option("--wall-time <duration>", "time, at most", "60s");
}

function withRequestOptions(command: Command): Command {
  return command
    .requiredOption("--price <amount>", "highest price of a place")
    .option("--token <address>", "token, else the network's")
    .option("--bond <amount>", "what each provider locks (default: the price)")
    .option("--carrier-fee <amount>", "for whoever settles (default: a twentieth of the price)")
    .option("--seats <n>", "answers that are compared", "3")
    .option("--quorum <q>", "equal answers that decide (default: the least majority)")
    .option("--spares <n>", "spares that may replace a silent seat", "1")
    .option("--shadows <n>", "places for providers on probation", "0")
    .option("--callout <percent>", "share of the price when there is no decision", "10")
    .option("--standby <percent>", "share of the price for an unused spare", "5")
    .option("--commit-window <duration>", "time to do the work", "1h")
    .option("--reveal-window <duration>", "time to open the answers", "1h")
    .option("--offer-window <duration>", "time until the job must be opened", "1h")
    .option("--accept-probation", "let providers on probation take seats")
    .option("--set-votes", "let seats vote by a set that all of them sign: two transactions less")
    .option("--callback <address>", "contract that is told of the settlement")
    .option("--callback-gas <units>", "gas that the callback gets (default: 200000)")
    .option("--via <way>", "relays, chain or both", "relays")
    .option("--label <text>", "name for this folder only");
}

async function previewJob(context: Context, program: string, options: PackageOptions): Promise<void> {
  const pkg = packageFromFiles(program, options);
  context.output.progress(`running ${pkg.manifest.program} in a process of its own`);
  const [isolation = "process"] = await availableIsolations();
  const result = await previewPackage(pkg, {
    signal: context.signal,
    run: (given, run) => runIsolated(given, { isolation, ...run }),
  });
  if (result.kind === "ok") {
    const { elapsedMs, fuel, memoryBytes } = result.usage;
    context.output.result({ ...result, output: undefined, outputText: new TextDecoder().decode(result.output) }, [
      new TextDecoder().decode(result.output),
      `ok: ${result.output.length} bytes of output, ${Math.round(elapsedMs)} ms, ${fuel} units of fuel, ${Math.round(memoryBytes / 1024)} KiB of memory`,
    ]);
    return;
  }
  const why =
    result.kind === "failed"
      ? `it failed with cause ${result.cause}, exit code ${result.exitCode}${result.diagnostics === "" ? "" : `:\n${result.diagnostics}`}`
      : `a provider would report: ${result.detail}`;
  throw new FatalError("JOB_FAILED", `The program gives no result: ${why}. Repair it before you pay for it.`);
}

async function request(
  context: Context,
  program: string,
  options: RequestOptions,
): Promise<{ jobId: Hex; token: Token; bound: bigint }> {
  const { output } = context;
  if (options.via !== "relays" && options.via !== "chain" && options.via !== "both") {
    throw new FatalError("USAGE_VIA", `--via ${options.via} is none of relays, chain, both. Choose one of these.`);
  }
  if (options.label !== undefined && options.label.length > MAX_LABEL) {
    throw new FatalError("USAGE_LABEL", `--label has ${options.label.length} characters. Write at most ${MAX_LABEL}.`);
  }
  const callback = callbackOf(options);
  const pkg = packageFromFiles(program, options);
  const token = await chooseToken(context, options.token);
  const wishes: JobWishes = {
    token: token.address,
    priceCeiling: token.parse(options.price, "--price"),
    ...(options.bond === undefined ? {} : { bond: token.parse(options.bond, "--bond") }),
    ...(options.carrierFee === undefined ? {} : { carrierFee: token.parse(options.carrierFee, "--carrier-fee") }),
    seats: parseWhole(options.seats, "--seats", 2, 16),
    ...(options.quorum === undefined ? {} : { quorum: parseWhole(options.quorum, "--quorum", 2, 16) }),
    spares: parseWhole(options.spares, "--spares", 0, 14),
    shadows: parseWhole(options.shadows, "--shadows", 0, 14),
    calloutBps: parsePercent(options.callout, "--callout", 50),
    standbyBps: parsePercent(options.standby, "--standby", 100),
    commitWindow: parseDuration(options.commitWindow, "--commit-window"),
    revealWindow: parseDuration(options.revealWindow, "--reveal-window"),
    offerWindow: parseDuration(options.offerWindow, "--offer-window"),
    acceptProbation: options.acceptProbation === true,
    setVotes: options.setVotes === true,
    ...callback,
  };
  const requester = await requesterOf(context, { signs: true });
  const prepared = makePackage({ manifest: pkg.manifest, files: pkg.files });
  output.step(
    `encrypted ${pkg.files.size} files into ${prepared.encrypted.blocks.length} blocks, ${prepared.encrypted.cid}`,
  );
  output.progress("uploading the package and publishing the request");
  const { via, label } = options;
  const publish = (): ReturnType<Requester["requestJob"]> =>
    requester.requestJob(
      { prepared, wishes, via, ...(label === undefined ? {} : { label }) },
      { signal: context.signal },
    );
  const requested = await (via === "relays" ? publish() : context.sending(publish)).catch((error: unknown) => {
    throw context.signal.aborted
      ? new Interrupted("Stopped before the request was published. Nothing was paid; request the job again.")
      : error;
  });
  output.step(`requested job ${requested.jobId}`);
  return { jobId: requested.jobId, token, bound: escrowBoundOf(requested.request) };
}

function callbackOf({ callback, callbackGas }: RequestOptions): Pick<JobWishes, "callback" | "callbackGas"> {
  if (callback === undefined) {
    if (callbackGas === undefined) return {};
    throw new FatalError(
      "USAGE_CALLBACK",
      "--callback-gas is given without a contract to call. Name it with --callback, or leave both out.",
    );
  }
  return {
    callback: parseAddress(callback, "--callback"),
    ...(callbackGas === undefined
      ? {}
      : { callbackGas: parseWhole(callbackGas, "--callback-gas", 1, MAX_CALLBACK_GAS) }),
  };
}

async function tokenOfJob(context: Context, jobId: Hex): Promise<Token> {
  const record = await jobStore(context.home).get(jobId);
  return record === undefined
    ? chooseToken(context, undefined)
    : readToken(await context.publicClient(), record.request.token);
}

/** Collects offers until the panel is full and `enough` providers have answered, or the time is over. */
async function collect(
  context: Context,
  requester: Requester,
  jobId: Hex,
  token: Token,
  wait: string,
  enough: number,
): Promise<{ received: ReceivedOffer[]; selection: Selection }> {
  const { output, signal } = context;
  const received: ReceivedOffer[] = [];
  const answered = new Set<string>();
  let selection = await requester.selectOffers(jobId, received);
  output.progress("waiting for offers");
  for await (const offer of requester.collectOffers(jobId, {
    signal,
    timeoutMs: parseDuration(wait, "--wait") * 1_000,
  })) {
    received.push(offer);
    if (offer.kind === "offer") {
      const { accepted, reasons } = offer.judgement;
      output.step(
        `offer of ${offer.offer.provider}: ${token.format(offer.offer.price)}, ${accepted ? "taken" : "refused"}: ${reasons.join("; ")}`,
      );
    } else {
      output.step(`unusable offer of ${offer.sender}: ${offer.reason}`);
    }
    selection = await requester.selectOffers(jobId, received);
    if (offer.kind === "offer") answered.add(offer.offer.provider);
    const isFull = selection.missing.length === 0;
    if (isFull && answered.size >= enough) break;
    output.progress(isFull ? "the panel is full; still collecting" : selection.missing.join("; "));
  }
  signal.throwIfAborted();
  return { received, selection: await requester.selectOffers(jobId, received) };
}

async function explainMissing(
  context: Context,
  requester: Requester,
  jobId: Hex,
  received: readonly ReceivedOffer[],
  selection: Selection,
): Promise<void> {
  if (selection.complete) return;
  for (const { code, message } of await requester.diagnoseOffers(jobId, received, { signal: context.signal })) {
    context.output.warn(`${code}: ${message}`);
  }
}

function describeSelection({ chosen, refused, missing }: Selection, token: Token): string[] {
  return [
    ...chosen.map(
      ({ offer, role, reasons }) =>
        `${role.padEnd(7)} ${offer.provider}  ${token.format(offer.price)}  ${reasons.join("; ")}`,
    ),
    ...refused.map(
      ({ offer, reasons }) => `not     ${offer.provider}  ${token.format(offer.price)}  ${reasons.join("; ")}`,
    ),
    ...missing,
  ];
}

async function open(context: Context, requester: Requester, jobId: Hex, options: OpenOptions): Promise<OpenedJob> {
  const { output, signal } = context;
  const enough = options.offers === undefined ? 0 : parseWhole(options.offers, "--offers", 1, 256);
  const { stage, record } = await requester.resume(jobId, { signal });
  const token = await readToken(await context.publicClient(), record.request.token);
  if (stage === "drafted") {
    throw new FatalError(
      "JOB_NOT_PUBLISHED",
      "The request was interrupted before it was published, and its package is gone with the process. Request the job again; nothing was paid.",
    );
  }
  const report = (opened: OpenedJob): OpenedJob => {
    const { hash, escrow, resumed } = opened;
    output.step(
      resumed
        ? "the job is open already; it was paid once"
        : `opened with ${token.format(escrow)} in escrow${hash === undefined ? "" : `, transaction ${hash}`}`,
    );
    return opened;
  };
  if (stage !== "published") {
    try {
      return report(await context.sending(() => requester.openJob(jobId, undefined, { signal })));
    } catch (error) {
      // What was sent came to nothing, and the panel chosen then is no longer to be had: choose again.
      if (!isQuorateError(error, "OFFERS_REFUSED")) throw error;
      output.warn(error.message);
    }
  }
  try {
    const selection = await choosePanel(context, requester, record, token, options, enough);
    output.progress("opening: escrow and bonds are locked in one transaction");
    return report(
      await context.sending(async () => {
        // Another command may have sent it while this one collected or waited.
        const now = await requester.resume(jobId, { signal });
        const isSentElsewhere = now.record.transactions.length > record.transactions.length;
        return requester.openJob(jobId, isSentElsewhere ? undefined : selection, { signal });
      }),
    );
  } catch (error) {
    // Another command was faster: from then on the market judges no offer for this job any more.
    if (!isQuorateError(error, "JOB_ALREADY_OPENED")) throw error;
    return report(await context.sending(() => requester.openJob(jobId, undefined, { signal })));
  }
}

/** Collects offers, shows what they come to, and asks. */
async function choosePanel(
  context: Context,
  requester: Requester,
  { jobId, request: asked }: JobRecord,
  token: Token,
  options: OpenOptions,
  enough: number,
): Promise<Selection> {
  const { output } = context;
  const { received, selection } = await collect(context, requester, jobId, token, options.wait, enough);
  if (!selection.complete) {
    await explainMissing(context, requester, jobId, received, selection);
    throw new RetryableError(
      "TOO_FEW_OFFERS",
      `The job was not opened and nothing was paid: ${selection.missing.join("; ")}. Try again later with quorate job open ${jobId.slice(0, 10)}.`,
    );
  }
  for (const line of describeSelection(selection, token)) output.step(line);
  let highest = 0n;
  for (const { offer } of selection.chosen) if (offer.price > highest) highest = offer.price;
  output.step(
    `${selection.chosen.length} organizations will be able to read program and data. Without a decision each that worked gets at most ${token.format(shareOf(highest, asked.calloutBps))}; the rest returns to you.`,
  );
  await confirm(context, options.yes === true);
  return selection;
}

/** Said before anything is done: a script that forgot `--yes` should not have published a request. */
function requireYes({ output }: Context, { yes }: OpenOptions): void {
  if (yes !== true && (!process.stdin.isTTY || output.json)) {
    throw new FatalError("USAGE_CONFIRM", "Opening moves money and there is nobody to ask. Say --yes.");
  }
}

/** Money moves next: a person is asked, a script has to say so beforehand. */
async function confirm(context: Context, yes: boolean): Promise<void> {
  if (yes) return;
  const answer = await askTerminal(
    { input: process.stdin, output: process.stderr },
    "Open the job? [y/N] ",
    context.signal,
  );
  if (!/^y(es)?$/i.test(answer.trim())) {
    throw new FatalError(
      "USAGE_CONFIRM",
      "Not opened; nothing was paid. The request stays published: open it with the same command when you want to.",
    );
  }
}

async function watch(context: Context, requester: Requester, jobId: Hex): Promise<JobView> {
  const { output, signal } = context;
  let last: JobView | undefined;
  const seen = new Map<number, string>();
  for await (const view of requester.watchJob(jobId, { signal })) {
    if (view.statusName === "none" && last === undefined) await requireOpen(context, jobId);
    for (const { place, provider, role, state } of view.panel) {
      if (seen.get(place) !== state && state !== "waiting" && state !== "standby")
        output.step(`${role} ${provider}: ${state}`);
      seen.set(place, state);
    }
    const until = view.statusName === "committing" ? view.revealAt : view.revealDeadline;
    const left = until === undefined ? "" : `, at most ${formatDuration(until - view.head.timestamp)} left`;
    output.progress(`${view.statusName}${left}`);
    last = view;
  }
  signal.throwIfAborted();
  if (last === undefined) {
    throw new RetryableError("JOB_UNSEEN", `The watch of job ${jobId} ended before it saw the chain. Watch it again.`);
  }
  output.step(`settled: ${last.statusName}`);
  return last;
}

/** A job that was never opened would be watched for ever. */
async function requireOpen(context: Context, jobId: Hex): Promise<void> {
  if ((await getJob(await context.reader(), { jobId })).phase !== "none") return;
  const isOurs = (await jobStore(context.home).get(jobId)) !== undefined;
  throw isOurs
    ? new FatalError(
        "JOB_NOT_OPEN",
        `Job ${jobId} was requested and not opened yet. Open it: quorate job open ${jobId.slice(0, 10)}`,
      )
    : unknownJob(jobId);
}

function unknownJob(jobId: Hex): FatalError {
  return new FatalError("JOB_UNKNOWN", `The market knows no open job ${jobId}. Check the id and the network.`);
}

function describeOutcome({ jobId, panel, money, statusName }: JobView, token: Token): string[] {
  return [
    ...panel.map(
      ({ provider, role, state, verdict, paid }) =>
        `${role.padEnd(7)} ${provider}  ${(verdict === undefined ? state : nameOf(Verdict, verdict)).padEnd(10)} ${token.format(paid ?? 0n)}`,
    ),
    `Escrow ${token.format(money.escrow)}, paid ${token.format(money.paid ?? 0n)}, returned to you ${token.format(money.refunded ?? 0n)}`,
    statusName === "accepted"
      ? `Next: quorate job result ${jobId.slice(0, 10)}`
      : "No answer reached the quorum: there is no result.",
  ];
}

async function deliver(
  context: Context,
  requester: Requester,
  jobId: Hex,
  file: string | undefined,
  waitSeconds: number,
): Promise<void> {
  const { output, signal } = context;
  output.progress("fetching the result");
  const result = await requester.fetchResult(jobId, { signal, timeoutMs: waitSeconds * 1_000 });
  if (file !== undefined) {
    writeResult(file, result.bytes);
    output.result({ jobId, from: result.from, resultHash: result.resultHash, bytes: result.bytes.length, file }, [
      `${result.bytes.length} bytes in ${file}, equal to the settled hash ${result.resultHash}`,
    ]);
  } else if (output.json) {
    output.result({ jobId, from: result.from, resultHash: result.resultHash, bytes: result.bytes }, []);
  } else {
    output.step(`${result.bytes.length} bytes from ${result.from}, equal to the settled hash ${result.resultHash}`);
    output.raw(result.bytes);
  }
}

/** Whole or not at all: half a result would look like one. */
function writeResult(file: string, bytes: Uint8Array): void {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, bytes);
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

async function settle(context: Context, jobId: Hex): Promise<void> {
  const { output, signal } = context;
  const requester = await requesterOf(context, { signs: false });
  const view = await viewNow(requester, jobId, signal);
  if (view?.terms === undefined) throw unknownJob(jobId);
  const { terms, statusName } = view;
  if (statusName === "accepted" || statusName === "inconclusive") {
    output.result({ jobId, status: statusName }, [`Settled already: ${statusName}.`]);
    return;
  }
  if (statusName === "settleable") {
    const client = await context.signer();
    const { hash } = await context.sending(() => settleJob(client, { jobId, terms, signal }));
    output.result({ jobId, action: "settle", hash }, [
      `Settled, transaction ${hash}. The carrier fee of this job is yours.`,
    ]);
    return;
  }
  if (statusName === "committing" && view.vacant.length > 0 && view.sparesLeft.length > 0) {
    const client = await context.signer();
    const { hash } = await context.sending(() => promoteSpares(client, { jobId, terms, signal }));
    output.result({ jobId, action: "promote", hash }, [
      `Promoted spares to seats ${view.vacant.join(", ")}, transaction ${hash}.`,
    ]);
    return;
  }
  const until = statusName === "committing" ? view.revealAt : view.revealDeadline;
  throw new RetryableError(
    "JOB_NOT_SETTLEABLE",
    `Nothing can be done by a stranger now: the job is ${statusName}. It moves on by itself within ${formatDuration((until ?? 0) - view.head.timestamp)} at most; try again then.`,
  );
}

/** The first view of a watch is the state of now. */
async function viewNow(requester: Requester, jobId: Hex, signal: AbortSignal): Promise<JobView | undefined> {
  for await (const view of requester.watchJob(jobId, { signal, selfHelp: "off" })) return view;
  signal.throwIfAborted();
  return undefined;
}

const goesOn = {
  open: "The request stays published, and whatever was sent is found again",
  watch: "The job goes on without this process",
  result: "The job is settled and its result is kept on the relays for some time",
} as const;

/** Runs a part that Ctrl-C may end while the job goes on, and says how to come back. */
async function comingBack<T>(
  context: Context,
  jobId: Hex,
  part: keyof typeof goesOn,
  body: () => Promise<T>,
): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (!context.signal.aborted && !(error instanceof Interrupted)) throw error;
    const next = `quorate job ${part} ${jobId}`;
    throw new Interrupted(`Stopped. ${goesOn[part]}. Come back with: ${next}`, next);
  }
}
