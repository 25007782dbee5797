import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Address } from "@quorate/core";
import { importRecords, initDomain, registerSubject, signDomainProfile } from "@quorate/domain";
import type { KeyAccount } from "@quorate/service";
import { encodeProfile } from "@quorate/wire";
import { dollars } from "../organizations.ts";
import type { DomainConfig, QuerySite } from "./messages.ts";
import { type Person, papersOf } from "./people.ts";
import { type DomainSlug, datasets } from "./stories.ts";

/** What a domain provider begins with. */
export type DomainSetupOptions = {
  readonly slug: DomainSlug;
  readonly home: string;
  readonly name: string;
  readonly site: QuerySite;
  readonly provider: KeyAccount;
  readonly agent: KeyAccount;
  readonly circuit: "sealed-answer" | "scorecard";
  readonly verifier: Address;
  /** Seconds for an answer. */
  readonly window: number;
  readonly port: number;
  readonly people: readonly Person[];
  /** Those who get a code. */
  readonly enrolling: readonly Person[];
  /** Whose record has ended. */
  readonly stale: Person | undefined;
  /** Unix s. */
  readonly now: number;
};

const DAY_S = 86_400;
const PROFILE_S = 30 * DAY_S;
/** Answers that one record may give. */
const BUDGET = 5;

const records = {
  payroll: { attribute: "annual income", unit: "USD", value: { column: "income" } },
  credit: {
    scorecard: "credit file",
    values: {
      "annual income": { column: "income" },
      "debt service": { column: "debt_service" },
      "credit score": { column: "score" },
    },
  },
} as const;

/**
 * Makes the state of a domain provider as its operator would: dataset, import of a CSV file, codes for those who will enrol.
 *
 * @param options - Whose state, and what goes in.
 * @returns Settings of the agent, and the enrolment codes.
 */
export async function setUpDomain(
  options: DomainSetupOptions,
): Promise<{ readonly config: DomainConfig; readonly codes: ReadonlyMap<Person, string> }> {
  const { slug, home, site, provider, agent, people, now } = options;
  const { chainId, market, fromBlock, rpc, token } = site;
  const access = { dataDir: join(home, "data"), account: agent };
  await initDomain({ ...access, chainId, market, provider: provider.address, definition: datasets[slug] });
  const path = join(home, "records.csv");
  writeFileSync(path, csvOf(people, options.stale, now), { mode: 0o600 });
  await importRecords({
    ...access,
    source: { format: "csv", path },
    mapping: {
      version: 1,
      subject: { column: "number" },
      papers: {
        name: { column: "name" },
        birthDate: { column: "birth_date" },
        documentNumber: { column: "document" },
      },
      records: [
        {
          ...records[slug],
          validFrom: { column: "valid_from" },
          validUntil: { column: "valid_until" },
          budget: BUDGET,
        },
      ],
    },
  });
  const codes = new Map<Person, string>();
  for (const person of options.enrolling) {
    const { code } = await registerSubject({ ...access, reference: person.number, papers: papersOf(person) });
    codes.set(person, code);
  }
  const named = { name: options.name, agent: agent.address, lifetimeS: PROFILE_S };
  const profile = await signDomainProfile(named, provider, { chainId, market });
  const config = {
    chainId,
    market,
    fromBlock,
    provider: provider.address,
    rpcUrls: [rpc],
    dataDir: access.dataDir,
    keystore: {
      file: join(home, "keys", "agent.json"),
      passphrase: readFileSync(join(home, "passphrase"), "utf8").trim(),
    },
    name: options.name,
    profile: encodeProfile(profile),
    listen: { host: "127.0.0.1", port: options.port },
    pollIntervalMs: 500,
    finality: { confirmations: 1 },
    offers: [
      {
        dataset: datasets[slug].name,
        circuit: options.circuit,
        verifier: options.verifier,
        token,
        price: dollars(25).toString(),
        bond: dollars(50).toString(),
        window: options.window,
      },
    ],
    publish: { everyS: 1 },
    answer: { reserveS: 5 },
  };
  return { config, codes };
}

function csvOf(people: readonly Person[], stale: Person | undefined, now: number): string {
  const day = (time: number): string => new Date(time * 1000).toISOString().slice(0, 10);
  const rows = people.map((person) =>
    [
      person.number,
      person.name,
      person.birthDate,
      person.documentNumber,
      person.income,
      person.debtService,
      person.score,
      day(now - 180 * DAY_S),
      day(person === stale ? now - 30 * DAY_S : now + 180 * DAY_S),
    ].join(","),
  );
  return `${["number,name,birth_date,document,income,debt_service,score,valid_from,valid_until", ...rows].join("\n")}\n`;
}
