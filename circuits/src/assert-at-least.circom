// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.3;

include "assert-bits.circom";

// Proves b <= a, by 0 <= a - b < 2^n. For smaller a the difference is p - (b - a) > p - 2^n, which has no n bits.
//
// n: 1..251.
// a, b: n bits each, enforced by the caller (AssertBits).
// Constraints: n.
template AssertAtLeast(n) {
    assert(n >= 1 && n <= 251);
    signal input a;
    signal input b;

    component difference = AssertBits(n);
    difference.in <== a - b;
}
