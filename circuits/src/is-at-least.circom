// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.3;

include "circomlib/circuits/bitify.circom";

// out is 1 if b <= a, else 0: bit n of a - b + 2^n, a number between 1 and 2^(n + 1) - 1.
//
// n: 1..251.
// a, b: n bits each, enforced by the caller (AssertBits).
// out: 0 or 1.
// Constraints: n + 1.
template IsAtLeast(n) {
    assert(n >= 1 && n <= 251);
    signal input a;
    signal input b;
    signal output out;

    component shifted = Num2Bits(n + 1);
    shifted.in <== a - b + (1 << n);
    out <== shifted.out[n];
}
