import { join } from "node:path";
import { type Address, FatalError, type Hex, type MarketDomain } from "@quorate/core";
import { type DatasetDefinition, parseDatasetDefinition } from "@quorate/proofs";
import { type KeyAccount, openDatabase, type StateDatabase } from "@quorate/service";
import { migrations } from "./schema.ts";
import { openVault, type Vault } from "./vault.ts";

/** A dataset of the state. */
export type Dataset = {
  /** Number in the database. */
  readonly id: number;
  readonly dataset: Hex;
  readonly definition: DatasetDefinition;
};

/** Whose state it is. */
export type Identity = MarketDomain & { readonly provider: Address };

/** An open state: database and vault. */
export type State = {
  readonly db: StateDatabase;
  readonly vault: Vault;
  close(): void;
};

/**
 * Opens the state of a domain provider under its lock. What is deleted is overwritten on the disk.
 *
 * @param dataDir Folder; made when missing.
 * @param account The agent's key.
 * @throws FatalError `ALREADY_RUNNING`, `STATE_KEY_WRONG`, `STATE_CORRUPT`.
 */
export function openState(dataDir: string, account: KeyAccount): State {
  const db = openDatabase(join(dataDir, "domain.db"), { migrations });
  try {
    db.exec("PRAGMA secure_delete = ON");
    return { db, vault: openVault(db, account), close: () => db.close() };
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * Binds a state to its provider and market, or checks that it is bound to them.
 *
 * @param db Database.
 * @param identity Chain, market, provider.
 * @throws FatalError `DOMAIN_MISMATCH`.
 */
export function bindIdentity(db: StateDatabase, { chainId, market, provider }: Identity): void {
  const text = `${chainId}/${market.toLowerCase()}/${provider.toLowerCase()}`;
  db.prepare("INSERT INTO meta (name, value) VALUES ('identity', ?) ON CONFLICT DO NOTHING").run(Buffer.from(text));
  const stored = Buffer.from(
    db.prepare("SELECT value FROM meta WHERE name = 'identity'").get()?.value as Uint8Array,
  ).toString();
  if (stored === text) return;
  throw new FatalError(
    "DOMAIN_MISMATCH",
    `The state belongs to ${stored} (chain, market, provider), not to ${text}. Use another folder, or correct the configuration.`,
    { docsPath: "guides/domain.md" },
  );
}

/**
 * Datasets of a state, in the order in which they were made.
 *
 * @param db Database.
 */
export function readDatasets(db: StateDatabase): readonly Dataset[] {
  return db
    .prepare("SELECT id, dataset, definition FROM dataset ORDER BY id")
    .all()
    .map((row) => ({
      id: row.id as number,
      dataset: row.dataset as Hex,
      definition: parseDatasetDefinition(JSON.parse(row.definition as string)),
    }));
}

/**
 * Finds a dataset by its id or its name.
 *
 * @param datasets Of the state.
 * @param wanted Id or name; may be left out when there is one only.
 * @throws FatalError `DATASET_UNKNOWN`.
 */
export function findDataset(datasets: readonly Dataset[], wanted?: string): Dataset {
  const found =
    wanted === undefined
      ? datasets
      : datasets.filter(({ dataset, definition }) => dataset === wanted.toLowerCase() || definition.name === wanted);
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  throw new FatalError(
    "DATASET_UNKNOWN",
    `${wanted === undefined ? "A dataset has to be named" : `"${wanted}" names ${found.length} datasets`}: the state has ${
      datasets.map(({ definition }) => `"${definition.name}"`).join(", ") || "none"
    }.`,
    { docsPath: "guides/domain.md" },
  );
}
