// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.3;

include "circomlib/circuits/bitify.circom";

// Proves 0 <= in < 2^n. Nothing is compared or packed before it has passed here: the comparisons of circomlib say
// nothing true about a field element that is wider than they were built for.
//
// n: 1..252, so that 2^n stays below the modulus and a number has one row of bits.
// in: any field element; the range is enforced here.
// Constraints: n.
template AssertBits(n) {
    assert(n >= 1 && n <= 252);
    signal input in;

    component bits = Num2Bits(n);
    bits.in <== in;
}
