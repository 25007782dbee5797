// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    CarriedCommitment,
    JobStatus,
    Opening,
    PlacedCommitment,
    Request,
    SetSignature,
    SignedOffer,
    Terms
} from "../../../contracts/types/Job.sol";
import {CallbackWitness} from "./CallbackWitness.sol";
import {Course, History, JobModel, Member} from "./JobModel.sol";
import {JobWorld} from "./JobWorld.sol";

/// @notice Plays jobs at random. No action reverts: before each call the books say whether the page allows it, the call is made
/// whatever they say, and a market that disagrees is noted.
abstract contract JobActions is JobWorld {
    using JobModel for History;

    /// @dev What an opening needs beside its request.
    struct Draft {
        Request request;
        bytes32 id;
        uint256 t; // index of the token
        address caller;
        Terms terms;
        SignedOffer[] offers;
        bool allowed;
        bool beyondLimits; // of the agent, as the market tells them
        bool probationSeated; // as the market tells it
    }

    // Opening

    function openJob(uint256 seed) public {
        seed = _begin(seed);
        uint256 slot;
        while (slot < LIVE && live[slot].id != 0) ++slot;
        if (slot == LIVE) return _openAgain(seed);
        Draft memory draft = _draft(seed);
        bool done = _call(draft.caller, abi.encodeCall(market.open, (draft.request, draft.terms.spares, draft.offers)));
        _expect(Breach.Open, done, draft.allowed);
        if (!done) return;
        if (draft.beyondLimits) ++breaches[Breach.AgentBeyondLimits];
        if (draft.probationSeated) ++breaches[Breach.ProbationSeated];
        Live storage job = live[slot];
        (job.id, job.openedAt, job.terms) = (draft.id, clock, abi.encode(draft.terms));
        address token_ = draft.terms.token;
        for (uint256 i; i < draft.terms.places.length; ++i) {
            job.places.push();
            free[token_][draft.terms.places[i].provider] -= draft.terms.bond;
            locked[token_][draft.terms.places[i].provider] += draft.terms.bond;
        }
        uint256 escrowed = JobModel.escrowOf(draft.terms);
        free[token_][draft.terms.requester] -= escrowed;
        escrow[token_] += escrowed;
        job.request = spent.length;
        spent.push(draft.request);
        _look(job);
    }

    /// @dev A request that was opened, whatever became of it, with new offers: no.
    function _openAgain(uint256 seed) private {
        if (spent.length == 0) return;
        Draft memory draft;
        draft.request = spent[seed % spent.length];
        draft.id = requestDigest(draft.request);
        _fillPlaces(draft, seed);
        bool done = _call(
            draft.request.requester,
            abi.encodeCall(market.open, (draft.request, draft.terms.spares, draft.offers))
        );
        _expect(Breach.SecondOpening, done, false);
    }

    function _draft(uint256 seed) private returns (Draft memory draft) {
        draft.t = seed % 2;
        Request memory request = requestFor(
            uint8(2 + ((seed >> 8) % 3)),
            0,
            uint8((seed >> 16) % 3),
            uint8((seed >> 24) % 3)
        );
        uint96 unit = units[draft.t];
        request.requester = requesters[(seed >> 32) % 8 == 0 ? 2 : (seed >> 32) % 2];
        request.token = address(tokens[draft.t]);
        request.quorum = uint8(request.seats / 2 + 1);
        if ((seed >> 40) % 4 == 0) request.quorum = request.seats;
        request.flags = uint32((seed >> 48) % 4);
        if ((seed >> 50) % 64 == 0) request.flags = 4;
        (bool found, ) = _someMarked(0);
        if (found && request.shadows == 0) request.shadows = 1;
        request.priceCeiling = 2 * unit;
        request.bond = (seed >> 56) % 4 == 0 ? 0 : unit + uint96((seed >> 64) % unit);
        request.carrierFee = uint96((seed >> 72) % unit);
        (request.calloutBps, request.standbyBps) = (uint16((seed >> 80) % 5001), uint16((seed >> 96) % 10_001));
        (request.commitWindow, request.revealWindow) = (
            300 + uint32((seed >> 112) % 900),
            300 + uint32((seed >> 128) % 600)
        );
        if ((seed >> 160) % 2 == 0) {
            uint32[4] memory gases = [uint32(0), 3000, 300_000, 1_000_000];
            (request.callback, request.callbackGas) = (address(witness), gases[(seed >> 168) % 4]);
        }
        if ((seed >> 176) % 64 == 0) request.callback = stranger; // without code
        if ((seed >> 176) % 64 == 1) request.callbackGas = 1_000_001;
        request.expiry = type(uint40).max; // so that a spent request could be opened again at any time, if it were for the clock
        draft.request = request;
        draft.id = requestDigest(request);
        draft.caller = request.requester;
        if ((seed >> 144) % 32 == 0) draft.caller = stranger;
        draft.allowed = draft.caller == request.requester && request.flags < 4 && request.callback != stranger;
        if (request.callbackGas > (request.callback == address(0) ? 0 : 1_000_000)) draft.allowed = false;
        _fillPlaces(draft, seed >> 180);
        draft.allowed = draft.allowed && free[request.token][request.requester] >= JobModel.escrowOf(draft.terms);
    }

    /// @dev Offers of different providers for a number of places between the least and the most.
    function _fillPlaces(Draft memory draft, uint256 seed) private view {
        Request memory request = draft.request;
        seed = uint256(keccak256(abi.encode(seed)));
        uint8 spares = request.spares;
        if (spares != 0 && seed % 4 == 0) --spares;
        uint256 shadows = request.shadows;
        if (shadows != 0 && (seed >> 4) % 4 == 0) --shadows;
        uint256 count = uint256(request.seats) + spares + shadows;
        draft.offers = new SignedOffer[](count);
        uint256[] memory panel = _panel(seed >> 8, count);
        for (uint256 place; place < count; ++place) {
            _offer(draft, place, panel[place], seed >> (40 + 4 * place));
            bool isShadow = place >= uint256(request.seats) + spares;
            address account = providers[panel[place]];
            if (isShadow || request.flags & 1 != 0) continue;
            if (onProbation(account)) draft.allowed = false;
            if (market.onProbation(account)) draft.probationSeated = true;
        }
        fillTerms(draft, spares);
    }

    /// @dev Different providers. Half of the time somebody on probation has the last place, which may be a shadow's: so probations come to
    /// their end.
    function _panel(uint256 seed, uint256 count) private view returns (uint256[] memory panel) {
        uint256 step = seed % 2 == 0 ? 1 : 4; // both have no divisor in common with the number of providers
        uint256 first = (seed >> 8) % PROVIDERS;
        (bool found, uint256 marked) = _someMarked(seed >> 16);
        if (found && (seed >> 24) % 2 == 0) first = (marked + count * PROVIDERS - (count - 1) * step) % PROVIDERS;
        panel = new uint256[](count);
        for (uint256 i; i < count; ++i) panel[i] = (first + i * step) % PROVIDERS;
    }

    function _offer(Draft memory draft, uint256 place, uint256 who, uint256 seed) private view {
        Request memory request = draft.request;
        SignedOffer memory offer = draft.offers[place];
        offer.provider = providers[who];
        offer.price = request.priceCeiling / 2 + uint96(seed % (request.priceCeiling / 2 + 1));
        offer.encryptionKey = bytes32(uint256(1));
        offer.roles = 7;
        offer.expiry = uint40(clock + 1);
        _sign(draft, offer, who, (seed >> 100) % 8 == 0);
        if (offer.provider == request.requester) draft.allowed = false;
        if (free[request.token][offer.provider] < request.bond) draft.allowed = false;
    }

    /// @dev A provider on probation, if there is one.
    function _someMarked(uint256 seed) private view returns (bool found, uint256 index) {
        for (uint256 i; i < PROVIDERS; ++i) {
            index = ((seed % PROVIDERS) + i) % PROVIDERS;
            if (onProbation(providers[index])) return (true, index);
        }
        return (false, 0);
    }

    function fillTerms(Draft memory draft, uint8 spares) internal pure {
        Case memory job;
        (job.request, job.offers) = (draft.request, draft.offers);
        fillTerms(job);
        draft.terms = job.terms;
        draft.terms.spares = spares;
    }

    /// @dev By the provider, or by the agent within its limits or beyond. Contracts accept every signature that is nobody's.
    function _sign(Draft memory draft, SignedOffer memory offer, uint256 who, bool byAgent) private view {
        if (!byAgent) {
            if (who < KEYED) offer.signature = signature(keyOf(who), offerDigest(draft.id, offer));
            return;
        }
        offer.signature = signature(AGENT, offerDigest(draft.id, offer));
        if (who >= KEYED) return; // the contract's own word counts beside the agent's
        Limits memory mine = limits[offer.provider][draft.request.token];
        if (!_covers(mine, draft.request)) draft.allowed = false;
        (mine.maxBond, mine.minWindow, mine.validUntil) = market.authorizationOf(
            offer.provider,
            agent,
            draft.request.token
        );
        if (!_covers(mine, draft.request)) draft.beyondLimits = true;
    }

    function _covers(Limits memory found, Request memory request) private view returns (bool) {
        return clock < found.validUntil && request.bond <= found.maxBond && request.commitWindow >= found.minWindow;
    }

    // Committing

    function commitOne(uint256 seed) public {
        seed = _begin(seed);
        (bool found, Live storage job) = _pick(seed);
        if (!found) return openJob(seed);
        _commit(job, (seed >> 8) % (job.places.length + 1), seed >> 16);
        _look(job);
    }

    /// @dev Places of a random set, in order.
    function commitSome(uint256 seed) public {
        seed = _begin(seed);
        (bool found, Live storage job) = _pick(seed);
        if (!found) return openJob(seed);
        for (uint256 place; place < job.places.length; ++place) {
            if ((seed >> (8 + place)) % 8 != 0) _commit(job, place, uint256(keccak256(abi.encode(seed, place))));
        }
        _look(job);
    }

    function _commit(Live storage job, uint256 place, uint256 seed) private {
        History memory history = _history(job);
        address caller = _callerFor(history, place, seed);
        Member memory vote;
        bytes32 commitment = bytes32(uint256(1));
        if (place < history.places.length) commitment = _castVote(job.id, history, vote, place, seed >> 8);
        bool allowed = history.mayCommit(place, clock) && _acts(history, place, caller);
        (JobStatus status_, , ) = market.statusOf(job.id, history.terms);
        bool done = _call(caller, abi.encodeCall(market.commit, (job.id, history.terms, uint8(place), commitment)));
        _expect(Breach.Commit, done, allowed);
        if (!done) return;
        if (status_ != JobStatus.Committing) ++breaches[Breach.CommitAfterReveal];
        _landed(job, place, vote.outcome, vote.resultHash, commitment);
    }

    function _landed(Live storage job, uint256 place, uint8 outcome, bytes32 resultHash, bytes32 commitment) private {
        Course storage course = job.places[place];
        (course.committedAt, course.outcome, course.resultHash) = (uint40(clock), outcome, resultHash);
        job.landed.push(PlacedCommitment({place: uint8(place), commitment: commitment}));
    }

    /// @dev Carries the commitments of two places, signed by provider, agent or nobody.
    function carryCommitments(uint256 seed) public {
        seed = _begin(seed);
        (bool found, Live storage job) = _pick(seed);
        if (!found) return openJob(seed);
        History memory history = _history(job);
        CarriedCommitment[] memory items = new CarriedCommitment[](2);
        bool[2] memory good;
        (JobStatus status_, , ) = market.statusOf(job.id, history.terms);
        for (uint256 i; i < 2; ++i) {
            (items[i], good[i]) = _carried(job, history, uint256(keccak256(abi.encode(seed, i))));
            // The second item meets the panel that the first one leaves.
            if (good[i]) history.places[items[i].place].committedAt = uint40(clock);
        }
        bytes memory data = abi.encodeCall(market.commitBySig, (job.id, history.terms, items));
        _expect(Breach.CarriedCommit, _call(stranger, data), true);
        uint256 now_ = market.jobState(job.id).committed;
        for (uint256 i; i < 2; ++i) {
            uint256 place = items[i].place;
            if (place >= history.places.length) continue;
            Course memory course = history.places[place];
            _expect(Breach.CarriedCommit, (now_ >> place) & 1 != 0, course.committedAt != 0);
            if (!good[i]) continue;
            if (status_ != JobStatus.Committing) ++breaches[Breach.CommitAfterReveal];
            _landed(job, place, 1, ANSWER, items[i].commitment);
        }
        _look(job);
    }

    function _carried(
        Live storage job,
        History memory history,
        uint256 seed
    ) private view returns (CarriedCommitment memory item, bool good) {
        uint256 place = seed % (history.places.length + 1);
        item.place = uint8(place);
        if (place == history.places.length) return (item, false);
        address account = history.terms.places[place].provider;
        item.commitment = _commitmentOf(job.id, account, place, 1, ANSWER);
        uint256 key =
            (seed >> 8) % 4 == 0
                ? AGENT
                : account == providers[0]
                    ? keyOf(0)
                    : keyOf(1);
        item.signature = signedCommitment(key, job.id, account, item.commitment);
        address signer =
            key == AGENT
                ? agent
                : key == keyOf(0)
                    ? providers[0]
                    : providers[1];
        good = history.mayCommit(place, clock) && _mayActFor(signer, account, history.terms.token);
    }

    function declineOne(uint256 seed) public {
        seed = _begin(seed);
        (bool found, Live storage job) = _pick(seed);
        if (!found) return openJob(seed);
        uint256 place = (seed >> 8) % ((seed >> 4) % 4 == 0 ? job.places.length + 1 : 3);
        _decline(job, place, seed >> 16);
        _look(job);
    }

    function _decline(Live storage job, uint256 place, uint256 seed) private {
        History memory history = _history(job);
        address caller = _callerFor(history, place, seed);
        bool allowed = history.mayDecline(place, clock) && _acts(history, place, caller);
        bool done = _call(caller, abi.encodeCall(market.decline, (job.id, history.terms, uint8(place))));
        _expect(Breach.Decline, done, allowed);
        if (done) {
            Terms memory terms = history.terms;
            job.places[place].declinedAt = uint40(clock);
            // Where sets may come, the bond stays until the settlement.
            uint256 bond = terms.flags & 2 == 0 ? terms.bond : 0;
            free[terms.token][terms.places[place].provider] += bond;
            locked[terms.token][terms.places[place].provider] -= bond;
        }
    }

    function promoteSpares(uint256 seed) public {
        seed = _begin(seed);
        (bool found, Live storage job) = _pick(seed);
        if (!found) return openJob(seed);
        _promote(job);
        _look(job);
    }

    function _promote(Live storage job) private {
        History memory history = _history(job);
        bool allowed = history.mayPromote(clock);
        (JobStatus status_, , ) = market.statusOf(job.id, history.terms);
        bool done = _call(stranger, abi.encodeCall(market.promote, (job.id, history.terms)));
        _expect(Breach.Promote, done, allowed);
        if (done) {
            if (status_ != JobStatus.Committing) ++breaches[Breach.PromotionAfterReveal];
            history.promote(clock);
            _store(job, history.places);
        }
    }

    // Revealing and settling

    function revealSome(uint256 seed) public {
        seed = _begin(seed);
        (bool found, Live storage job) = _pick(seed);
        if (!found) return openJob(seed);
        if ((seed >> 32) % 2 == 0) seed &= type(uint32).max; // half of the time: all of them, as they should be
        _reveal(job, seed >> 8);
        _look(job);
    }

    function _reveal(Live storage job, uint256 seed) private {
        History memory history = _history(job);
        PlacedCommitment[] memory landed = job.landed;
        Opening[] memory openings = new Opening[](landed.length);
        bool allowed = history.statusAt(clock) == JobStatus.Revealing;
        for (uint256 i; i < landed.length; ++i) {
            Course memory course = history.places[landed[i].place];
            openings[i] = Opening(landed[i].place, course.outcome, course.resultHash, _salt(job.id, landed[i].place));
            uint256 spoil = (seed >> (24 + 4 * i)) % 16;
            if (spoil == 1) openings[i].salt = 0;
            else if (spoil == 2) openings[i].outcome ^= 1;
            else if (spoil == 3) openings[i].place = uint8(history.places.length);
            else if (spoil == 4 && i != 0) openings[i] = openings[i - 1];
            else course.isOpen = true;
        }
        if ((seed >> 90) % 16 == 1 && landed.length != 0) {
            landed[landed.length - 1].commitment ^= bytes32(uint256(1));
            bytes memory forged = abi.encodeCall(market.reveal, (job.id, history.terms, landed, openings));
            _expect(Breach.OtherCommitments, _call(stranger, forged), false);
            return;
        }
        _prime(job.id, job.terms, spent[job.request]);
        address caller = accounts[(seed >> 96) % accounts.length];
        uint256 before = _wealth(history.terms.token);
        bool done = _call(caller, abi.encodeCall(market.reveal, (job.id, history.terms, landed, openings)));
        _expect(Breach.Reveal, done, allowed);
        if (!done) return;
        if (history.isComplete()) _settle(job, history, caller, before);
        else _store(job, history.places);
    }

    function settleJob(uint256 seed) public {
        seed = _begin(seed);
        (bool found, Live storage job) = _pick(seed);
        if (!found) return openJob(seed);
        _settleOne(job, seed);
    }

    function _settleOne(Live storage job, uint256 seed) private {
        History memory history = _history(job);
        bool allowed = history.statusAt(clock) == JobStatus.Settleable;
        _prime(job.id, job.terms, spent[job.request]);
        address caller = accounts[(seed >> 8) % accounts.length];
        uint256 before = allowed ? _wealth(history.terms.token) : 0;
        // Now and then with little gas: then it settles as it should, or not at all.
        bool isPoor = (seed >> 16) % 4 == 0;
        uint256 gas_ = isPoor ? 100_000 + ((seed >> 24) % 1_500_000) : gasleft();
        bool done = _callWith(caller, abi.encodeCall(market.settle, (job.id, history.terms)), gas_);
        if (done || !isPoor) _expect(Breach.Settle, done, allowed);
        if (done && allowed) _settle(job, history, caller, before);
        else _look(job);
    }

    // Sets

    /// @dev A set, and what the books say about it.
    struct SetDraft {
        Member[] members;
        bytes32[] commitments; // by place
        bytes32[] closed;
        Opening[] openings;
        SetSignature[] signatures;
        bool allowed;
    }

    /// @dev A set of votes. Who committed on chain mostly stands by it.
    function voteBySet(uint256 seed) public {
        seed = _begin(seed);
        (bool found, Live storage job) = _pick(seed);
        if (!found) return openJob(seed);
        History memory history = _history(job);
        if ((seed >> 8) % 8 != 0) _authorizeMembers(history);
        SetDraft memory draft = _draftSet(job, history, seed >> 16);
        draft.allowed = draft.allowed && history.maySet(clock);
        PlacedCommitment[] memory landed = job.landed;
        if ((seed >> 144) % 32 == 0) {
            landed = new PlacedCommitment[](landed.length + 1);
            draft.allowed = false;
        }
        _prime(job.id, job.terms, spent[job.request]);
        address caller = accounts[(seed >> 152) % accounts.length];
        uint256 before = _wealth(history.terms.token);
        bytes memory data = abi.encodeCall(
            market.revealSet,
            (job.id, history.terms, landed, draft.closed, draft.openings, draft.signatures)
        );
        bool done = _call(caller, data);
        _expect(Breach.RevealSet, done, draft.allowed);
        if (done) _setLanded(job, history, draft, caller, before);
        _look(job);
    }

    function _setLanded(
        Live storage job,
        History memory history,
        SetDraft memory draft,
        address caller,
        uint256 before
    ) private {
        if (history.setFrom != 0) ++breaches[Breach.SecondSet];
        if (history.terms.flags & 2 == 0) ++breaches[Breach.SetUnasked];
        if (clock >= history.openedAt + history.terms.commitWindow) ++breaches[Breach.LateSet];
        history.placeSet(draft.members, clock);
        for (uint256 i; i < draft.openings.length; ++i) {
            Course memory course = history.places[draft.openings[i].place];
            if (course.committedAt != 0 && !course.isVoid) course.isOpen = true;
        }
        job.setFrom = history.setFrom;
        _store(job, history.places);
        // From now on the commitments are those that stand, in the order of places.
        delete job.landed;
        for (uint256 place; place < history.places.length; ++place) {
            Course memory course = history.places[place];
            if (course.committedAt == 0 || course.isVoid) continue;
            address account = history.terms.places[place].provider;
            bytes32 commitment = _commitmentOf(job.id, account, place, course.outcome, course.resultHash);
            job.landed.push(PlacedCommitment({place: uint8(place), commitment: commitment}));
        }
        if (history.isComplete()) _settle(job, history, caller, before);
    }

    /// @dev Contracts sign sets through their agent only.
    function _authorizeMembers(History memory history) private {
        address token_ = history.terms.token;
        for (uint256 i; i < history.places.length; ++i) {
            address account = history.terms.places[i].provider;
            if (clock < limits[account][token_].validUntil) continue;
            _authorize(account, token_, Limits({maxBond: 0, minWindow: 0, validUntil: uint40(clock + 2000)}));
        }
    }

    function _draftSet(
        Live storage job,
        History memory history,
        uint256 seed
    ) private view returns (SetDraft memory draft) {
        uint256 count = history.places.length;
        (draft.members, draft.commitments) = (new Member[](count), new bytes32[](count));
        (draft.closed, draft.openings) = (new bytes32[](count), new Opening[](count));
        draft.allowed = true;
        uint256 members;
        uint256 opened_;
        for (uint256 place; place < count; ++place) {
            uint256 part = uint256(keccak256(abi.encode(seed, place)));
            if (!_isMember(history, place, part, draft)) continue;
            ++members;
            draft.commitments[place] = _castVote(job.id, history, draft.members[place], place, part >> 16);
            Member memory member = draft.members[place];
            if ((part >> 128) % 8 == 0) draft.closed[place] = draft.commitments[place];
            else
                draft.openings[opened_++] = Opening(
                    uint8(place),
                    member.outcome,
                    member.resultHash,
                    _salt(job.id, place)
                );
        }
        Opening[] memory openings = draft.openings;
        assembly {
            mstore(openings, opened_)
        }
        draft.signatures = new SetSignature[](members);
        _signSet(job.id, history, draft, seed);
    }

    /// @dev Every seat and some shadows; seldom a seat is missing or a spare takes part.
    function _isMember(
        History memory history,
        uint256 place,
        uint256 seed,
        SetDraft memory draft
    ) private pure returns (bool isIn) {
        if (history.isSeat(place)) isIn = seed % 64 != 0;
        else if (history.isShadow(place)) isIn = seed % 2 == 0;
        else isIn = seed % 64 == 0;
        draft.members[place].isIn = isIn;
        if (history.isSeat(place) != isIn && !history.isShadow(place)) draft.allowed = false;
    }

    /// @dev Who committed on chain mostly stands by it. The salt is that of the place, so equal votes are equal commitments.
    function _castVote(
        bytes32 id,
        History memory history,
        Member memory member,
        uint256 place,
        uint256 seed
    ) private view returns (bytes32 commitment) {
        Course memory course = history.places[place];
        address account = history.terms.places[place].provider;
        (member.outcome, member.resultHash) = _vote(id, account, seed);
        if (course.committedAt != 0) {
            if ((seed >> 32) % 4 != 0) (member.outcome, member.resultHash) = (course.outcome, course.resultHash);
            member.differs = member.outcome != course.outcome || member.resultHash != course.resultHash;
        }
        return _commitmentOf(id, account, place, member.outcome, member.resultHash);
    }

    function _signSet(bytes32 id, History memory history, SetDraft memory draft, uint256 seed) private view {
        bytes32 digest = setDigest(id, draft.commitments);
        SetSignature memory byAgent = setSignature(AGENT, digest);
        uint256 next;
        for (uint256 place; place < draft.members.length; ++place) {
            if (!draft.members[place].isIn) continue;
            address account = history.terms.places[place].provider;
            bool isKeyed = account == providers[0] || account == providers[1];
            address signer = agent;
            if (isKeyed && (seed >> place) % 2 == 0) {
                signer = account;
                draft.signatures[next] = setSignature(account == providers[0] ? keyOf(0) : keyOf(1), digest);
            } else {
                draft.signatures[next] = byAgent;
            }
            if (!_mayHaveSigned(signer, account, history.terms.token, history.openedAt)) draft.allowed = false;
            ++next;
        }
    }

    // Callbacks

    /// @dev From now on callbacks behave, or fail in some way, or call back.
    function setMood(uint256 seed) public {
        seed = _begin(seed);
        mood = CallbackWitness.Mood((seed >> 8) % 2 == 0 ? 0 : (seed >> 16) % 5);
        witness.set(mood, "", "");
    }

    function retryCallback(uint256 seed) public {
        seed = _begin(seed);
        if (settledJobs.length == 0) return openJob(seed);
        Settled storage job = settledJobs[(seed >> 8) % settledJobs.length];
        Request memory request = spent[job.request];
        _prime(job.id, "", request);
        uint256[2] memory before = [_wealth(address(tokens[0])), _wealth(address(tokens[1]))];
        bool isPoor = (seed >> 16) % 4 == 0;
        uint256 gas_ = isPoor ? 50_000 + ((seed >> 24) % 1_200_000) : gasleft();
        bool done = _callWith(stranger, abi.encodeCall(market.retryCallback, (request)), gas_);
        if (done || !isPoor) _expect(Breach.RetryCallback, done, job.isPending && _succeeds(request.callbackGas));
        for (uint256 t; t < 2; ++t) {
            if (_wealth(address(tokens[t])) != before[t]) ++breaches[Breach.CallbackMovedMoney];
        }
        if (!done) return;
        job.isPending = false;
        if (!_hasGas(request.callbackGas)) ++breaches[Breach.CallbackStarved];
    }

    /// @dev A panel that does what it should, up to its votes: commits, and opens where everybody has committed.
    function playJob(uint256 seed) public {
        seed = _begin(seed);
        (bool found, Live storage job) = _pick(seed);
        if (!found) {
            openJob(seed);
            (found, job) = _pick(seed);
            if (!found) return;
        }
        for (uint256 place; place < job.places.length; ++place) {
            uint256 part = uint256(keccak256(abi.encode(seed, place)));
            if (part >> 250 == 0) continue; // late
            if (_history(job).mayCommit(place, clock)) _commit(job, place, part & ~uint256(0xff)); // by itself
        }
        if (_history(job).statusAt(clock) == JobStatus.Revealing) _reveal(job, 0);
        _look(job);
    }

    /// @dev A call that brings something that is not the terms of the job.
    function bringOtherTerms(uint256 seed) public {
        seed = _begin(seed);
        (bool found, Live storage job) = _pick(seed);
        if (!found) return openJob(seed);
        Terms memory terms = abi.decode(job.terms, (Terms));
        uint256 field = (seed >> 8) % 10;
        if (field == 0) terms.requester = stranger;
        if (field == 1) terms.bond += 1;
        if (field == 2) terms.carrierFee += 1;
        if (field == 3) terms.quorum += 1;
        if (field == 4) terms.commitWindow += 1;
        if (field == 5) terms.token = address(tokens[terms.token == address(tokens[0]) ? 1 : 0]);
        if (field == 6) terms.places[0].price += 1;
        if (field == 7) terms.flags ^= 2;
        if (field == 8) terms.callback = stranger;
        if (field == 9) terms.callbackGas += 1;
        bytes memory data;
        uint256 way = (seed >> 16) % 3;
        if (way == 0) data = abi.encodeCall(market.settle, (job.id, terms));
        if (way == 1) data = abi.encodeCall(market.promote, (job.id, terms));
        if (way == 2) data = abi.encodeCall(market.reveal, (job.id, terms, job.landed, new Opening[](0)));
        _expect(Breach.OtherTerms, _call(stranger, data), false);
    }

    // Money

    function withdrawSome(uint256 seed) public {
        seed = _begin(seed);
        (address account, uint256 t) = _accountAndToken(seed);
        address token_ = address(tokens[t]);
        // Seldom all, sometimes more than there is.
        uint256 amount = (seed >> 24) % 16 == 0 ? free[token_][account] : (seed >> 32) % (units[t] / 4);
        if ((seed >> 28) % 16 == 0) amount = free[token_][account] + 1;
        address to = (seed >> 20) % 16 == 0 ? address(market) : stranger;
        bool allowed = amount <= free[token_][account] && to != address(market);
        bool done = _call(account, abi.encodeCall(market.withdraw, (token_, to, uint96(amount))));
        _expect(Breach.Withdraw, done, allowed);
        if (!done) return;
        held[token_] -= amount;
        free[token_][account] -= amount;
    }

    function depositSome(uint256 seed) public {
        seed = _begin(seed);
        (address account, uint256 t) = _accountAndToken(seed);
        uint96 amount = uint96((seed >> 24) % (4 * uint256(units[t])));
        if ((seed >> 20) % 16 == 0) amount = type(uint96).max; // beyond what the market can hold
        _deposit(t, (seed >> 28) % 16 == 0 ? address(market) : account, amount);
    }

    /// @dev Tokens that reach the market without a deposit.
    function feed(uint256 seed) public {
        seed = _begin(seed);
        uint256 amount = seed % 1000;
        tokens[(seed >> 16) % 2].mint(address(market), amount);
        fed[address(tokens[(seed >> 16) % 2])] += amount;
    }

    function claim(uint256 seed) public {
        seed = _begin(seed);
        uint256 who = seed % PROVIDERS;
        // Mostly somebody who has an entry.
        for (uint256 i; i < PROVIDERS && probations[providers[who]].number == 0; ++i) who = (who + 1) % PROVIDERS;
        address account = providers[who];
        address token_ = address(tokens[(seed >> 8) % 2]);
        uint32 last = probations[account].number;
        uint32 number = uint32((seed >> 16) % (uint256(last) + 2));
        uint256 amount = quarantine[account][token_][number];
        bool burns = condemned[account][number];
        bool allowed = amount != 0 && (burns || number != last || !onProbation(account));
        bool done = _call(stranger, abi.encodeCall(market.claimQuarantine, (account, token_, number)));
        _expect(Breach.Claim, done, allowed);
        if (!done) return;
        delete quarantine[account][token_][number];
        if (burns) burnt[token_] += amount;
        else free[token_][account] += amount;
    }

    function authorizeAgent(uint256 seed) public {
        seed = _begin(seed);
        address account = providers[seed % PROVIDERS];
        address token_ = address(tokens[(seed >> 8) % 2]);
        Limits memory mine = Limits({
            maxBond: uint96((seed >> 16) % (3 * uint256(units[(seed >> 8) % 2]))),
            minWindow: uint32((seed >> 112) % 1000),
            validUntil: (seed >> 128) % 4 == 0 ? 0 : uint40(clock + ((seed >> 136) % 2000))
        });
        _authorize(account, token_, mine);
    }

    function _authorize(address account, address token_, Limits memory mine) private {
        _call(
            account,
            abi.encodeCall(market.authorize, (agent, token_, mine.maxBond, mine.minWindow, mine.validUntil))
        );
        // One in force ends now at the earliest; one that has ended keeps its end.
        uint40 before = limits[account][token_].validUntil;
        if (mine.validUntil <= clock) mine.validUntil = before < clock ? before : uint40(clock);
        limits[account][token_] = mine;
    }

    // Time

    /// @dev To a moment that matters to a job, one second before or after it, or just on.
    function passTime(uint256 seed) public {
        seed = _begin(seed);
        uint256 target = clock + ((seed >> 64) % 60);
        (bool found, Live storage job) = _pick(seed);
        uint256 kind = (seed >> 8) % 8;
        if (found && kind < 6) {
            History memory history = _history(job);
            uint256 place = (seed >> 16) % history.places.length;
            if (kind == 0) target = history.windowOf(place) + history.terms.commitWindow / 4;
            if (kind == 1) target = history.deadlineOf(place % history.terms.seats);
            if (kind == 2 || kind == 3) target = history.revealAt();
            if (kind == 4) target = history.revealAt() + history.terms.revealWindow;
            if (kind == 5) target = clock + ((seed >> 64) % 1200);
            target = target + ((seed >> 24) % 3) - 1;
        } else if (kind == 6 && (seed >> 24) % 4 == 0) {
            address account = providers[(seed >> 16) % PROVIDERS];
            target = uint256(probations[account].lastFaultAt) + 180 days + ((seed >> 32) % 3) - 1;
        }
        goTo(target > clock ? target : clock + 1);
        _lookAround();
    }

    /// @dev Goes to an edge of a job, a second before or after it, and does there what the edge is about.
    function actAtAnEdge(uint256 seed) public {
        seed = _begin(seed);
        (bool found, Live storage job) = _pick(seed);
        if (!found) return openJob(seed);
        uint256 place = (seed >> 16) % job.places.length;
        uint256 kind = (seed >> 8) % 5;
        uint256 target = _edge(_history(job), kind, place) + ((seed >> 24) % 3) - 1;
        if (target <= clock) return passTime(seed);
        goTo(target);
        _lookAround();
        if (kind == 0) _decline(job, place, 0);
        if (kind == 1) _commit(job, place, (seed >> 32) << 8);
        if (kind == 2) _promote(job);
        if (kind == 3) _reveal(job, 0);
        if (kind == 4) return _settleOne(job, seed >> 32);
        _look(job);
    }

    function _edge(History memory history, uint256 kind, uint256 place) private pure returns (uint256) {
        if (kind == 0) return history.windowOf(place) + history.terms.commitWindow / 4;
        if (kind == 1) return history.deadlineOf(place);
        return history.revealAt() + (kind == 4 ? history.terms.revealWindow : 0);
    }

    // Choices

    function _pick(uint256 seed) private view returns (bool found, Live storage job) {
        for (uint256 i; i < LIVE; ++i) {
            job = live[((seed % LIVE) + i) % LIVE];
            if (job.id != 0) return (true, job);
        }
        return (false, live[0]);
    }

    /// @dev Mostly the provider of the place, else its agent or a stranger.
    function _callerFor(History memory history, uint256 place, uint256 seed) private view returns (address) {
        if (place >= history.places.length || seed % 16 == 1) return stranger;
        return seed % 8 == 2 ? agent : history.terms.places[place].provider;
    }

    function _acts(History memory history, uint256 place, address caller) private view returns (bool) {
        if (place >= history.places.length) return false;
        return _mayActFor(caller, history.terms.places[place].provider, history.terms.token);
    }

    function _accountAndToken(uint256 seed) private view returns (address account, uint256 t) {
        return (accounts[seed % accounts.length], (seed >> 16) % 2);
    }

    /// @dev Mostly one answer a job, so that majorities come about; one provider is often wrong, so that it comes to its second fault.
    function _vote(bytes32 id, address account, uint256 seed) private view returns (uint8 outcome, bytes32 resultHash) {
        uint256 kind = seed % 32;
        if (kind == 0) return (2, ANSWER);
        if (kind == 1) return (uint8((seed >> 8) % 256), ANSWER);
        if (kind == 2) return (1, 0);
        if (kind == 3) return (3, 0);
        if (kind == 4 || (account == providers[3] && kind < 16)) return (1, OTHER);
        if (uint256(id) % 8 == 0 && kind < 28) return (3, 0);
        return (1, ANSWER);
    }

    function _salt(bytes32 id, uint256 place) private pure returns (bytes32) {
        return keccak256(abi.encode(id, place));
    }

    function _commitmentOf(
        bytes32 id,
        address account,
        uint256 place,
        uint8 outcome,
        bytes32 resultHash
    ) private view returns (bytes32) {
        return commitmentOf(id, account, Opening(uint8(place), outcome, resultHash, _salt(id, place)));
    }
}
