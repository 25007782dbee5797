import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Address, Hex } from "@quorate/core";
import { definitionHash } from "@quorate/proofs";
import { authorizeAgent, depositWithPermit, registerDataset } from "@quorate/sdk";
import type { KeyAccount } from "@quorate/service";
import { keccak256, type PublicClient } from "viem";
import { writeSettings } from "../channel.ts";
import { deployQueryMarket, type QueryDeployment } from "../deploy.ts";
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
import { setUpDomain } from "./domain-setup.ts";
import type { DomainEvent, QuerySite } from "./messages.ts";
import { type Person, papersOf } from "./people.ts";
import { castPeople, type DomainSlug, datasets, enrolments, STALE_APPLICANT, VISITOR } from "./stories.ts";

/** A domain provider that runs. */
export type DomainProvider = Restartable & {
  readonly name: string;
  readonly address: Address;
  readonly url: string;
  /** Codes with which people enrol. */
  readonly codes: Codes;
  /** Hears of every proof, with its time in milliseconds. */
  onProved(listener: (query: bigint, ms: number) => void): () => void;
};

/** The query side of a local market that runs. */
export type QuerySide = {
  readonly client: PublicClient;
  readonly site: QuerySite;
  readonly deployment: QueryDeployment;
  readonly providers: Readonly<Record<DomainSlug, DomainProvider>>;
  readonly relayFolders: readonly string[];
  /** People with a code and no client: for whoever opens the web app. `file` holds code and papers as JSON. */
  readonly visitors: readonly { readonly name: string; readonly code: string; readonly file: string }[];
  /** Everybody of whom there are records. */
  readonly people: readonly Person[];
  /** Those who may apply for a mortgage, by slug. */
  readonly players: Readonly<Record<string, Person>>;
  /** Starts one more process of this side, which ends with it. */
  start(name: string, module: string, args: readonly string[]): Actor;
  /** Every process that should be alive and is not, with the end of its log. */
  casualties(): readonly Casualty[];
  stop(): Promise<void>;
};

/** For one process to come up, milliseconds. */
export const START_TIMEOUT_MS = 120_000;
/** Gas money of everybody. */
export const ETHER = "10";
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
 * Starts two domain providers over a data set of 12,000 people beside a running market, each as a process of its own.
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
    const homes = { payroll: join(folder, "payroll"), credit: join(folder, "credit") };
    const keys = {
      payroll: await makeDomainKeys(homes.payroll),
      credit: await makeDomainKeys(homes.credit),
    };
    await createFaucet(client, deployment.token).fund([
      ...Object.values(keys).flatMap(({ provider, agent }) => [
        { account: provider.address, ether: ETHER, tokens: dollars(1_000) },
        { account: agent.address, ether: ETHER },
      ]),
    ]);
    const clientOf = (account: KeyAccount): ReturnType<typeof marketClient> =>
      marketClient({ rpc, client, chainId: site.chainId, market: site.market, account });
    const { timestamp } = await client.getBlock();

    const startProvider = async (slug: DomainSlug, number: number): Promise<DomainProvider> => {
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
        provider,
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

    const visitor = players[VISITOR] as Person;
    const visitorFile = join(folder, "visitor.json");
    const code = payroll.codes.get(visitor) as string;
    writePrivate(
      visitorFile,
      `${JSON.stringify({ code, papers: papersOf(visitor), provider: payroll.address, providerUrl: payroll.url }, null, 2)}\n`,
    );

    return {
      client,
      site,
      deployment: queries,
      providers,
      visitors: [{ name: visitor.name, code, file: visitorFile }],
      relayFolders: market.relays.map((_, index) => join(folder, `relay-${index + 1}`)),
      people,
      players,
      start,
      casualties: () => casualtiesOf(actors),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Enrolment codes of people. */
export type Codes = ReadonlyMap<Person, string>;

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

/** Those who have a credit file: the first of the people, and whoever applies there. */
function filesOf(people: readonly Person[], applicants: readonly (Person | undefined)[]): readonly Person[] {
  const files = new Set(people.slice(0, CREDIT_FILES));
  for (const person of applicants) if (person !== undefined) files.add(person);
  return [...files];
}

/**
 * Writes a file that only its owner reads.
 *
 * @param file - Path; folders are made.
 * @param text - Content.
 */
export function writePrivate(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, text, { mode: 0o600 });
}
