// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.3;

include "circomlib/circuits/poseidon.circom";

// The answer under the asker's one-time key: answer + Poseidon2(k, query).
//
// answer: 0 or 1, enforced by the caller.
// k: the key that query commits to. query: from Query.
// Constraints: 240.
template SealAnswer() {
    signal input answer;
    signal input k;
    signal input query;
    signal output out;

    component pad = Poseidon(2);
    pad.inputs[0] <== k;
    pad.inputs[1] <== query;
    out <== answer + pad.out;
}
