// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.3;

include "circomlib/circuits/poseidon.circom";

// Leaf of a record of one attribute: Poseidon5(subjectId, attribute, value, meta, nk). A scorecard's leaf is a Poseidon6
// and a node of the tree a Poseidon8: the three are permutations of different width, so none passes for another.
//
// subjectId: from SubjectId. meta: from RecordMeta, schema 0.
// attribute, nk: any field element. value: 64 bits, enforced by Interval.
// Constraints: 321.
template AttributeLeaf() {
    signal input subjectId;
    signal input attribute;
    signal input value;
    signal input meta;
    signal input nk;
    signal output out;

    component hash = Poseidon(5);
    hash.inputs[0] <== subjectId;
    hash.inputs[1] <== attribute;
    hash.inputs[2] <== value;
    hash.inputs[3] <== meta;
    hash.inputs[4] <== nk;
    out <== hash.out;
}
