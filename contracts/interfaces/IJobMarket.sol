// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    Request,
    SignedOffer,
    Terms,
    CarriedCommitment,
    PlacedCommitment,
    Opening,
    PlaceResult,
    BadOffer,
    JobStatus,
    Place,
    CommitmentFault,
    OpeningFault
} from "../types/Job.sol";
import {JobState, Phase, Promotion} from "../types/JobState.sol";
import {ILedger} from "./ILedger.sol";
import {IStandings} from "./IStandings.sol";
import {IAgents} from "./IAgents.sol";

/// @title A market of replicated jobs
/// @notice A requester escrows the pay of a panel of providers, each commits to its answer and opens it, the majority's answer is
/// accepted and paid. Every step can be finished by anybody; nobody leads. Rules: docs/protocol/lifecycle.md.
/// @dev The market has no owner, no upgrade, no pause and no fee. Terms travel in calldata: every call but `open` brings them, and anybody
/// rebuilds them from {JobOpened}.
interface IJobMarket is ILedger, IStandings, IAgents {
    /// @notice `requester` looks for offers on `request`, whose digest is `jobId`.
    event JobAnnounced(bytes32 indexed jobId, address indexed requester, Request request);
    /// @notice A job began. `places` are seats, then `spares` spares, then shadows; `keyWraps` go with them place by place.
    event JobOpened(
        bytes32 indexed jobId,
        address indexed requester,
        Request request,
        uint8 spares,
        Place[] places,
        bytes[] keyWraps
    );
    /// @notice The commitment of `place` stands. The order of these events is the order of the job's chain of commitments.
    event CommitmentPlaced(bytes32 indexed jobId, uint8 place, bytes32 commitment);
    /// @notice An item of `commitBySig` had no effect.
    event CommitmentSkipped(bytes32 indexed jobId, uint8 place, CommitmentFault cause);
    /// @notice `provider` gave up `place` in time and has its bond back.
    event SeatDeclined(bytes32 indexed jobId, address indexed provider, uint8 place);
    /// @notice `provider`, at place `spare`, holds `seat` now and has to commit before `deadline` (unix s).
    event SparePromoted(bytes32 indexed jobId, address indexed provider, uint8 spare, uint8 seat, uint40 deadline);
    /// @notice The vote of `place` is known.
    event CommitmentOpened(bytes32 indexed jobId, uint8 place, uint8 outcome, bytes32 resultHash, bytes32 salt);
    /// @notice An item of `reveal` had no effect.
    event OpeningSkipped(bytes32 indexed jobId, uint8 place, OpeningFault cause);
    /// @notice The job ended, everything was paid to accounts of the ledger.
    /// @param status Accepted or Inconclusive
    /// @param outcome accepted outcome, zero when inconclusive
    /// @param resultHash of the accepted answer, zero for reports and when inconclusive
    /// @param carrier the account that settled and earned the carrier fee
    /// @param refunded what returned to the requester
    /// @param burnt late bonds
    /// @param results of the places, in their order
    event JobSettled(
        bytes32 indexed jobId,
        JobStatus status,
        uint8 outcome,
        bytes32 resultHash,
        address carrier,
        uint96 refunded,
        uint96 burnt,
        PlaceResult[] results
    );

