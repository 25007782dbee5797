// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.3;

include "assert-bits.circom";
include "circomlib/circuits/poseidon.circom";

// Nullifier of use number i of a record: Poseidon4(nk, topic, validFrom, i), with i < budget.
//
// nk, topic, validFrom: as the leaf has them; topic is the attribute, or the schema of a scorecard.
// i: 16 bits, enforced here.
// budget: 16 bits, enforced by RecordMeta; a budget of 0 leaves no i.
// Constraints: 329.
template BudgetNullifier() {
    signal input nk;
    signal input topic;
    signal input validFrom;
    signal input i;
    signal input budget;
    signal output out;

    component indexBits = AssertBits(16);
    indexBits.in <== i;
    // budget - 1 - i lies between -2^16 and 2^16 - 1; a negative number is a field element near p, without 16 bits.
    component left = AssertBits(16);
    left.in <== budget - 1 - i;

    component hash = Poseidon(4);
    hash.inputs[0] <== nk;
    hash.inputs[1] <== topic;
    hash.inputs[2] <== validFrom;
    hash.inputs[3] <== i;
    out <== hash.out;
}
