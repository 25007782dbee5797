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
    SetSignature,
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
import {IWindows} from "./IWindows.sol";

/// @title A market of replicated jobs
/// @notice A requester escrows the pay of a panel of providers, each commits to its answer and opens it, the majority's answer is
/// accepted and paid. Every step can be finished by anybody; nobody leads. Rules: docs/protocol/lifecycle.md.
/// @dev The market has no owner, no upgrade, no pause and no fee. Terms travel in calldata: every call but `open` brings them, and anybody
/// rebuilds them from {JobOpened}.
interface IJobMarket is ILedger, IStandings, IAgents, IWindows {
    /// @notice `requester` looks for offers on `request`, whose digest is `jobId`.
    /// @param jobId EIP-712 digest of the request
    /// @param requester who announced it
    /// @param request the whole request
    event JobAnnounced(bytes32 indexed jobId, address indexed requester, Request request);
    /// @notice A job began. `places` are seats, then `spares` spares, then shadows; `keyWraps` go with them place by place.
    /// @param jobId EIP-712 digest of the request
    /// @param requester who pays
    /// @param request the whole request
    /// @param spares how many spares were opened
    /// @param places provider and price (base units) of each place
    /// @param keyWraps the package key sealed to each provider; the contract does not read them
    event JobOpened(
        bytes32 indexed jobId,
        address indexed requester,
        Request request,
        uint8 spares,
        Place[] places,
        bytes[] keyWraps
    );
    /// @notice The commitment of `place` stands. The order of these events is the order of the job's chain of commitments.
    /// @param jobId the job
    /// @param place number of the place
    /// @param commitment EIP-712 digest of `Commitment(jobId, provider, outcome, resultHash, salt)`
    event CommitmentPlaced(bytes32 indexed jobId, uint8 place, bytes32 commitment);
    /// @notice An item of `commitBySig` had no effect.
    /// @param jobId the job
    /// @param place number of the place that the item names
    /// @param cause why, the first that was found
    event CommitmentSkipped(bytes32 indexed jobId, uint8 place, CommitmentFault cause);
    /// @notice `provider` gave up `place` in time. It has its bond back, or will with the settlement if votes may come by a set.
    /// @param jobId the job
    /// @param provider of the place
    /// @param place number of the place: seat, spare or shadow
    event SeatDeclined(bytes32 indexed jobId, address indexed provider, uint8 place);
    /// @notice `provider`, at place `spare`, holds `seat` now and has to commit before `deadline` (unix s).
    /// @param jobId the job
    /// @param provider of the spare
    /// @param spare number of the spare's place, under which it commits
    /// @param seat number of the seat
    /// @param deadline a commitment has to land before this time, unix s
    event SparePromoted(bytes32 indexed jobId, address indexed provider, uint8 spare, uint8 seat, uint40 deadline);
    /// @notice The vote of `place` is known.
    /// @param jobId the job
    /// @param place number of the place
    /// @param outcome 1 Ok, 2 Failed, 3 Report; anything else is malformed and no vote
    /// @param resultHash `keccak256(resultKey ‖ result)` of a computed answer, zero for a report
    /// @param salt of the commitment
    event CommitmentOpened(bytes32 indexed jobId, uint8 place, uint8 outcome, bytes32 resultHash, bytes32 salt);
    /// @notice An item of `reveal` had no effect.
    /// @param jobId the job
    /// @param place number of the place that the item names
    /// @param cause why, the first that was found
    event OpeningSkipped(bytes32 indexed jobId, uint8 place, OpeningFault cause);
    /// @notice A set that all seats signed took the place of the commitments of the job. From now on the commitments of the job are
    /// those that are not zero here, in the order of places, and no spare is promoted.
    /// @param jobId the job
    /// @param commitments by place; zero for places that are no members, and for those of `voided`
    /// @param voided members that declined, or whose commitment on chain was another, bit `i` for place `i`: they can open nothing
    event CommitmentSetPlaced(bytes32 indexed jobId, bytes32[] commitments, uint16 voided);
    /// @notice The callback of a settled job was called.
    /// @param jobId the job
    /// @param callback that the request names
    /// @param success false if it failed: {retryCallback} tries again
    event CallbackCalled(bytes32 indexed jobId, address indexed callback, bool success);
    /// @notice The job ended, everything was paid to accounts of the ledger.
    /// @param jobId the job
    /// @param status Accepted or Inconclusive
    /// @param outcome accepted outcome, zero when inconclusive
    /// @param resultHash of the accepted answer, zero for reports and when inconclusive
    /// @param carrier the account that settled and earned the carrier fee
    /// @param refunded what returned to the requester, base units
    /// @param burnt late bonds, base units
    /// @param results verdict and compensation (base units) of each place, in their order
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
    /// @param caller who called
    /// @param requester who is named
    error NotRequester(address caller, address requester);
    /// @notice The caller is neither the provider of the place nor an agent of it in force.
    /// @param jobId the job
    /// @param place number of the place
    /// @param caller who called
    /// @param provider of the place
    error NotProvider(bytes32 jobId, uint8 place, address caller, address provider);
    /// @notice Quorum rule: `2 <= quorum <= seats` and `quorum > seats / 2`.
    /// @param seats of the request
    /// @param quorum of the request
    error BadQuorum(uint8 seats, uint8 quorum);
    /// @notice A job has at most so many places.
    /// @param places seats, spares and shadows of the request together
    /// @param maximum of any job
    error TooManyPlaces(uint256 places, uint256 maximum);
    /// @notice A share in basis points is above its maximum.
    /// @param bps call-out or standby share of the request, basis points
    /// @param maximum of that share, basis points
    error ShareAboveMaximum(uint16 bps, uint16 maximum);
    /// @notice The request has flags that the market does not know.
    /// @param flags of the request
    /// @param known sum of all flags that there are
    error UnknownFlags(uint32 flags, uint32 known);
    /// @notice The gas of the callback is above its maximum, or there is gas and no callback.
    /// @param callback of the request
    /// @param callbackGas of the request
    /// @param maximum with a callback; without one there is none
    error BadCallbackGas(address callback, uint32 callbackGas, uint32 maximum);
    /// @notice There is no contract at the callback.
    /// @param callback of the request
    error CallbackWithoutCode(address callback);
    /// @notice The call has too little gas left to give the callback what it was promised. Call again with more.
    /// @param jobId the job
    /// @param found gas that was left
    /// @param required gas that has to be left
    error CallbackNeedsGas(bytes32 jobId, uint256 found, uint256 required);
    /// @notice The callback failed again.
    /// @param jobId the job
    /// @param callback that failed
    error CallbackFailed(bytes32 jobId, address callback);
    /// @notice The job is not settled, or has no callback that failed.
    /// @param jobId the job
    error NoCallbackPending(bytes32 jobId);
    /// @notice The request did not allow votes by a set.
    /// @param jobId the job
    error SetNotAllowed(bytes32 jobId);
    /// @notice A job has one set.
    /// @param jobId the job
    error SetAlreadyPlaced(bytes32 jobId);
    /// @notice The time for a set ended with the first commit window, at `deadline` (unix s).
    /// @param jobId the job
    /// @param deadline a set had to come before this time, unix s
    error SetTooLate(bytes32 jobId, uint40 deadline);
    /// @notice The set lacks this seat, names this place twice, or this place cannot be a member.
    /// @param jobId the job
    /// @param place number of the place, the first that was found
    error BadSet(bytes32 jobId, uint8 place);
    /// @notice A member did not sign this set.
    /// @param jobId the job
    /// @param place number of the member's place
    /// @param digest EIP-712 digest of `CommitmentSet(jobId, commitments)` as the call gave it
    error SetNotSigned(bytes32 jobId, uint8 place, bytes32 digest);
    /// @notice The requester gave no key to seal offers and results to.
    error ZeroEncryptionKey();
    /// @notice The request expired at `expiry` (unix s).
    /// @param jobId the job
    /// @param expiry `open` had to come before this time, unix s
    error RequestExpired(bytes32 jobId, uint40 expiry);
    /// @notice A job id opens once for ever.
    /// @param jobId the job
    error JobAlreadyOpened(bytes32 jobId);
    /// @notice The number of offers does not fit the seats, spares and shadows of the request.
    /// @param offers how many came
    /// @param minimum seats and spares
    /// @param maximum seats, spares and shadows
    error BadPanelSize(uint256 offers, uint256 minimum, uint256 maximum);
    /// @notice More spares than the request names.
    /// @param spares how many were to be opened
    /// @param maximum of the request
    error TooManySpares(uint8 spares, uint8 maximum);
    /// @notice These offers cannot be opened, one entry a place.
    /// @param offers place and first cause found of each bad offer, lowest place first
    error BadOffers(BadOffer[] offers);
    /// @notice The job was never opened, or is settled.
    /// @param jobId the job
    /// @param phase None, Accepted or Inconclusive
    error JobNotOpen(bytes32 jobId, Phase phase);
    /// @notice The terms are not those of the job.
    /// @param jobId the job
    /// @param found `keccak256(abi.encode(terms))` of the terms that came, zero if they have more places than any job
    error TermsMismatch(bytes32 jobId, bytes32 found);
    /// @notice The job is in another status than the call needs.
    /// @param jobId the job
    /// @param found its status
    /// @param required the status that the call needs
    error WrongStatus(bytes32 jobId, JobStatus found, JobStatus required);
    /// @notice The panel has no such place.
    /// @param jobId the job
    /// @param place number that was named
    /// @param places how many there are
    error NoSuchPlace(bytes32 jobId, uint8 place, uint256 places);
    /// @notice The commitment cannot be placed.
    /// @param jobId the job
    /// @param place number of the place
    /// @param cause why, the first that was found
    error CommitmentRefused(bytes32 jobId, uint8 place, CommitmentFault cause);
    /// @notice The place has declined already.
    /// @param jobId the job
    /// @param place number of the place
    error AlreadyDeclined(bytes32 jobId, uint8 place);
    /// @notice The place has committed: it can no longer decline.
    /// @param jobId the job
    /// @param place number of the place
    error AlreadyCommitted(bytes32 jobId, uint8 place);
    /// @notice The time to decline ended at `deadline` (unix s).
    /// @param jobId the job
    /// @param place number of the place
    /// @param deadline a decline had to come before this time, unix s
    error TooLateToDecline(bytes32 jobId, uint8 place, uint40 deadline);
    /// @notice No seat is vacant, or no spare is left.
    /// @param jobId the job
    /// @param vacantSeats bitmap, bit `i` for place `i`
    /// @param sparesLeft bitmap, bit `i` for place `i`
    error NothingToPromote(bytes32 jobId, uint16 vacantSeats, uint16 sparesLeft);
    /// @notice The commitments are not those of the job in the order they landed.
    /// @param jobId the job
    /// @param found chain of the commitments that came
    /// @param required chain of the job, see {commitmentChainOf}
    error CommitmentsMismatch(bytes32 jobId, bytes32 found, bytes32 required);

