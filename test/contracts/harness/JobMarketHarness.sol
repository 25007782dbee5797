// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    Opening,
    PlacedCommitment,
    Request,
    SetSignature,
    SignedOffer,
    OfferFault,
    Terms,
    Verdict
} from "../../../contracts/types/Job.sol";
import {JobState, JobWord, JobWords, Phase, Promotion} from "../../../contracts/types/JobState.sol";
import {JobMarket} from "../../../contracts/JobMarket.sol";

/// @title The market with a door for vectors
/// @notice Shows what the market computes inside, and puts a job into any state, so that test/vectors can be replayed. Nothing of the
/// market is overridden.
contract JobMarketHarness is JobMarket {
    /// @notice A promotion with the place of its spare.
    struct PlacedPromotion {
        uint8 spare;
        uint8 seat;
        uint40 promotedAt;
    }

    constructor() JobMarket(1, 7 days) {}

    /// @notice Stores a job as if its history had happened: escrow and bonds of places that have not declined are set aside.
    function plant(
        bytes32 jobId,
        Terms calldata terms,
        uint96 escrow,
        JobState calldata state,
        PlacedPromotion[] calldata promotions,
        bytes32[] calldata hashes
    ) external {
        _credit(terms.token, terms.requester, escrow);
        _escrow(terms.token, terms.requester, escrow);
        for (uint256 place; place < terms.places.length; ++place) {
            if ((state.declined >> place) & 1 != 0) continue;
            _credit(terms.token, terms.places[place].provider, terms.bond);
            _lock(terms.token, terms.places[place].provider, terms.bond);
        }
        _states[jobId] = _pack(state);
        _chains[jobId][keccak256(abi.encode(terms))] = jobId;
        for (uint256 i; i < promotions.length; ++i) {
            PlacedPromotion calldata each = promotions[i];
            _promotions[jobId][each.spare] = Promotion({seat: each.seat, promotedAt: each.promotedAt});
        }
        for (uint256 place; place < hashes.length; ++place) _openedHashes[jobId][place] = hashes[place];
    }

    /// @notice Stores a job that accepted `resultHash` as the result of its function.
    function plantResult(bytes32 jobId, bytes32 resultHash) external {
        _states[jobId] = JobWords.settled({
            phase_: Phase.Accepted,
            outcome: 1,
            seats: 3,
            quorum: 2,
            agreeing: 3,
            resultHash: resultHash
        });
    }

    /// @notice Records a verdict; the bond of a fault appears from nowhere.
    function record(address provider, Verdict verdict, uint40 openedAt, address token, uint96 bond) external {
        _record(provider, verdict, bytes32(0), openedAt, token, bond);
    }

    /// @notice Whether an offer is signed by its provider or an agent within its limits, and why not.
    function judgeSignature(
        Request calldata request,
        bytes32 jobId,
        SignedOffer calldata offer
    ) external view returns (bool good, OfferFault fault) {
        return _judgeSignature(_domainSeparatorV4(), request, jobId, offer);
    }

    /// @notice Whether a commitment is signed by its provider or an agent in force.
    function isCommitmentSigned(
        bytes32 jobId,
        address provider,
        address token,
        bytes32 commitment,
        bytes calldata signature
    ) external view returns (bool) {
        return _isCommitmentSigned(_domainSeparatorV4(), jobId, provider, token, commitment, signature);
    }

    /// @notice What the members of a set sign.
    function setDigest(bytes32 jobId, bytes32[] calldata set) external view returns (bytes32) {
        return _setDigest(jobId, set);
    }

    /// @notice Whether a set is signed by a member or an agent in force.
    function isSetSigned(
        bytes32 digest,
        address provider,
        address token,
        uint256 openedAt,
        SetSignature calldata signature
    ) external view returns (bool) {
        return _isSetSigned(digest, provider, token, openedAt, signature);
    }

    /// @notice The commitment that an opening belongs to.
    function commitmentDigest(
        bytes32 jobId,
        address provider,
        Opening calldata opening
    ) external view returns (bytes32) {
        return _commitmentDigest(jobId, provider, opening.outcome, opening.resultHash, opening.salt);
    }

    /// @notice The word that `open` stores for terms.
    function hashTerms(Terms calldata terms) external pure returns (bytes32) {
        return keccak256(abi.encode(terms));
    }

    /// @notice The word that these commitments leave.
    function chainOf(bytes32 jobId, PlacedCommitment[] calldata commitments) external pure returns (bytes32 chain) {
        chain = jobId;
        for (uint256 i; i < commitments.length; ++i) {
            chain = _fold(chain, commitments[i].place, commitments[i].commitment);
        }
    }

    /// @dev An open job's facts as they are stored.
    function _pack(JobState calldata state) private pure returns (JobWord) {
        return
            JobWord.wrap(
                uint256(Phase.Open) |
                    (state.bySet ? 1 << 8 : 0) |
                    (uint256(state.committed) << 40) |
                    (uint256(state.declined) << 56) |
                    (uint256(state.opened) << 72) |
                    (uint256(state.used) << 88) |
                    (uint256(state.classes) << 104) |
                    (uint256(state.openedAt) << 136) |
                    (uint256(state.lastCommitAt) << 176) |
                    (uint256(state.lastDeclineAt) << 216)
            );
    }
}
