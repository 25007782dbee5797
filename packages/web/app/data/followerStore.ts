import { applyUpdate, type Batch, type FollowerSnapshot, type FollowerStore } from "@quorate/chain";
import type { IDBPTransaction } from "idb";
import { notify, openDatabase, type QuorateSchema, unavailable } from "./db.ts";
import type { StoredLog } from "./log.ts";

/** Handle of the transaction in which logs and cursor move together. */
export type IndexTransaction = IDBPTransaction<QuorateSchema, ("logs" | "cursors")[], "readwrite">;

/**
 * Cursor of a follower in IndexedDB: logs and cursor become durable together or not at all.
 *
 * @param network - Key of the network.
 */
export function followerStore(network: string): FollowerStore<IndexTransaction> {
  return {
    async load() {
      return await (await openDatabase()).get("cursors", network);
    },
    async commit(update, deliver) {
      const database = await openDatabase();
      const transaction = database.transaction(["logs", "cursors"], "readwrite");
      try {
        const snapshot = await transaction.objectStore("cursors").get(network);
        // Nothing but requests of this transaction may be awaited in it: IndexedDB would end it.
        await deliver(transaction);
        await transaction.objectStore("cursors").put(applyUpdate(snapshot, update), network);
        await transaction.done;
      } catch (cause) {
        // The handler's own error: nothing of the batch is kept.
        await abort(transaction);
        throw cause instanceof DOMException ? unavailable(cause) : cause;
      }
    },
  };
}

async function abort(transaction: Pick<IndexTransaction, "abort" | "done">): Promise<void> {
  try {
    transaction.abort();
    await transaction.done;
  } catch {
    // It had ended by itself, or says that it was aborted.
  }
}

/**
 * Writes a batch's logs into the index.
 *
 * @param network - Key of the network.
 * @param batch - From the follower.
 * @param transaction - The store's.
 */
export async function writeBatch(network: string, batch: Batch, transaction: IndexTransaction): Promise<void> {
  const logs = transaction.objectStore("logs");
  if (batch.rollback !== undefined) await logs.delete(rangeAbove(network, batch.rollback.toBlock));
  await Promise.all(
    batch.blocks.flatMap((block) =>
      block.logs.map((log) => logs.put({ ...log, timestamp: block.timestamp }, [network, block.number, log.logIndex])),
    ),
  );
}

/**
 * Logs of the index above a block, in the order of the chain.
 *
 * @param network - Key of the network.
 * @param block - Number; -1 for all.
 */
export async function logsAbove(network: string, block: number): Promise<readonly StoredLog[]> {
  return await (await openDatabase()).getAll("logs", rangeAbove(network, block));
}

/** Where history came from that this browser did not read from the chain itself. */
export type HistoryOrigin = {
  readonly host: string;
  /** Its last block. */
  readonly through: number;
  /** Ranges of blocks in which it was compared with the chain. */
  readonly places: number;
};

/** Name of the setting that holds a network's {@link HistoryOrigin}. */
export const historySetting = (network: string): string => `history/${network}`;

/**
 * Takes over history that was read elsewhere, with the cursor from which a follower goes on: all of it or nothing.
 *
 * @param network - Key of the network.
 * @param history - Logs, the state of a follower that has delivered them, and where they came from.
 * @throws FatalError `STORAGE_UNAVAILABLE`.
 */
export async function adoptHistory(
  network: string,
  history: {
    readonly snapshot: FollowerSnapshot;
    readonly logs: readonly StoredLog[];
    readonly origin: HistoryOrigin;
  },
): Promise<void> {
  const transaction = (await openDatabase()).transaction(["logs", "cursors", "settings"], "readwrite");
  try {
    const logs = transaction.objectStore("logs");
    // Asynchronous each, so that one that is refused at once leaves none of the others without a reader of its error.
    await Promise.all(history.logs.map(async (log) => logs.put(log, [network, log.blockNumber, log.logIndex])));
    await transaction.objectStore("cursors").put(history.snapshot, network);
    await transaction.objectStore("settings").put(history.origin, historySetting(network));
    await transaction.done;
  } catch (cause) {
    await abort(transaction);
    throw unavailable(cause);
  }
  notify("settings", historySetting(network));
}

/**
 * Forgets what was read of a chain; keys stay.
 *
 * @param network - Key of the network.
 */
export async function forgetIndex(network: string): Promise<void> {
  const transaction = (await openDatabase()).transaction(["logs", "cursors", "settings"], "readwrite");
  await transaction.objectStore("logs").delete(rangeAbove(network, -1));
  await transaction.objectStore("cursors").delete(network);
  await transaction.objectStore("settings").delete(historySetting(network));
  await transaction.done;
  notify("settings", historySetting(network));
}

function rangeAbove(network: string, block: number): IDBKeyRange {
  return IDBKeyRange.bound([network, block + 1, 0], [network, Number.MAX_SAFE_INTEGER, 0]);
}