    /// @notice A1. Makes a request public on chain; providers answer off chain.
    /// @dev Requirements:
    /// - the caller is `request.requester`;
    /// - `2 <= quorum <= seats` and `quorum > seats / 2`;
    /// - at most 16 seats, spares and shadows together;
    /// - `calloutBps <= 5000` and `standbyBps <= 10000`;
    /// - both windows lie in {minWindow} to {maxWindow};
    /// - there are no flags but {ACCEPT_PROBATION} and {SET_VOTES};
    /// - `callbackGas` is at most {MAX_CALLBACK_GAS}, and zero without a callback;
    /// - the encryption key is not zero.
    ///
    /// Neither the expiry nor the requester's balance is looked at; nothing is stored.
    /// @param request the request, whose digest is the job id
    function announce(Request calldata request) external;

    /// @notice A2. Opens a job: escrows its pay from the requester's free balance and locks a bond for each place.
    /// @dev Requirements:
    /// - the caller is `request.requester`, and it is before `request.expiry`;
    /// - the request is one that {announce} would take;
    /// - the job id was never opened;
    /// - the callback is a contract, if there is one;
    /// - `offers` are `request.seats` seats, then `spares <= request.spares` spares, then at most `request.shadows` shadows;
    /// - no offer is bad, see {OfferFault}; else {BadOffers} names every one;
    /// - the requester's free balance covers the escrow: `seats` times the highest price among seats and spares, the prices of the
    ///   shadows, the standby fees of the spares and the carrier fee.
    ///
    /// Warning: what is opened cannot be cancelled. Check the engine requirements, windows and panel before. Key wraps are not checked: a
    /// provider that cannot open its own may be paid the call-out fee for saying so.
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
    /// @param request the request, whose digest is the job id
    /// @param spares how many of the offers are spares
    /// @param offers signed offers; their key wraps are not read
    /// @return place and first cause found of each bad offer, lowest place first
    function checkOffers(
        Request calldata request,
        uint8 spares,
        SignedOffer[] calldata offers
    ) external view returns (BadOffer[] memory);

