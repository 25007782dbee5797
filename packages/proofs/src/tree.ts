import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, equalBytes, FatalError, utf8 } from "@quorate/core";
import { assertField, FIELD_MODULUS, hash } from "./field.ts";

/** Children of a node. */
export const TREE_ARITY = 8;
/** Levels above the leaves: 8^7 = 2,097,152 leaves. */
export const TREE_DEPTH = 7;

/** Way from a leaf to the root. */
export type TreePath = {
  /** Place of the path's own child at each level, 0 to 7, lowest level first: digits of the leaf's index. */
  readonly index: readonly number[];
  /** The other seven children at each level, in their order. */
  readonly siblings: readonly (readonly bigint[])[];
};

/** Settings of {@link createTree}. */
export type TreeOptions = {
  /** Levels above the leaves, 1 to 10; the circuits have 7. */
  readonly depth?: number;
};

/**
 * Tree of records: arity 8, Poseidon8 nodes, empty places are 0. Changes are kept until the root or a path is read, and
 * then every node above them is hashed once, however many changes there were.
 */
export type RecordTree = {
  readonly depth: number;
  /** Places that were ever taken; the next leaf goes there. */
  readonly size: number;
  /** Root over all changes so far. */
  readonly root: bigint;
  /**
   * Appends a leaf.
   *
   * @param leaf Field element, not 0.
   * @returns Its index.
   */
  insert(leaf: bigint): number;
  /**
   * Puts another leaf into a place, or empties it with 0.
   *
   * @param index Below `size`.
   * @param leaf Field element.
   */
  set(index: number, leaf: bigint): void;
  /**
   * Leaf of a place, 0 if it is empty.
   *
   * @param index Below `size`.
   */
  get(index: number): bigint;
  /**
   * Way from a place to the root.
   *
   * @param index Below `size`.
   */
  path(index: number): TreePath;
  /** A tree of its own with the same leaves; hashes nothing again. */
  clone(): RecordTree;
  /** All nodes as bytes, for {@link loadTree}. */
  serialize(): Uint8Array;
};

/** Nodes by level, leaves first, without the empty ones at the end. */
type Levels = readonly bigint[][];

const MAGIC = utf8("QTREE\u0001");
const NODE_BYTES = 32;
const CHECKSUM_BYTES = 32;

/** Nodes over nothing but empty places, by level. */
const emptyNodes: bigint[] = [0n];
function emptyNode(level: number): bigint {
  for (let next = emptyNodes.length; next <= level; next++) {
    emptyNodes.push(hash(...Array.from({ length: TREE_ARITY }, () => emptyNodes[next - 1] ?? 0n)));
  }
  return emptyNodes[level] ?? 0n;
}

/**
 * Makes an empty tree.
 *
 * @param options Depth.
 */
export function createTree({ depth = TREE_DEPTH }: TreeOptions = {}): RecordTree {
  if (!Number.isInteger(depth) || depth < 1 || depth > 10) throw new RangeError("a tree has 1 to 10 levels");
  return treeOf(Array.from({ length: depth + 1 }, () => []));
}

/**
 * Reads a tree that was written by `serialize`.
 *
 * @param bytes From a disk.
 * @throws FatalError `TREE_DAMAGED`.
 */
export function loadTree(bytes: Uint8Array): RecordTree {
  const damaged = (why: string): never => {
    throw new FatalError("TREE_DAMAGED", `The stored tree ${why}. Build it again from the records.`);
  };
  const headBytes = MAGIC.length + 5;
  if (bytes.length < headBytes + CHECKSUM_BYTES || !equalBytes(bytes.subarray(0, MAGIC.length), MAGIC)) {
    return damaged("is no tree of this version");
  }
  const body = bytes.subarray(0, bytes.length - CHECKSUM_BYTES);
  if (!equalBytes(sha256(body), bytes.subarray(body.length))) return damaged("does not have its checksum");
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const depth = view.getUint8(MAGIC.length);
  const counts = nodeCounts(view.getUint32(MAGIC.length + 1), depth);
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (depth < 1 || depth > 10 || body.length !== headBytes + total * NODE_BYTES) return damaged("has another length");
  let offset = headBytes;
  const levels = counts.map((count) =>
    Array.from({ length: count }, () => {
      let node = 0n;
      for (let part = 0; part < NODE_BYTES; part += 8) node = (node << 64n) | view.getBigUint64(offset + part);
      offset += NODE_BYTES;
      return node < FIELD_MODULUS ? node : damaged("has a node that is no field element");
    }),
  );
  return treeOf(levels);
}

