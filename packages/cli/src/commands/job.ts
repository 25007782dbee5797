import { writeFileSync } from "node:fs";
import { FatalError, type Hex, RetryableError, shareOf } from "@quorate/core";
import { availableIsolations, runIsolated } from "@quorate/sandbox/node";
import {
  escrowBoundOf,
  type JobView,
  type JobWishes,
  makePackage,
  previewPackage,
  promoteSpares,
  type ReceivedOffer,
  type Requester,
  type Selection,
  settleJob,
} from "@quorate/sdk";
import { Command } from "commander";
import { action, type Context } from "../context.ts";
import { type PackageOptions, packageFromFiles } from "../job-files.ts";
import { findJobId, jobStore, requesterOf } from "../requester.ts";
import { chooseToken, readToken, type Token } from "../token.ts";
import { formatDuration, parseDuration, parseWhole } from "../units.ts";

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
  readonly via: string;
  readonly label?: string;
};

type OfferOptions = { readonly wait: string };
type OpenOptions = OfferOptions & { readonly yes?: boolean };
type ResultOptions = { readonly out?: string; readonly wait: string };

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
    .option("-y, --yes", "open without asking")
    .action(
      action(async (context, program: string, options: RequestOptions & OpenOptions & ResultOptions) => {
        const { jobId } = await request(context, program, options);
        const requester = await requesterOf(context, { signs: true });
        await comingBack(context, jobId, async () => {
          await open(context, requester, jobId, options);
          await watch(context, requester, jobId);
          await deliver(context, requester, jobId, options.out, 120);
        });
      }),
    );

  command
    .command("list")
    .description("list the jobs of this state folder")
    .action(
      action(async (context) => {
        const records = await jobStore(context.home).list();
        context.output.result(
          records.map(({ jobId, label, createdAt, publishedAt, selection }) => ({
            jobId,
            label,
            createdAt,
            published: publishedAt !== undefined,
            selected: selection !== undefined,
          })),
          records.length === 0
            ? ["No job was requested from this state folder."]
            : records.map(
                ({ jobId, label, createdAt }) => `${jobId}  ${new Date(createdAt).toISOString()}  ${label ?? ""}`,
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
        const jobId = await findJobId(context.home, job);
        const requester = await requesterOf(context, { signs: true });
        const token = await tokenOfJob(context, jobId);
        const { received, selection } = await collect(context, requester, jobId, token, options.wait, false);
        await explainMissing(context, requester, jobId, received, selection);
        context.output.result({ jobId, offers: received, selection }, describeSelection(selection, token));
      }),
    );

  command
    .command("open <job>")
    .description("choose the panel, escrow the money, and let the work begin")
    .option("--wait <duration>", "how long to wait for offers", "2m")
    .option("-y, --yes", "open without asking")
    .action(
      action(async (context, job: string, options: OpenOptions) => {
        const jobId = await findJobId(context.home, job);
        const requester = await requesterOf(context, { signs: true });
        const opened = await open(context, requester, jobId, options);
        context.output.result(opened, [`Next: quorate job watch ${jobId.slice(0, 10)}`]);
      }),
    );

  command
    .command("watch <job>")
    .description("follow a job until it is settled")
    .action(
      action(async (context, job: string) => {
        const jobId = await findJobId(context.home, job);
        const requester = await requesterOf(context, { signs: false });
        const view = await comingBack(context, jobId, () => watch(context, requester, jobId));
        context.output.result(view, view === undefined ? [] : [`Next: quorate job result ${jobId.slice(0, 10)}`]);
      }),
    );

  command
    .command("result <job>")
    .description("fetch the result, open it, and hold it against what the chain settled")
    .option("--out <file>", "write it to a file instead of standard output")
    .option("--wait <duration>", "how long to wait for a delivery", "2m")
    .action(
      action(async (context, job: string, options: ResultOptions) => {
        const jobId = await findJobId(context.home, job);
        const requester = await requesterOf(context, { signs: true });
        await deliver(context, requester, jobId, options.out, parseDuration(options.wait, "--wait"));
      }),
    );

  command
    .command("settle <job>")
    .description("do what is left to do on chain for a job, whoever's duty it was: promote spares, settle")
    .action(
      action(async (context, job: string) => {
        const jobId = await findJobId(context.home, job);
        await settle(context, jobId);
      }),
    );

  return command;
}

function withPackageOptions(command: Command): Command {
  return command
    .option("--runtime <name>", "wasi or js; by default from the file's extension")
    .option("--data <file...>", "files that the program may read")
    .option("--stdin <file>", "file that is standard input")
    .option("--arg <text...>", "arguments of the program")
    .option("--env <name=value...>", "environment of the program")
    .option("--fuel <units>", "work that the engine counts, at most", "10000000000")
    .option("--memory <size>", "memory, at most", "256M")
    .option("--output <size>", "output, at most", "4M")
    .option("--wall-time <seconds>", "time, at most", "60");
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
  const token = await chooseToken(context, options.token);
  const pkg = packageFromFiles(program, options);
  const prepared = makePackage({ manifest: pkg.manifest, files: pkg.files });
  output.step(
    `encrypted ${pkg.files.size} files into ${prepared.encrypted.blocks.length} blocks, ${prepared.encrypted.cid}`,
  );
  if (options.via !== "relays" && options.via !== "chain" && options.via !== "both") {
    throw new FatalError("USAGE_VIA", `--via ${options.via} is none of relays, chain, both.`);
  }
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
  };
  const requester = await requesterOf(context, { signs: true });
  output.progress("uploading the package and publishing the request");
  const requested = await requester.requestJob(
    { prepared, wishes, via: options.via, ...(options.label === undefined ? {} : { label: options.label }) },
    { signal: context.signal },
  );
  output.step(`requested job ${requested.jobId}`);
  return { jobId: requested.jobId, token, bound: escrowBoundOf(requested.request) };
}

