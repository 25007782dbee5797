// A tree of records as a domain provider builds it, and an update of it.
import { type AttributeDefinition, createTree, leafOf, type RecordData, subjectIdOf } from "@quorate/proofs";

/** What a tree costs, and its root, which is the same in every run. */
export type TreeMeasurement = {
  readonly records: number;
  /** Leaves and nodes of all records, ms. */
  readonly buildMs: number;
  readonly updated: number;
  /** Leaves and nodes of the updated records, ms. */
  readonly updateMs: number;
  /** Of one path in a finished tree, ms. */
  readonly pathMs: number;
  readonly root: string;
};

const INCOME: AttributeDefinition = {
  name: "yearly income",
  unit: "EUR",
  scale: 2,
  signed: false,
  description: "Gross income of the last calendar year",
};

/**
 * Builds a tree from nothing, hashes of subjects and records included, and changes records all over it.
 *
 * @param records how many
 * @param updates how many of them change
 * @returns times
 */
export function measureTree(records: number, updates: number): TreeMeasurement {
  const leaf = (n: number, value: number): bigint => {
    const record: RecordData = {
      kind: "attribute",
      attribute: INCOME,
      value: BigInt(value),
      validFrom: 1_795_305_600,
      validUntil: 1_826_841_600,
      budget: 3,
    };
    // Keys are not made here: any number in their place hashes as long.
    return leafOf(record, { subjectId: subjectIdOf([BigInt(n) + 1n, BigInt(n) + 2n], BigInt(n)), nk: BigInt(n) });
  };
  const start = performance.now();
  const tree = createTree();
  for (let n = 0; n < records; n++) tree.insert(leaf(n, 3_000_000 + n));
  const first = tree.root;
  const built = performance.now();
  // Spread over the tree, so that as few nodes as possible are shared.
  const step = Math.floor(records / updates);
  for (let n = 0; n < updates; n++) tree.set(n * step, leaf(n * step, 4_000_000 + n));
  const { root } = tree;
  const updated = performance.now();
  if (root === first) throw new Error("the update changed nothing");
  for (let n = 0; n < 1000; n++) tree.path(n * step);
  const pathMs = (performance.now() - updated) / 1000;
  return {
    records,
    buildMs: built - start,
    updated: updates,
    updateMs: updated - built,
    pathMs,
    root: root.toString(),
  };
}
