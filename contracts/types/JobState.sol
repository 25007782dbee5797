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
}

/// @notice Which seat a spare took, and when.
struct Promotion {
    uint8 seat;
    uint40 promotedAt;
}

/// @notice {JobState} in one word. Two words a job are stored: this one, and its chain of commitments.
/// @dev Bits, from the lowest. Open: phase 8, (unused 32), committed 16, declined 16, opened 16, used 16, classes 32, openedAt 40,
/// lastCommitAt 40, lastDeclineAt 40. Settled: phase 8, outcome 8, seats 8, quorum 8, agreeing 8, resultHash 216.
type JobWord is uint256;

using JobWords for JobWord global;

/// @title Facts of a job in one word
/// @notice Readers and verbs of {JobWord}. Verbs return the new word; who stores it is the caller's business.
/// @dev Times fit in 40 bits for the next 34,000 years. Places are below 16 wherever they are written.
library JobWords {
    uint256 private constant COMMITTED = 40;
    uint256 private constant DECLINED = 56;
    uint256 private constant OPENED = 72;
    uint256 private constant USED = 88;
    uint256 private constant CLASSES = 104;
    uint256 private constant OPENED_AT = 136;
    uint256 private constant LAST_COMMIT_AT = 176;
    uint256 private constant LAST_DECLINE_AT = 216;
    uint256 private constant TIME = type(uint40).max;

    /// @notice A job that was opened at `time`.
    function create(uint256 time) internal pure returns (JobWord) {
        return JobWord.wrap((time << OPENED_AT) | uint256(Phase.Open));
    }

    /// @notice Whether the job is open.
    function isOpen(JobWord word) internal pure returns (bool) {
        return uint8(JobWord.unwrap(word)) == uint8(Phase.Open);
    }

    /// @notice The recorded phase.
    function phase(JobWord word) internal pure returns (Phase) {
        return Phase(uint8(JobWord.unwrap(word)));
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
        if (word.isOpen()) {
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
