// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

// The word and the sets of places that it holds belong together.
// solhint-disable one-contract-per-file

/// @notice What the contract has recorded about a job. The status also depends on the clock, see `statusOf`.
enum Phase {
    None, // never opened
    Open,
    Accepted,
    Inconclusive
}

/// @dev How an opening counts, two bits a place. Numbers and not an enum: each reading of an enum is checked for its range.
uint256 constant VOTE_OK = 0;
uint256 constant VOTE_FAILED = 1;
uint256 constant VOTE_REPORT = 2;
uint256 constant VOTE_MALFORMED = 3; // is no vote

/// @notice The facts of a job beside its terms, as views return them. Bitmaps have bit `i` for place `i`.
struct JobState {
    Phase phase;
    uint8 outcome; // accepted outcome; this and the next four are written by the settlement
    uint8 seats;
    uint8 quorum;
    uint8 agreeing; // equal weighted votes for the most supported answer, zero without a majority
    bytes27 resultHash; // the first 27 bytes of the accepted answer's
    uint16 committed; // this and the following are kept while the job is open
    uint16 declined;
    uint16 opened;
    uint16 used; // spares that were promoted
    uint32 classes; // class of the vote of place i in bits 2i and 2i + 1, meaningful where `opened`
    uint40 openedAt;
    uint40 lastCommitAt; // of a seat or a promoted spare
    uint40 lastDeclineAt; // of a seat or a spare, never of a shadow
    bool bySet; // a signed set gave the commitments
    bool callbackPending; // written by the settlement: the callback failed and may be tried again
}

/// @notice Which seat a spare took, and when.
struct Promotion {
    uint8 seat;
    uint40 promotedAt;
}

/// @notice {JobState} in one word. A job is this word alone until something happens to it, then this word and its chain of commitments.
/// @dev Bits, from the lowest. Fresh, nothing has happened since `open`: code 8, openedAt 40, first 208 bits of the hash of the terms.
/// Open: code 8, bySet 1, (unused 31), committed 16, declined 16, opened 16, used 16, classes 32, openedAt 40, lastCommitAt 40,
/// lastDeclineAt 40. Settled: code 7, callbackPending 1, outcome 8, seats 8, quorum 8, agreeing 8, resultHash 216.
type JobWord is uint256;

using JobWords for JobWord global;

