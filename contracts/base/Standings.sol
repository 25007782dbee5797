// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Verdict} from "../types/Job.sol";
import {Standing, QuarantineState} from "../types/Standing.sol";
import {IStandings} from "../interfaces/IStandings.sol";
import {Ledger} from "./Ledger.sol";

/// @title Standing of providers
/// @notice Turns verdicts into counters, probation and quarantine. Settling only records; {claimQuarantine} moves the money.
abstract contract Standings is Ledger, IStandings {
    /// @dev So long without a fault ends a probation well.
    uint40 internal constant PROBATION_TIME = 180 days;
    /// @dev So many alignments in a row end a probation well.
    uint8 internal constant PROBATION_ALIGNMENTS = 3;

    mapping(address provider => Standing standing) private _standings;
    /// @dev Probations that ended by another fault. Every other number below the present one ended well.
    mapping(address provider => mapping(uint32 probation => bool failed)) private _failed;
    mapping(address provider => mapping(address token => mapping(uint32 probation => uint96 amount))) private _quarantine;

    /// @inheritdoc IStandings
    function claimQuarantine(address provider, address token, uint32 probation) external {
        // Check:
        (uint96 amount, QuarantineState state) = quarantineOf(provider, token, probation);
        bool burns = state == QuarantineState.Burnable;
        if (!burns && state != QuarantineState.Returnable) revert NotClaimable(provider, token, probation, state);
        // Effect:
        delete _quarantine[provider][token][probation];
        if (burns) _burn(token, amount);
        else _credit(token, provider, amount);
        emit QuarantineClaimed({provider: provider, token: token, probation: probation, amount: amount, burnt: burns});
    }

    /// @inheritdoc IStandings
    function standingOf(address provider) external view returns (Standing memory) {
        return _standings[provider];
    }

    /// @inheritdoc IStandings
    function onProbation(address provider) public view returns (bool) {
        Standing storage standing = _standings[provider];
        return _lasts(standing.probationSince, standing.lastFaultAt);
    }

    /// @inheritdoc IStandings
    function quarantineOf(
        address provider,
        address token,
        uint32 probation
    ) public view returns (uint96 amount, QuarantineState state) {
        amount = _quarantine[provider][token][probation];
        if (amount == 0) return (0, QuarantineState.None);
        if (_failed[provider][probation]) return (amount, QuarantineState.Burnable);
        if (probation == _standings[provider].probation && onProbation(provider)) return (amount, QuarantineState.Held);
        return (amount, QuarantineState.Returnable);
    }

    /// @dev Records the verdict on one place. For a fault, `bond` was seized and is quarantined here.
    /// @param openedAt of the job: only jobs opened after a probation began count in it
    function _record(
        address provider,
        Verdict verdict,
        bytes32 jobId,
        uint40 openedAt,
        address token,
        uint96 bond
    ) internal {
        // T4:
        if (
            verdict == Verdict.Overruled ||
            verdict == Verdict.Dissent ||
            verdict == Verdict.Standby ||
            verdict == Verdict.None
        ) return;

        Standing memory standing = _standings[provider];
        bool lasts = _lasts(standing.probationSince, standing.lastFaultAt);
        bool counts = lasts && openedAt > standing.probationSince;

        unchecked {
            // Counters are compared with their highest value first. Probation numbers: four billion faults of one provider, each
            // settled in a transaction of its own, are beyond any chain.
            if (verdict == Verdict.Aligned) {
                // T1:
                if (standing.aligned != type(uint24).max) ++standing.aligned;
                if (counts && ++standing.alignedInRow == PROBATION_ALIGNMENTS) {
                    (standing.probationSince, standing.alignedInRow) = (0, 0);
                    emit ProbationEnded({provider: provider, probation: standing.probation, well: true});
                }
            } else if (verdict == Verdict.Late) {
                // T2:
                if (standing.late != type(uint24).max) ++standing.late;
                if (counts) standing.alignedInRow = 0;
            } else if (verdict == Verdict.Reported) {
                // T3:
                if (standing.reported != type(uint24).max) ++standing.reported;
            } else if (verdict == Verdict.Undecided) {
                if (standing.undecided != type(uint24).max) ++standing.undecided;
            } else if (verdict == Verdict.Declined) {
                if (standing.declined != type(uint24).max) ++standing.declined;
            } else {
                // A fault.
                if (standing.faults != type(uint16).max) ++standing.faults;
                standing.lastFaultAt = uint40(block.timestamp);
                if (!lasts || counts) {
                    if (counts) {
                        // T7:
                        _failed[provider][standing.probation] = true;
                        emit ProbationEnded({provider: provider, probation: standing.probation, well: false});
                    }
                    // T5, T7:
                    ++standing.probation;
                    standing.probationSince = uint40(block.timestamp);
                    standing.alignedInRow = 0;
                    emit ProbationBegan({provider: provider, probation: standing.probation, jobId: jobId});
                }
                // T5, T6, T7:
                _quarantine[provider][token][standing.probation] += bond; // part of `held`, fits
                emit BondQuarantined({
                    provider: provider,
                    token: token,
                    probation: standing.probation,
                    jobId: jobId,
                    amount: bond
                });
            }
        }
        _standings[provider] = standing;
    }

    /// @dev Whether a probation lasts, given when it began (zero: none, or ended by alignments) and the last fault.
    function _lasts(uint40 since, uint40 lastFaultAt) private view returns (bool) {
        return since != 0 && block.timestamp < lastFaultAt + PROBATION_TIME;
    }
}
