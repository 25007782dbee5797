import { inTransaction, onRollback } from "@quorate/chain/sqlite";
import { FatalError, type Logger } from "@quorate/core";
import { createTree, type RecordTree } from "@quorate/proofs";
import type { Dataset, State } from "./context.ts";
import type { LeafChange, Records } from "./records.ts";

/** A root that was made, and what the chain says about it. */
export type Publication = {
  readonly id: number;
  readonly root: bigint;
  /** Unix s. */
  readonly madeAt: number;
  /** Leaves that changed since the one before. */
  readonly changes: number;
  /** Key of the transaction in the outbox. */
  readonly outboxKey: string;
  /** Unix s by the chain; absent until that is final. */
  readonly publishedAt?: number | undefined;
  readonly supersededAt?: number | undefined;
  readonly revoked: boolean;
};

/** Hands the publication of a root over to the outbox, under this key. */
export type SendRoot = (outboxKey: string, root: bigint) => void;

/**
 * Root of a dataset that is current by the final chain; builds no tree.
 *
 * @param db Database.
 * @param datasetId Dataset.
 */
export function currentRootOf(db: State["db"], datasetId: number): bigint | undefined {
  const row = db
    .prepare(
      `SELECT root FROM publication WHERE dataset_id = ? AND published_at IS NOT NULL AND superseded_at IS NULL
       AND revoked = 0 ORDER BY id DESC LIMIT 1`,
    )
    .get(datasetId);
  return row === undefined ? undefined : BigInt(row.root as string);
}

/** Trees of the datasets: the one that was made last, and those that can still be asked about. */
export type Publications = {
  /** Publication that was made last. */
  last(datasetId: number): Publication | undefined;
  /** The one that is current by the final chain. */
  current(datasetId: number): Publication | undefined;
  /** Tree of a root that can be asked about at a time: current or in its grace, and not revoked. */
  askable(datasetId: number, root: bigint, now: number, graceS: number): AskableTree | undefined;
  /**
   * Puts all changes into a new tree and hands its root over; durable together.
   *
   * @returns Undefined when there is nothing to publish, or the last publication is not on the chain yet.
   */
  publish(datasetId: number, now: number, send: SendRoot): Publication | undefined;
  /** Hands a root over once more, because its transaction came to nothing. */
  sendAgain(datasetId: number, send: SendRoot): void;
  /** A root of the dataset was published on the final chain, by whomever. */
  published(datasetId: number, root: bigint, at: number): void;
  /** A root was revoked on the final chain. */
  revoked(datasetId: number, root: bigint): void;
  /** Forgets trees that nobody can ask about any more. */
  prune(datasetId: number, now: number, graceS: number): void;
};

/** A tree that can be asked about. */
export type AskableTree = {
  readonly tree: RecordTree;
  /** Unix s at which the chain stops taking questions about it; undefined while it is current. */
  readonly until?: number | undefined;
};

/**
 * Builds the trees of a state. Nodes are hashed once; earlier trees are copies with the changes undone.
 *
 * @param state Database.
 * @param datasets Of the state.
 * @param records Where the leaves come from.
 * @param logger Where damage is told.
 * @throws FatalError `STATE_CORRUPT` when the leaves do not give the root that was made last.
 */
