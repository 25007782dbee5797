// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

// What is required is the hypothesis of a theorem: nobody reads a message.
// solhint-disable reason-string

import {Verdict} from "../../../contracts/types/Job.sol";
import {VOTE_MALFORMED, VOTE_REPORT} from "../../../contracts/types/JobState.sol";
import {Tally} from "../../../contracts/types/Tally.sol";

/// @title What is proved of verdicts
/// @notice For every tally and every opened vote. Each `assert` is a theorem of scripts/verify/formal.ts.
contract VerdictProof {
    function onlyAnOpposedComputedAnswerIsAFault(
        Tally memory tally,
        uint256 class,
        bytes32 resultHash,
        bool atStake
    ) external pure {
        Verdict verdict = tally.verdictOn(class, resultHash, atStake);
        require(verdict == Verdict.Fault);
        assert(class < VOTE_REPORT);
        assert(tally.class < VOTE_REPORT);
        assert(tally.majority);
        assert(atStake);
        assert(tally.class != class || tally.resultHash != resultHash);
    }

    function onlyAgreementWithAnAcceptedComputedAnswerIsAligned(
        Tally memory tally,
        uint256 class,
        bytes32 resultHash,
        bool atStake
    ) external pure {
        Verdict verdict = tally.verdictOn(class, resultHash, atStake);
        require(verdict == Verdict.Aligned);
        assert(tally.accepted);
        assert(class < VOTE_REPORT);
        assert(tally.class == class);
        assert(tally.resultHash == resultHash);
    }

    function aReportIsNeverJudged(Tally memory tally, bytes32 resultHash, bool atStake) external pure {
        assert(tally.verdictOn(VOTE_REPORT, resultHash, atStake) == Verdict.Reported);
        assert(tally.verdictOn(VOTE_MALFORMED, resultHash, atStake) == Verdict.Reported);
    }
}
