// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.3;

include "attribute-leaf.circom";
include "budget-nullifier.circom";
include "consent.circom";
include "interval.circom";
include "query.circom";
include "record-meta.circom";
include "seal-answer.circom";
include "subject-id.circom";
include "tree-root-8.circom";
include "valid-at.circom";

// Proves: cipher is the sealed answer to the statement (attribute, lo, hi, negate, asOf) that query commits to, about a
// record under root which is valid at asOf, with the consent of the record's subject to this query about this record;
// nullifier is one of the record's budget.
//
// depth: levels of the tree. tag: domain of consents. form: number of this circuit among those that share the form of
// queries, 16 bits; it stands above all other parts of params.
//
// The record: Ax, Ay (on the curve: Consent), person, attribute, nk (any field element), value (64 bits: Interval),
// validFrom, validUntil, budget (40, 40, 16 bits: RecordMeta). Its place: siblings, index (0..7: TreeRoot8).
// The question: lo, hi (64 bits: Interval), negate (0 or 1: Interval), asOf (40 bits: ValidAt), context, subjectNonce, k
// (any field element; query binds them). The consent: R8x, R8y, S (Consent). The use: i (16 bits, below budget).
//
// cipher: 0 or 1, plus Poseidon2(k, query).
// Constraints: 9,994 at depth 7.
template SealedAnswer(depth, tag, form) {
    assert(form >= 0 && form < 65536);
    signal input Ax;
    signal input Ay;
    signal input person;
    signal input attribute;
    signal input value;
    signal input validFrom;
    signal input validUntil;
    signal input budget;
    signal input nk;
    signal input siblings[depth][7];
    signal input index[depth];
    signal input lo;
    signal input hi;
    signal input negate;
    signal input asOf;
    signal input context;
    signal input subjectNonce;
    signal input k;
    signal input R8x;
    signal input R8y;
    signal input S;
    signal input i;
    signal output cipher;
    signal output nullifier;
    signal output root;
    signal output query;

    // The record and its place.
    component subject = SubjectId();
    subject.Ax <== Ax;
    subject.Ay <== Ay;
    subject.person <== person;
    component meta = RecordMeta();
    meta.validFrom <== validFrom;
    meta.validUntil <== validUntil;
    meta.budget <== budget;
    component leaf = AttributeLeaf();
    leaf.subjectId <== subject.out;
    leaf.attribute <== attribute;
    leaf.value <== value;
    leaf.meta <== meta.out;
    leaf.nk <== nk;
    component tree = TreeRoot8(depth);
    tree.leaf <== leaf.out;
    tree.siblings <== siblings;
    tree.index <== index;
    root <== tree.root;

    // The question.
    component valid = ValidAt();
    valid.validFrom <== validFrom;
    valid.validUntil <== validUntil;
    valid.asOf <== asOf;
    component statement = Interval();
    statement.value <== value;
    statement.lo <== lo;
    statement.hi <== hi;
    statement.negate <== negate;
    component question = Query();
    question.context <== context;
    question.subjectId <== subject.out;
    question.subjectNonce <== subjectNonce;
    question.person <== person;
    question.topic <== attribute;
    question.params <== lo + hi * (1 << 64) + asOf * (1 << 128) + negate * (1 << 168) + form * (1 << 232);
    question.k <== k;
    query <== question.out;

    // The subject's consent, and one use of the record.
    component consent = Consent(tag);
    consent.Ax <== Ax;
    consent.Ay <== Ay;
    consent.R8x <== R8x;
    consent.R8y <== R8y;
    consent.S <== S;
    consent.query <== question.out;
    consent.leaf <== leaf.out;
    component use = BudgetNullifier();
    use.nk <== nk;
    use.topic <== attribute;
    use.validFrom <== validFrom;
    use.i <== i;
    use.budget <== budget;
    nullifier <== use.out;

    component seal = SealAnswer();
    seal.answer <== statement.out;
    seal.k <== k;
    seal.query <== question.out;
    cipher <== seal.out;
}