    /// @notice A3. Commits the caller, or the provider that the caller is agent of, to a vote.
    /// @dev Requirements:
    /// - the job is open and these are its terms;
    /// - the caller is the provider of the place or an agent in force for the job's token;
    /// - the place is a seat or a promoted spare before its deadline, or a shadow while Committing;
    /// - it has neither committed nor declined; the commitment is not zero.
    ///
    /// Warning: the commitment is final, and costs the bond if nobody opens it while Revealing: keep outcome, result hash and salt. A
    /// computed answer against equal answers of more than half of the seats has its bond quarantined.
    /// @param jobId the job
    /// @param terms its terms
    /// @param place number of the place
    /// @param commitment EIP-712 digest of `Commitment(jobId, provider, outcome, resultHash, salt)`
    function commit(bytes32 jobId, Terms calldata terms, uint8 place, bytes32 commitment) external;

    /// @notice A4. Carries signed commitments of providers. Items that are invalid, late or done already are skipped with
    /// {CommitmentSkipped}; no item can make the call fail.
    /// @dev Requirements: the job is open and these are its terms. Signatures are ECDSA, 65 bytes, by the provider or an agent in force.
    ///
    /// Warning: a call that succeeds may have placed nothing. A provider counts on {CommitmentPlaced}, and else commits itself before its
    /// deadline, or it loses its bond.
    /// @param jobId the job
    /// @param terms its terms
    /// @param commitments place, commitment and signature over `SignedCommitment(jobId, provider, commitment)` of each item
    function commitBySig(bytes32 jobId, Terms calldata terms, CarriedCommitment[] calldata commitments) external;

