import { FatalError } from "@quorate/core";
import {
  authorizeAgent,
  getAuthorization,
  type MarketClient,
  readDataset,
  registerDataset,
  setPublisher,
} from "@quorate/sdk";
import { createKeystore, createLogger } from "@quorate/service";
import { encodeProfile } from "@quorate/wire";
import { Command } from "commander";
import { type Address, type Hex, isAddressEqual, keccak256, numberToHex, zeroAddress } from "viem";
import { action, type Context, newPassphrase } from "../context.ts";
import {
  type DomainSettings,
  domainConfigOf,
  domainData,
  findDomainSettings,
  type OfferSettings,
  readDomainSettings,
  writeDomainSettings,
} from "../domain-files.ts";
import { readJsonFile, readTextFile } from "../json-file.ts";
import { keyAddress, keyFolder, keyNames, newKeyFile } from "../key-files.ts";
import { loadQueries, notInstalled, verifiersOf } from "../queries.ts";
import { type PapersOptions, papersOf, withPapersOptions } from "../statement-options.ts";
import { chooseToken, type Token } from "../token.ts";
import { parseAddress, parseDuration, parseWhole } from "../units.ts";

/** How long the provider's signed name is good, seconds; `domain init` signs it anew. */
const PROFILE_S = 180 * 86_400;

type InitOptions = {
  readonly name: string;
  readonly verifier?: readonly string[];
  readonly price: string;
  readonly bond: string;
  readonly window: string;
  readonly grace: string;
  readonly agentKey: string;
  readonly valid: string;
  readonly host: string;
  readonly port: string;
};

type ImportOptions = {
  readonly format: string;
  readonly mapping: string;
  readonly query?: string;
  readonly delimiter?: string;
  readonly dataset?: string;
  readonly correct?: boolean;
};

/** `quorate domain`: an organization that answers questions about its records. */
export function domainCommand(): Command {
  const command = new Command("domain").description("an organization that answers questions about its records");

  command
    .command("init <definition>")
    .description(
      "make the state of a domain provider for the chosen key, register its data set and authorize its agent",
    )
    .requiredOption("--name <text>", "name of the organization")
    .option("--verifier <circuit=address...>", "verifier contracts of the circuits that are offered")
    .option("--price <amount>", "price of an answer, in the network's token", "1")
    .option("--bond <amount>", "what the asker gets when there is no answer in time", "1")
    .option("--window <duration>", "time for an answer", "1h")
    .option("--grace <duration>", "how long an earlier state of the data may still be asked about; for good", "1h")
    .option("--agent-key <name>", "name of the agent's key file", "domain-agent")
    .option("--valid <duration>", "for how long the agent is authorized", "90d")
    .option("--host <address>", "address to listen on; put a proxy with TLS in front", "127.0.0.1")
    .option("--port <number>", "port; 0 takes a free one", "7500")
    .action(action(init));

  command
    .command("import <source>")
    .description("import records, all or nothing; the agent must not run")
    .requiredOption("--mapping <file>", "which columns become which records")
    .option("--format <name>", "csv, json, sqlite or postgres", "csv")
    .option("--query <sql>", "SELECT of sqlite and postgres")
    .option("--delimiter <character>", "of CSV", ",")
    .option("--dataset <id>", "data set by id or name, if there are several")
    .option("--correct", "records that overlap earlier ones end these, instead of being refused")
    .action(action(importRecords));

  withPapersOptions(command.command("register <reference>"))
    .description(
      "register a subject with the papers that it showed, and make its enrolment code; the agent must not run",
    )
    .option("--code-life <duration>", "how long the code is good", "7d")
    .action(
      action(async (context, reference: string, options: PapersOptions & { codeLife: string }) => {
        const papers = papersOf(options);
        const codeLifeS = parseDuration(options.codeLife, "--code-life");
        const { registerSubject } = await loadDomain();
        const { code, expiry, person, isNew } = await registerSubject({
          ...(await accessOf(context)),
          reference,
          papers,
          codeLifeS,
        });
        context.output.result({ reference, code, expiry, person, isNew }, [
          `Code ${code}, good until ${new Date(expiry * 1_000).toISOString()}.`,
          `Hand it to the subject alone: quorate subject enrol ${code}`,
        ]);
      }),
    );

  command
    .command("publish")
    .description("publish a root of every data set that changed; a running agent does it by itself")
    .action(
      action(async (context) => {
        const { publishOnce } = await loadDomain();
        const account = await context.account(readDomainSettings(context.home).agentKey);
        const published = await publishOnce(domainConfigOf(context), context.signal, {
          account,
          logger: context.logger,
        });
        context.output.result(
          { published },
          published.length === 0
            ? ["Nothing changed since the last publication."]
            : published.map(
                ({ dataset, root, changes, transaction }) =>
                  `${dataset}: root ${root}, ${changes} leaves changed, transaction ${transaction ?? "unknown"}`,
              ),
        );
      }),
    );

  command
    .command("start")
    .description("run the agent until Ctrl-C; log lines are JSON on standard error")
    .action(action(start));

  command
    .command("audit")
    .description("who asked what, when, and how it ended; the agent must not run")
    .option("--subject <reference>", "questions about one subject")
    .option("--since <date>", "questions since a day, YYYY-MM-DD")
    .action(
      action(async (context, options: { subject?: string; since?: string }) => {
        const since = options.since === undefined ? undefined : Date.parse(`${options.since}T00:00:00Z`) / 1_000;
        if (since !== undefined && Number.isNaN(since)) {
          throw new FatalError("USAGE_DATE", `--since ${options.since} is no day. Write it as YYYY-MM-DD.`);
        }
        const { auditLog } = await loadDomain();
        const entries = await auditLog({ ...(await accessOf(context)), reference: options.subject, since });
        context.output.result(
          { entries },
          entries.length === 0
            ? ["The log has no such question."]
            : entries.map(
                ({ reference, asker, outcome, reason, quotedAt, query }) =>
                  `${new Date(quotedAt * 1_000).toISOString()}  ${reference}  ${asker}  ${outcome}${reason === undefined ? "" : ` (${reason})`}  ${numberToHex(query, { size: 32 })}`,
              ),
        );
      }),
    );

  return command;
}

