// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Terms, JobStatus} from "../types/Job.sol";
import {JobState, JobWord, Phase, Places, Promotion} from "../types/JobState.sol";
import {TermsLib} from "../types/TermsLib.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";

/// @title Stored facts of jobs, and the one view of their status
/// @notice Rows R1 to R3 and S0 to S4 of docs/protocol/lifecycle.md.
/// @dev At most one occupant of a seat ever commits: a spare takes over only from an occupant that declined or missed its deadline,
/// and neither may commit any more. So "the weighted seats that committed" are the committed places among seats and promoted
/// spares, and no lookup of occupants is needed to count votes or to know the status. And since spares are promoted in the order
/// of their places, the last promoted one of a set is its highest place, and has the latest deadline.
abstract contract Jobs is IJobMarket {
    using Places for uint256;
    using TermsLib for Terms;

    mapping(bytes32 jobId => JobWord state) internal _states;
    /// @dev Not zero exactly for the terms of a job that is open and no longer fresh, so it proves the terms that a call brings. Begins
    /// with the job id.
    mapping(bytes32 jobId => mapping(bytes32 termsHash => bytes32 chain)) internal _chains;
    mapping(bytes32 jobId => mapping(uint256 spare => Promotion promotion)) internal _promotions;
    /// @dev Result hashes of openings that did not settle their job.
    mapping(bytes32 jobId => mapping(uint256 place => bytes32 resultHash)) internal _openedHashes;

    /// @inheritdoc IJobMarket
    function statusOf(
        bytes32 jobId,
        Terms calldata terms
    ) external view returns (JobStatus status, uint40 revealAt, uint40 revealDeadline) {
        JobWord state = _states[jobId];
        if (!state.isOpen()) return (_settledStatus(state), 0, 0);
        (state, , ) = _load(jobId, terms);
        uint256 start;
        (status, start) = _status(jobId, state, terms);
        return (status, uint40(start), uint40(start + terms.revealWindowOf())); // times fit
    }

    /// @inheritdoc IJobMarket
    function jobState(bytes32 jobId) external view returns (JobState memory) {
        return _states[jobId].unpack();
    }

    /// @inheritdoc IJobMarket
    function commitmentChainOf(bytes32 jobId, bytes32 termsHash) external view returns (bytes32) {
        JobWord state = _states[jobId];
        if (state.isFresh()) return state.hasTerms(termsHash) ? jobId : bytes32(0);
        return _chains[jobId][termsHash];
    }

    /// @inheritdoc IJobMarket
    function promotionOf(bytes32 jobId, uint8 spare) external view returns (Promotion memory) {
        return _promotions[jobId][spare];
    }

    /// @inheritdoc IJobMarket
    function resultOf(bytes32 jobId) external view returns (JobStatus status, uint8 outcome, bytes27 resultHash) {
        return _resultOf(_states[jobId]);
    }

    /// @dev How a job ended, as its word tells.
    function _resultOf(JobWord state) internal pure returns (JobStatus status, uint8 outcome, bytes27 resultHash) {
        status = _settledStatus(state);
        if (status == JobStatus.Accepted) (outcome, resultHash) = (state.outcomeOf(), state.resultHashOf());
    }

    /// @dev An open job, for calls that bring its terms.
    /// @return state its facts, expanded
    /// @return termsHash hash of the terms, the key of its chain
    /// @return chain its commitments, folded
    function _load(
        bytes32 jobId,
        Terms calldata terms
    ) internal view returns (JobWord state, bytes32 termsHash, bytes32 chain) {
        state = _states[jobId];
        if (!state.isOpen()) revert JobNotOpen(jobId, state.phase());
        termsHash = terms.hash();
        if (state.isFresh()) {
            if (!state.hasTerms(termsHash)) revert TermsMismatch(jobId, termsHash);
            return (state.expanded(), termsHash, jobId);
        }
        chain = _chains[jobId][termsHash];
        if (chain == 0) revert TermsMismatch(jobId, termsHash);
    }

    /// @dev Stores an open job that is not fresh, or no longer. Both words: the chain of a fresh one does not exist yet.
    function _store(bytes32 jobId, bytes32 termsHash, JobWord state, bytes32 chain) internal {
        _states[jobId] = state;
        _chains[jobId][termsHash] = chain;
    }

    /// @dev The status of an open job and the start of revealing. The only place that compares the clock with the course of a job.
    function _status(
        bytes32 jobId,
        JobWord state,
        Terms calldata terms
    ) internal view returns (JobStatus status, uint256 revealAt) {
        unchecked {
            // Times are below 2^40, windows below 2^32.
            revealAt = _revealAt(jobId, state, terms);
            if (block.timestamp < revealAt) status = JobStatus.Committing;
            else if (block.timestamp < revealAt + terms.revealWindowOf()) status = JobStatus.Revealing;
            else status = JobStatus.Settleable;
        }
    }

    /// @dev Fails unless an open job has the status that the call needs.
    function _requireStatus(bytes32 jobId, JobWord state, Terms calldata terms, JobStatus required) internal view {
        (JobStatus found, ) = _status(jobId, state, terms);
        if (found != required) revert WrongStatus(jobId, found, required);
    }

    /// @dev The places of spares that are neither used nor declined.
    function _sparesLeft(JobWord state, uint256 seats, uint256 spares) internal pure returns (uint256) {
        return Places.range(seats, seats + spares) & ~(state.used() | state.declined());
    }

    /// @dev From when on the present window of a place runs: a promoted spare from its promotion, every other from `open`.
    function _windowStart(bytes32 jobId, JobWord state, uint256 place) internal view returns (uint256) {
        return state.used().has(place) ? _promotions[jobId][place].promotedAt : state.openedAt();
    }

    /// @dev R. No later fact moves it once it has passed.
    function _revealAt(bytes32 jobId, JobWord state, Terms calldata terms) private view returns (uint256 revealAt) {
        unchecked {
            // Times are below 2^40, windows below 2^32.
            uint256 seats = terms.seatsOf();
            uint256 first = Places.range(0, seats);
            uint256 weighted = first | state.used();
            uint256 committed = state.committed() & weighted;

            // R1: every weighted seat has committed. R0: a set came, and nobody commits any more.
            if (committed == first || committed.count() == seats || state.bySet()) return state.lastCommitAt();

            uint256 window = terms.commitWindowOf();
            if (_sparesLeft(state, seats, terms.sparesOf()) == 0) {
                // R2: the last fact that there is or that may still come. An undecided place that lost its seat to a spare does not
                // change the maximum: its deadline came before the promotion, and so before the spare's fact or deadline.
                revealAt = Math.max(state.lastDeclineAt(), state.lastCommitAt());
                uint256 undecided = weighted & ~(state.committed() | state.declined());
                if (undecided != 0) revealAt = Math.max(revealAt, _latestStart(jobId, state, undecided) + window);
            } else {
                // R3: a spare may still be promoted.
                revealAt = _latestStart(jobId, state, weighted) + window + window / 2;
            }
        }
    }

    /// @dev The latest beginning of a window among some seats and promoted spares: that of the highest place.
    function _latestStart(bytes32 jobId, JobWord state, uint256 places) private view returns (uint256) {
        return _windowStart(jobId, state, Math.log2(places));
    }

    function _settledStatus(JobWord state) private pure returns (JobStatus) {
        Phase phase = state.phase();
        if (phase == Phase.Accepted) return JobStatus.Accepted;
        return phase == Phase.Inconclusive ? JobStatus.Inconclusive : JobStatus.None;
    }
}
