import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { assertCode } from "@quorate/testkit";
import fc from "fast-check";
import { FIELD_MODULUS, hash } from "./field.ts";
import { createTree, loadTree, pathRoot } from "./tree.ts";

/** The root by the definition, over all places. */
function rootByDefinition(leaves: readonly bigint[], depth: number): bigint {
  let nodes = Array.from({ length: 8 ** depth }, (_, n) => leaves[n] ?? 0n);
  while (nodes.length > 1)
    nodes = Array.from({ length: nodes.length / 8 }, (_, n) => hash(...nodes.slice(8 * n, 8 * n + 8)));
  return nodes[0] ?? 0n;
}

describe("the tree of records", () => {
  test("has the root of the definition after any changes, and paths that lead to it", () => {
    const change = fc.record({ place: fc.nat(70), leaf: fc.bigInt({ min: 0n, max: 1n << 40n }), look: fc.boolean() });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
        const tree = createTree({ depth: 2 });
        const leaves: bigint[] = [];
        for (const { place, leaf, look } of changes) {
          if (place < leaves.length) {
            tree.set(place, leaf);
            leaves[place] = leaf;
          } else if (leaves.length < 64 && leaf !== 0n) {
            assert.equal(tree.insert(leaf), leaves.length);
            leaves.push(leaf);
          }
          if (look) assert.equal(tree.root, rootByDefinition(leaves, 2));
        }
        assert.equal(tree.root, rootByDefinition(leaves, 2));
        assert.equal(tree.size, leaves.length);
        for (const [index, leaf] of leaves.entries()) {
          assert.equal(tree.get(index), leaf);
          assert.equal(pathRoot(leaf, tree.path(index)), tree.root);
        }
      }),
      { numRuns: 15 },
    );
  });

  test("an empty tree of 7 levels has the root over nothing", () => {
    let node = 0n;
    for (let level = 0; level < 7; level++) node = hash(...Array.from({ length: 8 }, () => node));
    assert.equal(createTree().root, node);
  });

  test("a path is refused for another leaf, place or sibling", () => {
    const tree = createTree();
    for (let n = 1n; n <= 9n; n++) tree.insert(n);
    const path = tree.path(8);
    assert.deepEqual(path.index, [0, 1, 0, 0, 0, 0, 0]);
    assert.equal(pathRoot(9n, path), tree.root);
    assert.notEqual(pathRoot(8n, path), tree.root);
    assert.notEqual(pathRoot(9n, { ...path, index: path.index.with(0, 1) }), tree.root);
    const siblings = path.siblings.with(3, (path.siblings[3] ?? []).with(6, 1n));
    assert.notEqual(pathRoot(9n, { ...path, siblings }), tree.root);
  });

  test("what is no path is refused by name", async () => {
    const path = createTree({ depth: 2 });
    path.insert(1n);
    const { index, siblings } = path.path(0);
    await assertCode(() => pathRoot(1n, { index: index.with(0, 8), siblings }), "PATH_INVALID");
    await assertCode(() => pathRoot(1n, { index: index.with(0, 0.5), siblings }), "PATH_INVALID");
    await assertCode(() => pathRoot(1n, { index: [0], siblings }), "PATH_INVALID");
    await assertCode(() => pathRoot(1n, { index: [], siblings: [] }), "PATH_INVALID");
    await assertCode(() => pathRoot(1n, { index, siblings: siblings.with(1, [1n]) }), "PATH_INVALID");
    const tooLarge = siblings.with(1, (siblings[1] ?? []).with(0, FIELD_MODULUS));
    await assertCode(() => pathRoot(1n, { index, siblings: tooLarge }), "FIELD_OVERFLOW");
    await assertCode(() => pathRoot(FIELD_MODULUS, { index, siblings }), "FIELD_OVERFLOW");
  });

  test("a clone goes its own way", () => {
    const tree = createTree({ depth: 2 });
    tree.insert(1n);
    const old = tree.clone();
    const { root } = tree;
    tree.set(0, 2n);
    tree.insert(3n);
    assert.notEqual(tree.root, root);
    assert.deepEqual([old.root, old.size, old.get(0)], [root, 1, 1n]);
    old.insert(4n);
    assert.equal(tree.get(1), 3n);
  });

  test("a full tree takes no more, and places that are none are refused", async () => {
    const tree = createTree({ depth: 1 });
    for (let n = 1n; n <= 8n; n++) tree.insert(n);
    await assertCode(() => tree.insert(9n), "TREE_FULL");
    for (const index of [8, -1, 0.5, Number.NaN]) {
      await assertCode(() => tree.get(index), "TREE_INDEX");
      await assertCode(() => tree.set(index, 1n), "TREE_INDEX");
      await assertCode(() => tree.path(index), "TREE_INDEX");
    }
    await assertCode(() => tree.set(0, FIELD_MODULUS), "FIELD_OVERFLOW");
    await assertCode(() => createTree().insert(-1n), "FIELD_OVERFLOW");
    assert.throws(() => createTree().insert(0n), RangeError);
  });

  test("is read back from its bytes, and refused when any part of them changed", async () => {
    const tree = createTree({ depth: 3 });
    for (let n = 1n; n <= 70n; n++) tree.insert((FIELD_MODULUS - 1n) / n);
    tree.set(3, 0n);
    const bytes = tree.serialize();
    const read = loadTree(bytes);
    assert.deepEqual([read.depth, read.size, read.root, read.get(69)], [3, 70, tree.root, tree.get(69)]);
    assert.equal(pathRoot(read.get(69), read.path(69)), tree.root);
    read.insert(5n);
    tree.insert(5n);
    assert.equal(read.root, tree.root);
    for (const place of [0, 6, 7, 11, 40, bytes.length - 1]) {
      const damaged = bytes.slice();
      damaged[place] = (damaged[place] ?? 0) ^ 1;
      await assertCode(() => loadTree(damaged), "TREE_DAMAGED");
    }
    await assertCode(() => loadTree(bytes.subarray(1)), "TREE_DAMAGED");
    await assertCode(() => loadTree(bytes.subarray(0, -1)), "TREE_DAMAGED");
    await assertCode(() => loadTree(new Uint8Array()), "TREE_DAMAGED");
  });
});