    /// @notice A5. Gives up a place, at no cost: the bond is free at once, or with the settlement if votes may come by a set.
    /// @dev Requirements:
    /// - the job is open and these are its terms;
    /// - the caller is the provider of the place or an agent in force for the job's token;
    /// - the place has neither committed nor declined;
    /// - less than a quarter of the commit window has passed, since `open`, or since the promotion of a promoted spare.
    /// @param jobId the job
    /// @param terms its terms
    /// @param place number of the place
    function decline(bytes32 jobId, Terms calldata terms, uint8 place) external;

    /// @notice A6. Gives every vacant seat, lowest first, the lowest spare left. Anybody may call.
    /// @dev Requirements:
    /// - the job is open and these are its terms;
    /// - it is Committing;
    /// - a seat is vacant (declined, or not committed at its deadline) and a spare is left.
    ///
    /// Warning: a promoted spare that neither declines nor commits in time loses its bond. Spares watch for {SparePromoted}.
    /// @param jobId the job
    /// @param terms its terms
    function promote(bytes32 jobId, Terms calldata terms) external;

    /// @notice A7. Opens commitments, and settles the job when the last one is open. Bad openings are skipped with {OpeningSkipped}; no
    /// opening can make the call fail.
    /// @dev Requirements:
    /// - the job is open and these are its terms;
    /// - it is Revealing;
    /// - `commitments` are all of its commitments in the order they landed, or those of its set in the order of places.
    ///
    /// The call that opens the last commitment settles, see {settle}, and its caller earns the carrier fee.
    ///
    /// Warning: a call that succeeds may have opened nothing, and a commitment that stays closed costs its bond: count on
    /// {CommitmentOpened}. An opening that is sent before the job is Revealing is public although the call fails, and can be copied.
    /// @param jobId the job
    /// @param terms its terms
    /// @param commitments place and commitment of each {CommitmentPlaced}, in the order of the events
    /// @param openings place, outcome, result hash and salt of each commitment to open, in any order
    function reveal(
        bytes32 jobId,
        Terms calldata terms,
        PlacedCommitment[] calldata commitments,
        Opening[] calldata openings
    ) external;

    /// @notice A11. Brings the votes of a job in one call: a set of commitments that every seat signed, with openings. Anybody may call.
    /// @dev Requirements:
    /// - the job is open and these are its terms, with {SET_VOTES} among the flags;
    /// - it is Committing or Revealing, in the first commit window, and no set came before;
    /// - `closed` and `openings` together make the set: one commitment for each seat, none for a spare, at most one for a shadow;
    /// - `signatures` are one a member, in the order of places: ECDSA over `CommitmentSet(jobId, commitments)` with the commitments by place,
    ///   zero for places that are no members, by the provider or an agent whose authorization ends after the job was opened. Further ones
    ///   are not read;
    /// - `landed` are all commitments of the job on chain in the order they landed.
    ///
    /// The set takes the place of what was committed on chain: promoted spares return to standby, shadows that are no members have no
    /// vote. A member that declined, or whose commitment on chain is another than in the set, has no vote and is late. It is Revealing from
    /// now on, if it was not already, and the call settles if no commitment is left closed, see {reveal}.
    ///
    /// Warning: who signs a set is bound by it until it is settled or the first commit window is over, whether or not it sees the set
    /// complete: sign one set a job, and never commit on chain to anything else. An opening may be shown to others only by
    /// who holds the set with all signatures, with time left to bring it to the chain.
    /// @param jobId the job
    /// @param terms its terms
    /// @param landed place and commitment of each {CommitmentPlaced}, in the order of the events
    /// @param closed by place, the commitment of each member that is not opened in this call, zero for every other; may be shorter
    /// @param openings place, outcome, result hash and salt of every other member
    /// @param signatures of the members, in the order of places
    function revealSet(
        bytes32 jobId,
        Terms calldata terms,
        PlacedCommitment[] calldata landed,
        bytes32[] calldata closed,
        Opening[] calldata openings,
        SetSignature[] calldata signatures
    ) external;

