// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AttackTest} from "../support/AttackTest.sol";
import {IJobMarket} from "../../../contracts/interfaces/IJobMarket.sol";
import {
    CarriedCommitment,
    CommitmentFault,
    JobStatus,
    Opening,
    PlacedCommitment
} from "../../../contracts/types/Job.sol";

/// @notice Attacks on the secrecy and the binding of votes.
contract VotesAttacks is AttackTest {
    /// Attack: A stranger tries every answer of a question with few answers against a commitment.
    /// Market: The salt is part of the commitment: without the very salt, no guess fits.
    function test_attack_GuessableResult() public {
        Case memory job = opened(2, 2, 0, 0);
        commit(job, 0, 1, ANSWER);
        // Seat 1 is careless: its salt is zero. Still an opening under another salt is none.
        Opening memory vote = Opening({place: 1, outcome: 1, resultHash: ANSWER, salt: 0});
        bytes32 careless = commitmentOf(job.id, provider(1), vote);
        vm.prank(provider(1));
        market.commit(job.id, job.terms, 1, careless);
        note(job, 1, careless);
        bytes32[2] memory guesses = [ANSWER, OTHER];
        for (uint256 i; i < 2; ++i) {
            for (uint8 outcome = 1; outcome < 3; ++outcome) {
                vote = Opening({place: 0, outcome: outcome, resultHash: guesses[i], salt: 0});
                check(placed[job.id][0].commitment != commitmentOf(job.id, provider(0), vote), "no guess fits");
                opensNothing(job, vote);
                vote.place = 1;
                vote.salt = keccak256("guess");
                opensNothing(job, vote);
            }
        }
    }

    /// Attack: A seat that computed nothing copies the commitment of another, to open it with the other's opening.
    /// Market: A commitment is bound to its provider: the copy cannot be opened, and the copier is late.
    function test_attack_CopiedCommitment() public {
        Case memory job = opened(3, 2, 0, 0);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        bytes32 copy = placed[job.id][0].commitment;
        vm.prank(provider(2));
        market.commit(job.id, job.terms, 2, copy);
        note(job, 2, copy);
        Opening memory vote = votes[job.id][0];
        vote.place = 2;
        opensNothing(job, vote);
        reveal(job, list(0, 1));
        skip(REVEAL);
        settle(job);
        same(wealth(provider(2)), FUNDS - BOND, "the copier's bond is burnt");
        same(market.standingOf(provider(2)).late, 1, "the copier is late");
    }

    /// Attack: A seat commits late, once the openings of the others show the answer.
    /// Market: Revealing begins after the last moment of committing: there is never anything to copy.
    function test_attack_LateCommitter() public {
        Case memory job = opened(3, 2, 0, 0);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        goTo(START + WINDOW);
        reveal(job, list(0));
        bytes32 copied = voteFor(job, 2, 1, ANSWER);
        vm.prank(provider(2));
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.CommitmentRefused.selector, job.id, 2, CommitmentFault.Late));
        market.commit(job.id, job.terms, 2, copied);
    }

    /// Attack: Somebody opens votes while a seat can still commit, so that this seat copies them.
    /// Market: Nothing can be opened before revealing.
    function test_attack_OpeningBeforeRevealing() public {
        Case memory job = opened(3, 2, 0, 0);
        commit(job, 0, 1, ANSWER);
        Opening[] memory openings = new Opening[](1);
        openings[0] = votes[job.id][0];
        needsStatus(job, JobStatus.Committing, JobStatus.Revealing);
        market.reveal(job.id, job.terms, placed[job.id], openings);
    }

    /// Attack: A seat sees that its answer lost, and does not open it to escape the fault.
    /// Market: Who committed and does not open is late: its bond is burnt.
    function test_attack_SelectiveRevealer() public {
        Case memory job = opened(3, 2, 0, 0);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        commit(job, 2, 1, OTHER);
        reveal(job, list(0, 1));
        skip(REVEAL);
        settle(job);
        same(wealth(provider(2)), FUNDS - BOND, "silence costs the whole bond");
        same(market.burnt(address(token)), BOND, "it is burnt");
        same(market.standingOf(provider(2)).late, 1, "and leaves a mark");
    }

    /// Attack: A seat waits for the last block, so that nobody can answer its opening; or for the block after it.
    /// Market: Openings do not depend on each other: the last moment counts like the first, the next one not at all.
    function test_attack_LastBlockOpening() public {
        Case memory job = opened(3, 2, 0, 0);
        for (uint8 i; i < 3; ++i) commit(job, i, 1, i == 2 ? OTHER : ANSWER);
        reveal(job, list(0));
        skip(REVEAL - 1);
        reveal(job, list(1));
        skip(1);
        needsStatus(job, JobStatus.Settleable, JobStatus.Revealing);
        this.revealed(job, 2);
        settle(job);
        same(wealth(provider(0)), FUNDS + PRICE, "the first is paid");
        same(wealth(provider(1)), FUNDS + PRICE + 1, "the last is paid alike");
        same(wealth(provider(2)), FUNDS - BOND, "one block later is late");
    }

    function revealed(Case memory job, uint8 place) external {
        Opening[] memory openings = new Opening[](1);
        openings[0] = votes[job.id][place];
        market.reveal(job.id, job.terms, placed[job.id], openings);
    }

    /// Attack: A seat replaces its commitment after it has learnt more.
    /// Market: The first commitment stands.
    function test_attack_CommitmentChangedLater() public {
        Case memory job = opened(2, 2, 0, 0);
        commit(job, 0, 1, OTHER);
        refusesCommitment(job, 0, CommitmentFault.AlreadyCommitted);
    }

    /// Attack: A provider declines, has its bond back, and votes all the same.
    /// Market: A place that declined cannot commit.
    function test_attack_DeclinerVotesWithoutBond() public {
        Case memory job = opened(2, 2, 0, 0);
        decline(job, 0);
        same(lockedOf(provider(0)), 0, "nothing is at stake");
        refusesCommitment(job, 0, CommitmentFault.Declined);
    }

    /// Attack: A spare that nobody promoted votes beside the seats.
    /// Market: A spare commits when it has a seat.
    function test_attack_SpareVotesWithoutSeat() public {
        Case memory job = opened(2, 2, 1, 0);
        refusesCommitment(job, 2, CommitmentFault.NotSeated);
    }

    /// Attack: A stranger commits rubbish in the place of a seat, so that it cannot vote.
    /// Market: Only the provider and its agents act for a place.
    function test_attack_StrangerTakesThePlace() public {
        Case memory job = opened(2, 2, 0, 0);
        vm.prank(attacker);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.NotProvider.selector, job.id, 0, attacker, provider(0)));
        market.commit(job.id, job.terms, 0, keccak256("rubbish"));
    }

    /// Attack: Whoever opens brings a list of commitments of its own making, with votes that nobody cast.
    /// Market: The list is compared with the chain of commitments on record.
    function test_attack_ForgedCommitmentList() public {
        Case memory job = opened(2, 2, 0, 0);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        Opening memory forged = Opening({place: 0, outcome: 1, resultHash: OTHER, salt: 0});
        PlacedCommitment[] memory commitments = placed[job.id];
        commitments[0].commitment = commitmentOf(job.id, provider(0), forged);
        Opening[] memory openings = new Opening[](1);
        openings[0] = forged;
        vm.expectPartialRevert(IJobMarket.CommitmentsMismatch.selector);
        market.reveal(job.id, job.terms, commitments, openings);
    }

    /// Attack: One bad item among the commitments that are carried keeps out all others.
    /// Market: Bad items are skipped with an event.
    function test_attack_PoisonedCommitments() public {
        Case memory job = opened(2, 2, 0, 0);
        CarriedCommitment[] memory items = new CarriedCommitment[](2);
        items[0] = CarriedCommitment({place: 1, commitment: keccak256("poison"), signature: "poison"});
        bytes32 good = voteFor(job, 0, 1, ANSWER);
        items[1] = CarriedCommitment({
            place: 0,
            commitment: good,
            signature: signedCommitment(keyOf(0), job.id, provider(0), good)
        });
        (bool success, ) = address(market).call(abi.encodeCall(market.commitBySig, (job.id, job.terms, items)));
        check(success && hasCommitted(job, 0) && !hasCommitted(job, 1), "the good one landed, the bad one did not");
    }

    /// Attack: One bad item among the openings keeps out all others.
    /// Market: Bad items are skipped with an event.
    function test_attack_PoisonedOpenings() public {
        Case memory job = opened(2, 2, 0, 0);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        Opening[] memory openings = new Opening[](2);
        openings[0] = Opening({place: 1, outcome: 1, resultHash: OTHER, salt: 0});
        openings[1] = votes[job.id][0];
        (bool success, ) = address(market).call(
            abi.encodeCall(market.reveal, (job.id, job.terms, placed[job.id], openings))
        );
        check(success && hasOpened(job, 0) && !hasOpened(job, 1), "the good one is open, the bad one is not");
    }

    /// Attack: A failure is passed off as the result, by an equal hash under another outcome.
    /// Market: Answers are equal when outcome and hash are.
    function test_attack_FailurePassesForResult() public {
        Case memory job = opened(2, 2, 0, 0);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 2, ANSWER);
        revealAll(job);
        sameStatus(status(job), JobStatus.Inconclusive, "a result and a failure do not agree");
    }

    /// Attack: A contract is shown the output of a failed run as an accepted result.
    /// Market: Only the outcome Ok is a result.
    function test_attack_FailureShownAsResult() public {
        bytes32 hash = keccak256(bytes.concat(keccak256("key"), "stack trace"));
        Case memory job = opened(2, 2, 0, 0);
        commit(job, 0, 2, hash);
        commit(job, 1, 2, hash);
        revealAll(job);
        sameStatus(status(job), JobStatus.Accepted, "the failure is accepted");
        check(!market.verifyResult(job.id, keccak256("key"), "stack trace"), "and is no result");
    }

    /// Attack: Puppets open nonsense with one hash, to make a majority of votes that are none.
    /// Market: A malformed opening is no vote.
    function test_attack_MalformedMajority() public {
        Case memory job = opened(3, 2, 0, 0);
        commit(job, 0, 9, ANSWER);
        commit(job, 1, 9, ANSWER);
        commit(job, 2, 1, ANSWER);
        revealAll(job);
        sameStatus(status(job), JobStatus.Inconclusive, "nothing is accepted");
        same(wealth(provider(2)), FUNDS + (PRICE + 2) / 10, "the honest seat has its call-out fee and its bond");
    }
}
