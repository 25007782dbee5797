// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.3;

include "circomlib/circuits/poseidon.circom";
include "insert-at-8.circom";

// Root of the tree that holds leaf at the place whose digits in base 8, lowest first, are index[]; each node is the
// Poseidon8 of its children. A wrong sibling or digit gives another root, and the caller makes the root public.
//
// depth: levels above the leaves, 1 or more.
// leaf: from AttributeLeaf or ScorecardLeaf, never chosen freely.
// siblings[level]: the other seven children in their order, any field element.
// index[level]: place of the path's own child, 0..7, enforced by InsertAt8.
// Constraints: 432 a level.
template TreeRoot8(depth) {
    assert(depth >= 1);
    signal input leaf;
    signal input siblings[depth][7];
    signal input index[depth];
    signal output root;

    component place[depth];
    component hash[depth];
    var node = leaf;
    for (var level = 0; level < depth; level++) {
        place[level] = InsertAt8();
        place[level].item <== node;
        place[level].index <== index[level];
        place[level].others <== siblings[level];
        hash[level] = Poseidon(8);
        hash[level].inputs <== place[level].out;
        node = hash[level].out;
    }
    root <== node;
}
