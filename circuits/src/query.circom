// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.3;

include "circomlib/circuits/poseidon.circom";

// The question as the chain sees it: Poseidon6(context, subjectRef, person, topic, params, Poseidon1(k)), with
// subjectRef = Poseidon2(subjectId, subjectNonce). Whoever lacks k or the nonce learns nothing from it.
//
// context, subjectNonce, person, k: any field element; what they mean is checked by those who recompute the query.
// subjectId: from SubjectId. topic: the attribute, or the id of a program.
// params: packed by the caller from parts of known width, with the circuit's form in it: two circuits share no query.
// Constraints: 807.
template Query() {
    signal input context;
    signal input subjectId;
    signal input subjectNonce;
    signal input person;
    signal input topic;
    signal input params;
    signal input k;
    signal output out;

    component key = Poseidon(1);
    key.inputs[0] <== k;
    component subjectRef = Poseidon(2);
    subjectRef.inputs[0] <== subjectId;
    subjectRef.inputs[1] <== subjectNonce;
    component hash = Poseidon(6);
    hash.inputs[0] <== context;
    hash.inputs[1] <== subjectRef.out;
    hash.inputs[2] <== person;
    hash.inputs[3] <== topic;
    hash.inputs[4] <== params;
    hash.inputs[5] <== key.out;
    out <== hash.out;
}
