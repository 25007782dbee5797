// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.3;

include "circomlib/circuits/babyjub.circom";
include "circomlib/circuits/eddsaposeidon.circom";
include "circomlib/circuits/poseidon.circom";

// Proves that the holder of the key A signed exactly this question about exactly this record: EdDSA-Poseidon by A over
// Poseidon3(tag, query, leaf), S * B8 = R8 + Poseidon5(R8, A, message) * 8 * A.
//
// tag: domain of the message, from circuits.json; no other message that the key signs may begin with it.
// A, R8: points of Baby Jubjub, enforced here, because the additions of circomlib are only complete on the curve.
// Keys of small order and S beyond the subgroup's order are refused by EdDSAPoseidonVerifier.
// query: from Query. leaf: from AttributeLeaf or ScorecardLeaf.
// Constraints: 4,471.
template Consent(tag) {
    signal input Ax;
    signal input Ay;
    signal input R8x;
    signal input R8y;
    signal input S;
    signal input query;
    signal input leaf;

    component keyOnCurve = BabyCheck();
    keyOnCurve.x <== Ax;
    keyOnCurve.y <== Ay;
    component nonceOnCurve = BabyCheck();
    nonceOnCurve.x <== R8x;
    nonceOnCurve.y <== R8y;

    component message = Poseidon(3);
    message.inputs[0] <== tag;
    message.inputs[1] <== query;
    message.inputs[2] <== leaf;

    component signature = EdDSAPoseidonVerifier();
    signature.enabled <== 1;
    signature.Ax <== Ax;
    signature.Ay <== Ay;
    signature.R8x <== R8x;
    signature.R8y <== R8y;
    signature.S <== S;
    signature.M <== message.out;
}
