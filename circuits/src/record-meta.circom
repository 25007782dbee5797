// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.3;

include "assert-bits.circom";

// The terms of a record in one element: validFrom | validUntil << 40 | budget << 80. A scorecard adds schema << 96.
//
// validFrom, validUntil: unix seconds, 40 bits each, enforced here.
// budget: how many answers the record may give, 16 bits, enforced here.
// out: 96 bits, with one reading.
// Constraints: 96.
template RecordMeta() {
    signal input validFrom;
    signal input validUntil;
    signal input budget;
    signal output out;

    component fromBits = AssertBits(40);
    fromBits.in <== validFrom;
    component untilBits = AssertBits(40);
    untilBits.in <== validUntil;
    component budgetBits = AssertBits(16);
    budgetBits.in <== budget;
    out <== validFrom + validUntil * (1 << 40) + budget * (1 << 80);
}
