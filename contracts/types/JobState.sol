// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice What the contract has recorded about a job. The status also depends on the clock, see `statusOf`.
enum Phase {
    None, // never opened
    Open,
    Accepted,
    Inconclusive
}

/// @notice How an opening counts.
enum VoteClass {
    Ok,
    Failed,
    Report,
    Malformed // is no vote
}

/// @notice The facts of a job beside its terms: exactly one word. Bitmaps have bit `i` for place `i`.
/// @dev
/// | bits | 0–7 | 8–15 | 16–23 | 24–31 | 32–39 | 40–55 | 56–71 | 72–87 | 88–103 | 104–135 | 136–175 | 176–215 | 216–255 |
/// | ---- | --- | ---- | ----- | ----- | ----- | ----- | ----- | ----- | ------ | ------- | ------- | ------- | ------- |
/// |      | phase | outcome | seats | quorum | agreeing | committed | declined | opened | used | classes | openedAt | lastCommitAt | lastDeclineAt |
struct JobState {
    Phase phase;
    uint8 outcome; // accepted outcome; zero while open and when inconclusive
    uint8 seats; // written by the settlement, as the next two
    uint8 quorum;
    uint8 agreeing; // equal weighted votes for the most supported answer, zero without a majority
    uint16 committed;
    uint16 declined;
    uint16 opened;
    uint16 used; // spares that were promoted
    uint32 classes; // VoteClass of place i in bits 2i and 2i + 1, meaningful where `opened`
    uint40 openedAt;
    uint40 lastCommitAt; // of a seat or a promoted spare
    uint40 lastDeclineAt; // of a seat or a spare, never of a shadow
}

/// @notice The three words of a job.
struct Job {
    bytes32 termsHash; // keccak256(abi.encode(terms)); result hash of the accepted answer after settlement
    JobState state;
    bytes32 commitmentChain; // commitments folded in the order they landed; zero after settlement
}

/// @notice Which seat a spare took, and when.
struct Promotion {
    uint8 seat;
    uint40 promotedAt;
}

/// @title Sets of places
/// @notice A set of at most 16 places as a bitmap, and the two-bit classes of their votes.
library Places {
    /// @notice Whether `place` is in `set`; false for every place beyond the last.
    function has(uint16 set, uint256 place) internal pure returns (bool) {
        return (uint256(set) >> place) & 1 != 0;
    }

    /// @notice `set` and `place`.
    /// @dev Requires `place < 16`.
    function with(uint16 set, uint256 place) internal pure returns (uint16) {
        // forge-lint: disable-next-line(unsafe-typecast) one bit below 16
        return set | uint16(1 << place);
    }

    /// @notice The places `from`, …, `to - 1`.
    /// @dev Requires `from <= to <= 16`.
    function range(uint256 from, uint256 to) internal pure returns (uint16) {
        unchecked {
            // No underflow, and below 2^16: from <= to <= 16.
            return uint16((1 << to) - (1 << from));
        }
    }

    /// @notice How many places are in `set`.
    function count(uint16 set) internal pure returns (uint256 places) {
        unchecked {
            // Each round removes the lowest place.
            for (; set != 0; set &= set - 1) ++places;
        }
    }

    /// @notice The class of the vote of `place`.
    function classOf(uint32 classes, uint256 place) internal pure returns (VoteClass) {
        return VoteClass((classes >> (2 * place)) & 3);
    }

    /// @notice `classes` with the vote of `place`, which had none.
    function withClass(uint32 classes, uint256 place, VoteClass class) internal pure returns (uint32) {
        return classes | (uint32(class) << uint32(2 * place));
    }
}