    /// @notice Only the requester named in the request may do this.
    error NotRequester(address caller, address requester);
    /// @notice The caller is neither the provider of the place nor an agent of it in force.
    error NotProvider(bytes32 jobId, uint8 place, address caller, address provider);
    /// @notice Quorum rule: `2 <= quorum <= seats` and `quorum > seats / 2`.
    error BadQuorum(uint8 seats, uint8 quorum);
    /// @notice A job has at most so many places.
    error TooManyPlaces(uint256 places, uint256 maximum);
    /// @notice A share in basis points is above its maximum.
    error ShareAboveMaximum(uint16 bps, uint16 maximum);
    /// @notice A window is shorter or longer than the market allows, seconds.
    error WindowOutOfRange(uint32 window, uint32 minimum, uint32 maximum);
    /// @notice The windows of the market itself are out of range, seconds.
    error MarketWindowsOutOfRange(uint32 minimum, uint32 maximum, uint32 lowest, uint32 highest);
    /// @notice A field of a feature that does not exist yet is not zero.
    error ReservedFieldSet(address callback, uint32 callbackGas, uint32 flags);
    /// @notice The requester gave no key to seal offers and results to.
    error ZeroEncryptionKey();
    /// @notice The request expired at `expiry` (unix s).
    error RequestExpired(bytes32 jobId, uint40 expiry);
    /// @notice A job id opens once for ever.
    error JobAlreadyOpened(bytes32 jobId);
    /// @notice The number of offers does not fit the seats, spares and shadows of the request.
    error BadPanelSize(uint256 offers, uint256 minimum, uint256 maximum);
    /// @notice More spares than the request names.
    error TooManySpares(uint8 spares, uint8 maximum);
    /// @notice These offers cannot be opened, one entry a place.
    error BadOffers(BadOffer[] offers);
    /// @notice The job was never opened, or is settled.
    error JobNotOpen(bytes32 jobId, Phase phase);
    /// @notice The terms are not those of the job.
    error TermsMismatch(bytes32 jobId, bytes32 found);
    /// @notice The job is in another status than the call needs.
    error WrongStatus(bytes32 jobId, JobStatus found, JobStatus required);
    /// @notice The panel has no such place.
    error NoSuchPlace(bytes32 jobId, uint8 place, uint256 places);
    /// @notice The commitment cannot be placed.
    error CommitmentRefused(bytes32 jobId, uint8 place, CommitmentFault cause);
    /// @notice The place has declined already.
    error AlreadyDeclined(bytes32 jobId, uint8 place);
    /// @notice The place has committed: it can no longer decline.
    error AlreadyCommitted(bytes32 jobId, uint8 place);
    /// @notice The time to decline ended at `deadline` (unix s).
    error TooLateToDecline(bytes32 jobId, uint8 place, uint40 deadline);
    /// @notice No seat is vacant, or no spare is left.
    error NothingToPromote(bytes32 jobId, uint16 vacantSeats, uint16 sparesLeft);
    /// @notice The commitments are not those of the job in the order they landed.
    error CommitmentsMismatch(bytes32 jobId, bytes32 found, bytes32 required);

    /// @notice A1. Makes a request public on chain; providers answer off chain.
    /// @dev Requirements: the caller is `request.requester`; the request is one that `open` would take but for its expiry.
    function announce(Request calldata request) external;

    /// @notice A2. Opens a job: escrows its pay from the requester's free balance and locks a bond for each place.
    /// @dev Requirements:
    /// - the caller is `request.requester`, and it is before `request.expiry`;
    /// - the job id was never opened;
    /// - `offers` are `request.seats` seats, then `spares <= request.spares` spares, then at most `request.shadows` shadows;
    /// - no offer is bad, see {OfferFault}; else {BadOffers} names every one;
    /// - the requester's free balance covers the escrow.
    ///
    /// Warning: what is opened cannot be cancelled. Check the engine requirements, windows and panel before.
    /// @param request the request, whose digest is the job id
    /// @param spares how many of the offers are spares
    /// @param offers signed offers with their key wraps
    /// @return jobId EIP-712 digest of the request
    function open(
        Request calldata request,
        uint8 spares,
        SignedOffer[] calldata offers
    ) external returns (bytes32 jobId);

    /// @notice What {open} would say about these offers now: empty when all are good. The escrow is not checked.
    /// @dev Requirements: those of {open} on the request and on the number of offers, whoever calls.
    function checkOffers(
        Request calldata request,
        uint8 spares,
        SignedOffer[] calldata offers
    ) external view returns (BadOffer[] memory);

    /// @notice A3. Commits the caller, or the provider that the caller is agent of, to a vote.
    /// @dev Requirements:
    /// - the caller is the provider of the place or an agent in force for the job's token;
    /// - the place is a seat or a promoted spare before its deadline, or a shadow while Committing;
    /// - it has neither committed nor declined; the commitment is not zero.
    /// @param jobId the job
    /// @param terms its terms
    /// @param place number of the place
    /// @param commitment EIP-712 digest of `Commitment(jobId, provider, outcome, resultHash, salt)`
    function commit(bytes32 jobId, Terms calldata terms, uint8 place, bytes32 commitment) external;

