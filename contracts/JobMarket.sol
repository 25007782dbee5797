// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {
    ACCEPT_PROBATION,
    MAX_PLACES,
    OUTCOME_FAILED,
    OUTCOME_OK,
    OUTCOME_REPORT,
    ROLE_SEAT,
    ROLE_SHADOW,
    ROLE_SPARE,
    SET_VOTES,
    BadOffer,
    CarriedCommitment,
    CommitmentFault,
    JobStatus,
    OfferFault,
    Opening,
    OpeningFault,
    PlaceResult,
    PlacedCommitment,
    Request,
    SetSignature,
    SignedOffer,
    Terms,
    Verdict
} from "./types/Job.sol";
import {
    JobWord,
    JobWords,
    Phase,
    Places,
    Promotion,
    VOTE_FAILED,
    VOTE_MALFORMED,
    VOTE_OK,
    VOTE_REPORT
} from "./types/JobState.sol";
import {Panel, Panels} from "./types/Panel.sol";
import {Tally, TallyLib} from "./types/Tally.sol";
import {TermsLib} from "./types/TermsLib.sol";
import {IJobMarket} from "./interfaces/IJobMarket.sol";
import {Callbacks} from "./base/Callbacks.sol";
import {Standings} from "./base/Standings.sol";
import {Windows} from "./base/Windows.sol";

