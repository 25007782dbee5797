import type { FollowerSnapshot, FollowerStore, SnapshotUpdate } from "./types.ts";

/**
 * Applies an update to a snapshot; shared by stores that keep the snapshot as one value.
 *
 * @param snapshot State before, `undefined` before the first delivery.
 * @param update Change that a batch makes.
 */
export function applyUpdate(snapshot: FollowerSnapshot | undefined, update: SnapshotUpdate): FollowerSnapshot {
  const identity = update.identity ?? snapshot;
  if (identity === undefined) throw new TypeError("the first update of a follower names the chain");
  const { truncateAbove, pruneBelow } = update;
  const kept = (snapshot?.tail ?? []).filter(
    (header) => header.number >= pruneBelow && (truncateAbove === undefined || header.number <= truncateAbove),
  );
  return {
    chainId: identity.chainId,
    genesisHash: identity.genesisHash,
    fromBlock: identity.fromBlock,
    tail: [...kept, ...update.append.filter((header) => header.number >= pruneBelow)],
  };
}

/**
 * A store that forgets everything with the process; for short-lived clients and tests.
 *
 * @param initial State to begin with.
 */
export function memoryStore(initial?: FollowerSnapshot): FollowerStore<undefined> {
  let snapshot = initial;
  return {
    load: async () => snapshot,
    async commit(update, deliver) {
      await deliver(undefined);
      snapshot = applyUpdate(snapshot, update);
    },
  };
}
