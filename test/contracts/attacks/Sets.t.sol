// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AttackTest} from "../support/AttackTest.sol";
import {BlocklistToken} from "../support/WeirdTokens.sol";
import {IJobMarket} from "../../../contracts/interfaces/IJobMarket.sol";
import {CommitmentFault, JobStatus, Opening, OpeningFault, SetSignature} from "../../../contracts/types/Job.sol";
import {JobState} from "../../../contracts/types/JobState.sol";
import {TestToken} from "../tokens/TestToken.sol";

/// @notice Attacks on votes by a set that all seats signed. Openings are public before the set lands: whoever signed it, or might
/// commit beside it, knows the answer of the others.
contract SetsAttacks is AttackTest {
    /// @dev The set of three seats of which the last one guessed.
    function guessedSet(Case memory job) private returns (bytes32[] memory set) {
        set = setOf(job, list(0, 1), ANSWER);
        set[2] = voteFor(job, 2, 1, OTHER);
    }

    /// @dev Brings a set by anybody, with signatures as they are given.
    function bring(
        Case memory job,
        bytes32[] memory closed,
        uint8[] memory opened_,
        SetSignature[] memory signatures
    ) private {
        Opening[] memory openings = openingsOf(job, opened_);
        vm.prank(attacker);
        market.revealSet(job.id, job.terms, placed[job.id], closed, openings, signatures);
    }

    function without(bytes32[] memory set, uint8[] memory places) private pure returns (bytes32[] memory rest) {
        rest = new bytes32[](set.length);
        for (uint256 i; i < set.length; ++i) rest[i] = set[i];
        for (uint256 i; i < places.length; ++i) rest[places[i]] = 0;
    }

    /// Attack: A seat signs the set with a guess, reads the openings of the others, and commits to what they say on chain.
    /// Market: Two commitments of one member are none: it can open neither, and its bond is burnt.
    function test_attack_SetEquivocation() public {
        Case memory job = openedForSets(3, 2, 0, 0);
        bytes32[] memory set = guessedSet(job);
        Opening memory guess = votes[job.id][2];
        commit(job, 2, 1, ANSWER);
        bytes32[] memory closed = without(set, list(0, 1));
        bring(job, closed, list(0, 1), setSignatures(job, set));
        same(market.jobState(job.id).opened, 3, "the others are open");
        delete placed[job.id];
        note(job, 0, set[0]);
        note(job, 1, set[1]);
        for (uint256 i; i < 2; ++i) {
            vm.expectEmit(true, true, true, true, address(market));
            emit IJobMarket.OpeningSkipped(job.id, 2, OpeningFault.NotCommitted);
            openVote(job, i == 0 ? guess : votes[job.id][2]);
        }
        skip(REVEAL);
        settle(job);
        same(wealth(provider(2)), FUNDS - BOND, "its bond is burnt");
        same(market.standingOf(provider(2)).late, 1, "it is late");
        same(wealth(provider(0)), FUNDS + PRICE, "the others are paid");
    }

    /// Attack: A member signs the set, and declines when the openings of the others show that its guess was wrong.
    /// Market: A signature on a set binds: there is no way back that costs nothing.
    function test_attack_DeclineAfterSigningTheSet() public {
        Case memory job = openedForSets(3, 2, 0, 0);
        bytes32[] memory set = guessedSet(job);
        SetSignature[] memory signatures = setSignatures(job, set);
        decline(job, 2);
        same(lockedOf(provider(2)), BOND, "where sets may come, the bond of a decliner stays");
        bring(job, without(set, list(0, 1)), list(0, 1), signatures);
        skip(REVEAL);
        settle(job);
        same(wealth(provider(2)), FUNDS - BOND, "a wrong guess costs the bond");
        same(market.standingOf(provider(2)).late, 1, "it is late");
    }

    /// Attack: In a job that may have sets, the bond of a seat that declined and signed nothing is kept.
    /// Market: It is released by the settlement, without a mark.
    function test_attack_DeclinerLosesItsBond() public {
        Case memory job = openedForSets(2, 2, 0, 0);
        decline(job, 0);
        goTo(START + WINDOW + REVEAL);
        settle(job);
        same(freeOf(provider(0)), FUNDS, "the bond is back");
        same(market.standingOf(provider(0)).late, 0, "no mark");
    }

    /// Attack: A shadow that signed nothing reads the openings, and commits the same on chain in front of the set.
    /// Market: With a set only its members vote: everybody else is released, without price or mark.
    function test_attack_SetCopiedByShadow() public {
        Case memory job = openedForSets(2, 2, 0, 1);
        bytes32[] memory set = setOf(job, list(0, 1), ANSWER);
        SetSignature[] memory signatures = setSignatures(job, set);
        commit(job, 2, 1, ANSWER);
        bring(job, without(set, list(0, 1)), list(0, 1), signatures);
        sameStatus(status(job), JobStatus.Accepted, "the seats have decided");
        same(wealth(provider(2)), FUNDS, "the copier is not paid");
        same(market.standingOf(provider(2)).aligned, 0, "and not aligned");
    }

    /// Attack: A seat signs the set by an agent, reads the openings, revokes the agent so that the set is void, and commits what it read.
    /// Market: Who was in force when the job was opened signs sets of it: a revocation does not undo what others relied on.
    function test_attack_AgentRevokedAfterSigningTheSet() public {
        authorize(2, BOND, 0, type(uint40).max);
        skip(1);
        Case memory job = openedForSets(3, 2, 0, 0);
        skip(1);
        bytes32[] memory set = guessedSet(job);
        SetSignature[] memory signatures = setSignatures(job, set);
        signatures[2] = setSignature(AGENT, setDigest(job.id, set));
        authorize(2, 0, 0, 0);
        commit(job, 2, 1, ANSWER);
        bytes32[] memory closed = without(set, list(0, 1));
        bool success = this.brings(job, closed, list(0, 1), signatures);
        check(success, "the set stands");
        skip(REVEAL);
        settle(job);
        same(wealth(provider(2)), FUNDS - BOND, "the copier's bond is burnt");
    }

    function brings(
        Case memory job,
        bytes32[] memory closed,
        uint8[] memory opened_,
        SetSignature[] memory signatures
    ) external returns (bool success) {
        Opening[] memory openings = openingsOf(job, opened_);
        (success, ) = address(market).call(
            abi.encodeCall(market.revealSet, (job.id, job.terms, placed[job.id], closed, openings, signatures))
        );
    }

    /// Attack: A carrier brings a set without the signature of a member, with a vote that it never cast.
    /// Market: Every member has signed, in its own place.
    function test_attack_SetWithoutASignature() public {
        Case memory job = openedForSets(3, 2, 0, 0);
        bytes32[] memory set = setOf(job, list(0, 1, 2), ANSWER);
        SetSignature[] memory signatures = setSignatures(job, set);
        signatures[2] = signatures[1];
        bytes32 digest = setDigest(job.id, set);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.SetNotSigned.selector, job.id, 2, digest));
        this.bringsAll(job, set, signatures);
    }

    function bringsAll(Case memory job, bytes32[] memory closed, SetSignature[] memory signatures) external {
        market.revealSet(job.id, job.terms, placed[job.id], closed, new Opening[](0), signatures);
    }

    /// Attack: A seat is left out of the set, so that it counts as absent while its commitment is on chain.
    /// Market: A set has a commitment of every seat.
    function test_attack_SetWithoutASeat() public {
        Case memory job = openedForSets(3, 2, 0, 0);
        commit(job, 2, 1, ANSWER);
        bytes32[] memory set = setOf(job, list(0, 1), ANSWER);
        SetSignature[] memory signatures = setSignatures(job, set);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.BadSet.selector, job.id, 2));
        this.bringsAll(job, set, signatures);
    }

    /// Attack: A spare signs the set, and votes beside the seats.
    /// Market: Spares take no part in a set.
    function test_attack_SetWithASpare() public {
        Case memory job = openedForSets(2, 2, 1, 0);
        bytes32[] memory set = setOf(job, list(0, 1, 2), ANSWER);
        SetSignature[] memory signatures = setSignatures(job, set);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.BadSet.selector, job.id, 2));
        this.bringsAll(job, set, signatures);
    }

    /// Attack: The members of a set sign another one, when they know the openings under the first.
    /// Market: A set is placed once.
    function test_attack_SecondSet() public {
        Case memory job = openedForSets(2, 2, 0, 0);
        bytes32[] memory set = setOf(job, list(0, 1), ANSWER);
        this.bringsAll(job, set, setSignatures(job, set));
        bytes32[] memory other = setOf(job, list(0, 1), OTHER);
        SetSignature[] memory signatures = setSignatures(job, other);
        delete placed[job.id];
        for (uint8 i; i < 2; ++i) note(job, i, set[i]);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.SetAlreadyPlaced.selector, job.id));
        this.bringsAll(job, other, signatures);
    }

    /// Attack: A set comes after the commit window, undoes promotions, and brings back a seat that missed its deadline.
    /// Market: A set counts in the first commit window, like the commitments that it stands for.
    function test_attack_LateSet() public {
        Case memory job = openedForSets(2, 2, 1, 0);
        commit(job, 0, 1, ANSWER);
        goTo(START + WINDOW);
        promote(job);
        bytes32[] memory set = setOf(job, list(0, 1), ANSWER);
        SetSignature[] memory signatures = setSignatures(job, set);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.SetTooLate.selector, job.id, START + WINDOW));
        this.bringsAll(job, set, signatures);
    }

    /// Attack: A puppet spare is promoted for a seat that declined, copies the openings, and decides the job before the set lands.
    /// Market: The set undoes promotions: the spare is on standby again, whatever it committed.
    function test_attack_PromotedCopyist() public {
        Case memory job = openedForSets(3, 3, 1, 0);
        bytes32[] memory set = setOf(job, list(0, 1, 2), ANSWER);
        SetSignature[] memory signatures = setSignatures(job, set);
        decline(job, 2);
        promote(job);
        commit(job, 3, 1, ANSWER);
        bring(job, without(set, list(0, 1)), list(0, 1), signatures);
        JobState memory state = market.jobState(job.id);
        same(state.used, 0, "nobody is promoted");
        check(!isIn(state.committed, 3), "the spare has no vote");
    }

    /// Attack: A set moves the beginning of revealing, to gain time for openings that are late.
    /// Market: What has passed does not move.
    function test_attack_SetMovesRevealing() public {
        Case memory job = openedForSets(2, 2, 0, 0);
        bytes32[] memory set = setOf(job, list(0, 1), ANSWER);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        uint40 began = revealAt(job);
        skip(REVEAL - 1);
        this.bringsAll(job, set, setSignatures(job, set));
        same(revealAt(job), began, "as before");
        skip(1);
        sameStatus(status(job), JobStatus.Settleable, "the reveal window is over");
    }

    /// Attack: After the set a seat or a shadow commits on chain, with the openings before its eyes.
    /// Market: Nothing is committed after a set.
    function test_attack_CommitmentAfterTheSet() public {
        Case memory job = openedForSets(2, 2, 0, 1);
        bytes32[] memory set = setOf(job, list(0, 1), ANSWER);
        bring(job, without(set, list(0)), list(0), setSignatures(job, set));
        refusesCommitment(job, 1, CommitmentFault.AlreadyCommitted);
        refusesCommitment(job, 2, CommitmentFault.Late);
    }

    /// Attack: A set for another job is brought to this one.
    /// Market: The job is part of what is signed; a set that names none fits none.
    function test_attack_SetReplayedOnAnotherJob() public {
        Case memory job = openedForSets(2, 2, 0, 0);
        bytes32[] memory set = setOf(job, list(0, 1), ANSWER);
        SetSignature[] memory universal = new SetSignature[](2);
        for (uint256 i; i < 2; ++i) universal[i] = setSignature(keyOf(i), setDigest(0, set));
        bytes32 digest = setDigest(job.id, set);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.SetNotSigned.selector, job.id, 0, digest));
        this.bringsAll(job, set, universal);
    }

    /// Attack: A carrier brings a set to a job whose requester wants commitments on chain.
    /// Market: The request has to allow it.
    function test_attack_SetThatWasNotAsked() public {
        Case memory job = opened(2, 2, 0, 0);
        bytes32[] memory set = setOf(job, list(0, 1), ANSWER);
        SetSignature[] memory signatures = setSignatures(job, set);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.SetNotAllowed.selector, job.id));
        this.bringsAll(job, set, signatures);
    }

    /// Attack: The carrier of a set leaves out what stands on chain, so that equivocation does not show.
    /// Market: The list is compared with the chain of commitments on record.
    function test_attack_SetHidesEquivocation() public {
        Case memory job = openedForSets(2, 2, 0, 0);
        bytes32[] memory set = setOf(job, list(0, 1), ANSWER);
        SetSignature[] memory signatures = setSignatures(job, set);
        commit(job, 1, 1, OTHER);
        delete placed[job.id];
        vm.expectPartialRevert(IJobMarket.CommitmentsMismatch.selector);
        this.bringsAll(job, set, signatures);
    }

    /// Attack: A member that signed the set is blocked by the token, so that the one transaction fails that shows all openings.
    /// Market: A set settles in the books: no token is called, and the openings stand.
    function test_attack_SetWithABlockedMember() public {
        BlocklistToken blocklist = new BlocklistToken();
        token = TestToken(address(blocklist));
        fund(requester, FUNDS);
        for (uint256 i; i < 2; ++i) fund(provider(i), FUNDS);
        Case memory job = openedForSets(2, 2, 0, 0);
        bytes32[] memory set = setOf(job, list(0, 1), ANSWER);
        SetSignature[] memory signatures = setSignatures(job, set);
        blocklist.setBlocked(provider(1), true);
        check(this.brings(job, without(set, list(0, 1)), list(0, 1), signatures), "it settles");
        sameStatus(status(job), JobStatus.Accepted, "accepted");
        same(wealth(provider(0)), FUNDS + PRICE, "the other member is paid");
        same(wealth(provider(1)), FUNDS + PRICE + 1, "and the blocked one, in the books");
    }
}
