import { join } from "node:path";
import type { Address, Hex } from "@quorate/core";
import { attributeOf, encodeValue, type Papers, type PublicKey } from "@quorate/proofs";
import { depositWithPermit } from "@quorate/sdk";
import type { PublicClient } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { writeSettings } from "../channel.ts";
import { deployDesk } from "../deploy.ts";
import { createFaucet } from "../faucet.ts";
import { makeKey, marketClient } from "../keys.ts";
import type { LocalMarket } from "../market.ts";
import { dollars } from "../organizations.ts";
import { listenTo, type Tells } from "../tells.ts";
import type {
  ApplicantCommand,
  ApplicantConfig,
  ApplicantEvent,
  LenderCommand,
  LenderConfig,
  LenderEvent,
} from "./messages.ts";
import { type Person, papersOf } from "./people.ts";
import { ETHER, type QuerySide, START_TIMEOUT_MS, writePrivate } from "./query-side.ts";
import { type DomainSlug, datasets, enrolments, LEAST_INCOME } from "./stories.ts";

/** What an applicant's process tells. */
export type ApplicantTells = Tells<ApplicantCommand, ApplicantEvent>;

/** Somebody who applies for a mortgage. */
export type Applicant = {
  readonly person: Person;
  /** What the lender gets to see. */
  readonly shown: { readonly papers: Papers };
  /** One for each provider where it has enrolled. */
  readonly subjectKeys: readonly PublicKey[];
  readonly wallet: Address;
};

/** Who asks and who is asked about in the stories of a local market. */
export type QueryPlayers = {
  readonly lender: Tells<LenderCommand, LenderEvent>;
  readonly applicants: Readonly<Record<string, ApplicantTells>>;
  /** Contract that acts on an answer, and the transactions that deployed it. */
  readonly desk: Address;
  readonly deskDeployment: readonly Hex[];
  readonly cast: Readonly<Record<string, Applicant>>;
};

/**
 * Starts a lender and the applicants beside a running query side, each as a process of its own, and deploys the lender's desk.
 *
 * @param market - The market whose chain and token are used.
 * @param side - Query market and domain providers.
 * @param onStep - Told what is being done, in words.
 * @returns The players; their processes end with the side.
 * @throws FatalError `ACTOR_NOT_READY` when a process does not come up.
 */
export async function startQueryPlayers(
  market: LocalMarket,
  side: QuerySide,
  onStep: (text: string) => void,
): Promise<QueryPlayers> {
  const { client, rpc, deployment, folder } = market;
  const { site, players } = side;
  const lenderHome = join(folder, "lender");
  const lenderKey = await makeKey(lenderHome, "lender");
  await createFaucet(client, deployment.token).fund([
    { account: lenderKey.address, ether: ETHER, tokens: dollars(1_000) },
  ]);
  await depositWithPermit(
    marketClient({ rpc, client, chainId: site.chainId, market: site.market, account: lenderKey }),
    { token: site.token, amount: dollars(500) },
  );

  onStep("a lender and the applicants start; each applicant derives its key from its wallet and enrols");
  const lenderFile = join(lenderHome, "lender.json");
  const lenderConfig: LenderConfig = { ...site, home: lenderHome, passphraseFile: join(lenderHome, "passphrase") };
  writePrivate(lenderFile, writeSettings(lenderConfig));
  const lender: QueryPlayers["lender"] = listenTo(side.start("lender", "lender-process", [lenderFile]), "The lender");
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
        const tells = startApplicant(side, home, slug, person, wallets[slug] as Hex);
        applicants[slug] = tells;
        const { codes, address, url } = side.providers[at];
        const known = { provider: address, url };
        await tells.until("ready", START_TIMEOUT_MS, signal);
        tells.send({ type: "enrol", at: known, code: codes.get(person) as string });
        const { subjectKey } = await tells.until("enrolled", START_TIMEOUT_MS, signal);
        subjectKeys[slug] = [subjectKey];
      }),
    );
  }

  const [income] = datasets.payroll.attributes;
  if (income === undefined) throw new Error("the payroll has no attribute");
  const deskFrom = await client.getBlockNumber({ cacheTime: 0 });
  const desk = await deployDesk(rpc, join(folder, "ignition", "desk"), {
    market: site.market,
    lender: lenderKey.address,
    provider: side.providers.payroll.address,
    verifier: side.deployment.verifiers["sealed-answer"],
    attribute: attributeOf(income),
    minimum: encodeValue(String(LEAST_INCOME), income),
    maxAge: 86_400,
  });
  return {
    lender,
    applicants,
    desk,
    deskDeployment: await deploymentOf(client, desk, deskFrom),
    cast: Object.fromEntries(
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
  };
}

function startApplicant(
  { site, start }: QuerySide,
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