export function createPublications(
  { db }: Pick<State, "db">,
  datasets: readonly Dataset[],
  records: Pick<Records, "leaves" | "place">,
  logger: Logger,
): Publications {
  const selectAll = db.prepare("SELECT * FROM publication WHERE dataset_id = ? ORDER BY id DESC");
  const selectLast = db.prepare("SELECT * FROM publication WHERE dataset_id = ? ORDER BY id DESC LIMIT 1");
  const selectCurrent = db.prepare(
    `SELECT * FROM publication WHERE dataset_id = ? AND published_at IS NOT NULL AND superseded_at IS NULL AND revoked = 0
     ORDER BY id DESC LIMIT 1`,
  );
  const selectByRoot = db.prepare(
    "SELECT * FROM publication WHERE dataset_id = ? AND root = ? ORDER BY id DESC LIMIT 1",
  );
  const insert = db.prepare(
    "INSERT INTO publication (dataset_id, root, made_at, changes, outbox_key) VALUES (?, ?, ?, ?, ?)",
  );
  const insertChange = db.prepare("INSERT INTO leaf_change VALUES (?, ?, ?, ?)");
  const selectChanges = db.prepare("SELECT slot, before FROM leaf_change WHERE publication_id = ?");
  const setKey = db.prepare("UPDATE publication SET outbox_key = ? WHERE id = ?");
  const supersede = db.prepare(
    "UPDATE publication SET superseded_at = ? WHERE dataset_id = ? AND published_at IS NOT NULL AND superseded_at IS NULL",
  );
  const setPublished = db.prepare("UPDATE publication SET published_at = ?, superseded_at = NULL WHERE id = ?");
  const setRevoked = db.prepare("UPDATE publication SET revoked = 1 WHERE dataset_id = ? AND root = ?");
  const dropChanges = db.prepare(
    `DELETE FROM leaf_change WHERE publication_id IN
     (SELECT id FROM publication WHERE dataset_id = ? AND id <= ?)`,
  );

  const trees = new Map<number, { latest: RecordTree; readonly byRoot: Map<bigint, RecordTree> }>();
  const read = (row: Record<string, unknown> | undefined): Publication | undefined =>
    row === undefined
      ? undefined
      : {
          id: row.id as number,
          root: BigInt(row.root as string),
          madeAt: row.made_at as number,
          changes: row.changes as number,
          outboxKey: row.outbox_key as string,
          publishedAt: (row.published_at as number | null) ?? undefined,
          supersededAt: (row.superseded_at as number | null) ?? undefined,
          revoked: row.revoked === 1,
        };
  const treesOf = (datasetId: number): { latest: RecordTree; readonly byRoot: Map<bigint, RecordTree> } => {
    const found = trees.get(datasetId);
    if (found === undefined) throw new RangeError(`there is no dataset ${datasetId}`);
    return found;
  };
  const build = (dataset: Dataset): void => {
    const latest = createTree();
    for (const { slot, leaf } of records.leaves(dataset.id)) {
      // Every place is some record's; a place that was emptied still counts.
      if (latest.size !== slot) throw damaged(dataset);
      latest.insert(leaf === 0n ? 1n : leaf);
      if (leaf === 0n) latest.set(slot, 0n);
    }
    const byRoot = new Map<bigint, RecordTree>();
    let tree = latest;
    const all = selectAll.all(dataset.id).map((row) => read(row) as Publication);
    if (all[0] !== undefined && all[0].root !== latest.root) throw damaged(dataset);
    for (const publication of all) {
      byRoot.set(publication.root, tree);
      const changes = selectChanges.all(publication.id);
      // Pruned: nobody can ask about what lies before.
      if (changes.length === 0) break;
      tree = tree.clone();
      for (const { slot, before } of changes) tree.set(slot as number, BigInt(before as string));
    }
    trees.set(dataset.id, { latest, byRoot });
  };
  for (const dataset of datasets) build(dataset);

  const last = (datasetId: number): Publication | undefined => read(selectLast.get(datasetId));

  return {
    last,
    current: (datasetId) => read(selectCurrent.get(datasetId)),
    askable(datasetId, root, now, graceS) {
      const publication = read(selectByRoot.get(datasetId, root.toString()));
      const tree = treesOf(datasetId).byRoot.get(root);
      if (publication?.publishedAt === undefined || publication.revoked || tree === undefined) return undefined;
      const { supersededAt } = publication;
      if (supersededAt === undefined) return { tree };
      const until = supersededAt + graceS;
      return now <= until ? { tree, until } : undefined;
    },
    publish(datasetId, now, send) {
      const before = last(datasetId);
      if (before !== undefined && before.publishedAt === undefined) return undefined;
      const held = treesOf(datasetId);
      return inTransaction(db, () => {
        const changes = records.place(datasetId);
        if (changes.length === 0) return undefined;
        const tree = held.latest.clone();
        for (const change of changes) apply(tree, change);
        const { root } = tree;
        const previous = { latest: held.latest, sameRoot: held.byRoot.get(root) };
        onRollback(db, () => {
          held.latest = previous.latest;
          if (previous.sameRoot === undefined) held.byRoot.delete(root);
          else held.byRoot.set(root, previous.sameRoot);
        });
        const id = Number(insert.run(datasetId, root.toString(), now, changes.length, "").lastInsertRowid);
        const outboxKey = `publish/${id}`;
        setKey.run(outboxKey, id);
        for (const { slot, before: from, after } of changes)
          insertChange.run(id, slot, from.toString(), after.toString());
        send(outboxKey, root);
        held.latest = tree;
        held.byRoot.set(root, tree);
        return last(datasetId);
      });
    },
    sendAgain(datasetId, send) {
      const publication = last(datasetId);
      if (publication === undefined || publication.publishedAt !== undefined) return;
      const [, id = "", round = "0"] = publication.outboxKey.split("/");
      const outboxKey = `publish/${id}/${Number(round) + 1}`;
      inTransaction(db, () => {
        setKey.run(outboxKey, publication.id);
        send(outboxKey, publication.root);
      });
    },
    published(datasetId, root, at) {
      const publication = read(selectByRoot.get(datasetId, root.toString()));
      supersede.run(at, datasetId);
      if (publication === undefined) logger.error("root_unknown", { datasetId, root: root.toString() });
      else setPublished.run(at, publication.id);
    },
    revoked: (datasetId, root) => void setRevoked.run(datasetId, root.toString()),
    prune(datasetId, now, graceS) {
      const { byRoot } = treesOf(datasetId);
      const all = selectAll.all(datasetId).map((row) => read(row) as Publication);
      const isOver = ({ supersededAt, revoked }: Publication): boolean =>
        revoked || (supersededAt !== undefined && supersededAt + graceS < now);
      const kept = all.filter((publication) => !isOver(publication));
      const roots = new Set([...kept.map(({ root }) => root), ...(all[0] === undefined ? [] : [all[0].root])]);
      for (const root of [...byRoot.keys()]) if (!roots.has(root)) byRoot.delete(root);
      // The changes of the oldest one that is kept lead back to what nobody needs.
      const oldest = kept.at(-1) ?? all[0];
      if (oldest !== undefined) dropChanges.run(datasetId, oldest.id);
    },
  };
}

function apply(tree: RecordTree, { slot, after }: LeafChange): void {
  if (slot < tree.size) tree.set(slot, after);
  else if (tree.insert(after === 0n ? 1n : after) !== slot) throw new RangeError(`place ${slot} is not the next one`);
}

function damaged({ definition }: Dataset): FatalError {
  return new FatalError(
    "STATE_CORRUPT",
    `The records of "${definition.name}" do not give the root that was published last. Restore a backup.`,
  );
}
