// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Terms, JobStatus, PlacedCommitment} from "../types/Job.sol";
import {Job, JobState, Phase, Places, Promotion} from "../types/JobState.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";

/// @title Stored facts of jobs, and the one view of their status
/// @notice Rows R1 to R3 and S0 to S4 of docs/protocol/lifecycle.md.
/// @dev At most one occupant of a seat ever commits: a spare takes over only from an occupant that declined or missed its deadline,
/// and neither may commit any more. So "the weighted seats that committed" are the committed places among seats and promoted
/// spares, and no lookup of occupants is needed to count votes or to know the status. And since spares are promoted in the order
/// of their places, the last promoted one of a set is its highest place, and has the latest deadline.
abstract contract Jobs is IJobMarket {
    using Places for uint16;

    mapping(bytes32 jobId => Job job) internal _jobs;
    mapping(bytes32 jobId => mapping(uint256 spare => Promotion promotion)) internal _promotions;
    /// @dev Result hashes of openings that did not settle their job.
    mapping(bytes32 jobId => mapping(uint256 place => bytes32 resultHash)) internal _openedHashes;

    /// @inheritdoc IJobMarket
    function statusOf(
        bytes32 jobId,
        Terms calldata terms
    ) external view returns (JobStatus status, uint40 revealAt, uint40 revealDeadline) {
        Phase phase = _jobs[jobId].state.phase;
        if (phase != Phase.Open) return (_settledStatus(phase), 0, 0);
        (, JobState memory state) = _loadOpen(jobId, terms);
        return _status(jobId, state, terms);
    }

    /// @inheritdoc IJobMarket
    function jobState(
        bytes32 jobId
    ) external view returns (JobState memory state, bytes32 termsHash, bytes32 commitmentChain) {
        Job storage job = _jobs[jobId];
        return (job.state, job.termsHash, job.commitmentChain);
    }

    /// @inheritdoc IJobMarket
    function promotionOf(bytes32 jobId, uint8 spare) external view returns (Promotion memory) {
        return _promotions[jobId][spare];
    }

    /// @inheritdoc IJobMarket
    function resultOf(bytes32 jobId) external view returns (JobStatus status, uint8 outcome, bytes32 resultHash) {
        Job storage job = _jobs[jobId];
        status = _settledStatus(job.state.phase);
        if (status == JobStatus.Accepted) (outcome, resultHash) = (job.state.outcome, job.termsHash);
    }

    /// @dev An open job with its state, for calls that bring the terms.
    function _loadOpen(
        bytes32 jobId,
        Terms calldata terms
    ) internal view returns (Job storage job, JobState memory state) {
        job = _jobs[jobId];
        state = job.state;
        if (state.phase != Phase.Open) revert JobNotOpen(jobId, state.phase);
        bytes32 found = keccak256(abi.encode(terms));
        if (found != job.termsHash) revert TermsMismatch(jobId, found, job.termsHash);
    }

    /// @dev Stores the facts of a job.
    function _save(Job storage job, JobState memory state) internal {
        job.state = state;
    }

    /// @dev The status of an open job. The only place that compares the clock with the course of a job.
    function _status(
        bytes32 jobId,
        JobState memory state,
        Terms calldata terms
    ) internal view returns (JobStatus status, uint40 revealAt, uint40 revealDeadline) {
        revealAt = _revealAt(jobId, state, terms);
        revealDeadline = revealAt + terms.revealWindow;
        if (block.timestamp < revealAt) status = JobStatus.Committing;
        else if (block.timestamp < revealDeadline) status = JobStatus.Revealing;
        else status = JobStatus.Settleable;
    }

    /// @dev Fails unless an open job has the status that the call needs.
    function _requireStatus(
        bytes32 jobId,
        JobState memory state,
        Terms calldata terms,
        JobStatus required
    ) internal view {
        (JobStatus found, , ) = _status(jobId, state, terms);
        if (found != required) revert WrongStatus(jobId, found, required);
    }

    /// @dev The places of spares that are neither used nor declined.
    function _sparesLeft(JobState memory state, uint256 seats, uint256 spares) internal pure returns (uint16) {
        return Places.range(seats, seats + spares) & ~(state.used | state.declined);
    }

    /// @dev From when on the present window of a place runs: a promoted spare from its promotion, every other from `open`.
    function _windowStart(bytes32 jobId, JobState memory state, uint256 place) internal view returns (uint40) {
        return state.used.has(place) ? _promotions[jobId][place].promotedAt : state.openedAt;
    }

    /// @dev R. No later fact moves it once it has passed.
    function _revealAt(bytes32 jobId, JobState memory state, Terms calldata terms) private view returns (uint40) {
        uint256 seats = terms.seats;
        uint16 weighted = Places.range(0, seats) | state.used;

        // R1: every weighted seat has committed.
        if ((state.committed & weighted).count() == seats) return state.lastCommitAt;

        uint40 window = terms.commitWindow;
        if (_sparesLeft(state, seats, terms.spares) == 0) {
            // R2: the last fact that there is or that may still come. An undecided place that lost its seat to a spare does not
            // change the maximum: its deadline came before the promotion, and so before the spare's fact or deadline.
            uint256 revealAt = Math.max(state.lastDeclineAt, state.lastCommitAt);
            uint16 undecided = weighted & ~(state.committed | state.declined);
            if (undecided != 0) revealAt = Math.max(revealAt, _latestStart(jobId, state, undecided) + window);
            return uint40(revealAt); // fits: the maximum of three times
        }
        // R3: a spare may still be promoted.
        return _latestStart(jobId, state, weighted) + window + window / 2;
    }

    /// @dev The latest beginning of a window among some seats and promoted spares: that of the highest place.
    function _latestStart(bytes32 jobId, JobState memory state, uint16 places) private view returns (uint40) {
        return _windowStart(jobId, state, Math.log2(places));
    }

    function _settledStatus(Phase phase) private pure returns (JobStatus) {
        if (phase == Phase.Accepted) return JobStatus.Accepted;
        if (phase == Phase.Inconclusive) return JobStatus.Inconclusive;
        return JobStatus.None;
    }

    /// @dev Folds a commitment into the chain of those before.
    function _fold(bytes32 chain, uint8 place, bytes32 commitment) internal pure returns (bytes32) {
        return keccak256(abi.encode(chain, place, commitment));
    }

    /// @dev The commitments by place, once they are shown to be those of the job.
    function _unfold(
        bytes32 jobId,
        bytes32 chain,
        uint256 places,
        PlacedCommitment[] calldata commitments
    ) internal pure returns (bytes32[] memory byPlace) {
        byPlace = new bytes32[](places);
        bytes32 found;
        uint256 end = commitments.length;
        for (uint256 i; i < end; ++i) {
            PlacedCommitment calldata item = commitments[i];
            found = _fold(found, item.place, item.commitment);
            // A place beyond the panel cannot be part of the chain; the comparison below refuses it.
            if (item.place < places) byPlace[item.place] = item.commitment;
        }
        if (found != chain) revert CommitmentsMismatch(jobId, found, chain);
    }
}
