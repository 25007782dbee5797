// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.3;

// out is others with item inserted before position index.
//
// item, others: any field element.
// index: 0..7, enforced here by its one-hot form.
// Constraints: 30.
template InsertAt8() {
    signal input item;
    signal input index;
    signal input others[7];
    signal output out[8];

    // hot[i] is 1 exactly where i is the index: all are 0 or 1, one of them is 1, and its place is the index.
    signal hot[8];
    var ones = 0;
    var position = 0;
    for (var i = 0; i < 8; i++) {
        hot[i] <-- index == i ? 1 : 0;
        hot[i] * (hot[i] - 1) === 0;
        ones += hot[i];
        position += hot[i] * i;
    }
    ones === 1;
    position === index;

    // Left of the index out[i] is others[i], at it the item, right of it others[i - 1].
    var left = 1;
    var right = 0;
    signal kept[7];
    signal placed[8];
    signal moved[7];
    for (var i = 0; i < 8; i++) {
        left -= hot[i];
        placed[i] <== hot[i] * item;
        var sum = placed[i];
        if (i < 7) {
            kept[i] <== left * others[i];
            sum += kept[i];
        }
        if (i > 0) {
            moved[i - 1] <== right * others[i - 1];
            sum += moved[i - 1];
        }
        right += hot[i];
        out[i] <== sum;
    }
}
