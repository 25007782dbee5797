// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.3;

include "assert-bits.circom";
include "circomlib/circuits/comparators.circom";
include "circomlib/circuits/poseidon.circom";

// Leaf of a record of eight values: Poseidon6(subjectId, w0, w1, w2, meta + schema << 96, nk), with the values packed
// three, three and two, 64 bits each, lowest first.
//
// subjectId: from SubjectId. meta: 96 bits, from RecordMeta. nk: any field element.
// value: 64 bits each, enforced here, so that a packed element has one reading.
// schema: what the eight values stand for, 152 bits and not 0, enforced here.
// Constraints: 1,019.
template ScorecardLeaf() {
    signal input subjectId;
    signal input value[8];
    signal input meta;
    signal input schema;
    signal input nk;
    signal output out;

    component valueBits[8];
    for (var n = 0; n < 8; n++) {
        valueBits[n] = AssertBits(64);
        valueBits[n].in <== value[n];
    }
    component schemaBits = AssertBits(152);
    schemaBits.in <== schema;
    component noSchema = IsZero();
    noSchema.in <== schema;
    noSchema.out === 0;

    component hash = Poseidon(6);
    hash.inputs[0] <== subjectId;
    hash.inputs[1] <== value[0] + value[1] * (1 << 64) + value[2] * (1 << 128);
    hash.inputs[2] <== value[3] + value[4] * (1 << 64) + value[5] * (1 << 128);
    hash.inputs[3] <== value[6] + value[7] * (1 << 64);
    hash.inputs[4] <== meta + schema * (1 << 96);
    hash.inputs[5] <== nk;
    out <== hash.out;
}