/**
 * Root that a leaf and its path lead to.
 *
 * @param leaf Field element.
 * @param path Its way, from anybody.
 * @throws FatalError `PATH_INVALID` for what is no path, `FIELD_OVERFLOW`.
 */
export function pathRoot(leaf: bigint, { index, siblings }: TreePath): bigint {
  checkPath({ index, siblings });
  return siblings.reduce((node, others, level) => hash(...others.toSpliced(index[level] ?? 0, 0, node)), leaf);
}

/**
 * Refuses what is no path.
 *
 * @param path From anybody.
 * @throws FatalError `PATH_INVALID`, `FIELD_OVERFLOW`.
 */
export function checkPath({ index, siblings }: TreePath): void {
  const whole =
    index.length === siblings.length &&
    index.length > 0 &&
    index.every((digit) => Number.isInteger(digit) && digit >= 0 && digit < TREE_ARITY) &&
    siblings.every((others) => others.length === TREE_ARITY - 1);
  if (!whole) {
    throw new FatalError("PATH_INVALID", "The path needs a digit from 0 to 7 and seven siblings for each level.");
  }
  for (const others of siblings) for (const sibling of others) assertField(sibling, "A sibling in the path");
}

/** Nodes of each level over a number of leaves. */
function nodeCounts(size: number, depth: number): number[] {
  const counts = [size];
  for (let level = 0; level < depth; level++) counts.push(Math.ceil((counts[level] ?? 0) / TREE_ARITY));
  return counts;
}

function treeOf(levels: Levels): RecordTree {
  const depth = levels.length - 1;
  const leaves = levels[0] as bigint[];
  const capacity = TREE_ARITY ** depth;
  /** Places of the leaves that changed since the nodes above were hashed. */
  const dirty = new Set<number>();

  const children = (level: number, parent: number): bigint[] => {
    const nodes = levels[level] as bigint[];
    return Array.from({ length: TREE_ARITY }, (_, n) => nodes[parent * TREE_ARITY + n] ?? emptyNode(level));
  };
  const settle = (): void => {
    let places: ReadonlySet<number> = dirty;
    for (let level = 0; level < depth && places.size > 0; level++) {
      const parents = new Set([...places].map((place) => Math.floor(place / TREE_ARITY)).sort((a, b) => a - b));
      const above = levels[level + 1] as bigint[];
      for (const parent of parents) above[parent] = hash(...children(level, parent));
      places = parents;
    }
    dirty.clear();
  };
  const place = (index: number): number => {
    if (Number.isInteger(index) && index >= 0 && index < leaves.length) return index;
    throw new FatalError("TREE_INDEX", `The tree has ${leaves.length} places, none of number ${index}.`);
  };

  return {
    depth,
    get size(): number {
      return leaves.length;
    },
    get root(): bigint {
      settle();
      return levels[depth]?.[0] ?? emptyNode(depth);
    },
    insert: (leaf) => {
      if (leaves.length >= capacity) {
        throw new FatalError("TREE_FULL", `The tree holds ${capacity} records and is full. Begin another dataset.`);
      }
      if (leaf === 0n) throw new RangeError("0 stands for an empty place");
      const index = leaves.push(assertField(leaf, "The leaf")) - 1;
      dirty.add(index);
      return index;
    },
    set: (index, leaf) => {
      leaves[place(index)] = assertField(leaf, "The leaf");
      dirty.add(index);
    },
    get: (index) => leaves[place(index)] ?? 0n,
    path: (index) => {
      let rest = place(index);
      settle();
      const path = { index: [] as number[], siblings: [] as bigint[][] };
      for (let level = 0; level < depth; level++) {
        const digit = rest % TREE_ARITY;
        rest = Math.floor(rest / TREE_ARITY);
        path.index.push(digit);
        path.siblings.push(children(level, rest).toSpliced(digit, 1));
      }
      return path;
    },
    clone: () => {
      settle();
      return treeOf(levels.map((nodes) => [...nodes]));
    },
    serialize: () => {
      settle();
      const nodes = levels.flat();
      const body = new Uint8Array(MAGIC.length + 5 + nodes.length * NODE_BYTES);
      body.set(MAGIC);
      const view = new DataView(body.buffer);
      view.setUint8(MAGIC.length, depth);
      view.setUint32(MAGIC.length + 1, leaves.length);
      let offset = MAGIC.length + 5;
      for (const node of nodes) {
        for (let part = 3; part >= 0; part--) {
          view.setBigUint64(offset, (node >> BigInt(64 * part)) & 0xffff_ffff_ffff_ffffn);
          offset += 8;
        }
      }
      return concatBytes(body, sha256(body));
    },
  };
}