function parsePercent(text: string, what: string, most: number): number {
  const value = Number(text);
  if (!/^\d+(\.\d{1,2})?$/.test(text) || value > most) {
    throw new FatalError(
      "USAGE_PERCENT",
      `${what} "${text}" is not a percentage from 0 to ${most} with at most two decimals.`,
    );
  }
  return Math.round(value * 100);
}

async function tokenOfJob(context: Context, jobId: Hex): Promise<Token> {
  const record = await jobStore(context.home).get(jobId);
  return record === undefined
    ? chooseToken(context, undefined)
    : readToken(await context.publicClient(), record.request.token);
}

/** Collects offers until the panel is full, or the time is over. */
async function collect(
  context: Context,
  requester: Requester,
  jobId: Hex,
  token: Token,
  wait: string,
  untilComplete: boolean,
): Promise<{ received: ReceivedOffer[]; selection: Selection }> {
  const { output, signal } = context;
  const received: ReceivedOffer[] = [];
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
    if (untilComplete && selection.missing.length === 0) break;
    output.progress(
      selection.missing.length === 0 ? "the panel is full; still collecting" : selection.missing.join("; "),
    );
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

async function open(
  context: Context,
  requester: Requester,
  jobId: Hex,
  options: OpenOptions,
): Promise<{ jobId: Hex; hash?: Hex; escrow: bigint; resumed: boolean }> {
  const { output, signal } = context;
  const token = await tokenOfJob(context, jobId);
  const { stage, record } = await requester.resume(jobId, { signal });
  if (stage === "drafted") {
    throw new FatalError(
      "JOB_NOT_PUBLISHED",
      "The request was interrupted before it was published, and its package is gone with the process. Request the job again; nothing was paid.",
    );
  }
  if (stage !== "published" || record.selection !== undefined) {
    const opened = await requester.openJob(jobId, undefined, { signal });
    output.step(opened.resumed ? "the job is open already" : `opened with ${token.format(opened.escrow)} in escrow`);
    return opened;
  }
  const { received, selection } = await collect(context, requester, jobId, token, options.wait, true);
  if (!selection.complete) {
    await explainMissing(context, requester, jobId, received, selection);
    throw new RetryableError(
      "TOO_FEW_OFFERS",
      `The job was not opened and nothing was paid: ${selection.missing.join("; ")}. Try again later with quorate job open ${jobId.slice(0, 10)}.`,
    );
  }
  for (const line of describeSelection(selection, token)) output.step(line);
  const { request: asked } = record;
  const highest = selection.chosen.reduce((most, { offer }) => Math.max(offer.price, most), 0n);
  output.step(
    `${selection.chosen.length} organizations will be able to read program and data. Without a decision each that worked gets at most ${token.format(shareOf(highest, asked.calloutBps))}; the rest returns to you.`,
  );
  await confirm(context, options.yes === true);
  output.progress("opening: escrow and bonds are locked in one transaction");
  const opened = await requester.openJob(jobId, selection, { signal });
  output.step(
    `opened with ${token.format(opened.escrow)} in escrow${opened.hash === undefined ? "" : `, transaction ${opened.hash}`}`,
  );
  return opened;
}

/** Money moves next: a person is asked, a script has to say so beforehand. */
async function confirm(context: Context, yes: boolean): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY || context.output.json) {
    throw new FatalError("USAGE_CONFIRM", "Opening moves money and there is nobody to ask. Say --yes.");
  }
  const { createInterface } = await import("node:readline/promises");
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await lines.question("Open the job? [y/N] ", { signal: context.signal });
    if (!/^y(es)?$/i.test(answer.trim())) throw new FatalError("USAGE_CONFIRM", "Not opened; nothing was paid.");
  } finally {
    lines.close();
  }
}

