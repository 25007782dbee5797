// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev Modulus of the scalar field of BN254: public signals are below it.
uint256 constant FIELD_MODULUS = 21888242871839275222246405745257275088548364400416034343698204186575808495617;

/// @notice What a provider signs for an asker, EIP-712 with fields in this order; the digest is the question's id.
struct Quote {
    address asker;
    address provider;
    uint256 query; // what is asked, hidden in a hash
    bytes32 dataset;
    uint256 root; // of the records that the proof is about
    address verifier;
    bytes32 verifierCodeHash;
    address token; // of price and bond
    uint96 price;
    uint96 bond;
    uint32 window; // seconds from `ask`
    uint40 expiry; // `ask` has to come before
}

/// @notice The answer to a question, as {IQueryMarket-answerBatch} takes it.
struct Answer {
    Quote quote;
    uint256 cipher;
    uint256 nullifier;
    uint256[8] proof; // A, B, C as verifiers take them
}

/// @notice Where a question stands.
enum QuestionStatus {
    None,
    Pending,
    Answered,
    Expired
}

/// @notice Why an answer is refused by `answer` or skipped by `answerBatch`.
enum AnswerFault {
    NotPending,
    OtherQuote, // the question was asked by another quote
    TooLate,
    CipherOutOfRange,
    NullifierOutOfRange,
    NullifierUsed,
    VerifierChanged,
    OtherVerifier // than the first answer of the batch that is not skipped
}

/// @notice A question in one word: status (2 bits), then what the status keeps.
/// - Pending: deadline (40 bits), first 208 bits of the quote's digest;
/// - Answered: cipher (254 bits);
/// - Expired: nothing.
type QuestionWord is uint256;

using QuestionWords for QuestionWord global;

/// @title Reading and writing of question words
library QuestionWords {
    uint256 private constant STATUS = 3;
    uint256 private constant DEADLINE_AT = 2;
    uint256 private constant DIGEST_AT = 48; // to 256: the digest keeps its first 208 bits where they are
    uint256 private constant CIPHER_AT = 2;

    /// @notice A question that was asked just now.
    function pending(bytes32 id, uint40 deadline_) internal pure returns (QuestionWord) {
        uint256 digest = (uint256(id) >> DIGEST_AT) << DIGEST_AT;
        return QuestionWord.wrap(digest | (uint256(deadline_) << DEADLINE_AT) | uint256(QuestionStatus.Pending));
    }

    /// @notice A question with its answer.
    /// @dev Requires a cipher below {FIELD_MODULUS}: it has 254 bits.
    function answered(uint256 cipher_) internal pure returns (QuestionWord) {
        return QuestionWord.wrap((cipher_ << CIPHER_AT) | uint256(QuestionStatus.Answered));
    }

    /// @notice A question that nobody answered.
    function expired() internal pure returns (QuestionWord) {
        return QuestionWord.wrap(uint256(QuestionStatus.Expired));
    }

    /// @notice Where the question stands.
    function status(QuestionWord word) internal pure returns (QuestionStatus) {
        return QuestionStatus(QuestionWord.unwrap(word) & STATUS);
    }

    /// @notice Last time for an answer, unix s.
    /// @dev Requires Pending.
    function deadline(QuestionWord word) internal pure returns (uint40) {
        return uint40(QuestionWord.unwrap(word) >> DEADLINE_AT); // 40 bits, the digest is cut off
    }

    /// @notice Whether the question was asked by the quote with this digest.
    /// @dev Requires Pending.
    function isAskedBy(QuestionWord word, bytes32 id) internal pure returns (bool) {
        return QuestionWord.unwrap(word) >> DIGEST_AT == uint256(id) >> DIGEST_AT;
    }

    /// @notice The answer, encrypted.
    /// @dev Requires Answered.
    function cipher(QuestionWord word) internal pure returns (uint256) {
        return QuestionWord.unwrap(word) >> CIPHER_AT;
    }
}