/** Loaded when needed: others need neither provers nor databases of records. */
async function loadDomain(): Promise<typeof import("@quorate/domain")> {
  try {
    return await import("@quorate/domain");
  } catch (error) {
    throw notInstalled(error, "@quorate/domain");
  }
}

/** The state with the key that opens it. */
async function accessOf(
  context: Context,
): Promise<{ readonly dataDir: string; readonly account: Awaited<ReturnType<Context["account"]>> }> {
  const { agentKey } = readDomainSettings(context.home);
  return { dataDir: domainData(context.home), account: await context.account(agentKey) };
}

async function init(context: Context, file: string, options: InitOptions): Promise<void> {
  const { home, output, signal } = context;
  const { proofs } = await loadQueries();
  const { initDomain, signDomainProfile } = await loadDomain();
  const definition = proofs.parseDatasetDefinition(readJsonFile(file, "definition of a data set"));
  const token = await chooseToken(context, undefined);
  const lifetime = parseDuration(options.valid, "--valid");
  const grace = parseDuration(options.grace, "--grace");
  const given = offersOf(options, definition, token);
  const known = findDomainSettings(home);
  const client = await context.querySigner();
  const provider = client.account.address;
  if (known !== undefined && !isAddressEqual(known.provider, provider)) {
    throw new FatalError(
      "USAGE_WRONG_KEY",
      `The domain provider of ${home} is ${known.provider}, the chosen key is ${provider}. Name the provider's key with --account.`,
    );
  }
  for (const { circuit, verifier } of given) await requireVerifier(context, client, circuit, verifier as Address);

  const agentKey = known?.agentKey ?? options.agentKey;
  if (!keyNames(home).includes(agentKey)) {
    newKeyFile(home, agentKey);
    const passphrase = await newPassphrase(context, agentKey);
    await createKeystore(keyFolder(home), { passphrase, name: `${agentKey}.json` });
    output.step(`made the agent's key ${agentKey}`);
  }
  const agent = keyAddress(home, agentKey);
  const { chainId, market } = client;
  const { dataset, definitionHash } = await initDomain({
    dataDir: domainData(home),
    account: await context.account(agentKey),
    chainId,
    market,
    provider,
    definition,
  });
  // What is offered already is the operator's to change, in the file.
  const isOffered = known?.offers.some((offer) => offer.dataset === dataset) === true;
  const offers: OfferSettings[] = isOffered ? [] : given.map((offer) => ({ dataset, ...offer }));
  const named = { name: options.name, agent, lifetimeS: PROFILE_S };
  const profile = await signDomainProfile(named, client.account, { chainId, market });
  const settings: DomainSettings = {
    listen: { host: options.host, port: parseWhole(options.port, "--port", 0, 65_535) },
    ...known,
    version: 1,
    provider,
    agentKey,
    name: options.name,
    profile: encodeProfile(profile),
    offers: [...(known?.offers ?? []), ...offers],
  };
  const settingsFile = writeDomainSettings(home, settings);

  // What the chain has already is not sent again: a killed init goes on where it was.
  const sent = await context.sending(async () => {
    const hashes: Hex[] = [];
    const registered = await readDataset(client, { dataset });
    if (isAddressEqual(registered.provider, zeroAddress)) {
      output.progress("registering the data set");
      hashes.push(
        (await registerDataset(client, { definition: definitionHash, grace, publisher: agent, signal })).hash,
      );
    } else if (!isAddressEqual(registered.publisher, agent)) {
      output.progress("naming the agent as publisher");
      hashes.push((await setPublisher(client, { dataset, publisher: agent, signal })).hash);
    }
    const authorization = await authorize(client, agent, token, settings.offers, lifetime, signal);
    return authorization === undefined ? hashes : [...hashes, authorization];
  });
  output.result({ provider, agent, dataset, settings: settingsFile, transactions: sent }, [
    `Domain provider ${provider}, agent ${agent}.`,
    `Data set ${dataset}, registered on chain.`,
    `Read and adapt the settings: ${settingsFile}`,
    "Next: quorate account deposit AMOUNT --market queries, for bonds; send the agent some ether for gas; quorate domain import, register, start",
  ]);
}