async function watch(context: Context, requester: Requester, jobId: Hex): Promise<JobView | undefined> {
  const { output, signal } = context;
  let last: JobView | undefined;
  const seen = new Map<number, string>();
  for await (const view of requester.watchJob(jobId, { signal })) {
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
  if (last !== undefined) output.step(`settled: ${last.statusName}`);
  return last;
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
    writeFileSync(file, result.bytes);
    output.result({ jobId, from: result.from, resultHash: result.resultHash, bytes: result.bytes.length, file }, [
      `${result.bytes.length} bytes in ${file}, equal to the settled hash ${result.resultHash}`,
    ]);
  } else if (output.json) {
    output.result({ jobId, from: result.from, resultHash: result.resultHash, bytes: result.bytes }, []);
  } else {
    output.step(`${result.bytes.length} bytes from ${result.from}, equal to the settled hash ${result.resultHash}`);
    process.stdout.write(result.bytes);
  }
}

async function settle(context: Context, jobId: Hex): Promise<void> {
  const { output, signal } = context;
  const requester = await requesterOf(context, { signs: false });
  const client = await context.signer();
  // The first view is the state of now.
  let view: JobView | undefined;
  for await (view of requester.watchJob(jobId, { signal, selfHelp: "off" })) break;
  if (view?.terms === undefined)
    throw new FatalError("JOB_UNKNOWN", `The market knows no open job ${jobId}. Check the id and the network.`);
  if (view.statusName === "accepted" || view.statusName === "inconclusive") {
    output.result({ jobId, status: view.statusName }, [`Settled already: ${view.statusName}.`]);
    return;
  }
  const { terms } = view;
  if (view.statusName === "settleable") {
    const { hash } = await settleJob(client, { jobId, terms, signal });
    output.result({ jobId, action: "settle", hash }, [
      `Settled, transaction ${hash}. The carrier fee of this job is yours.`,
    ]);
    return;
  }
  if (view.statusName === "committing" && view.vacant.length > 0 && view.sparesLeft.length > 0) {
    const { hash } = await promoteSpares(client, { jobId, terms, signal });
    output.result({ jobId, action: "promote", hash }, [
      `Promoted spares to seats ${view.vacant.join(", ")}, transaction ${hash}.`,
    ]);
    return;
  }
  const until = view.statusName === "committing" ? view.revealAt : view.revealDeadline;
  throw new RetryableError(
    "JOB_NOT_SETTLEABLE",
    `Nothing can be done by a stranger now: the job is ${view.statusName}. It moves on by itself within ${formatDuration((until ?? 0) - view.head.timestamp)} at most; try again then.`,
  );
}

/** Runs a part that Ctrl-C may end while the job goes on, and says how to come back. */
async function comingBack<T>(context: Context, jobId: Hex, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (context.signal.aborted) {
      context.output.warn(
        `Stopped. The job goes on without this process. Come back with: quorate job watch ${jobId.slice(0, 10)}`,
      );
    }
    throw error;
  }
}
