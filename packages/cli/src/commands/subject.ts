import { FatalError } from "@quorate/core";
import type { ConsentReview } from "@quorate/proofs";
import type { OwnRecordView } from "@quorate/sdk/queries";
import { Command } from "commander";
import { numberToHex } from "viem";
import { action, type Context } from "../context.ts";
import { readJsonFile } from "../json-file.ts";
import { askTerminal } from "../passphrase.ts";
import { writeWhole } from "../provider-files.ts";
import { datasetAt, loadQueries } from "../queries.ts";
import { type PapersOptions, papersOf, withPapersOptions } from "../statement-options.ts";
import { chooseDomain, type KnownDomain, rememberDomain, subjectOf } from "../subject-files.ts";
import { parseAddress, parseDuration } from "../units.ts";

type DomainOptions = { readonly provider?: string; readonly url?: string; readonly dataset?: string };

/** `quorate subject`: the person that records are about. */
export function subjectCommand(): Command {
  const command = new Command("subject").description("your records at domain providers, and your consent to questions");

  command
    .command("key <provider>")
    .description("show your public key for a domain provider; it follows from the chosen key file")
    .action(
      action(async (context, provider: string) => {
        const address = parseAddress(provider, "The provider");
        const { proofs } = await loadQueries();
        const account = await context.account();
        const secret = await proofs.deriveSubjectSecret(account, address);
        const { publicKey } = proofs.subjectFromSecret(secret, address);
        context.output.result({ provider: address, subjectKey: publicKey }, [
          `Your key for ${address}:`,
          ...publicKey.map((part) => part.toString()),
          "It follows from the key file. Keep the state folder too: it remembers what you saw and consented to.",
        ]);
      }),
    );

  withDomainOptions(command.command("card"))
    .description("write your card for askers: where your records are, and your key there; it says nothing about them")
    .option("--out <file>", "file for the card (default: standard output)")
    .action(
      action(async (context, options: DomainOptions & { out?: string }) => {
        const domain = await domainOf(context, options);
        const { proofs } = await loadQueries();
        const card = await (await subjectOf(context, domain)).card();
        const text = JSON.stringify(proofs.toJson(card), null, 2);
        if (options.out !== undefined) writeWhole(options.out, `${text}\n`);
        context.output.result(
          card,
          options.out === undefined
            ? [text]
            : [`Your card is in ${options.out}. Give it to whoever may ask about you.`],
        );
      }),
    );

  withPapersOptions(withDomainOptions(command.command("enrol <code>")))
    .description("bind the records that a domain provider registered under a code to your key")
    .action(
      action(async (context, code: string, options: DomainOptions & PapersOptions) => {
        const papers = papersOf(options);
        const domain = await domainOf(context, options);
        const subject = await subjectOf(context, domain);
        const enrolled = await context.sending(() => subject.enrol({ code, papers }));
        context.output.result({ provider: domain.provider, ...enrolled }, [
          `Enrolled at ${domain.provider}${enrolled.person === 0n ? ", without papers" : ""}.`,
          "Next: quorate subject record, once the provider has published; quorate subject card for whoever asks.",
        ]);
      }),
    );

  withDomainOptions(command.command("record"))
    .description("show your records as the provider holds them, recomputed here and compared with the chain")
    .action(
      action(async (context, options: DomainOptions) => {
        const { proofs } = await loadQueries();
        const subject = await subjectOf(context, await domainOf(context, options));
        const records = await context.sending(() => subject.records());
        context.output.result(
          { records: records.map((view) => viewOf(view, proofs)) },
          records.length === 0
            ? ["The provider holds no record of you."]
            : records.flatMap((view) => describeRecord(view, proofs)),
        );
      }),
    );

  withDomainOptions(command.command("consent <request>"))
    .description("say what a question would tell about you, and consent if you want to")
    .option("--valid <duration>", "for how long the provider may quote with it (default: as long as its one-time key)")
    .option("--out <file>", "file for the consent (default: standard output)")
    .option("-y, --yes", "consent without being asked")
    .action(action(consent));

  withDomainOptions(command.command("audit"))
    .description("who asked what about you, by the provider's log")
    .action(
      action(async (context, options: DomainOptions) => {
        const entries = await (await subjectOf(context, await domainOf(context, options))).audit();
        context.output.result(
          { entries },
          entries.length === 0
            ? ["The provider's log has no question about you."]
            : entries.map(
                ({ quotedAt, asker, outcome, reason, query }) =>
                  `${new Date(quotedAt * 1_000).toISOString()}  ${asker}  ${outcome.padEnd(8)}  ${numberToHex(query, { size: 32 })}${reason === undefined ? "" : `  ${reason}`}`,
              ),
        );
      }),
    );

  return command;
}

function withDomainOptions(command: Command): Command {
  return command
    .option("--provider <address>", "domain provider, if you deal with several or for the first time")
    .option("--url <url>", "URL of its agent, for the first time or when it moved")
    .option("--dataset <id>", "dataset, if the provider has several");
}