/// @title Job market
/// @notice The actions A1 to A8 and A11 of docs/protocol/lifecycle.md. Money is in {Ledger}, probation in {Standings}, signatures in
/// {SignedOffers}, status in {Jobs}, counting in {TallyLib}, the callback in {Callbacks}.
contract JobMarket is Standings, Callbacks, Windows, Multicall {
    using Places for uint256;
    using TermsLib for Terms;

    /// @dev Money of a settlement, summed over the places.
    struct Sums {
        uint256 highest; // price among seats and spares
        uint256 set; // aside: prices of shadows and standby fees
        uint256 paid;
        uint256 late; // bonds
    }

    uint16 private constant MAX_CALLOUT_BPS = 5000;
    uint16 private constant BPS = 10_000;

    /// @param minWindow_ shortest window of a request, seconds; below 5 minutes only on the test chains 31337 and 1337
    /// @param maxWindow_ longest window of a request, seconds; at most 7 days
    constructor(uint32 minWindow_, uint32 maxWindow_) Windows(minWindow_, maxWindow_) {}

    /// @inheritdoc IJobMarket
    function announce(Request calldata request_) external {
        // Check:
        (Request memory request, bytes32 jobId) = _read(request_);
        _requireRequester(request);
        _requireSound(request);
        emit JobAnnounced({jobId: jobId, requester: msg.sender, request: request});
    }

    /// @inheritdoc IJobMarket
    function open(
        Request calldata request_,
        uint8 spares,
        SignedOffer[] calldata offers
    ) external returns (bytes32 jobId) {
        // Check:
        Request memory request;
        (request, jobId) = _read(request_);
        _requireRequester(request);
        _requireOpenable(request, jobId, spares, offers.length);
        (BadOffer[] memory bad, Panel panel) = _badOffers(request, jobId, spares, offers);
        if (bad.length != 0) revert BadOffers(bad);

        // Effect:
        Sums memory sums;
        for (uint256 i; i < offers.length; ++i) {
            bool isShadow = i >= uint256(request.seats) + spares;
            _setAside(sums, panel.priceOf(i), i >= request.seats, isShadow, request.standbyBps);
            _lock(request.token, panel.providerOf(i), request.bond);
        }
        _escrow(request.token, msg.sender, _escrowOf(sums, request.seats, request.carrierFee));
        _states[jobId] = JobWords.fresh(block.timestamp, panel.termsHash(request, spares));
        panel.emitOpened(jobId, request, spares, offers);
    }

    /// @inheritdoc IJobMarket
    function commit(bytes32 jobId, Terms calldata terms, uint8 place, bytes32 commitment) external {
        // Check:
        (JobWord state, bytes32 termsHash, bytes32 chain) = _load(jobId, terms);
        _requireActsFor(jobId, terms, place);
        (bool good, CommitmentFault fault) = _judgeCommitment(jobId, state, terms, place, commitment);
        if (!good) revert CommitmentRefused(jobId, place, fault);
        // Effect:
        (state, chain) = _commit(jobId, state, terms, chain, place, commitment);
        _store(jobId, termsHash, state, chain);
    }

    /// @inheritdoc IJobMarket
    function commitBySig(bytes32 jobId, Terms calldata terms, CarriedCommitment[] calldata commitments) external {
        // Check:
        (JobWord state, bytes32 termsHash, bytes32 chain) = _load(jobId, terms);
        bytes32 domain = _domainSeparatorV4();
        // Effect:
        for (uint256 i; i < commitments.length; ++i) {
            CarriedCommitment calldata item = commitments[i];
            (uint8 place, bytes32 commitment) = (item.place, item.commitment);
            (bool good, CommitmentFault fault) = _judgeCommitment(jobId, state, terms, place, commitment);
            if (good) {
                address provider = terms.providerOf(place);
                good = _isCommitmentSigned(domain, jobId, provider, terms.tokenOf(), commitment, item.signature);
                fault = CommitmentFault.BadSignature;
            }
            if (good) (state, chain) = _commit(jobId, state, terms, chain, place, commitment);
            else emit CommitmentSkipped({jobId: jobId, place: place, cause: fault});
        }
        _store(jobId, termsHash, state, chain);
    }

    /// @inheritdoc IJobMarket
    function decline(bytes32 jobId, Terms calldata terms, uint8 place) external {
        // Check:
        (JobWord state, bytes32 termsHash, bytes32 chain) = _load(jobId, terms);
        address provider = _requireActsFor(jobId, terms, place);
        if (state.committed().has(place)) revert AlreadyCommitted(jobId, place);
        if (state.declined().has(place)) revert AlreadyDeclined(jobId, place);
        uint256 deadline = _windowStart(jobId, state, place) + terms.commitWindowOf() / 4;
        if (block.timestamp >= deadline) revert TooLateToDecline(jobId, place, uint40(deadline));
        // Effect:
        state = state.withDecline(place);
        // A shadow delays nothing, so its decline must not move the start of revealing either.
        if (!_isShadow(terms, place)) state = state.withDeclineTime(block.timestamp);
        _store(jobId, termsHash, state, chain);
        // Where sets may come, the bond stays until the settlement: the seat may have signed one.
        if (!terms.hasSetVotes()) _release({token: terms.tokenOf(), owner: provider, bond: terms.bondOf(), pay: 0});
        emit SeatDeclined({jobId: jobId, provider: provider, place: place});
    }

    /// @inheritdoc IJobMarket
    function promote(bytes32 jobId, Terms calldata terms) external {
        // Check:
        (JobWord state, bytes32 termsHash, bytes32 chain) = _load(jobId, terms);
        _requireStatus(jobId, state, terms, JobStatus.Committing);
        uint256 spare = terms.seatsOf();
        uint256 left = _sparesLeft(state, spare, terms.sparesOf());
        uint256 vacant = _vacantSeats(jobId, state, terms);
        // fits: sets of 16 places.
        if (vacant == 0 || left == 0) revert NothingToPromote(jobId, uint16(vacant), uint16(left));
        // Effect:
        for (uint8 seat; vacant >> seat != 0 && left >> spare != 0; ++seat) {
            if (!vacant.has(seat)) continue;
            while (!left.has(spare)) ++spare;
            state = state.withPromotion(spare);
            _promotions[jobId][spare] = Promotion({seat: seat, promotedAt: uint40(block.timestamp)});
            emit SparePromoted({
                jobId: jobId,
                provider: terms.providerOf(spare),
                spare: uint8(spare),
                seat: seat,
                deadline: uint40(block.timestamp + terms.commitWindowOf())
            });
            ++spare;
        }
        _store(jobId, termsHash, state, chain);
    }

    /// @inheritdoc IJobMarket
    function reveal(
        bytes32 jobId,
        Terms calldata terms,
        PlacedCommitment[] calldata commitments,
        Opening[] calldata openings
    ) external {
        // Check:
        (JobWord state, bytes32 termsHash, bytes32 chain) = _load(jobId, terms);
        _requireStatus(jobId, state, terms, JobStatus.Revealing);
        bytes32[] memory landed = _unfold(jobId, chain, terms.count(), commitments);
        // Effect:
        _openAll(jobId, termsHash, state, terms, chain, landed, openings, false, false);
    }

    /// @inheritdoc IJobMarket
    function revealSet(
        bytes32 jobId,
        Terms calldata terms,
        PlacedCommitment[] calldata landed,
        bytes32[] calldata closed,
        Opening[] calldata openings,
        SetSignature[] calldata signatures
    ) external {
        // Check:
        bool isFresh = _states[jobId].isFresh();
        (JobWord state, bytes32 termsHash, bytes32 chain) = _load(jobId, terms);
        uint256 revealAt = _requireSetAllowed(jobId, state, terms);
        bytes32[] memory set = _requireSet(jobId, state, terms, closed, openings, signatures);
        bytes32[] memory onChain = _unfold(jobId, chain, terms.count(), landed);
        // Effect:
        (state, chain) = _placeSet(jobId, state, set, onChain, revealAt);
        _openAll(jobId, termsHash, state, terms, chain, set, openings, true, isFresh);
    }

    /// @inheritdoc IJobMarket
    function settle(bytes32 jobId, Terms calldata terms) external {
        // Check:
        (JobWord state, bytes32 termsHash, ) = _load(jobId, terms);
        _requireStatus(jobId, state, terms, JobStatus.Settleable);
        // Effect:
        bytes32[] memory hashes = new bytes32[](terms.count());
        _loadHashes(jobId, hashes, state.opened());
        _settle(jobId, termsHash, state, terms, hashes);
    }

    /// @inheritdoc IJobMarket
    function checkOffers(
        Request calldata request_,
        uint8 spares,
        SignedOffer[] calldata offers
    ) external view returns (BadOffer[] memory) {
        (Request memory request, bytes32 jobId) = _read(request_);
        _requireOpenable(request, jobId, spares, offers.length);
        (BadOffer[] memory bad, ) = _badOffers(request, jobId, spares, offers);
        return bad;
    }

    /// @inheritdoc IJobMarket
    function verifyResult(bytes32 jobId, bytes32 resultKey, bytes calldata result) external view returns (bool) {
        JobWord state = _states[jobId];
        return
            state.phase() == Phase.Accepted &&
            state.outcomeOf() == OUTCOME_OK &&
            state.resultHashOf() == bytes27(keccak256(bytes.concat(resultKey, result)));
    }

    /// @inheritdoc IJobMarket
    function jobIdOf(Request calldata request) external view returns (bytes32 jobId) {
        (, jobId) = _read(request);
    }

    // Opening a job

    function _requireRequester(Request memory request) private view {
        if (msg.sender != request.requester) revert NotRequester(msg.sender, request.requester);
    }

    /// @dev What makes a request sound at any time.
    function _requireSound(Request memory request) private view {
        (uint8 seats, uint8 quorum) = (request.seats, request.quorum);
        if (quorum < 2 || quorum > seats || 2 * uint256(quorum) <= seats) revert BadQuorum(seats, quorum);
        uint256 places = uint256(seats) + request.spares + request.shadows;
        if (places > MAX_PLACES) revert TooManyPlaces(places, MAX_PLACES);
        if (request.calloutBps > MAX_CALLOUT_BPS) revert ShareAboveMaximum(request.calloutBps, MAX_CALLOUT_BPS);
        if (request.standbyBps > BPS) revert ShareAboveMaximum(request.standbyBps, BPS);
        _requireWindow(request.commitWindow);
        _requireWindow(request.revealWindow);
        uint32 known = ACCEPT_PROBATION | SET_VOTES;
        if (request.flags & ~known != 0) revert UnknownFlags(request.flags, known);
        _requireCallback(request.callback, request.callbackGas);
        if (request.encryptionKey == 0) revert ZeroEncryptionKey();
    }

    /// @dev What `open` asks of a request and of the number of offers.
    function _requireOpenable(Request memory request, bytes32 jobId, uint8 spares, uint256 places) private view {
        _requireSound(request);
        if (block.timestamp >= request.expiry) revert RequestExpired(jobId, request.expiry);
        if (_states[jobId].phase() != Phase.None) revert JobAlreadyOpened(jobId);
        address callback = request.callback;
        if (callback != address(0) && callback.code.length == 0) revert CallbackWithoutCode(callback);
        if (spares > request.spares) revert TooManySpares(spares, request.spares);
        uint256 minimum = uint256(request.seats) + spares;
        uint256 maximum = minimum + request.shadows;
        if (places < minimum || places > maximum) revert BadPanelSize(places, minimum, maximum);
    }

    /// @dev Every offer that cannot be opened, with the first cause found, and all offers as the places of a panel.
    function _badOffers(
        Request memory request,
        bytes32 jobId,
        uint8 spares,
        SignedOffer[] calldata offers
    ) private view returns (BadOffer[] memory bad, Panel panel) {
        uint256 end = offers.length;
        panel = Panels.create(end); // at most 16 places
        bytes32 domain = _domainSeparatorV4();
        uint256 found;
        for (uint256 i; i < end; ++i) {
            (bool good, OfferFault fault) = _judgeOffer(domain, request, jobId, spares, offers[i], panel, i);
            if (good) continue;
            if (found == 0) bad = new BadOffer[](end);
            bad[found++] = BadOffer({place: uint8(i), fault: fault}); // fits: at most 16 places
        }
        // Shortens the array to what was found; it is zero long already when nothing was.
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            if found {
                mstore(bad, found)
            }
        }
    }

    /// @dev Judges an offer, and puts it into its place of the panel.
    function _judgeOffer(
        bytes32 domain,
        Request memory request,
        bytes32 jobId,
        uint8 spares,
        SignedOffer calldata offer,
        Panel panel,
        uint256 place
    ) private view returns (bool good, OfferFault fault) {
        (address provider, uint256 price) = (offer.provider, offer.price);
        panel.set(place, provider, price);
        if (provider == request.requester) return (false, OfferFault.ProviderIsRequester);
        for (uint256 other; other < place; ++other) {
            if (panel.providerOf(other) == provider) return (false, OfferFault.DuplicateProvider);
        }
        bool isShadow = place >= uint256(request.seats) + spares;
        uint8 role =
            isShadow
                ? ROLE_SHADOW
                : place < request.seats
                    ? ROLE_SEAT
                    : ROLE_SPARE;
        if (offer.roles & role == 0) return (false, OfferFault.RoleNotAccepted);
        if (block.timestamp >= offer.expiry) return (false, OfferFault.Expired);
        if (price > request.priceCeiling) return (false, OfferFault.PriceAboveCeiling);
        if (offer.encryptionKey == 0) return (false, OfferFault.ZeroKey);
        if (_freeOf(request.token, provider) < request.bond) return (false, OfferFault.BondExceedsFree);
        if (!isShadow && request.flags & ACCEPT_PROBATION == 0 && onProbation(provider)) {
            return (false, OfferFault.OnProbation);
        }
        return _judgeSignature(domain, request, jobId, offer);
    }

    // Committing

    /// @dev The provider of a place, if the caller acts for it.
    function _requireActsFor(bytes32 jobId, Terms calldata terms, uint8 place) private view returns (address provider) {
        if (place >= terms.count()) revert NoSuchPlace(jobId, place, terms.count());
        provider = terms.providerOf(place);
        if (!_actsFor(msg.sender, provider, terms.tokenOf())) revert NotProvider(jobId, place, msg.sender, provider);
    }

    /// @dev Whether a place may commit now, and why not. A place that lost its seat to a spare has declined or is late.
    function _judgeCommitment(
        bytes32 jobId,
        JobWord state,
        Terms calldata terms,
        uint256 place,
        bytes32 commitment
    ) private view returns (bool good, CommitmentFault fault) {
        if (place >= terms.count()) return (false, CommitmentFault.NoSuchPlace);
        if (state.committed().has(place)) return (false, CommitmentFault.AlreadyCommitted);
        if (state.declined().has(place)) return (false, CommitmentFault.Declined);
        if (_isShadow(terms, place)) {
            (JobStatus status, ) = _status(jobId, state, terms);
            if (status != JobStatus.Committing) return (false, CommitmentFault.Late);
        } else {
            if (place >= terms.seatsOf() && !state.used().has(place)) return (false, CommitmentFault.NotSeated);
            if (block.timestamp >= _windowStart(jobId, state, place) + terms.commitWindowOf()) {
                return (false, CommitmentFault.Late);
            }
        }
        if (commitment == 0) return (false, CommitmentFault.ZeroCommitment);
        return (true, fault);
    }

    /// @dev Places a commitment, and returns what the caller has to store.
    function _commit(
        bytes32 jobId,
        JobWord state,
        Terms calldata terms,
        bytes32 chain,
        uint8 place,
        bytes32 commitment
    ) private returns (JobWord, bytes32) {
        state = state.withCommitment(place);
        if (!_isShadow(terms, place)) state = state.withCommitTime(block.timestamp);
        emit CommitmentPlaced({jobId: jobId, place: place, commitment: commitment});
        return (state, _fold(chain, place, commitment));
    }

    function _isShadow(Terms calldata terms, uint256 place) private pure returns (bool) {
        return place >= terms.seatsOf() + terms.sparesOf();
    }

    /// @dev Folds a commitment into the chain of those before.
    function _fold(bytes32 chain, uint256 place, bytes32 commitment) internal pure returns (bytes32 folded) {
        // `keccak256(abi.encode(chain, place, commitment))` without keeping the memory of it.
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, chain)
            mstore(add(free, 0x20), place)
            mstore(add(free, 0x40), commitment)
            folded := keccak256(free, 0x60)
        }
    }

    /// @dev The seats whose present occupant declined, or has not committed at its deadline.
    function _vacantSeats(bytes32 jobId, JobWord state, Terms calldata terms) private view returns (uint256 vacant) {
        uint256 seats = terms.seatsOf();
        uint256[] memory occupants = new uint256[](seats);
        for (uint256 seat; seat < seats; ++seat) occupants[seat] = seat;
        for (uint256 spare = seats; state.used() >> spare != 0; ++spare) {
            // In the order of promotions, so the last one to a seat stays.
            if (state.used().has(spare)) occupants[_promotions[jobId][spare].seat] = spare;
        }
        for (uint256 seat; seat < seats; ++seat) {
            uint256 occupant = occupants[seat];
            if (state.committed().has(occupant)) continue;
            if (
                state.declined().has(occupant) ||
                block.timestamp >= _windowStart(jobId, state, occupant) + terms.commitWindowOf()
            ) vacant |= 1 << seat;
        }
    }

    // Revealing

    /// @dev The commitments by place, once they are shown to be those of the job.
    function _unfold(
        bytes32 jobId,
        bytes32 chain,
        uint256 places,
        PlacedCommitment[] calldata commitments
    ) private pure returns (bytes32[] memory byPlace) {
        byPlace = new bytes32[](places);
        bytes32 found = jobId;
        for (uint256 i; i < commitments.length; ++i) {
            PlacedCommitment calldata item = commitments[i];
            (uint8 place, bytes32 commitment) = (item.place, item.commitment);
            found = _fold(found, place, commitment);
            // A place beyond the panel is not part of the chain: the comparison below refuses it.
            if (place < places) byPlace[place] = commitment;
        }
        if (found != chain) revert CommitmentsMismatch(jobId, found, chain);
    }

    /// @dev Opens what can be opened, and settles the job if no commitment is left closed.
    /// @param isProved whether the commitments of these openings were made from them, so that none need be compared
    /// @param isFresh whether the job has no chain of commitments in storage
    function _openAll(
        bytes32 jobId,
        bytes32 termsHash,
        JobWord state,
        Terms calldata terms,
        bytes32 chain,
        bytes32[] memory landed,
        Opening[] calldata openings,
        bool isProved,
        bool isFresh
    ) private {
        uint256 before = state.opened();
        bytes32[] memory hashes = new bytes32[](landed.length);
        for (uint256 i; i < openings.length; ++i) {
            Opening calldata opening = openings[i];
            (uint8 place, uint8 outcome) = (opening.place, opening.outcome);
            (bytes32 resultHash, bytes32 salt) = (opening.resultHash, opening.salt);

            OpeningFault fault;
            if (place >= landed.length) fault = OpeningFault.NoSuchPlace;
            else if (landed[place] == 0) fault = OpeningFault.NotCommitted;
            else if (state.opened().has(place)) fault = OpeningFault.AlreadyOpened;
            else if (
                !isProved &&
                landed[place] != _commitmentDigest(jobId, terms.providerOf(place), outcome, resultHash, salt)
            ) fault = OpeningFault.WrongOpening;
            else {
                uint256 class = _classify(outcome, resultHash);
                state = state.withOpening(place, class);
                if (TallyLib.isComputed(class)) hashes[place] = resultHash;
                emit CommitmentOpened(jobId, place, outcome, resultHash, salt);
                continue;
            }
            emit OpeningSkipped({jobId: jobId, place: place, cause: fault});
        }
        uint256 opened = state.opened();
        if (opened == state.committed() && opened != 0) {
            // The happy path: votes go from calldata to the settlement and are never stored.
            _loadHashes(jobId, hashes, before);
            _settle(jobId, isFresh ? bytes32(0) : termsHash, state, terms, hashes);
            return;
        }
        for (uint256 place; place < hashes.length; ++place) {
            if (hashes[place] != 0) _openedHashes[jobId][place] = hashes[place];
        }
        _store(jobId, termsHash, state, chain);
    }

    // Voting by a set

    /// @dev Fails unless a set may come now. Returns when revealing begins with it: at once, or when it did already.
    function _requireSetAllowed(bytes32 jobId, JobWord state, Terms calldata terms) private view returns (uint256) {
        if (!terms.hasSetVotes()) revert SetNotAllowed(jobId);
        if (state.bySet()) revert SetAlreadyPlaced(jobId);
        (JobStatus found, uint256 revealAt) = _status(jobId, state, terms);
        if (found == JobStatus.Settleable) revert WrongStatus(jobId, found, JobStatus.Revealing);
        uint256 deadline = state.openedAt() + terms.commitWindowOf();
        if (block.timestamp >= deadline) revert SetTooLate(jobId, uint40(deadline)); // a time, fits
        return found == JobStatus.Committing ? block.timestamp : revealAt;
    }

    /// @dev The commitments of a set by place, once they are shown to be of every seat, of no spare, and signed by all whose they are.
    function _requireSet(
        bytes32 jobId,
        JobWord state,
        Terms calldata terms,
        bytes32[] calldata closed,
        Opening[] calldata openings,
        SetSignature[] calldata signatures
    ) private view returns (bytes32[] memory set) {
        uint256 places = terms.count();
        set = new bytes32[](places);
        if (closed.length > places) revert BadSet(jobId, uint8(places));
        for (uint256 place; place < closed.length; ++place) set[place] = closed[place];
        for (uint256 i; i < openings.length; ++i) {
            Opening calldata opening = openings[i];
            uint8 place = opening.place;
            if (place >= places || set[place] != 0) revert BadSet(jobId, place);
            (uint8 outcome, bytes32 resultHash, bytes32 salt) = (opening.outcome, opening.resultHash, opening.salt);
            set[place] = _commitmentDigest(jobId, terms.providerOf(place), outcome, resultHash, salt);
        }
        bytes32 digest = _setDigest(jobId, set);
        uint256 openedAt = state.openedAt();
        address token = terms.tokenOf();
        uint256 seats = terms.seatsOf();
        uint256 next;
        for (uint8 place; place < places; ++place) {
            bool isMember = set[place] != 0;
            if (place < seats ? !isMember : isMember && !_isShadow(terms, place)) revert BadSet(jobId, place);
            if (!isMember) continue;
            if (
                next == signatures.length ||
                !_isSetSigned(digest, terms.providerOf(place), token, openedAt, signatures[next])
            ) revert SetNotSigned(jobId, place, digest);
            ++next;
        }
    }

    /// @dev Puts a set in the place of what was committed on chain. Leaves in `set` the commitments that stand, and returns the facts and
    /// the chain of these commitments in the order of places.
    function _placeSet(
        bytes32 jobId,
        JobWord state,
        bytes32[] memory set,
        bytes32[] memory onChain,
        uint256 revealAt
    ) private returns (JobWord, bytes32 chain) {
        uint256 bound;
        uint256 voided;
        chain = jobId;
        for (uint8 place; place < set.length; ++place) {
            bytes32 other = onChain[place];
            // Only members vote: a shadow that is none may have seen the openings.
            if (set[place] == 0) continue;
            bound |= 1 << place;
            if ((other != 0 && other != set[place]) || state.declined().has(place)) {
                // Two commitments of one member are none, and one that it declined is none: it may have seen the openings. It stays
                // bound, can open nothing, and is late.
                voided |= 1 << place;
                set[place] = 0;
            } else {
                chain = _fold(chain, place, set[place]);
            }
        }
        emit CommitmentSetPlaced({jobId: jobId, commitments: set, voided: uint16(voided)}); // a set of 16 places
        return (state.withSet(bound, voided, revealAt), chain);
    }

    function _classify(uint8 outcome, bytes32 resultHash) private pure returns (uint256) {
        if (resultHash == 0) return outcome == OUTCOME_REPORT ? VOTE_REPORT : VOTE_MALFORMED;
        if (outcome == OUTCOME_OK) return VOTE_OK;
        if (outcome == OUTCOME_FAILED) return VOTE_FAILED;
        return VOTE_MALFORMED;
    }

    /// @dev Fills in the result hashes of places that were opened before, and frees their storage.
    function _loadHashes(bytes32 jobId, bytes32[] memory hashes, uint256 opened) private {
        for (uint256 place; opened >> place != 0; ++place) {
            if (!opened.has(place)) continue;
            hashes[place] = _openedHashes[jobId][place];
            if (hashes[place] != 0) delete _openedHashes[jobId][place];
        }
    }

    // Settling

    /// @dev Counts, moves every balance, updates standing. Nothing in here can fail for a job that `open` let in.
    /// @param termsHash under which the chain of commitments is stored, zero if there is none
    function _settle(
        bytes32 jobId,
        bytes32 termsHash,
        JobWord state,
        Terms calldata terms,
        bytes32[] memory hashes
    ) private {
        uint256 seats = terms.seatsOf();
        Tally memory tally = TallyLib.count({
            state: state,
            votes: state.opened() & (Places.range(0, seats) | state.used()),
            hashes: hashes,
            seats: seats,
            quorum: terms.quorumOf()
        });
        JobStatus status = JobStatus.Inconclusive;
        Phase phase = Phase.Inconclusive;
        uint256 outcome;
        bytes32 resultHash;
        if (tally.accepted) {
            (status, phase) = (JobStatus.Accepted, Phase.Accepted);
            (outcome, resultHash) = (tally.class + OUTCOME_OK, tally.resultHash);
        }

        // Effect: the job.
        JobWord word = JobWords.settled(phase, outcome, seats, terms.quorumOf(), tally.agreeing, resultHash);
        _states[jobId] = word;
        if (termsHash != 0) delete _chains[jobId][termsHash];

        // Effect: the places.
        Sums memory sums;
        PlaceResult[] memory results = new PlaceResult[](hashes.length);
        for (uint256 place; place < hashes.length; ++place) {
            (Verdict verdict, uint256 paid) = _settlePlace(jobId, state, terms, tally, sums, place, hashes[place]);
            (results[place].verdict, results[place].paid) = (verdict, uint96(paid)); // fits: at most the price
        }

        // Effect: the rest. What is paid never exceeds the escrow: each seat pays at most one occupant, at most its price.
        uint256 carrierFee = terms.carrierFeeOf();
        uint96 refunded = uint96(_escrowOf(sums, seats, carrierFee) - sums.paid - carrierFee); // part of `held`, fits
        _burn(terms.tokenOf(), sums.late);
        _credit(terms.tokenOf(), msg.sender, carrierFee);
        _credit(terms.tokenOf(), terms.requesterOf(), refunded);
        emit JobSettled({
            jobId: jobId,
            status: status,
            outcome: uint8(outcome), // a class, 0 to 2, and one
            resultHash: resultHash,
            carrier: msg.sender,
            refunded: refunded,
            burnt: uint96(sums.late), // part of `held`, fits
            results: results
        });
        _callBack(jobId, word, terms.callbackOf(), terms.callbackGasOf());
    }

    /// @dev Verdict, money and standing of one place.
    function _settlePlace(
        bytes32 jobId,
        JobWord state,
        Terms calldata terms,
        Tally memory tally,
        Sums memory sums,
        uint256 place,
        bytes32 resultHash
    ) private returns (Verdict verdict, uint256 pay) {
        uint256 price = terms.priceOf(place);
        uint256 bond = terms.bondOf();
        uint256 seats = terms.seatsOf();
        address token = terms.tokenOf();
        bool isShadow = place >= seats + terms.sparesOf();
        bool isSeat = place < seats || state.used().has(place);
        _setAside(sums, price, place >= seats, isShadow, terms.standbyBpsOf());

        if (state.opened().has(place)) {
            uint256 class = state.classOf(place);
            verdict = tally.verdictOn(class, resultHash, bond != 0);
            if (verdict == Verdict.Aligned) {
                pay = price;
            } else if (
                verdict == Verdict.Overruled ||
                verdict == Verdict.Undecided ||
                (class == VOTE_REPORT && tally.accepted && tally.class == VOTE_REPORT)
            ) {
                pay = _share(price, terms.calloutBpsOf());
            }
        } else {
            verdict = TallyLib.verdictOnSilence(state, place, isSeat, !isSeat && !isShadow);
            if (verdict == Verdict.Standby) pay = _share(price, terms.standbyBpsOf());
        }
        sums.paid += pay;

        address provider = terms.providerOf(place);
        if (verdict == Verdict.Fault) {
            _seize(token, provider, bond);
        } else if (verdict == Verdict.Late && state.opened() != 0) {
            _seize(token, provider, bond);
            sums.late += bond;
        } else if (verdict != Verdict.Declined || terms.hasSetVotes()) {
            // Late too, if nobody opened anything: then the chain failed, not the panel.
            _release({token: token, owner: provider, bond: bond, pay: pay});
        }
        _record(provider, verdict, jobId, state.openedAt(), token, bond);
    }

    /// @dev Adds a place to what the escrow has to cover.
    function _setAside(Sums memory sums, uint256 price, bool isNoSeat, bool isShadow, uint256 standbyBps) private pure {
        if (isShadow) {
            sums.set += price;
            return;
        }
        if (price > sums.highest) sums.highest = price;
        if (isNoSeat) sums.set += _share(price, standbyBps);
    }

    function _escrowOf(Sums memory sums, uint256 seats, uint256 carrierFee) private pure returns (uint256) {
        return seats * sums.highest + sums.set + carrierFee;
    }

    /// @dev A share in basis points, at most 10000, rounded down: the rest stays with the requester.
    function _share(uint256 amount, uint256 bps) private pure returns (uint256) {
        unchecked {
            return (amount * bps) / BPS; // amounts are below 2^96
        }
    }
}
