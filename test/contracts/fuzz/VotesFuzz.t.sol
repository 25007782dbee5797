// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    CarriedCommitment,
    JobStatus,
    Opening,
    PlacedCommitment,
    Request,
    SetSignature,
    Terms
} from "../../../contracts/types/Job.sol";
import {JobState, Promotion} from "../../../contracts/types/JobState.sol";
import {Course, Ending, History, JobModel} from "../invariants/JobModel.sol";
import {MoodyCallback} from "../support/Callbacks.sol";
import {MarketTest} from "../support/MarketTest.sol";

/// @notice A job that is open already, and any input to what can be done with it. Rows A3 to A8, A11, A12.
contract VotesFuzzTest is MarketTest {
    using JobModel for History;

    Case private job; // three seats, a spare, a shadow
    Case private done; // two seats that have committed
    Case private bySet; // two seats that may vote by a set
    Case private told; // two seats that have committed, and a callback
    MoodyCallback private callback;

    function setUp() public override {
        super.setUp();
        keep(job, requestFor(3, 2, 1, 1));
        keep(done, requestFor(2, 2, 0, 0));
        commit(done, 0, 1, ANSWER);
        commit(done, 1, 1, ANSWER);
        Request memory request = requestFor(2, 2, 0, 0);
        request.flags = 2;
        keep(bySet, request);
        callback = new MoodyCallback();
        request = requestFor(2, 2, 0, 0);
        (request.callback, request.callbackGas) = (address(callback), 300_000);
        keep(told, request);
        commit(told, 0, 1, ANSWER);
        commit(told, 1, 1, ANSWER);
    }

    /// @dev Opens a job and keeps it in storage, field by field, as the older code generator wants it.
    function keep(Case storage slot, Request memory request) private {
        Case memory fresh = caseOf(request);
        open(fresh);
        (slot.request, slot.id) = (request, fresh.id);
        Terms memory t = fresh.terms;
        Terms storage s = slot.terms;
        (s.requester, s.token, s.bond, s.carrierFee) = (t.requester, t.token, t.bond, t.carrierFee);
        (s.seats, s.quorum, s.spares) = (t.seats, t.quorum, t.spares);
        (s.calloutBps, s.standbyBps) = (t.calloutBps, t.standbyBps);
        (s.commitWindow, s.revealWindow) = (t.commitWindow, t.revealWindow);
        (s.flags, s.callback, s.callbackGas) = (t.flags, t.callback, t.callbackGas);
        for (uint256 i; i < t.places.length; ++i) s.places.push(t.places[i]);
    }

    /// @dev A job as the model sees it while nothing has happened.
    function untouched(Case memory found) private pure returns (History memory history) {
        (history.terms, history.openedAt) = (found.terms, START);
        history.places = new Course[](found.terms.places.length);
    }

    function testFuzz_CommitmentsComeInTime(uint256 place, uint256 later, bytes32 commitment, uint256 caller) public {
        Case memory found = job;
        place %= 6;
        goTo(START + (later % (2 * WINDOW)));
        address account =
            caller % 4 == 0
                ? provider(caller % 8)
                : place < 5
                    ? provider(place)
                    : carrier;
        History memory history = untouched(found);
        bool allowed = commitment != 0 && history.mayCommit(place, clock) && account == provider(place);
        vm.prank(account);
        try market.commit(found.id, found.terms, uint8(place), commitment) {
            check(allowed, "refused");
            bytes32 chain = keccak256(abi.encode(found.id, place, commitment));
            same(market.commitmentChainOf(found.id, keccak256(abi.encode(found.terms))), chain, "chain");
            same(market.jobState(found.id).committed, 1 << place, "committed");
        } catch {
            check(!allowed, "accepted");
            same(market.jobState(found.id).committed, 0, "nothing committed");
        }
    }

    function testFuzz_CarriedCommitmentsNeedTheirSigner(
        uint256 key,
        uint256 place,
        bytes32 commitment,
        uint256 spoil
    ) public {
        Case memory found = job;
        place %= 3;
        key = key % 2 == 0 ? keyOf(place) : bound(key, 1, type(uint128).max);
        CarriedCommitment[] memory items = new CarriedCommitment[](1);
        items[0].place = uint8(place);
        items[0].commitment = commitment;
        items[0].signature = signedCommitment(key, found.id, provider(place), commitment);
        if (spoil % 4 == 0) items[0].signature[(spoil >> 8) % 65] ^= bytes1(uint8(1 << ((spoil >> 16) % 8)));
        market.commitBySig(found.id, found.terms, items);
        bool good = commitment != 0 && spoil % 4 != 0 && vm.addr(key) == provider(place);
        same(market.jobState(found.id).committed, good ? 1 << place : 0, "committed if it signed");
    }

    function testFuzz_DeclinesComeInTheFirstQuarter(uint256 place, uint256 later, uint256 caller) public {
        Case memory found = job;
        place %= 6;
        goTo(START + (later % WINDOW));
        address account =
            caller % 4 == 0
                ? provider(caller % 8)
                : place < 5
                    ? provider(place)
                    : carrier;
        bool allowed = untouched(found).mayDecline(place, clock) && account == provider(place);
        uint96 before = freeOf(provider(place));
        vm.prank(account);
        try market.decline(found.id, found.terms, uint8(place)) {
            check(allowed, "refused");
            same(market.jobState(found.id).declined, 1 << place, "declined");
            same(freeOf(provider(place)), before + BOND, "the bond is free at once");
        } catch {
            check(!allowed, "accepted");
        }
    }

    function testFuzz_SparesTakeTheLowestVacantSeat(uint8 declines, uint8 commits, uint256 later) public {
        Case memory found = job;
        History memory history = untouched(found);
        for (uint8 place; place < 4; ++place) {
            if ((declines >> place) & 1 != 0) {
                decline(found, place);
                history.places[place].declinedAt = START;
            } else if (place < 3 && (commits >> place) & 1 != 0) {
                commit(found, place, 1, ANSWER);
                history.places[place].committedAt = START;
            }
        }
        goTo(START + (later % (2 * WINDOW)));
        bool allowed = history.mayPromote(clock);
        try market.promote(found.id, found.terms) {
            check(allowed, "refused");
            history.promote(clock);
            Promotion memory promotion = market.promotionOf(found.id, 3);
            same(promotion.seat, history.places[3].seat, "seat");
            same(promotion.promotedAt, history.places[3].promotedAt, "time");
        } catch {
            check(!allowed, "accepted");
            same(market.promotionOf(found.id, 3).promotedAt, 0, "no promotion");
        }
        (JobStatus status_, uint40 start, ) = market.statusOf(found.id, found.terms);
        sameStatus(status_, history.statusAt(clock), "status");
        same(start, history.revealAt(), "R");
    }

    function testFuzz_OnlyTheCommittedOpens(uint256 field, uint256 change, uint256 place) public {
        Case memory found = done;
        place %= 2;
        Opening[] memory openings = new Opening[](1);
        openings[0] = votes[found.id][uint8(place)];
        field %= 5;
        if (change != 0) {
            if (field == 0) openings[0].outcome ^= uint8(1 << (change % 8));
            if (field == 1) openings[0].resultHash ^= bytes32(change);
            if (field == 2) openings[0].salt ^= bytes32(change);
            if (field == 3) openings[0].place ^= uint8(1 << (change % 8));
        }
        bool good = change == 0 || field == 4;
        market.reveal(found.id, found.terms, placed[found.id], openings);
        same(market.jobState(found.id).opened, good ? 1 << place : 0, "opened if it was committed");
    }

    function testFuzz_SettlingWaitsForItsTime(uint256 later, address caller) public {
        Case memory found = done;
        later %= 3 * uint256(REVEAL);
        goTo(START + later);
        uint96 before = freeOf(caller);
        vm.prank(caller);
        try market.settle(found.id, found.terms) {
            check(later >= REVEAL, "refused before the end of revealing");
            (JobStatus status_, uint8 outcome, ) = market.resultOf(found.id);
            sameStatus(status_, JobStatus.Inconclusive, "nobody opened");
            same(outcome, 0, "no outcome");
            if (caller != requester && caller != provider(0) && caller != provider(1)) {
                same(freeOf(caller), before + FEE, "the carrier fee is the caller's");
            }
        } catch {
            check(later < REVEAL, "accepted from then on");
            sameStatus(status(found), JobStatus.Revealing, "revealing until then");
        }
    }

    function testFuzz_OtherTermsAreRefused(uint256 field, uint256 change, uint256 way) public {
        Case memory found = job;
        bytes memory words = abi.encode(found.terms);
        field = 1 + (field % 14); // after the offset: the fields up to the places
        change %= 8;
        assembly {
            let word := add(words, add(0x20, mul(field, 0x20)))
            mstore(word, xor(mload(word), shl(change, 1)))
        }
        Terms memory other = abi.decode(words, (Terms));
        way %= 4;
        vm.expectRevert();
        if (way == 0) market.statusOf(found.id, other);
        if (way == 1) market.promote(found.id, other);
        if (way == 2) market.settle(found.id, other);
        if (way == 3) market.commitBySig(found.id, other, new CarriedCommitment[](0));
    }

    /// @dev Any votes of three seats and a shadow: verdicts and money are those of rows M1 to M12.
    function testFuzz_AnyVotesEndByThePage(uint256 seed, uint256 caller) public {
        Case memory found = job;
        History memory history = untouched(found);
        uint8[4] memory places = [4, 0, 1, 2]; // the shadow first: revealing begins with the last seat
        bool[4] memory commits;
        for (uint256 i; i < 4; ++i) {
            Course memory course = history.places[places[i]];
            commits[i] = (seed >> i) % 8 != 0;
            if (!commits[i]) continue;
            (course.outcome, course.resultHash) = voteOf((seed >> (16 + 16 * i)) % 8);
            course.committedAt = START;
            course.isOpen = (seed >> (96 + i)) % 4 != 0;
            commit(found, places[i], course.outcome, course.resultHash);
        }
        uint256 start = history.revealAt();
        goTo(start);
        Opening[] memory openings = new Opening[](4);
        for (uint256 i; i < 4; ++i) {
            openings[i].place = 99;
            if (history.places[places[i]].isOpen) openings[i] = votes[found.id][places[i]];
        }
        market.reveal(found.id, found.terms, placed[found.id], openings);
        address settler = caller % 2 == 0 ? carrier : provider(12);
        if (!history.isComplete()) {
            goTo(start + REVEAL);
            vm.prank(settler);
            market.settle(found.id, found.terms);
        }
        sameEnding(found, history.endingOf());
    }

    function voteOf(uint256 kind) private pure returns (uint8 outcome, bytes32 resultHash) {
        if (kind < 4) return (1, ANSWER);
        if (kind == 4) return (1, OTHER);
        if (kind == 5) return (2, ANSWER);
        return kind == 6 ? (3, bytes32(0)) : (4, ANSWER);
    }

    function sameEnding(Case memory found, Ending memory ending) private view {
        JobState memory state = market.jobState(found.id);
        same(uint256(state.phase), ending.accepted ? 2 : 3, "phase");
        same(state.outcome, ending.outcome, "outcome");
        same(state.agreeing, ending.agreeing, "agreeing");
        uint256 late;
        for (uint256 i; i < 5; ++i) {
            // The same providers sit in the other jobs of this test, each with its bond.
            uint256 others = 3 * uint256(BOND);
            if (i >= 2) others = 0;
            uint256 bond = ending.quarantined[i] || ending.burnt[i] ? 0 : BOND;
            same(uint256(freeOf(provider(i))) + others + BOND, FUNDS + ending.paid[i] + bond, "free");
            if (ending.burnt[i]) late += BOND;
            (uint96 held, ) = market.quarantineOf(provider(i), address(token), 1);
            same(held, ending.quarantined[i] ? BOND : 0, "quarantine");
            same(market.onProbation(provider(i)) ? 1 : 0, ending.quarantined[i] ? 1 : 0, "probation");
            same(market.standingOf(provider(i)).faults, ending.quarantined[i] ? 1 : 0, "faults");
        }
        same(market.burnt(address(token)), late, "burnt");
    }

    function testFuzz_QuarantineFollowsTheClock(uint256 later) public {
        Case memory found = job;
        for (uint8 place; place < 3; ++place) commit(found, place, 1, place == 2 ? OTHER : ANSWER);
        revealAll(found);
        later = later % 2 == 0 ? later % 400 days : 180 days + ((later / 2) % 5) - 2;
        goTo(START + later);
        bool over = later >= 180 days;
        same(market.onProbation(provider(2)) ? 1 : 0, over ? 0 : 1, "on probation");
        uint96 before = freeOf(provider(2));
        vm.prank(carrier);
        try market.claimQuarantine(provider(2), address(token), 1) {
            check(over, "held while it lasts");
            same(freeOf(provider(2)), before + BOND, "returned");
        } catch {
            check(!over, "returned from then on");
        }
        vm.expectRevert();
        market.claimQuarantine(provider(2), address(token), uint32(2 + (later % type(uint16).max)));
    }

    function testFuzz_ResultsAreVerifiedByTheByte(
        bytes32 key,
        bytes memory result,
        bytes32 otherKey,
        uint256 change
    ) public {
        Case memory found = job;
        bytes32 hash = keccak256(bytes.concat(key, result));
        for (uint8 place; place < 3; ++place) commit(found, place, 1, hash);
        revealAll(found);
        check(market.verifyResult(found.id, key, result), "the result");
        if (otherKey != key) check(!market.verifyResult(found.id, otherKey, result), "another key");
        bytes memory other = bytes.concat(result, bytes1(uint8(change)));
        check(!market.verifyResult(found.id, key, other), "a longer result");
        if (result.length == 0) return;
        result[change % result.length] ^= 0x01;
        check(!market.verifyResult(found.id, key, result), "another result");
    }

    function testFuzz_SetsNeedEverySignature(uint256 way, uint256 change, uint256 later) public {
        Case memory found = bySet;
        bytes32[] memory set = setOf(found, list(0, 1), ANSWER);
        SetSignature[] memory signatures = setSignatures(found, set);
        goTo(START + (later % (2 * WINDOW)));
        bool good = clock < START + WINDOW;
        way %= 8;
        Opening[] memory openings = new Opening[](2);
        (openings[0], openings[1]) = (votes[found.id][0], votes[found.id][1]);
        if (way == 0) signatures[change % 2].r ^= bytes32(1 + (change >> 1));
        if (way == 1) signatures[change % 2].vs ^= bytes32(uint256(1) << (change % 256));
        if (way == 2) (signatures[0], signatures[1]) = (signatures[1], signatures[0]);
        if (way == 3) openings[change % 2].salt ^= bytes32(1 + (change >> 1));
        if (way == 4) signatures[change % 2] = setSignature(keyOf(2 + (change % 8)), setDigest(found.id, set));
        if (way < 5) good = false;
        try market.revealSet(found.id, found.terms, new PlacedCommitment[](0), new bytes32[](0), openings, signatures) {
            check(good, "refused");
            sameStatus(status(found), JobStatus.Accepted, "settled at once");
        } catch {
            check(!good, "accepted");
            check(uint256(status(found)) < uint256(JobStatus.Accepted), "still open");
        }
    }

    function testFuzz_CallbacksGetWhatTheyWerePromised(uint256 gas_, uint256 mood, bool again) public {
        Case memory found = told;
        mood %= 4;
        callback.set(MoodyCallback.Mood(mood));
        goTo(START + REVEAL);
        gas_ = 100_000 + (gas_ % 900_000);
        (bool settled, ) = address(market).call{gas: gas_}(abi.encodeCall(market.settle, (found.id, found.terms)));
        if (!settled) return same(callback.calls(), 0, "nothing was called");
        bool fine = mood == 0;
        same(callback.calls(), fine ? 1 : 0, "called with success");
        same(market.jobState(found.id).callbackPending ? 1 : 0, fine ? 0 : 1, "pending if it failed");
        if (again) callback.set(MoodyCallback.Mood.Fine);
        bool retries = !fine && again;
        try market.retryCallback(found.request) {
            check(retries, "nothing to retry, or a failure again");
        } catch {
            check(!retries, "a retry that can succeed");
        }
        same(callback.calls(), fine || retries ? 1 : 0, "told once");
        same(market.jobState(found.id).callbackPending ? 1 : 0, fine || retries ? 0 : 1, "pending until then");
    }
}
