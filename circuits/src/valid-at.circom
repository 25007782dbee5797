// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.3;

include "assert-at-least.circom";
include "assert-bits.circom";

// Proves that a record is valid at a date: validFrom <= asOf <= validUntil.
//
// validFrom, validUntil: 40 bits each, enforced by RecordMeta.
// asOf: unix seconds, 40 bits, enforced here.
// Constraints: 120.
template ValidAt() {
    signal input validFrom;
    signal input validUntil;
    signal input asOf;

    component asOfBits = AssertBits(40);
    asOfBits.in <== asOf;
    component begun = AssertAtLeast(40);
    begun.a <== asOf;
    begun.b <== validFrom;
    component notOver = AssertAtLeast(40);
    notOver.a <== validUntil;
    notOver.b <== asOf;
}
