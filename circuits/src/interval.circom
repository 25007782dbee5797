// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.3;

include "assert-bits.circom";
include "is-at-least.circom";

// out is 1 if lo <= value <= hi, inverted by negate: at least, at most, below, above, equal, unequal, between, outside.
//
// value, lo, hi: 64 bits each, enforced here. lo > hi is provable and holds for no value: whoever reads an answer
// refuses such a statement.
// negate: 0 or 1, enforced here.
// out: 0 or 1.
// Constraints: 325.
template Interval() {
    signal input value;
    signal input lo;
    signal input hi;
    signal input negate;
    signal output out;

    component valueBits = AssertBits(64);
    valueBits.in <== value;
    component loBits = AssertBits(64);
    loBits.in <== lo;
    component hiBits = AssertBits(64);
    hiBits.in <== hi;
    negate * (negate - 1) === 0;

    component fromLo = IsAtLeast(64);
    fromLo.a <== value;
    fromLo.b <== lo;
    component toHi = IsAtLeast(64);
    toHi.a <== hi;
    toHi.b <== value;

    signal inside;
    inside <== fromLo.out * toHi.out;
    out <== inside + negate - 2 * inside * negate;
}