/** The provider that options name, remembered once its URL is given. */
async function domainOf(context: Context, { provider, url, dataset }: DomainOptions): Promise<KnownDomain> {
  if (url === undefined) {
    const known = chooseDomain(context, provider);
    return dataset === undefined ? known : { ...known, dataset: dataset.toLowerCase() };
  }
  if (provider === undefined) {
    throw new FatalError(
      "USAGE_DOMAIN",
      "With --url name the provider's address as well, from where you trust it: --provider 0x…. A URL alone proves nothing.",
    );
  }
  const address = parseAddress(provider, "--provider");
  const found = await datasetAt(context, url, dataset);
  if (found.provider.toLowerCase() !== address.toLowerCase()) {
    throw new FatalError(
      "USAGE_DOMAIN",
      `${url} answers for ${found.provider}, not for ${address}. Check address and URL with the provider.`,
    );
  }
  const domain = { provider: address, url, dataset: found.dataset };
  rememberDomain(context, domain);
  return domain;
}

async function consent(
  context: Context,
  file: string,
  options: DomainOptions & { valid?: string; out?: string; yes?: boolean },
): Promise<void> {
  const { output } = context;
  const { proofs, sdk } = await loadQueries();
  const request = proofs.parseConsentRequest(readJsonFile(file, "consent request"));
  if (options.yes !== true && (!process.stdin.isTTY || output.json)) {
    throw new FatalError("USAGE_CONFIRM", "A consent cannot be taken back, and there is nobody to ask. Say --yes.");
  }
  const domain = await domainOf(context, { ...options, provider: options.provider ?? request.provider });
  const subject = await subjectOf(context, { ...domain, dataset: request.dataset });
  const review = await subject.review(request);
  if (!output.json) for (const line of describeReview(review)) output.step(line);
  for (const warning of review.warnings) output.warn(warning.text);
  if (options.yes !== true) {
    const terminal = { input: process.stdin, output: process.stderr };
    const answer = await askTerminal(terminal, "Consent to exactly this question? [y/N] ", context.signal);
    if (!/^y(es)?$/i.test(answer.trim())) {
      throw new FatalError("CONSENT_DECLINED", "You did not consent. Nothing was signed and nothing was sent.");
    }
  }
  const notAfter =
    options.valid === undefined ? undefined : Math.floor(Date.now() / 1_000) + parseDuration(options.valid, "--valid");
  const given = await context.sending(() => subject.consent(request, review, { notAfter }));
  const json = sdk.consentFileOf(given);
  if (options.out !== undefined) writeWhole(options.out, `${JSON.stringify(json, null, 2)}\n`);
  const { words, warnings, answer: truth } = review;
  output.result(
    { ...json, file: options.out, answer: truth, words, warnings },
    options.out === undefined
      ? [JSON.stringify(json, null, 2)]
      : [`Your consent is in ${options.out}: give it to the asker, who cannot read it.`],
  );
}

function describeReview({ words }: ConsentReview): string[] {
  return [
    `Asked by   ${words.asker}`,
    `Provider   ${words.provider}`,
    `Statement  ${words.statement}`,
    `Day        ${words.date}`,
    `On record  ${words.record}`,
    words.learns,
    words.together,
    words.forever,
  ];
}

type Proofs = typeof import("@quorate/proofs");

const states: Readonly<Record<OwnRecordView["state"], string>> = {
  published: "published, recomputed with your key",
  unpublished: "not in the published data yet",
  foreign: "NOT what your key makes of it: do not consent, ask the provider",
  changed: "CHANGED since you first saw it: do not consent, ask the provider",
};

function viewOf({ name, record, used, leaf, state }: OwnRecordView, proofs: Proofs): unknown {
  const { validFrom, validUntil, budget } = record;
  return { name, values: valuesOf(record, proofs), validFrom, validUntil, budget, used, leaf, state };
}

/** Values in words, by the name of attribute or field. */
function valuesOf(record: OwnRecordView["record"], { describeValue }: Proofs): Record<string, string> {
  if (record.kind === "attribute") {
    return { [record.attribute.name]: describeValue(record.value, record.attribute) };
  }
  return Object.fromEntries(
    record.scorecard.fields.map((field, n) => [field.name, describeValue(record.values[n] ?? 0n, field)]),
  );
}

function describeRecord(view: OwnRecordView, proofs: Proofs): string[] {
  const { record, used, state, name } = view;
  const day = (time: number): string => new Date(time * 1_000).toISOString().slice(0, 10);
  return [
    name,
    ...Object.entries(valuesOf(record, proofs)).map(([label, value]) => `  ${label}: ${value}`),
    `  valid ${day(record.validFrom)} to ${day(record.validUntil)}; ${used} of ${record.budget} answers used or promised`,
    `  ${states[state]}`,
  ];
}
