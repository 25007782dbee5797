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
    BadOffer,
    CarriedCommitment,
    CommitmentFault,
    JobStatus,
    OfferFault,
    Opening,
    OpeningFault,
    Place,
    PlaceResult,
    PlacedCommitment,
    Request,
    SignedOffer,
    Terms,
    Verdict
} from "./types/Job.sol";
import {Job, JobState, Phase, Places, Promotion, VoteClass} from "./types/JobState.sol";
import {Tally, TallyLib} from "./types/Tally.sol";
import {IJobMarket} from "./interfaces/IJobMarket.sol";
import {Jobs} from "./base/Jobs.sol";
import {SignedOffers} from "./base/SignedOffers.sol";
import {Standings} from "./base/Standings.sol";

/// @title Job market
/// @notice The actions A1 to A8 of docs/protocol/lifecycle.md. Money is in {Ledger}, probation in {Standings}, signatures in
/// {SignedOffers}, status in {Jobs}, counting in {TallyLib}.
contract JobMarket is Standings, SignedOffers, Jobs, Multicall {
    using Places for uint16;
    using Places for uint32;

    /// @dev Money of a settlement, summed over the places.
    struct Sums {
        uint256 highest; // price among seats and spares
        uint256 set; // aside: prices of shadows and standby fees
        uint256 paid;
        uint96 late; // bonds
    }

    uint16 private constant MAX_CALLOUT_BPS = 5000;
    uint16 private constant BPS = 10_000;
    uint32 private constant LOWEST_WINDOW = 5 minutes;
    uint32 private constant HIGHEST_WINDOW = 7 days;

    /// @inheritdoc IJobMarket
    uint32 public immutable minWindow;
    /// @inheritdoc IJobMarket
    uint32 public immutable maxWindow;

    /// @param minWindow_ shortest window of a request, seconds; below 5 minutes only on the test chains 31337 and 1337
    /// @param maxWindow_ longest window of a request, seconds; at most 7 days
    constructor(uint32 minWindow_, uint32 maxWindow_) {
        uint32 lowest = block.chainid == 31_337 || block.chainid == 1337 ? 1 : LOWEST_WINDOW;
        if (minWindow_ < lowest || maxWindow_ < minWindow_ || maxWindow_ > HIGHEST_WINDOW) {
            revert MarketWindowsOutOfRange(minWindow_, maxWindow_, lowest, HIGHEST_WINDOW);
        }
        (minWindow, maxWindow) = (minWindow_, maxWindow_);
    }

    /// @inheritdoc IJobMarket
    function announce(Request calldata request) external {
        // Check:
        _requireRequester(request);
        _requireSound(request);
        emit JobAnnounced({jobId: _requestDigest(request), requester: msg.sender, request: request});
    }

    /// @inheritdoc IJobMarket
    function open(
        Request calldata request,
        uint8 spares,
        SignedOffer[] calldata offers
    ) external returns (bytes32 jobId) {
        // Check:
        _requireRequester(request);
        jobId = _requireOpenable(request, spares, offers.length);
        BadOffer[] memory bad = _badOffers(request, jobId, spares, offers);
        if (bad.length != 0) revert BadOffers(bad);

        // Effect:
        uint256 end = offers.length;
        Place[] memory places = new Place[](end);
        bytes[] memory keyWraps = new bytes[](end);
        Sums memory sums;
        for (uint256 i; i < end; ++i) {
            SignedOffer calldata offer = offers[i];
            (address provider, uint96 price) = (offer.provider, offer.price);
            places[i] = Place({provider: provider, price: price});
            keyWraps[i] = offer.keyWrap;
            _setAside(sums, i, price, request.seats, spares, request.standbyBps);
            _lock(request.token, provider, request.bond);
        }
        _escrow(request.token, msg.sender, _escrowOf(sums, request.seats, request.carrierFee));
        Job storage job = _jobs[jobId];
        job.termsHash = keccak256(abi.encode(_termsOf(request, spares, places)));
        _save(job, _newState());
        emit JobOpened({
            jobId: jobId,
            requester: msg.sender,
            request: request,
            spares: spares,
            places: places,
            keyWraps: keyWraps
        });
    }

    /// @inheritdoc IJobMarket
    function commit(bytes32 jobId, Terms calldata terms, uint8 place, bytes32 commitment) external {
        // Check:
        (Job storage job, JobState memory state) = _loadOpen(jobId, terms);
        _requireActsFor(jobId, terms, place);
        (bool good, CommitmentFault fault) = _judgeCommitment(jobId, state, terms, place, commitment);
        if (!good) revert CommitmentRefused(jobId, place, fault);
        // Effect:
        job.commitmentChain = _place(jobId, state, terms, job.commitmentChain, place, commitment);
        _save(job, state);
    }

    /// @inheritdoc IJobMarket
    function commitBySig(bytes32 jobId, Terms calldata terms, CarriedCommitment[] calldata commitments) external {
        // Check:
        (Job storage job, JobState memory state) = _loadOpen(jobId, terms);
        // Effect:
        bytes32 chain = job.commitmentChain;
        uint256 end = commitments.length;
        for (uint256 i; i < end; ++i) {
            CarriedCommitment calldata item = commitments[i];
            (uint8 place, bytes32 commitment) = (item.place, item.commitment);
            (bool good, CommitmentFault fault) = _judgeCommitment(jobId, state, terms, place, commitment);
            if (good) {
                address provider = terms.places[place].provider;
                good = _isCommitmentSigned(jobId, provider, terms.token, commitment, item.signature);
                fault = CommitmentFault.BadSignature;
            }
            if (good) chain = _place(jobId, state, terms, chain, place, commitment);
            else emit CommitmentSkipped({jobId: jobId, place: place, cause: fault});
        }
        job.commitmentChain = chain;
        _save(job, state);
    }

    /// @inheritdoc IJobMarket
    function decline(bytes32 jobId, Terms calldata terms, uint8 place) external {
        // Check:
        (Job storage job, JobState memory state) = _loadOpen(jobId, terms);
        address provider = _requireActsFor(jobId, terms, place);
        if (state.committed.has(place)) revert AlreadyCommitted(jobId, place);
        if (state.declined.has(place)) revert AlreadyDeclined(jobId, place);
        uint40 deadline = _windowStart(jobId, state, place) + terms.commitWindow / 4;
        if (block.timestamp >= deadline) revert TooLateToDecline(jobId, place, deadline);
        // Effect:
        state.declined = state.declined.with(place);
        // A shadow delays nothing, so its decline must not move the start of revealing either.
        if (place < terms.seats + terms.spares) state.lastDeclineAt = uint40(block.timestamp);
        _save(job, state);
        _release({token: terms.token, owner: provider, bond: terms.bond, pay: 0});
        emit SeatDeclined({jobId: jobId, provider: provider, place: place});
    }

    /// @inheritdoc IJobMarket
    function promote(bytes32 jobId, Terms calldata terms) external {
        // Check:
        (Job storage job, JobState memory state) = _loadOpen(jobId, terms);
        _requireStatus(jobId, state, terms, JobStatus.Committing);
        uint256 seats = terms.seats;
        uint16 left = _sparesLeft(state, seats, terms.spares);
        uint16 vacant = _vacantSeats(jobId, state, terms);
        if (vacant == 0 || left == 0) revert NothingToPromote(jobId, vacant, left);
        // Effect:
        uint40 deadline = uint40(block.timestamp) + terms.commitWindow;
        uint256 spare = seats;
        for (uint8 seat; seat < seats && left != 0; ++seat) {
            if (!vacant.has(seat)) continue;
            while (!left.has(spare)) ++spare;
            left &= ~uint16(1 << spare);
            state.used = state.used.with(spare);
            _promotions[jobId][spare] = Promotion({seat: seat, promotedAt: uint40(block.timestamp)});
            emit SparePromoted({
                jobId: jobId,
                provider: terms.places[spare].provider,
                spare: uint8(spare),
                seat: seat,
                deadline: deadline
            });
        }
        _save(job, state);
    }

    /// @inheritdoc IJobMarket
    function reveal(
        bytes32 jobId,
        Terms calldata terms,
        PlacedCommitment[] calldata commitments,
        Opening[] calldata openings
    ) external {
        // Check:
        (Job storage job, JobState memory state) = _loadOpen(jobId, terms);
        _requireStatus(jobId, state, terms, JobStatus.Revealing);
        bytes32[] memory landed = _unfold(jobId, job.commitmentChain, terms.places.length, commitments);
        // Effect:
        uint16 before = state.opened;
        bytes32[] memory hashes = _openAll(jobId, state, terms, landed, openings);
        if (state.opened == state.committed && state.opened != 0) {
            // The happy path: votes go from calldata to the settlement and are never stored.
            _loadHashes(jobId, hashes, before);
            _settle(jobId, job, state, terms, hashes);
            return;
        }
        uint256 end = hashes.length;
        for (uint256 place; place < end; ++place) {
            if (hashes[place] != 0) _openedHashes[jobId][place] = hashes[place];
        }
        _save(job, state);
    }

    /// @inheritdoc IJobMarket
    function settle(bytes32 jobId, Terms calldata terms) external {
        // Check:
        (Job storage job, JobState memory state) = _loadOpen(jobId, terms);
        _requireStatus(jobId, state, terms, JobStatus.Settleable);
        // Effect:
        bytes32[] memory hashes = new bytes32[](terms.places.length);
        _loadHashes(jobId, hashes, state.opened);
        _settle(jobId, job, state, terms, hashes);
    }

    /// @inheritdoc IJobMarket
    function checkOffers(
        Request calldata request,
        uint8 spares,
        SignedOffer[] calldata offers
    ) external view returns (BadOffer[] memory) {
        bytes32 jobId = _requireOpenable(request, spares, offers.length);
        return _badOffers(request, jobId, spares, offers);
    }

    /// @inheritdoc IJobMarket
    function verifyResult(bytes32 jobId, bytes32 resultKey, bytes calldata result) external view returns (bool) {
        Job storage job = _jobs[jobId];
        return
            job.state.phase == Phase.Accepted &&
            job.state.outcome == OUTCOME_OK &&
            job.termsHash == keccak256(bytes.concat(resultKey, result));
    }

    /// @inheritdoc IJobMarket
    function jobIdOf(Request calldata request) external view returns (bytes32) {
        return _requestDigest(request);
    }

    // Opening a job

    function _requireRequester(Request calldata request) private view {
        if (msg.sender != request.requester) revert NotRequester(msg.sender, request.requester);
    }

    /// @dev What makes a request sound at any time.
    function _requireSound(Request calldata request) private view {
        (uint8 seats, uint8 quorum) = (request.seats, request.quorum);
        if (quorum < 2 || quorum > seats || 2 * uint256(quorum) <= seats) revert BadQuorum(seats, quorum);
        uint256 places = uint256(seats) + request.spares + request.shadows;
        if (places > MAX_PLACES) revert TooManyPlaces(places, MAX_PLACES);
        if (request.calloutBps > MAX_CALLOUT_BPS) revert ShareAboveMaximum(request.calloutBps, MAX_CALLOUT_BPS);
        if (request.standbyBps > BPS) revert ShareAboveMaximum(request.standbyBps, BPS);
        _requireWindow(request.commitWindow);
        _requireWindow(request.revealWindow);
        if (request.callback != address(0) || request.callbackGas != 0 || request.flags & ~ACCEPT_PROBATION != 0) {
            revert ReservedFieldSet(request.callback, request.callbackGas, request.flags);
        }
        if (request.encryptionKey == 0) revert ZeroEncryptionKey();
    }

    function _requireWindow(uint32 window) private view {
        if (window < minWindow || window > maxWindow) revert WindowOutOfRange(window, minWindow, maxWindow);
    }

    /// @dev What `open` asks of a request and of the number of offers.
    function _requireOpenable(
        Request calldata request,
        uint8 spares,
        uint256 places
    ) private view returns (bytes32 jobId) {
        _requireSound(request);
        jobId = _requestDigest(request);
        if (block.timestamp >= request.expiry) revert RequestExpired(jobId, request.expiry);
        if (_jobs[jobId].state.phase != Phase.None) revert JobAlreadyOpened(jobId);
        if (spares > request.spares) revert TooManySpares(spares, request.spares);
        uint256 minimum = uint256(request.seats) + spares;
        uint256 maximum = minimum + request.shadows;
        if (places < minimum || places > maximum) revert BadPanelSize(places, minimum, maximum);
    }

    /// @dev Every offer that cannot be opened, with the first cause found.
    function _badOffers(
        Request calldata request,
        bytes32 jobId,
        uint8 spares,
        SignedOffer[] calldata offers
    ) private view returns (BadOffer[] memory bad) {
        uint256 end = offers.length;
        uint256 found;
        for (uint256 i; i < end; ++i) {
            (bool good, OfferFault fault) = _judgeOffer(request, jobId, spares, offers, i);
            if (good) continue;
            if (found == 0) bad = new BadOffer[](end);
            bad[found++] = BadOffer({place: uint8(i), fault: fault}); // fits: at most 16 places
        }
        // Shortens the array to what was found; it is zero long already when nothing was.
        assembly ("memory-safe") {
            if found {
                mstore(bad, found)
            }
        }
    }

    function _judgeOffer(
        Request calldata request,
        bytes32 jobId,
        uint8 spares,
        SignedOffer[] calldata offers,
        uint256 place
    ) private view returns (bool good, OfferFault fault) {
        SignedOffer calldata offer = offers[place];
        address provider = offer.provider;
        if (provider == request.requester) return (false, OfferFault.ProviderIsRequester);
        for (uint256 other; other < place; ++other) {
            if (offers[other].provider == provider) return (false, OfferFault.DuplicateProvider);
        }
        bool isShadow = place >= uint256(request.seats) + spares;
        uint8 role = isShadow ? ROLE_SHADOW : place < request.seats ? ROLE_SEAT : ROLE_SPARE;
        if (offer.roles & role == 0) return (false, OfferFault.RoleNotAccepted);
        if (block.timestamp >= offer.expiry) return (false, OfferFault.Expired);
        if (offer.price > request.priceCeiling) return (false, OfferFault.PriceAboveCeiling);
        if (offer.encryptionKey == 0) return (false, OfferFault.ZeroKey);
        if (_freeOf(request.token, provider) < request.bond) return (false, OfferFault.BondExceedsFree);
        if (!isShadow && request.flags & ACCEPT_PROBATION == 0 && onProbation(provider)) {
            return (false, OfferFault.OnProbation);
        }
        return _judgeSignature(request, jobId, offer);
    }

    function _termsOf(
        Request calldata request,
        uint8 spares,
        Place[] memory places
    ) private pure returns (Terms memory) {
        return
            Terms({
                requester: request.requester,
                token: request.token,
                bond: request.bond,
                carrierFee: request.carrierFee,
                seats: request.seats,
                quorum: request.quorum,
                spares: spares,
                calloutBps: request.calloutBps,
                standbyBps: request.standbyBps,
                commitWindow: request.commitWindow,
                revealWindow: request.revealWindow,
                places: places
            });
    }

    function _newState() private view returns (JobState memory state) {
        state.phase = Phase.Open;
        state.openedAt = uint40(block.timestamp);
    }

    // Committing

    /// @dev The provider of a place, if the caller acts for it.
    function _requireActsFor(
        bytes32 jobId,
        Terms calldata terms,
        uint8 place
    ) private view returns (address provider) {
        if (place >= terms.places.length) revert NoSuchPlace(jobId, place, terms.places.length);
        provider = terms.places[place].provider;
        if (!_actsFor(msg.sender, provider, terms.token)) revert NotProvider(jobId, place, msg.sender, provider);
    }

    /// @dev Whether a place may commit now, and why not. A place that lost its seat to a spare has declined or is late.
    function _judgeCommitment(
        bytes32 jobId,
        JobState memory state,
        Terms calldata terms,
        uint8 place,
        bytes32 commitment
    ) private view returns (bool good, CommitmentFault fault) {
        if (place >= terms.places.length) return (false, CommitmentFault.NoSuchPlace);
        if (state.committed.has(place)) return (false, CommitmentFault.AlreadyCommitted);
        if (state.declined.has(place)) return (false, CommitmentFault.Declined);
        if (place >= terms.seats + terms.spares) {
            (JobStatus status, , ) = _status(jobId, state, terms);
            if (status != JobStatus.Committing) return (false, CommitmentFault.Late);
        } else {
            if (place >= terms.seats && !state.used.has(place)) return (false, CommitmentFault.NotSeated);
            uint40 deadline = _windowStart(jobId, state, place) + terms.commitWindow;
            if (block.timestamp >= deadline) return (false, CommitmentFault.Late);
        }
        if (commitment == 0) return (false, CommitmentFault.ZeroCommitment);
        return (true, fault);
    }

    /// @dev Records a commitment in `state`, which the caller stores, and returns the chain with it.
    function _place(
        bytes32 jobId,
        JobState memory state,
        Terms calldata terms,
        bytes32 chain,
        uint8 place,
        bytes32 commitment
    ) private returns (bytes32) {
        state.committed = state.committed.with(place);
        if (place < terms.seats + terms.spares) state.lastCommitAt = uint40(block.timestamp);
        emit CommitmentPlaced({jobId: jobId, place: place, commitment: commitment});
        return _fold(chain, place, commitment);
    }

    /// @dev The seats whose present occupant declined, or has not committed at its deadline.
    function _vacantSeats(
        bytes32 jobId,
        JobState memory state,
        Terms calldata terms
    ) private view returns (uint16 vacant) {
        uint256 seats = terms.seats;
        uint256 end = seats + terms.spares;
        uint256[] memory occupants = new uint256[](seats);
        for (uint256 seat; seat < seats; ++seat) occupants[seat] = seat;
        for (uint256 spare = seats; spare < end; ++spare) {
            // In the order of promotions, so the last one to a seat stays.
            if (state.used.has(spare)) occupants[_promotions[jobId][spare].seat] = spare;
        }
        for (uint256 seat; seat < seats; ++seat) {
            uint256 occupant = occupants[seat];
            if (state.committed.has(occupant)) continue;
            if (
                state.declined.has(occupant) ||
                block.timestamp >= _windowStart(jobId, state, occupant) + terms.commitWindow
            ) vacant = vacant.with(seat);
        }
    }

    // Revealing

    /// @dev Records the good openings in `state`, which the caller stores or settles, and returns their result hashes by place.
    function _openAll(
        bytes32 jobId,
        JobState memory state,
        Terms calldata terms,
        bytes32[] memory landed,
        Opening[] calldata openings
    ) private returns (bytes32[] memory hashes) {
        hashes = new bytes32[](landed.length);
        uint256 end = openings.length;
        for (uint256 i; i < end; ++i) {
            Opening calldata opening = openings[i];
            uint8 place = opening.place;
            (bool good, OpeningFault fault) = _judgeOpening(jobId, state, terms, landed, opening);
            if (!good) {
                emit OpeningSkipped({jobId: jobId, place: place, cause: fault});
                continue;
            }
            (uint8 outcome, bytes32 resultHash) = (opening.outcome, opening.resultHash);
            VoteClass class = _classify(outcome, resultHash);
            state.opened = state.opened.with(place);
            state.classes = state.classes.withClass(place, class);
            if (TallyLib.isComputed(class)) hashes[place] = resultHash;
            emit CommitmentOpened({
                jobId: jobId,
                place: place,
                outcome: outcome,
                resultHash: resultHash,
                salt: opening.salt
            });
        }
    }

    function _judgeOpening(
        bytes32 jobId,
        JobState memory state,
        Terms calldata terms,
        bytes32[] memory landed,
        Opening calldata opening
    ) private view returns (bool good, OpeningFault fault) {
        uint8 place = opening.place;
        if (place >= landed.length) return (false, OpeningFault.NoSuchPlace);
        if (!state.committed.has(place)) return (false, OpeningFault.NotCommitted);
        if (state.opened.has(place)) return (false, OpeningFault.AlreadyOpened);
        if (landed[place] != _commitmentDigest(jobId, terms.places[place].provider, opening)) {
            return (false, OpeningFault.WrongOpening);
        }
        return (true, fault);
    }

    function _classify(uint8 outcome, bytes32 resultHash) private pure returns (VoteClass) {
        if (resultHash == 0) return outcome == OUTCOME_REPORT ? VoteClass.Report : VoteClass.Malformed;
        if (outcome == OUTCOME_OK) return VoteClass.Ok;
        if (outcome == OUTCOME_FAILED) return VoteClass.Failed;
        return VoteClass.Malformed;
    }

    /// @dev Fills in the result hashes of places that were opened before, and frees their storage.
    function _loadHashes(bytes32 jobId, bytes32[] memory hashes, uint16 opened) private {
        for (uint256 place; opened >> place != 0; ++place) {
            if (!opened.has(place)) continue;
            hashes[place] = _openedHashes[jobId][place];
            if (hashes[place] != 0) delete _openedHashes[jobId][place];
        }
    }

    // Settling

    /// @dev Counts, moves every balance, updates standing. Nothing in here can fail for a job that `open` let in.
    function _settle(
        bytes32 jobId,
        Job storage job,
        JobState memory state,
        Terms calldata terms,
        bytes32[] memory hashes
    ) private {
        uint256 seats = terms.seats;
        Tally memory tally = TallyLib.count({
            votes: state.opened & (Places.range(0, seats) | state.used),
            classes: state.classes,
            hashes: hashes,
            seats: seats,
            quorum: terms.quorum
        });

        // Effect: the job.
        state.phase = tally.accepted ? Phase.Accepted : Phase.Inconclusive;
        // fits: classes are 0 to 3, and an accepted one is 0 to 2.
        state.outcome = tally.accepted ? uint8(tally.class) + OUTCOME_OK : 0;
        (state.seats, state.quorum, state.agreeing) = (terms.seats, terms.quorum, tally.agreeing);
        bytes32 resultHash = tally.accepted ? tally.resultHash : bytes32(0);
        job.termsHash = resultHash;
        _save(job, state);
        job.commitmentChain = 0;

        // Effect: the places.
        Sums memory sums;
        PlaceResult[] memory results = new PlaceResult[](hashes.length);
        for (uint256 place; place < hashes.length; ++place) {
            results[place] = _settlePlace(jobId, state, terms, tally, sums, place, hashes[place]);
        }

        // Effect: the rest. What is paid never exceeds the escrow: each seat pays at most one occupant, at most its price.
        uint96 refunded = uint96(_escrowOf(sums, seats, terms.carrierFee) - sums.paid - terms.carrierFee);
        _burn(terms.token, sums.late);
        _credit(terms.token, msg.sender, terms.carrierFee);
        _credit(terms.token, terms.requester, refunded);
        emit JobSettled({
            jobId: jobId,
            status: tally.accepted ? JobStatus.Accepted : JobStatus.Inconclusive,
            outcome: state.outcome,
            resultHash: resultHash,
            carrier: msg.sender,
            refunded: refunded,
            burnt: sums.late,
            results: results
        });
    }

    /// @dev Verdict, money and standing of one place.
    function _settlePlace(
        bytes32 jobId,
        JobState memory state,
        Terms calldata terms,
        Tally memory tally,
        Sums memory sums,
        uint256 place,
        bytes32 resultHash
    ) private returns (PlaceResult memory result) {
        Place calldata terms_ = terms.places[place];
        (address provider, uint96 price) = (terms_.provider, terms_.price);
        (uint256 seats, uint256 spares, uint96 bond) = (terms.seats, terms.spares, terms.bond);
        address token = terms.token;
        _setAside(sums, place, price, seats, spares, terms.standbyBps);

        Verdict verdict;
        uint96 pay;
        if (state.opened.has(place)) {
            VoteClass class = state.classes.classOf(place);
            verdict = tally.verdictOn(class, resultHash, bond != 0);
            if (verdict == Verdict.Aligned) {
                pay = price;
            } else if (
                verdict == Verdict.Overruled ||
                verdict == Verdict.Undecided ||
                (class == VoteClass.Report && tally.accepted && tally.class == VoteClass.Report)
            ) {
                pay = _share(price, terms.calloutBps);
            }
        } else {
            bool isSeat = place < seats || state.used.has(place);
            verdict = TallyLib.verdictOnSilence(state, place, isSeat, !isSeat && place < seats + spares);
            if (verdict == Verdict.Standby) pay = _share(price, terms.standbyBps);
        }
        sums.paid += pay;

        if (verdict == Verdict.Fault) {
            _seize(token, provider, bond);
        } else if (verdict == Verdict.Late && state.opened != 0) {
            _seize(token, provider, bond);
            sums.late += bond; // part of `held`, fits
        } else if (verdict != Verdict.Declined) {
            // Late too, if nobody opened anything: then the chain failed, not the panel.
            _release({token: token, owner: provider, bond: bond, pay: pay});
        }
        _record(provider, verdict, jobId, state.openedAt, token, bond);
        return PlaceResult({verdict: verdict, paid: pay});
    }

    /// @dev Adds a place to what the escrow has to cover.
    function _setAside(
        Sums memory sums,
        uint256 place,
        uint96 price,
        uint256 seats,
        uint256 spares,
        uint16 standbyBps
    ) private pure {
        if (place >= seats + spares) {
            sums.set += price;
            return;
        }
        if (price > sums.highest) sums.highest = price;
        if (place >= seats) sums.set += _share(price, standbyBps);
    }

    function _escrowOf(Sums memory sums, uint256 seats, uint96 carrierFee) private pure returns (uint256) {
        return seats * sums.highest + sums.set + carrierFee;
    }

    /// @dev A share in basis points, at most 10000, rounded down: the rest stays with the requester.
    function _share(uint96 amount, uint16 bps) private pure returns (uint96) {
        return uint96((uint256(amount) * bps) / BPS); // fits: at most `amount`
    }
}