    /// @notice Calls the callback of a settled job again, after it failed. Anybody may call.
    /// @dev Requirements:
    /// - the job is settled, its callback failed and has not been called with success since;
    /// - enough gas for the callback to get what the request names;
    /// - the callback succeeds now.
    /// @param request of the job
    function retryCallback(Request calldata request) external;

    /// @notice A8. Settles a job whose reveal window is over. Anybody may call and earns the carrier fee.
    /// @dev Requirements:
    /// - the job is open and these are its terms;
    /// - it is Settleable.
    ///
    /// Compensations, returned bonds and the rest of the escrow go to free balances, late bonds are burnt, bonds of faults are
    /// quarantined: rows M1 to M12 of docs/protocol/lifecycle.md. If nobody opened anything, late bonds are returned. At last the callback
    /// of the request is called, if there is one; whatever it does, the job is settled.
    /// @param jobId the job
    /// @param terms its terms
    function settle(bytes32 jobId, Terms calldata terms) external;

    /// @notice Status of a job, and when revealing begins and ends as things stand (unix s).
    /// @dev `terms` are read and have to match while the job is open; else they are ignored and the times are zero.
    /// @param jobId the job
    /// @param terms its terms
    /// @return status now
    /// @return revealAt from this time on the job is Revealing, unix s; while Committing, later facts may move it
    /// @return revealDeadline from this time on the job is Settleable, unix s: `revealAt` and the reveal window
    function statusOf(
        bytes32 jobId,
        Terms calldata terms
    ) external view returns (JobStatus status, uint40 revealAt, uint40 revealDeadline);

    /// @notice The recorded facts of a job.
    /// @param jobId the job
    /// @return its phase and the fields that are kept in this phase; the others are zero
    function jobState(bytes32 jobId) external view returns (JobState memory);

    /// @notice The commitments of an open job, folded in the order they landed: `keccak256(abi.encode(previous, place, commitment))`,
    /// beginning with the job id. Zero if the job is not open or has other terms.
    /// @param jobId the job
    /// @param termsHash `keccak256(abi.encode(terms))`
    /// @return the last link of the chain; the job id while nobody has committed
    function commitmentChainOf(bytes32 jobId, bytes32 termsHash) external view returns (bytes32);

    /// @notice Which seat the spare at place `spare` took, and when; zero if it was not promoted.
    /// @dev Seat zero is a seat: `promotedAt` tells whether there was a promotion. It stays after the settlement.
    /// @param jobId the job
    /// @param spare number of the spare's place
    /// @return number of the seat, and the time of the promotion (unix s)
    function promotionOf(bytes32 jobId, uint8 spare) external view returns (Promotion memory);

    /// @notice How a settled job ended: Accepted or Inconclusive, or None while there is no result.
    /// @param jobId the job
    /// @return status Accepted, Inconclusive or None
    /// @return outcome accepted outcome, else zero
    /// @return resultHash first 27 bytes of the accepted result hash, zero for reports and without acceptance; the whole is in {JobSettled}
    function resultOf(bytes32 jobId) external view returns (JobStatus status, uint8 outcome, bytes27 resultHash);

    /// @notice Whether `result` is the accepted result of a job whose function returned (outcome Ok).
    /// @dev False for the failure codes of a job that accepted Failed: a contract must not take them for a result.
    ///
    /// Warning: a result is what a quorum of the panel agreed on, and the requester chose request, panel and quorum. A contract that pays
    /// on a result has to know the job id from a source that it trusts.
    /// @param jobId the job
    /// @param resultKey 32 bytes, known to the parties of the job
    /// @param result the bytes that the function returned
    /// @return whether the first 27 bytes of `keccak256(resultKey ‖ result)` are those that the job accepted
    function verifyResult(bytes32 jobId, bytes32 resultKey, bytes calldata result) external view returns (bool);

    /// @notice The job id of a request at this market.
    /// @dev Nothing about the request is checked.
    /// @param request the request
    /// @return EIP-712 digest of the request
    function jobIdOf(Request calldata request) external view returns (bytes32);
}
