// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Verdict} from "./Job.sol";
import {JobWord, Places, VOTE_MALFORMED, VOTE_REPORT} from "./JobState.sol";

/// @notice What the weighted votes of a job say.
struct Tally {
    bool majority; // more than n/2 weighted seats gave this answer
    bool accepted; // at least q did
    uint256 class; // of the majority's answer
    bytes32 resultHash; // of the majority's answer, zero for reports
    uint256 agreeing; // weighted votes for it
}

using TallyLib for Tally global;

/// @title Counting votes
/// @notice Pure: from the openings of a job to the verdict on each place. Rows M1 to M12 of docs/protocol/lifecycle.md.
library TallyLib {
    using Places for uint256;

    /// @notice Counts the weighted votes.
    /// @dev A quorum and a fault both need more than n/2 equal votes, so one candidate is enough: the survivor of
    /// pairing off unequal votes (Boyer and Moore, 1981).
    /// @param state the openings and their classes
    /// @param votes places that have weight and were opened
    /// @param hashes result hash of each vote, by place
    function count(
        JobWord state,
        uint256 votes,
        bytes32[] memory hashes,
        uint256 seats,
        uint256 quorum
    ) internal pure returns (Tally memory tally) {
        unchecked {
            // No counter exceeds the 16 places.
            uint256 lead;
            uint256 end = hashes.length;
            for (uint256 place; place < end; ++place) {
                if (!votes.has(place)) continue;
                uint256 class = state.classOf(place);
                if (class == VOTE_MALFORMED) continue;
                if (lead == 0) {
                    (tally.class, tally.resultHash, lead) = (class, hashes[place], 1);
                } else if (tally.agrees(class, hashes[place])) {
                    ++lead;
                } else {
                    --lead;
                }
            }
            if (lead == 0) return tally;
            uint256 agreeing;
            for (uint256 place; place < end; ++place) {
                if (votes.has(place) && tally.agrees(state.classOf(place), hashes[place])) ++agreeing;
            }
            if (2 * agreeing > seats) {
                tally.majority = true;
                tally.accepted = agreeing >= quorum;
                tally.agreeing = agreeing;
            }
        }
    }

    /// @notice Whether a vote equals the counted answer. All reports are equal: their result hash is zero.
    function agrees(Tally memory tally, uint256 class, bytes32 resultHash) internal pure returns (bool) {
        return tally.class == class && tally.resultHash == resultHash;
    }

    /// @notice Whether a vote of this class is a computed answer.
    function isComputed(uint256 class) internal pure returns (bool) {
        return class < VOTE_REPORT;
    }

    /// @notice The verdict on an opened place.
    /// @param atStake whether the bond is above zero: without one there is no fault
    function verdictOn(
        Tally memory tally,
        uint256 class,
        bytes32 resultHash,
        bool atStake
    ) internal pure returns (Verdict) {
        if (!isComputed(class)) return Verdict.Reported; // M2, M4, M8
        if (tally.majority && isComputed(tally.class)) {
            bool agreed = tally.agrees(class, resultHash);
            if (!agreed && atStake) return Verdict.Fault; // M5, also when inconclusive
            if (tally.accepted) return agreed ? Verdict.Aligned : Verdict.Dissent; // M1, M6
        } else if (tally.accepted) {
            return Verdict.Overruled; // M3
        }
        return Verdict.Undecided; // M7
    }

    /// @notice The verdict on a place that nobody opened.
    /// @param isSeat whether the place is a seat or a promoted spare
    /// @param isSpare whether the place is a spare that was not promoted
    function verdictOnSilence(JobWord state, uint256 place, bool isSeat, bool isSpare) internal pure returns (Verdict) {
        if (state.declined().has(place)) return Verdict.Declined; // M9
        if (isSpare) return Verdict.Standby; // M11
        if (isSeat || state.committed().has(place)) return Verdict.Late; // M10
        return Verdict.None; // M12
    }
}