/// @title Facts of a job in one word
/// @notice Readers and verbs of {JobWord}. Verbs return the new word; who stores it is the caller's business.
/// @dev Times fit in 40 bits for the next 34,000 years. Places are below 16 wherever they are written.
library JobWords {
    /// @dev The code of a word is its phase, but for fresh jobs, whose phase is Open.
    uint256 private constant FRESH = 4;
    uint256 private constant CODE = 7;
    uint256 private constant CALLBACK_PENDING = 1 << 7;
    uint256 private constant FRESH_OPENED_AT = 8;
    uint256 private constant FRESH_TERMS = 48; // to 256: the hash keeps its first 208 bits where they are
    uint256 private constant BY_SET = 1 << 8;
    uint256 private constant COMMITTED = 40;
    uint256 private constant DECLINED = 56;
    uint256 private constant OPENED = 72;
    uint256 private constant USED = 88;
    uint256 private constant CLASSES = 104;
    uint256 private constant OPENED_AT = 136;
    uint256 private constant LAST_COMMIT_AT = 176;
    uint256 private constant LAST_DECLINE_AT = 216;
    uint256 private constant TIME = type(uint40).max;

    /// @notice A job that was opened at `time` with terms of this hash.
    function fresh(uint256 time, bytes32 termsHash) internal pure returns (JobWord) {
        uint256 terms = (uint256(termsHash) >> FRESH_TERMS) << FRESH_TERMS;
        return JobWord.wrap(terms | (time << FRESH_OPENED_AT) | FRESH);
    }

    /// @notice Whether nothing has happened to the job since it was opened.
    function isFresh(JobWord word) internal pure returns (bool) {
        return JobWord.unwrap(word) & CODE == FRESH;
    }

    /// @notice Whether a fresh job has terms of this hash.
    /// @dev 208 bits: terms of one's choice with the hash of others' cost 2^208 hashes, two of one's own with one hash 2^104.
    function hasTerms(JobWord word, bytes32 termsHash) internal pure returns (bool) {
        return JobWord.unwrap(word) >> FRESH_TERMS == uint256(termsHash) >> FRESH_TERMS;
    }

    /// @notice The word of a fresh job with room for what happens now.
    function expanded(JobWord word) internal pure returns (JobWord) {
        return
            JobWord.wrap((uint256(uint40(JobWord.unwrap(word) >> FRESH_OPENED_AT)) << OPENED_AT) | uint256(Phase.Open));
    }

    /// @notice Whether the job is open.
    function isOpen(JobWord word) internal pure returns (bool) {
        return word.phase() == Phase.Open;
    }

    /// @notice The recorded phase.
    function phase(JobWord word) internal pure returns (Phase) {
        return word.isFresh() ? Phase.Open : Phase(uint8(JobWord.unwrap(word) & CODE));
    }

    /// @notice Whether a signed set gave the commitments.
    /// @dev This and the readers up to `lastDeclineAt` require an open job that is not fresh.
    function bySet(JobWord word) internal pure returns (bool) {
        return JobWord.unwrap(word) & BY_SET != 0;
    }

    /// @notice Places with a commitment.
    function committed(JobWord word) internal pure returns (uint256) {
        return uint16(JobWord.unwrap(word) >> COMMITTED);
    }

    /// @notice Places that declined.
    function declined(JobWord word) internal pure returns (uint256) {
        return uint16(JobWord.unwrap(word) >> DECLINED);
    }

    /// @notice Places whose commitment was opened.
    function opened(JobWord word) internal pure returns (uint256) {
        return uint16(JobWord.unwrap(word) >> OPENED);
    }

    /// @notice Places of spares that were promoted.
    function used(JobWord word) internal pure returns (uint256) {
        return uint16(JobWord.unwrap(word) >> USED);
    }

    /// @notice Class of the vote of an opened place.
    function classOf(JobWord word, uint256 place) internal pure returns (uint256) {
        unchecked {
            // A place is below 16.
            return (JobWord.unwrap(word) >> (CLASSES + 2 * place)) & 3;
        }
    }

    /// @notice When the job was opened, unix s.
    function openedAt(JobWord word) internal pure returns (uint256) {
        return uint40(JobWord.unwrap(word) >> OPENED_AT);
    }

    /// @notice When a seat or promoted spare last committed, unix s.
    function lastCommitAt(JobWord word) internal pure returns (uint256) {
        return uint40(JobWord.unwrap(word) >> LAST_COMMIT_AT);
    }

    /// @notice When a seat or spare last declined, unix s.
    function lastDeclineAt(JobWord word) internal pure returns (uint256) {
        return JobWord.unwrap(word) >> LAST_DECLINE_AT;
    }

    /// @notice `place` has committed.
    function withCommitment(JobWord word, uint256 place) internal pure returns (JobWord) {
        unchecked {
            // A place is below 16.
            return JobWord.wrap(JobWord.unwrap(word) | (1 << (COMMITTED + place)));
        }
    }

    /// @notice A seat or promoted spare has committed at `time`.
    function withCommitTime(JobWord word, uint256 time) internal pure returns (JobWord) {
        return JobWord.wrap((JobWord.unwrap(word) & ~(TIME << LAST_COMMIT_AT)) | (time << LAST_COMMIT_AT));
    }

    /// @notice `place` has declined.
    function withDecline(JobWord word, uint256 place) internal pure returns (JobWord) {
        unchecked {
            // A place is below 16.
            return JobWord.wrap(JobWord.unwrap(word) | (1 << (DECLINED + place)));
        }
    }

    /// @notice A seat or spare has declined at `time`.
    function withDeclineTime(JobWord word, uint256 time) internal pure returns (JobWord) {
        return JobWord.wrap((JobWord.unwrap(word) & ~(TIME << LAST_DECLINE_AT)) | (time << LAST_DECLINE_AT));
    }

    /// @notice The spare at place `spare` was promoted.
    function withPromotion(JobWord word, uint256 spare) internal pure returns (JobWord) {
        unchecked {
            // A place is below 16.
            return JobWord.wrap(JobWord.unwrap(word) | (1 << (USED + spare)));
        }
    }

    /// @notice The commitment of `place` was opened to a vote of this class.
    function withOpening(JobWord word, uint256 place, uint256 class) internal pure returns (JobWord) {
        unchecked {
            // A place is below 16.
            return JobWord.wrap(JobWord.unwrap(word) | (1 << (OPENED + place)) | (class << (CLASSES + 2 * place)));
        }
    }

    /// @notice A signed set gave the commitments at `time`: those of `places` and no others stand, but for those of `voided`, which
    /// cannot be opened and have not declined. No spare is promoted.
    function withSet(JobWord word, uint256 places, uint256 voided, uint256 time) internal pure returns (JobWord) {
        uint256 bits =
            JobWord.unwrap(word) & ~((uint256(type(uint16).max) << COMMITTED) | (uint256(type(uint16).max) << USED));
        // Classes of openings that do not stand are cleared too: `withOpening` adds bits only.
        uint256 gone = word.opened() & (voided | ~places);
        bits &= ~((gone << OPENED) | (voided << DECLINED));
        for (uint256 place; gone >> place != 0; ++place) {
            if ((gone >> place) & 1 != 0) bits &= ~(uint256(3) << (CLASSES + 2 * place));
        }
        return JobWord.wrap(bits | (places << COMMITTED) | BY_SET).withCommitTime(time);
    }

    /// @notice A settled job.
    function settled(
        Phase phase_,
        uint256 outcome,
        uint256 seats,
        uint256 quorum,
        uint256 agreeing,
        bytes32 resultHash
    ) internal pure returns (JobWord) {
        return
            JobWord.wrap(
                uint256(phase_) |
                    (outcome << 8) |
                    (seats << 16) |
                    (quorum << 24) |
                    (agreeing << 32) |
                    uint256(bytes32(bytes27(resultHash)))
            );
    }

    /// @notice Whether the job is settled, and its callback failed and may be tried again.
    function isCallbackPending(JobWord word) internal pure returns (bool) {
        return JobWord.unwrap(word) & CALLBACK_PENDING != 0;
    }

    /// @notice The callback of a settled job failed.
    function withCallbackPending(JobWord word) internal pure returns (JobWord) {
        return JobWord.wrap(JobWord.unwrap(word) | CALLBACK_PENDING);
    }

    /// @notice The callback of a settled job is done.
    function withoutCallbackPending(JobWord word) internal pure returns (JobWord) {
        return JobWord.wrap(JobWord.unwrap(word) & ~CALLBACK_PENDING);
    }

    /// @notice Accepted outcome of a settled job.
    function outcomeOf(JobWord word) internal pure returns (uint8) {
        return uint8(JobWord.unwrap(word) >> 8);
    }

    /// @notice First 27 bytes of the result hash of a settled job.
    function resultHashOf(JobWord word) internal pure returns (bytes27) {
        return bytes27(bytes32(JobWord.unwrap(word)));
    }

    /// @notice The word, field by field.
    function unpack(JobWord word) internal pure returns (JobState memory state) {
        uint256 bits = JobWord.unwrap(word);
        state.phase = word.phase();
        if (word.isFresh()) {
            state.openedAt = uint40(bits >> FRESH_OPENED_AT);
        } else if (word.isOpen()) {
            state.bySet = word.bySet();
            state.committed = uint16(word.committed());
            state.declined = uint16(word.declined());
            state.opened = uint16(word.opened());
            state.used = uint16(word.used());
            state.classes = uint32(bits >> CLASSES);
            state.openedAt = uint40(word.openedAt());
            state.lastCommitAt = uint40(word.lastCommitAt());
            state.lastDeclineAt = uint40(word.lastDeclineAt());
        } else {
            state.outcome = word.outcomeOf();
            state.seats = uint8(bits >> 16);
            state.quorum = uint8(bits >> 24);
            state.agreeing = uint8(bits >> 32);
            state.resultHash = word.resultHashOf();
            state.callbackPending = word.isCallbackPending();
        }
    }
}

/// @title Sets of places
/// @notice A set of at most 16 places as a bitmap.
library Places {
    /// @notice Whether `place` is in `set`; false for every place beyond the last.
    function has(uint256 set, uint256 place) internal pure returns (bool) {
        return (set >> place) & 1 != 0;
    }

    /// @notice The places `from`, …, `to - 1`.
    /// @dev Requires `from <= to <= 16`.
    function range(uint256 from, uint256 to) internal pure returns (uint256) {
        unchecked {
            return (1 << to) - (1 << from); // no underflow: from <= to
        }
    }

    /// @notice How many places are in `set`.
    function count(uint256 set) internal pure returns (uint256 places) {
        unchecked {
            // Each round removes the lowest place.
            for (; set != 0; set &= set - 1) ++places;
        }
    }
}
