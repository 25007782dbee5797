// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MarketTest} from "./support/MarketTest.sol";
import {SET_VOTES, JobStatus, Opening, Request, SetSignature} from "../../contracts/types/Job.sol";
import {JobState, Phase} from "../../contracts/types/JobState.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";

/// @notice A11 of docs/protocol/lifecycle.md: votes by a set that every seat signed.
contract SetVotesTest is MarketTest {
    function earned(uint256 index) private view returns (int256) {
        return int256(uint256(freeOf(provider(index)))) - int256(uint256(FUNDS));
    }

    function attempt(Case memory job, bytes32[] memory closed, SetSignature[] memory signatures) private {
        market.revealSet(job.id, job.terms, placed[job.id], closed, new Opening[](0), signatures);
    }

    function test_SetWithAllOpeningsSettlesAtOnce() public {
        Case memory job = openedForSets(3, 2, 0, 0);
        revealSet(job, setOf(job, list(0, 1, 2), ANSWER), list(0, 1, 2));
        sameStatus(status(job), JobStatus.Accepted, "settled in the second transaction");
        for (uint256 i; i < 3; ++i) {
            check(earned(i) == int256(uint256(PRICE + uint96(i))), "paid its price");
            same(lockedOf(provider(i)), 0, "bond returned");
            same(market.standingOf(provider(i)).aligned, 1, "aligned");
        }
        same(freeOf(carrier), FEE, "carrier fee");
        check(market.verifyResult(job.id, bytes32(0), "") == false, "another result is refused");
        same(market.commitmentChainOf(job.id, keccak256(abi.encode(job.terms))), 0, "no chain stays");
    }

    function test_ClosedMembersOpenWhileRevealing() public {
        Case memory job = openedForSets(3, 2, 0, 0);
        revealSet(job, setOf(job, list(0, 1, 2), ANSWER), list(0));
        sameStatus(status(job), JobStatus.Revealing, "revealing from the set on");
        same(revealAt(job), clock, "R is the time of the set");
        JobState memory state = market.jobState(job.id);
        check(state.bySet && state.committed == 7 && state.opened == 1, "facts");
        reveal(job, list(1, 2));
        sameStatus(status(job), JobStatus.Accepted, "the last opening settles");
    }

    function test_MemberThatNeverOpensIsLate() public {
        Case memory job = openedForSets(3, 2, 0, 0);
        revealSet(job, setOf(job, list(0, 1, 2), ANSWER), list(0, 1));
        skip(REVEAL);
        settle(job);
        sameStatus(status(job), JobStatus.Accepted, "two of three are enough");
        same(market.standingOf(provider(2)).late, 1, "late");
        check(earned(2) == -int256(uint256(BOND)), "its bond is gone");
        same(market.burnt(address(token)), BOND, "burnt");
    }

    function test_EquivocatorHasNoVoteAndIsLate() public {
        Case memory job = openedForSets(3, 2, 0, 0);
        bytes32[] memory set = setOf(job, list(0, 1, 2), ANSWER);
        commit(job, 2, 1, OTHER);
        revealSet(job, set, list(0, 1));
        sameStatus(status(job), JobStatus.Revealing, "the equivocator stays bound");
        Opening[] memory openings = new Opening[](1);
        openings[0] = votes[job.id][2];
        placed[job.id].pop();
        market.reveal(job.id, job.terms, placed[job.id], openings);
        same(market.jobState(job.id).opened, 3, "it can open neither commitment");
        skip(REVEAL);
        settle(job);
        same(market.standingOf(provider(2)).late, 1, "late");
        check(earned(2) == -int256(uint256(BOND)), "its bond is gone");
        check(earned(0) == int256(uint256(PRICE)), "the others are paid");
    }

    function test_ShadowThatEquivocatesIsLateToo() public {
        Case memory job = openedForSets(2, 2, 0, 1);
        bytes32[] memory set = setOf(job, list(0, 1, 2), ANSWER);
        commit(job, 2, 1, OTHER);
        revealSet(job, set, list(0, 1));
        skip(REVEAL);
        settle(job);
        same(market.standingOf(provider(2)).late, 1, "late");
        check(earned(2) == -int256(uint256(BOND)), "its bond is gone");
    }

    function test_SameCommitmentOnChainIsNoEquivocation() public {
        Case memory job = openedForSets(3, 2, 0, 0);
        commit(job, 1, 1, ANSWER);
        bytes32[] memory set = setOf(job, list(0, 1, 2), ANSWER);
        revealSet(job, set, list(0, 1, 2));
        sameStatus(status(job), JobStatus.Accepted, "settled");
        same(market.standingOf(provider(1)).aligned, 1, "aligned");
    }

    function test_MemberThatDeclinedIsLate() public {
        Case memory job = openedForSets(3, 2, 1, 0);
        bytes32[] memory set = setOf(job, list(0, 1, 2), ANSWER);
        decline(job, 2);
        same(lockedOf(provider(2)), BOND, "the bond waits for the settlement");
        promote(job);
        revealSet(job, set, list(0, 1, 2));
        sameStatus(status(job), JobStatus.Revealing, "it stays bound, and its opening counts nothing");
        skip(REVEAL);
        settle(job);
        sameStatus(status(job), JobStatus.Accepted, "two votes of three are a quorum");
        same(market.standingOf(provider(2)).late, 1, "late");
        same(market.standingOf(provider(2)).declined, 0, "not declined");
        check(earned(2) == -int256(uint256(BOND)), "its bond is gone");
        check(earned(3) == int256(((uint256(PRICE) + 3) * 250) / 10_000), "the spare is on standby again");
        same(market.standingOf(provider(3)).late, 0, "and not late");
    }

    function test_DeclineWithoutASetCostsNothing() public {
        Case memory job = openedForSets(2, 2, 1, 0);
        decline(job, 1);
        promote(job);
        commit(job, 0, 1, ANSWER);
        commit(job, 2, 1, ANSWER);
        revealAll(job);
        sameStatus(status(job), JobStatus.Accepted, "the spare took the seat");
        check(earned(1) == 0 && lockedOf(provider(1)) == 0, "the bond is free");
        same(market.standingOf(provider(1)).declined, 1, "declined");
    }

    function test_PromotedSpareThatCommittedReturnsToStandby() public {
        Case memory job = openedForSets(2, 2, 1, 0);
        bytes32[] memory set = setOf(job, list(0, 1), ANSWER);
        decline(job, 1);
        promote(job);
        commit(job, 2, 1, ANSWER);
        commit(job, 0, 1, ANSWER);
        // Everybody has committed, and the spare has opened.
        reveal(job, list(2));
        uint256 since = revealAt(job);
        skip(10);
        revealSet(job, set, list(0));
        same(revealAt(job), since, "R stays, though the set came later");
        skip(REVEAL);
        settle(job);
        sameStatus(status(job), JobStatus.Inconclusive, "one vote of two is no quorum");
        check(earned(2) == int256(((uint256(PRICE) + 2) * 250) / 10_000), "standby fee");
        same(market.standingOf(provider(2)).aligned, 0, "its vote counts no more");
    }

    function test_OnlyShadowsThatAreMembersVote() public {
        Case memory job = openedForSets(2, 2, 0, 3);
        commit(job, 3, 1, ANSWER);
        revealSet(job, setOf(job, list(0, 1, 2), ANSWER), list(0, 1, 2));
        sameStatus(status(job), JobStatus.Accepted, "nobody waits for a shadow that may have copied");
        same(market.standingOf(provider(2)).aligned, 1, "the member is aligned");
        for (uint256 i = 3; i < 5; ++i) {
            check(earned(i) == 0 && lockedOf(provider(i)) == 0, "released");
            same(market.standingOf(provider(i)).aligned, 0, "without a mark");
        }
    }

    function test_SetWhileRevealingKeepsROfBefore() public {
        Case memory job = openedForSets(2, 2, 0, 0);
        bytes32[] memory set = setOf(job, list(0, 1), ANSWER);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, OTHER);
        uint40 before = revealAt(job);
        reveal(job, list(1));
        skip(5);
        votes[job.id][1].resultHash = ANSWER;
        revealSet(job, set, list(0));
        same(revealAt(job), before, "R did not move");
        same(market.jobState(job.id).opened, 1, "the void opening is gone");
    }

    function test_NothingCommitsDeclinesOrIsPromotedAfterASet() public {
        Case memory job = openedForSets(2, 2, 1, 1);
        bytes32[] memory set = setOf(job, list(0, 1), ANSWER);
        commit(job, 0, 1, OTHER);
        revealSet(job, set, list(1));
        for (uint8 place; place < 4; ++place) {
            vm.prank(provider(place));
            vm.expectPartialRevert(IJobMarket.CommitmentRefused.selector);
            market.commit(job.id, job.terms, place, ANSWER);
        }
        for (uint8 place; place < 2; ++place) {
            vm.prank(provider(place));
            vm.expectRevert(abi.encodeWithSelector(IJobMarket.AlreadyCommitted.selector, job.id, place));
            market.decline(job.id, job.terms, place);
        }
        vm.expectPartialRevert(IJobMarket.WrongStatus.selector);
        market.promote(job.id, job.terms);
    }

    function test_SetIsRefused() public {
        Case memory job = openedForSets(3, 2, 1, 0);
        bytes32[] memory set = setOf(job, list(0, 1, 2), ANSWER);
        SetSignature[] memory signatures = setSignatures(job, set);

        // a seat is missing
        bytes32[] memory bad = setOf(job, list(0, 2), ANSWER);
        SetSignature[] memory others = setSignatures(job, bad);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.BadSet.selector, job.id, 1));
        attempt(job, bad, others);
        // a spare is a member
        bad = setOf(job, list(0, 1, 2), ANSWER);
        bad[3] = ANSWER;
        others = setSignatures(job, bad);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.BadSet.selector, job.id, 3));
        attempt(job, bad, others);
        // more commitments than places
        bad = new bytes32[](5);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.BadSet.selector, job.id, 4));
        attempt(job, bad, signatures);
        // a place is closed and open
        Opening[] memory openings = new Opening[](1);
        openings[0] = votes[job.id][0];
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.BadSet.selector, job.id, 0));
        market.revealSet(job.id, job.terms, placed[job.id], set, openings, signatures);
        // no such place
        openings[0].place = 4;
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.BadSet.selector, job.id, 4));
        market.revealSet(job.id, job.terms, placed[job.id], set, openings, signatures);
        // a signature is missing, or another's, or over another set
        bytes32 digest = setDigest(job.id, set);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.SetNotSigned.selector, job.id, 0, digest));
        attempt(job, set, new SetSignature[](0));
        signatures[2] = setSignature(keyOf(1), digest);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.SetNotSigned.selector, job.id, 2, digest));
        attempt(job, set, signatures);
        set[2] = OTHER;
        digest = setDigest(job.id, set);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.SetNotSigned.selector, job.id, 0, digest));
        attempt(job, set, signatures);
    }

    function test_SetHasItsTime() public {
        Case memory job = openedForSets(2, 2, 0, 0);
        bytes32[] memory set = setOf(job, list(0, 1), ANSWER);
        SetSignature[] memory signatures = setSignatures(job, set);
        uint40 deadline = uint40(START + WINDOW);
        goTo(deadline);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.SetTooLate.selector, job.id, deadline));
        attempt(job, set, signatures);
        goTo(deadline - 1);
        attempt(job, set, signatures);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.SetAlreadyPlaced.selector, job.id));
        attempt(job, set, signatures);
    }

    function test_SetNeedsTheFlagAndAnOpenJobBeforeItsEnd() public {
        Case memory job = opened(2, 2, 0, 0);
        bytes32[] memory set = setOf(job, list(0, 1), ANSWER);
        SetSignature[] memory signatures = setSignatures(job, set);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.SetNotAllowed.selector, job.id));
        attempt(job, set, signatures);

        Request memory request = requestFor(2, 2, 0, 0);
        (request.flags, request.revealWindow) = (SET_VOTES, 300);
        job = caseOf(request);
        open(job);
        set = setOf(job, list(0, 1), ANSWER);
        signatures = setSignatures(job, set);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        skip(300);
        vm.expectRevert(
            abi.encodeWithSelector(IJobMarket.WrongStatus.selector, job.id, JobStatus.Settleable, JobStatus.Revealing)
        );
        attempt(job, set, signatures);
        settle(job);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobNotOpen.selector, job.id, Phase.Inconclusive));
        attempt(job, set, signatures);
    }

    function test_AgentInForceSignsForItsProvider() public {
        Case memory job = openedForSets(2, 2, 0, 0);
        bytes32[] memory set = setOf(job, list(0, 1), ANSWER);
        SetSignature[] memory signatures = setSignatures(job, set);
        bytes32 digest = setDigest(job.id, set);
        signatures[1] = setSignature(0xA6E27, digest);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.SetNotSigned.selector, job.id, 1, digest));
        attempt(job, set, signatures);
        vm.prank(provider(1));
        market.authorize(vm.addr(0xA6E27), address(token), 0, 0, uint40(clock + 1));
        attempt(job, set, signatures);
        check(market.jobState(job.id).bySet, "placed");
    }

    function test_RevokingAnAgentDoesNotTakeItsSignatureBack() public {
        address agent = vm.addr(0xA6E27);
        vm.prank(provider(1));
        market.authorize(agent, address(token), BOND, 0, uint40(clock + 10));
        Case memory job = openedForSets(2, 2, 0, 0);
        bytes32[] memory set = setOf(job, list(0, 1), ANSWER);
        SetSignature[] memory signatures = setSignatures(job, set);
        signatures[1] = setSignature(0xA6E27, setDigest(job.id, set));
        skip(1);
        vm.prank(provider(1));
        market.authorize(agent, address(token), 0, 0, 0);
        (, , uint40 validUntil) = market.authorizationOf(provider(1), agent, address(token));
        same(validUntil, clock, "it ended now, not before");
        skip(1);
        vm.prank(agent);
        vm.expectPartialRevert(IJobMarket.NotProvider.selector);
        market.commit(job.id, job.terms, 1, ANSWER);
        attempt(job, set, signatures);
        check(market.jobState(job.id).bySet, "placed");
    }

    function test_AgentThatEndedBeforeTheJobSignsNoSet() public {
        address agent = vm.addr(0xA6E27);
        vm.prank(provider(1));
        market.authorize(agent, address(token), 0, 0, uint40(clock + 5));
        skip(5);
        Case memory job = openedForSets(2, 2, 0, 0);
        bytes32[] memory set = setOf(job, list(0, 1), ANSWER);
        SetSignature[] memory signatures = setSignatures(job, set);
        bytes32 digest = setDigest(job.id, set);
        signatures[1] = setSignature(0xA6E27, digest);
        skip(5);
        // To revoke what has ended does not move its end, however the call says it.
        uint40[3] memory ends = [0, uint40(clock - 1), uint40(clock)];
        for (uint256 i; i < ends.length; ++i) {
            vm.prank(provider(1));
            market.authorize(agent, address(token), 0, 0, ends[i]);
            (, , uint40 validUntil) = market.authorizationOf(provider(1), agent, address(token));
            same(validUntil, START + 5, "its end");
        }
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.SetNotSigned.selector, job.id, 1, digest));
        attempt(job, set, signatures);
    }

    function test_CommitmentSetPlacedTellsWhatStands() public {
        Case memory job = openedForSets(3, 2, 0, 0);
        bytes32[] memory set = setOf(job, list(0, 1, 2), ANSWER);
        SetSignature[] memory signatures = setSignatures(job, set);
        commit(job, 1, 1, OTHER);
        bytes32[] memory stands = new bytes32[](3);
        (stands[0], stands[2]) = (set[0], set[2]);
        vm.expectEmit(true, true, true, true, address(market));
        emit IJobMarket.CommitmentSetPlaced(job.id, stands, 2);
        attempt(job, set, signatures);
        bytes32 chain = keccak256(abi.encode(keccak256(abi.encode(job.id, 0, set[0])), 2, set[2]));
        same(
            market.commitmentChainOf(job.id, keccak256(abi.encode(job.terms))),
            chain,
            "the set in the order of places"
        );
    }
}
