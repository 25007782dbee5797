// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.3;

include "assert-bits.circom";
include "circomlib/circuits/poseidon.circom";
include "is-at-least.circom";

// out is 1 if the weights of the clauses that hold sum up to the cut-off or more; clause j holds when the sum over i of
// coefficient[j][i] * value[i] is bound[j] or more. Signed numbers come shifted by half of their range: coefficients
// and weights by 2^31, bounds by 2^99, the cut-off by 2^35.
// id is Poseidon8 of all but the values: 7 coefficients an element (the fifth holds 4), 2 bounds an element, then the
// weights with the cut-off.
//
// value: 64 bits each, enforced by the caller.
// coefficient, weight: 32 bits; bound: 100 bits; cutoff: 36 bits: enforced here, so that an id has one reading.
// No sum leaves its range: |coefficient * value| < 2^95, so eight of them stay within 2^98 and the shifted sum within
// 100 bits; four weights stay within 2^33 and their shifted sum within 36 bits.
// out: 0 or 1.
// Constraints: 2,467.
template Program() {
    signal input value[8];
    signal input coefficient[4][8];
    signal input bound[4];
    signal input weight[4];
    signal input cutoff;
    signal output out;
    signal output id;

    component coefficientBits[4][8];
    component boundBits[4];
    component weightBits[4];
    component holds[4];
    signal term[4][8];
    signal scored[4];
    var score = 0;
    for (var j = 0; j < 4; j++) {
        var sum = 0;
        for (var i = 0; i < 8; i++) {
            coefficientBits[j][i] = AssertBits(32);
            coefficientBits[j][i].in <== coefficient[j][i];
            term[j][i] <== (coefficient[j][i] - (1 << 31)) * value[i];
            sum += term[j][i];
        }
        boundBits[j] = AssertBits(100);
        boundBits[j].in <== bound[j];
        holds[j] = IsAtLeast(100);
        holds[j].a <== sum + (1 << 99);
        holds[j].b <== bound[j];
        weightBits[j] = AssertBits(32);
        weightBits[j].in <== weight[j];
        scored[j] <== holds[j].out * (weight[j] - (1 << 31));
        score += scored[j];
    }
    component cutoffBits = AssertBits(36);
    cutoffBits.in <== cutoff;
    component reached = IsAtLeast(36);
    reached.a <== score + (1 << 35);
    reached.b <== cutoff;
    out <== reached.out;

    component hash = Poseidon(8);
    for (var element = 0; element < 5; element++) {
        var packed = 0;
        for (var slot = 0; slot < 7; slot++) {
            var n = element * 7 + slot;
            if (n < 32) {
                packed += coefficient[n \ 8][n % 8] * (1 << (32 * slot));
            }
        }
        hash.inputs[element] <== packed;
    }
    hash.inputs[5] <== bound[0] + bound[1] * (1 << 100);
    hash.inputs[6] <== bound[2] + bound[3] * (1 << 100);
    var last = cutoff * (1 << 128);
    for (var j = 0; j < 4; j++) {
        last += weight[j] * (1 << (32 * j));
    }
    hash.inputs[7] <== last;
    id <== hash.out;
}
