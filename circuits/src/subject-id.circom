// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.3;

include "circomlib/circuits/poseidon.circom";

// Who a record is about: Poseidon3(Ax, Ay, person).
//
// Ax, Ay: the subject's key; that it is a point of the curve is enforced by Consent.
// person: any field element; the hash of the papers that were checked at registration, or 0.
// Constraints: 261.
template SubjectId() {
    signal input Ax;
    signal input Ay;
    signal input person;
    signal output out;

    component hash = Poseidon(3);
    hash.inputs[0] <== Ax;
    hash.inputs[1] <== Ay;
    hash.inputs[2] <== person;
    out <== hash.out;
}