/** Lets the agent sign quotes with the bonds that are offered. */
async function authorize(
  client: MarketClient & { readonly account: { readonly address: Address } },
  agent: Address,
  token: Token,
  offers: readonly OfferSettings[],
  lifetime: number,
  signal: AbortSignal,
): Promise<Hex | undefined> {
  const mine = offers.filter((offer) => isAddressEqual(offer.token as Address, token.address));
  const maxBondPerSeat = mine.reduce((most, { bond }) => (BigInt(bond) > most ? BigInt(bond) : most), 0n);
  const minCommitWindow = Math.min(...mine.map(({ window }) => window), 2 ** 32 - 1);
  const { timestamp } = await client.public.getBlock();
  const now = Number(timestamp);
  const found = await getAuthorization(client, { provider: client.account.address, agent, token: token.address });
  const isEnough =
    found.validUntil >= now + lifetime / 2 &&
    found.maxBondPerSeat >= maxBondPerSeat &&
    found.minCommitWindow <= minCommitWindow;
  if (isEnough || mine.length === 0) return undefined;
  const { hash } = await authorizeAgent(client, {
    agent,
    token: token.address,
    maxBondPerSeat,
    minCommitWindow,
    validUntil: now + lifetime,
    signal,
  });
  return hash;
}

type Definition = { readonly attributes: readonly unknown[]; readonly scorecards: readonly unknown[] };

