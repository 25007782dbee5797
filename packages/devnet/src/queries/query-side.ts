import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Address, Hex } from "@quorate/core";
import { attributeOf, definitionHash, encodeValue, type Papers, type PublicKey } from "@quorate/proofs";
import { authorizeAgent, depositWithPermit, registerDataset } from "@quorate/sdk";
import type { KeyAccount } from "@quorate/service";
import { keccak256, type PublicClient } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { writeSettings } from "../channel.ts";
import { deployDesk, deployQueryMarket, type QueryDeployment } from "../deploy.ts";
import { createFaucet } from "../faucet.ts";
import { makeKey, marketClient } from "../keys.ts";
import type { LocalMarket } from "../market.ts";
import { dollars } from "../organizations.ts";
import {
  type Actor,
  type Casualty,
  casualtiesOf,
  type Restartable,
  siblingModule,
  startActor,
  startRestartable,
  waitForServer,
} from "../processes.ts";
import { listenTo, type Tells } from "../tells.ts";

import { setUpDomain } from "./domain-setup.ts";
import type {
  ApplicantCommand,
  ApplicantConfig,
  ApplicantEvent,
  DomainEvent,
  LenderCommand,
  LenderConfig,
  LenderEvent,
  QuerySite,
} from "./messages.ts";
import { type Person, papersOf } from "./people.ts";
import {
  castPeople,
  type DomainSlug,
  datasets,
  enrolments,
  LEAST_INCOME,
  STALE_APPLICANT,
  VISITOR,
} from "./stories.ts";

/** What an applicant's process tells. */
export type ApplicantTells = Tells<ApplicantCommand, ApplicantEvent>;

/** A domain provider that runs. */
export type DomainProvider = Restartable & {
  readonly name: string;
  readonly address: Address;
  readonly url: string;
  /** Hears of every proof, with its time in milliseconds. */
  onProved(listener: (query: bigint, ms: number) => void): () => void;
};

/** Somebody who applies for a mortgage. */
export type Applicant = {
  readonly person: Person;
  /** What the lender gets to see. */
  readonly shown: { readonly papers: Papers };
  /** One for each provider where it has enrolled. */
  readonly subjectKeys: readonly PublicKey[];
  readonly wallet: Address;
};

/** The query side of a local market that runs. */
export type QuerySide = {
  readonly client: PublicClient;
  readonly site: QuerySite;
  readonly lender: Tells<LenderCommand, LenderEvent>;
  readonly applicants: Readonly<Record<string, ApplicantTells>>;
  readonly providers: Readonly<Record<DomainSlug, DomainProvider>>;
  /** Contract that acts on an answer, and the transactions that deployed it. */
  readonly desk: Address;
  readonly deskDeployment: readonly Hex[];
  readonly relayFolders: readonly string[];
  /** People with a code and no client: for whoever opens the web app. `file` holds code and papers as JSON. */
  readonly visitors: readonly { readonly name: string; readonly code: string; readonly file: string }[];
  readonly cast: { readonly people: readonly Person[]; readonly applicants: Readonly<Record<string, Applicant>> };
  /** Every process that should be alive and is not, with the end of its log. */
  casualties(): readonly Casualty[];
  stop(): Promise<void>;
};

const START_TIMEOUT_MS = 120_000;
const ETHER = "10";
const AUTHORIZATION_S = 365 * 86_400;
/** How long a superseded root may be asked about, seconds. */
const GRACE_S = 3_600;

const providerNames: Readonly<Record<DomainSlug, string>> = {
  payroll: "Tidewater Payroll",
  credit: "Granite Credit",
};
const circuits = { payroll: "sealed-answer", credit: "scorecard" } as const;
/** Seconds that a provider has for its answer; short where one goes silent, so that nobody waits long. */
const windows = { payroll: 60, credit: 25 } as const;
/** Number of records at the credit provider: those who applied somewhere. */
const CREDIT_FILES = 2_000;

/**
 * Starts two domain providers over a data set of 12,000 people, a lender and the applicants beside a running market, each as a
 * process of its own.
 *
 * @param market - The market whose chain and token are used.
 * @param port - First of two ports for the providers.
 * @param onStep - Told what is being done, in words.
 * @returns The running query side.
 * @throws FatalError `ACTOR_NOT_READY` when a process does not come up.
 */