    /// @notice A4. Carries signed commitments of providers. Items that are invalid, late or done already are skipped with
    /// {CommitmentSkipped}; no item can make the call fail.
    /// @dev Requirements: the job is open and these are its terms. Signatures are ECDSA, 65 bytes, by the provider or an agent in force.
    function commitBySig(bytes32 jobId, Terms calldata terms, CarriedCommitment[] calldata commitments) external;

    /// @notice A5. Gives up a place, at no cost: the bond is free at once.
    /// @dev Requirements:
    /// - the caller is the provider of the place or an agent in force for the job's token;
    /// - the place has neither committed nor declined;
    /// - less than a quarter of the commit window has passed, since `open`, or since the promotion of a promoted spare.
    function decline(bytes32 jobId, Terms calldata terms, uint8 place) external;

    /// @notice A6. Gives every vacant seat, lowest first, the lowest spare left. Anybody may call.
    /// @dev Requirements: the job is Committing; a seat is vacant (declined, or not committed at its deadline) and a spare is left.
    function promote(bytes32 jobId, Terms calldata terms) external;

    /// @notice A7. Opens commitments, and settles the job when the last one is open. Bad openings are skipped with {OpeningSkipped}; no
    /// opening can make the call fail.
    /// @dev Requirements: the job is Revealing; `commitments` are all of its commitments in the order they landed.
    function reveal(
        bytes32 jobId,
        Terms calldata terms,
        PlacedCommitment[] calldata commitments,
        Opening[] calldata openings
    ) external;

    /// @notice A8. Settles a job whose reveal window is over. Anybody may call and earns the carrier fee.
    /// @dev Requirements: the job is Settleable.
    function settle(bytes32 jobId, Terms calldata terms) external;

    /// @notice Status of a job, and when revealing begins and ends as things stand (unix s).
    /// @dev `terms` are read and have to match while the job is open; else they are ignored and the times are zero.
    function statusOf(
        bytes32 jobId,
        Terms calldata terms
    ) external view returns (JobStatus status, uint40 revealAt, uint40 revealDeadline);

    /// @notice The recorded facts of a job.
    function jobState(bytes32 jobId) external view returns (JobState memory);

    /// @notice The commitments of an open job, folded in the order they landed: `keccak256(abi.encode(previous, place, commitment))`,
    /// beginning with the job id. Zero if the job is not open or has other terms.
    function commitmentChainOf(bytes32 jobId, bytes32 termsHash) external view returns (bytes32);

    /// @notice Which seat the spare at place `spare` took, and when; zero if it was not promoted.
    function promotionOf(bytes32 jobId, uint8 spare) external view returns (Promotion memory);

    /// @notice How a settled job ended: Accepted or Inconclusive, or None while there is no result.
    /// @return status Accepted, Inconclusive or None
    /// @return outcome accepted outcome, else zero
    /// @return resultHash first 27 bytes of the accepted result hash, zero for reports and without acceptance; the whole is in {JobSettled}
    function resultOf(bytes32 jobId) external view returns (JobStatus status, uint8 outcome, bytes27 resultHash);

    /// @notice Whether `result` is the accepted result of a job whose function returned (outcome Ok).
    /// @dev False for the failure codes of a job that accepted Failed: a contract must not take them for a result.
    /// @param jobId the job
    /// @param resultKey 32 bytes, known to the parties of the job
    /// @param result the bytes that the function returned
    function verifyResult(bytes32 jobId, bytes32 resultKey, bytes calldata result) external view returns (bool);

    /// @notice The job id of a request at this market.
    function jobIdOf(Request calldata request) external view returns (bytes32);

    /// @notice Shortest window that a request may name, seconds.
    function minWindow() external view returns (uint32);

    /// @notice Longest window that a request may name, seconds.
    function maxWindow() external view returns (uint32);
}
