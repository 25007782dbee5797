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
    mapping(address provider => mapping(address token => mapping(uint32 probation => uint96 amount)))
        private _quarantine;

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
        return _lasts(_standings[provider]);
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
        uint256 openedAt,
        address token,
        uint256 bond
    ) internal {
        Standing storage standing = _standings[provider];
        unchecked {
            // Seen before a counter is stored, so that the word of the standing is loaded once.
            bool lasts = _lasts(standing);
            // Counters of T1 to T3. Each is compared with its highest value first.
            if (verdict == Verdict.Aligned) {
                if (standing.aligned != type(uint24).max) ++standing.aligned;
            } else if (verdict == Verdict.Late) {
                if (standing.late != type(uint24).max) ++standing.late;
            } else if (verdict == Verdict.Fault) {
                if (standing.faults != type(uint16).max) ++standing.faults;
            } else {
                if (verdict == Verdict.Reported) {
                    if (standing.reported != type(uint24).max) ++standing.reported;
                } else if (verdict == Verdict.Undecided) {
                    if (standing.undecided != type(uint24).max) ++standing.undecided;
                } else if (verdict == Verdict.Declined) {
                    if (standing.declined != type(uint24).max) ++standing.declined;
                }
                return; // T3, T4
            }

            bool counts = lasts && openedAt > standing.probationSince;
            if (verdict == Verdict.Fault) {
                if (!lasts || counts) _beginProbation(standing, provider, jobId, counts); // T5, T7
                standing.lastFaultAt = uint40(block.timestamp); // T5, T6, T7
                uint32 probation = standing.probation;
                _quarantine[provider][token][probation] += uint96(bond); // part of `held`, fits
                emit BondQuarantined(provider, token, probation, jobId, uint96(bond));
            } else if (!counts) {
                return;
            } else if (verdict == Verdict.Late) {
                standing.alignedInRow = 0; // T2
            } else if (++standing.alignedInRow == PROBATION_ALIGNMENTS) {
                standing.probationSince = 0; // T1
                emit ProbationEnded({provider: provider, probation: standing.probation, well: true});
            }
        }
    }

    /// @dev Begins the next probation; `failed` says that the present one ends by this fault.
    function _beginProbation(Standing storage standing, address provider, bytes32 jobId, bool failed) private {
        uint32 probation = standing.probation;
        if (failed) {
            _failed[provider][probation] = true;
            emit ProbationEnded({provider: provider, probation: probation, well: false});
        }
        unchecked {
            // Four billion faults of one provider, each settled by a call of its own, are beyond any chain.
            ++probation;
        }
        standing.probation = probation;
        standing.probationSince = uint40(block.timestamp);
        standing.alignedInRow = 0;
        emit ProbationBegan({provider: provider, probation: probation, jobId: jobId});
    }

    /// @dev Whether a probation lasts. Ends by alignments clear `probationSince`, the end by time is seen here only.
    function _lasts(Standing storage standing) private view returns (bool) {
        return standing.probationSince != 0 && block.timestamp < standing.lastFaultAt + PROBATION_TIME;
    }
}