export async function startQuerySide(
  market: LocalMarket,
  port: number,
  onStep: (text: string) => void,
): Promise<QuerySide> {
  const { client, rpc, deployment, folder } = market;
  const actors: Actor[] = [];
  const start = (name: string, module: string, args: readonly string[]): Actor => {
    const main = siblingModule(`queries/${module}`);
    const actor = startActor({ name, main, args, logFile: join(folder, "logs", `${name}.log`) });
    actors.push(actor);
    return actor;
  };
  const stop = async (): Promise<void> => {
    await Promise.all(actors.map((actor) => actor.stop()));
  };
  try {
    onStep("deploying the query market and its verifiers");
    const queries = await deployQueryMarket(rpc, join(folder, "ignition", "queries"));
    const site: QuerySite = {
      rpc,
      chainId: deployment.chainId,
      market: queries.market,
      token: deployment.token,
      fromBlock: deployment.fromBlock,
      verifiers: await codeHashes(client, queries),
    };
    const { people, applicants: players } = await castPeople();
    onStep(
      `two domain providers take in the records of ${people.length.toLocaleString("en")} people, drawn from the distribution of household incomes in vega-datasets`,
    );
    const lenderHome = join(folder, "lender");
    const lenderKey = await makeKey(lenderHome, "lender");
    const homes = { payroll: join(folder, "payroll"), credit: join(folder, "credit") };
    const keys = {
      payroll: await makeDomainKeys(homes.payroll),
      credit: await makeDomainKeys(homes.credit),
    };
    await createFaucet(client, deployment.token).fund([
      { account: lenderKey.address, ether: ETHER, tokens: dollars(1_000) },
      ...Object.values(keys).flatMap(({ provider, agent }) => [
        { account: provider.address, ether: ETHER, tokens: dollars(1_000) },
        { account: agent.address, ether: ETHER },
      ]),
    ]);
    const clientOf = (account: KeyAccount): ReturnType<typeof marketClient> =>
      marketClient({ rpc, client, chainId: site.chainId, market: site.market, account });
    await depositWithPermit(clientOf(lenderKey), { token: site.token, amount: dollars(500) });
    const { timestamp } = await client.getBlock();

    const startProvider = async (slug: DomainSlug, number: number): Promise<DomainProvider & { codes: Codes }> => {
      const { provider, agent } = keys[slug];
      const own = clientOf(provider);
      await depositWithPermit(own, { token: site.token, amount: dollars(1_000) });
      await authorizeAgent(own, {
        agent: agent.address,
        token: site.token,
        maxBondPerSeat: dollars(100),
        minCommitWindow: 10,
        validUntil: Number(timestamp) + AUTHORIZATION_S,
      });
      await registerDataset(own, {
        definition: definitionHash(datasets[slug]),
        grace: GRACE_S,
        publisher: agent.address,
      });
      const { config, codes } = await setUpDomain({
        slug,
        home: homes[slug],
        name: providerNames[slug],
        site,
        provider: provider.address,
        agent,
        verifier: queries.verifiers[circuits[slug]],
        circuit: circuits[slug],
        window: windows[slug],
        port: port + number,
        people:
          slug === "payroll"
            ? people
            : filesOf(
                people,
                enrolments.credit.map((name) => players[name]),
              ),
        enrolling: [...enrolments[slug], ...(slug === "payroll" ? [VISITOR] : [])].map(
          (name) => players[name] as Person,
        ),
        stale: players[STALE_APPLICANT],
        now: Number(timestamp),
      });
      const file = join(homes[slug], "domain.json");
      writePrivate(file, writeSettings(config));
      const listeners = new Set<(query: bigint, ms: number) => void>();
      const launch = (): Actor => {
        const launched = start(slug, "domain-process", [file]);
        launched.onMessage((message) => {
          const { query, ms } = message as DomainEvent;
          for (const listener of listeners) listener(query, ms);
        });
        return launched;
      };
      const running = startRestartable(actors, launch, "ready ", START_TIMEOUT_MS);
      const url = await waitForServer(running.process(), "ready ", port + number, START_TIMEOUT_MS);
      return {
        ...running,
        name: providerNames[slug],
        address: provider.address,
        url,
        codes,
        onProved(listener) {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
      };
    };
    const [payroll, credit] = await Promise.all([startProvider("payroll", 0), startProvider("credit", 1)]);
    const providers = { payroll, credit };

    onStep("a lender and the applicants start; each applicant derives its key from its wallet and enrols");
    const lenderFile = join(lenderHome, "lender.json");
    const lenderConfig: LenderConfig = { ...site, home: lenderHome, passphraseFile: join(lenderHome, "passphrase") };
    writePrivate(lenderFile, writeSettings(lenderConfig));
    const lender: QuerySide["lender"] = listenTo(start("lender", "lender-process", [lenderFile]), "The lender");
    const signal = AbortSignal.timeout(START_TIMEOUT_MS * 2);
    await lender.until("ready", START_TIMEOUT_MS, signal);

    const wallets = Object.fromEntries(Object.keys(players).map((slug) => [slug, generatePrivateKey()]));
    const applicants: Record<string, ApplicantTells> = {};
    const subjectKeys: Record<string, PublicKey[]> = {};
    for (const [at, slugs] of Object.entries(enrolments) as [DomainSlug, readonly string[]][]) {
      await Promise.all(
        slugs.map(async (slug) => {
          const person = players[slug] as Person;
          const home = join(folder, "applicants", slug);
          const tells = startApplicant(start, site, home, slug, person, wallets[slug] as Hex);
          applicants[slug] = tells;
          const { codes, address, url } = providers[at];
          const known = { provider: address, url };
          await tells.until("ready", START_TIMEOUT_MS, signal);
          tells.send({ type: "enrol", at: known, code: codes.get(person) as string });
          const { subjectKey } = await tells.until("enrolled", START_TIMEOUT_MS, signal);
          subjectKeys[slug] = [subjectKey];
        }),
      );
    }

    const visitor = players[VISITOR] as Person;
    const visitorFile = join(folder, "visitor.json");
    const code = payroll.codes.get(visitor) as string;
    writePrivate(
      visitorFile,
      `${JSON.stringify({ code, papers: papersOf(visitor), provider: payroll.address, providerUrl: payroll.url }, null, 2)}\n`,
    );

    const [income] = datasets.payroll.attributes;
    if (income === undefined) throw new Error("the payroll has no attribute");
    const deskFrom = await client.getBlockNumber({ cacheTime: 0 });
    const desk = await deployDesk(rpc, join(folder, "ignition", "desk"), {
      market: site.market,
      lender: lenderKey.address,
      provider: payroll.address,
      verifier: queries.verifiers["sealed-answer"],
      attribute: attributeOf(income),
      minimum: encodeValue(String(LEAST_INCOME), income),
      maxAge: 86_400,
    });
    return {
      client,
      site,
      lender,
      applicants,
      providers,
      desk,
      deskDeployment: await deploymentOf(client, desk, deskFrom),
      visitors: [{ name: visitor.name, code, file: visitorFile }],
      relayFolders: market.relays.map((_, index) => join(folder, `relay-${index + 1}`)),
      cast: {
        people,
        applicants: Object.fromEntries(
          Object.entries(players).map(([slug, person]) => [
            slug,
            {
              person,
              shown: { papers: papersOf(person) },
              subjectKeys: subjectKeys[slug] ?? [],
              wallet: privateKeyToAccount(wallets[slug] as Hex).address,
            },
          ]),
        ),
      },
      casualties: () => casualtiesOf(actors),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Enrolment codes of people. */
type Codes = ReadonlyMap<Person, string>;

async function makeDomainKeys(home: string): Promise<{ provider: KeyAccount; agent: KeyAccount }> {
  return { provider: await makeKey(home, "provider"), agent: await makeKey(home, "agent") };
}

async function codeHashes(
  client: PublicClient,
  { verifiers }: QueryDeployment,
): Promise<Readonly<Record<string, readonly Hex[]>>> {
  const hashes = await Promise.all(
    Object.entries(verifiers).map(async ([circuit, address]) => {
      const code = await client.getCode({ address });
      return [circuit, [keccak256(code ?? "0x")]] as const;
    }),
  );
  return Object.fromEntries(hashes);
}

function startApplicant(
  start: (name: string, module: string, args: readonly string[]) => Actor,
  site: QuerySite,
  home: string,
  slug: string,
  person: Person,
  wallet: Hex,
): ApplicantTells {
  const secretFile = join(home, "wallet.key");
  writePrivate(secretFile, `${wallet}\n`);
  const config: ApplicantConfig = { ...site, name: person.name, home, secretFile, papers: papersOf(person) };
  const file = join(home, "applicant.json");
  writePrivate(file, writeSettings(config));
  return listenTo(start(`applicant-${slug}`, "applicant-process", [file]), person.name);
}

/** Those who have a credit file: the first of the people, and whoever applies there. */
function filesOf(people: readonly Person[], applicants: readonly (Person | undefined)[]): readonly Person[] {
  const files = new Set(people.slice(0, CREDIT_FILES));
  for (const person of applicants) if (person !== undefined) files.add(person);
  return [...files];
}

/** The transaction that made a contract. */
async function deploymentOf(client: PublicClient, contract: Address, fromBlock: bigint): Promise<readonly Hex[]> {
  const last = await client.getBlockNumber({ cacheTime: 0 });
  const found: Hex[] = [];
  for (let blockNumber = fromBlock; blockNumber <= last; blockNumber++) {
    const { transactions } = await client.getBlock({ blockNumber });
    for (const hash of transactions) {
      const { contractAddress } = await client.getTransactionReceipt({ hash });
      if (contractAddress?.toLowerCase() === contract.toLowerCase()) found.push(hash);
    }
  }
  return found;
}

function writePrivate(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, text, { mode: 0o600 });
}