/** One price for each circuit that the definition needs and a verifier is named for. */
function offersOf(options: InitOptions, definition: Definition, token: Token): Omit<OfferSettings, "dataset">[] {
  const price = token.parse(options.price, "--price").toString();
  const bond = token.parse(options.bond, "--bond").toString();
  const window = parseDuration(options.window, "--window");
  const needed: Readonly<Record<string, boolean>> = {
    "sealed-answer": definition.attributes.length > 0,
    scorecard: definition.scorecards.length > 0,
  };
  const named = (options.verifier ?? []).map((text) => {
    const at = text.indexOf("=");
    const circuit = text.slice(0, Math.max(at, 0));
    if (needed[circuit] === undefined) {
      throw new FatalError(
        "USAGE_VERIFIER",
        `--verifier ${text} names no circuit. Write sealed-answer=0x… or scorecard=0x….`,
      );
    }
    return { circuit, verifier: parseAddress(text.slice(at + 1), "--verifier") };
  });
  const missing = Object.keys(needed).find(
    (circuit) => needed[circuit] === true && !named.some((verifier) => verifier.circuit === circuit),
  );
  if (missing !== undefined) {
    throw new FatalError(
      "USAGE_VERIFIER",
      `The definition needs a verifier of ${missing}: --verifier ${missing}=0x…. Its address is where the network's contracts are listed.`,
    );
  }
  return named
    .filter(({ circuit }) => needed[circuit] === true)
    .map(({ circuit, verifier }) => ({ circuit, verifier, token: token.address, price, bond, window }));
}

/** Askers take known verifiers only: an offer with another one would sell nothing. */
async function requireVerifier(
  context: Context,
  client: MarketClient,
  circuit: string,
  verifier: Address,
): Promise<void> {
  const code = await client.public.getCode({ address: verifier });
  const known = await verifiersOf(context.network().network);
  const found = keccak256(code ?? "0x");
  if (known[circuit as keyof typeof known].some((hash) => hash === found)) return;
  throw new FatalError(
    "VERIFIER_UNKNOWN",
    `${verifier} is no known verifier of ${circuit} (code hash ${found}). Check the address, or add the hash: quorate network add NAME --verifier ${circuit}=${found}.`,
  );
}

async function importRecords(context: Context, source: string, options: ImportOptions): Promise<void> {
  // Text: a mapping may have comments.
  const mapping = readTextFile(options.mapping, "mapping");
  const from = sourceOf(source, options);
  const domain = await loadDomain();
  context.output.progress(`reading ${options.format} records`);
  const report = await domain.importRecords(
    {
      ...(await accessOf(context)),
      dataset: options.dataset,
      source: from,
      mapping,
      mode: options.correct === true ? "correct" : "add",
    },
    context.signal,
  );
  context.output.result(report, [
    `${report.rows} rows: ${report.added} records added, ${report.corrected} corrected, ${report.unchanged} unchanged; ${report.subjects} new subjects.`,
    "Next: quorate domain register REFERENCE for subjects that may consent; quorate domain start publishes.",
  ]);
}

function sourceOf(source: string, { format, query, delimiter }: ImportOptions): import("@quorate/domain").ImportSource {
  if (format === "csv") return { format, path: source, ...(delimiter === undefined ? {} : { delimiter }) };
  if (format === "json") return { format, path: source };
  if (format !== "sqlite" && format !== "postgres") {
    throw new FatalError(
      "USAGE_FORMAT",
      `--format ${format} is none of csv, json, sqlite, postgres. Choose one of these.`,
    );
  }
  if (query === undefined) {
    throw new FatalError("USAGE_FORMAT", `Records of ${format} are named by --query with a SELECT.`);
  }
  return format === "sqlite" ? { format, path: source, query } : { format, url: source, query };
}

async function start(context: Context): Promise<void> {
  const { output, signal } = context;
  const { agentKey } = readDomainSettings(context.home);
  const { runDomain } = await loadDomain();
  await runDomain(domainConfigOf(context), signal, {
    account: await context.account(agentKey),
    logger: createLogger({ level: "info", stream: process.stderr }),
    onReady: ({ url, healthUrl }) =>
      output.result({ ready: true, pid: process.pid, url, healthUrl }, [
        `Answering at ${url}${healthUrl === undefined ? "" : `; health at ${healthUrl}/health`}. Ctrl-C ends it.`,
      ]),
  });
  output.step("the agent has ended; open questions wait for it: start it again before their deadlines");
}
