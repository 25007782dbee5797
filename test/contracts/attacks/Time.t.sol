// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AttackTest} from "../support/AttackTest.sol";
import {IJobMarket} from "../../../contracts/interfaces/IJobMarket.sol";
import {CommitmentFault, JobStatus} from "../../../contracts/types/Job.sol";

/// @notice Attacks at the boundaries of windows: a second before, at, and after each deadline, and races.
contract TimeAttacks is AttackTest {
    function promoted(Case memory job) external {
        market.promote(job.id, job.terms);
    }

    function declined(Case memory job, uint8 place) external {
        vm.prank(job.terms.places[place].provider);
        market.decline(job.id, job.terms, place);
    }

    /// Attack: A seat commits at its very deadline, when others act on its absence.
    /// Market: A second before is in time, the deadline is late.
    function test_attack_CommitAtTheDeadline() public {
        Case memory job = opened(3, 2, 1, 0);
        goTo(START + WINDOW - 1);
        commit(job, 0, 1, ANSWER);
        goTo(START + WINDOW);
        refusesCommitment(job, 1, CommitmentFault.Late);
        goTo(START + WINDOW + 1);
        refusesCommitment(job, 2, CommitmentFault.Late);
    }

    /// Attack: A seat keeps the panel waiting and declines when it is too late to do without it.
    /// Market: Declining ends with the first quarter of the window, at the second.
    function test_attack_DeclineAfterTheQuarter() public {
        Case memory job = opened(3, 2, 0, 0);
        goTo(START + WINDOW / 4 - 1);
        decline(job, 0);
        for (uint8 place = 1; place < 3; ++place) {
            goTo(START + WINDOW / 4 + place - 1);
            vm.expectRevert(
                abi.encodeWithSelector(IJobMarket.TooLateToDecline.selector, job.id, place, START + WINDOW / 4)
            );
            this.declined(job, place);
        }
    }

    /// Attack: A promoted spare declines by the window of those before it, or much later than they could.
    /// Market: Its quarter runs from its promotion.
    function test_attack_PromotedSpareDeclinesLate() public {
        Case memory job = opened(2, 2, 1, 0);
        decline(job, 0);
        skip(100);
        promote(job);
        uint256 end = clock + WINDOW / 4;
        goTo(end);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.TooLateToDecline.selector, job.id, 2, end));
        this.declined(job, 2);
        goTo(end - 1);
        decline(job, 2);
    }

    /// Attack: A spare takes a seat whose occupant still has time.
    /// Market: A seat is vacant at its deadline, not a second before.
    function test_attack_SeatTakenBeforeItsDeadline() public {
        Case memory job = opened(2, 2, 1, 0);
        goTo(START + WINDOW - 1);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.NothingToPromote.selector, job.id, 0, 4));
        this.promoted(job);
        commit(job, 0, 1, ANSWER);
        goTo(START + WINDOW);
        promote(job);
        same(market.promotionOf(job.id, 2).seat, 1, "the late seat's");
    }

    /// Attack: A spare is promoted after revealing began, and copies what was opened.
    /// Market: Promotions end when revealing begins.
    function test_attack_PromotionDuringRevealing() public {
        Case memory job = opened(3, 2, 1, 0);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        goTo(START + WINDOW + WINDOW / 2);
        reveal(job, list(0));
        needsStatus(job, JobStatus.Revealing, JobStatus.Committing);
        this.promoted(job);
    }

    /// Attack: Promoting at the last second, which leaves a spare no time, so that its bond burns.
    /// Market: A promoted spare has a whole window from its promotion.
    function test_attack_SpareWithoutTime() public {
        Case memory job = opened(2, 2, 1, 0);
        commit(job, 0, 1, ANSWER);
        goTo(START + WINDOW + WINDOW / 2 - 1);
        promote(job);
        uint256 at = clock;
        sameStatus(status(job), JobStatus.Committing, "its window runs");
        goTo(at + WINDOW - 1);
        commit(job, 2, 1, ANSWER);
        revealAll(job);
        same(wealth(provider(2)), FUNDS + PRICE + 2, "it is paid");
    }

    /// Attack: Two callers promote at once, and two spares take one seat.
    /// Market: A seat with a spare in time is not vacant.
    function test_attack_PromotionRace() public {
        Case memory job = opened(2, 2, 2, 0);
        decline(job, 1);
        promote(job);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.NothingToPromote.selector, job.id, 0, 8));
        this.promoted(job);
        same(market.jobState(job.id).used, 4, "one spare is used");
    }

    /// Attack: The occupant that lost its seat to a spare commits too, so that a seat has two votes.
    /// Market: Whoever lost a seat is late or has declined, and commits no more.
    function test_attack_TwoVotesOfOneSeat() public {
        Case memory job = opened(3, 2, 1, 0);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        goTo(START + WINDOW);
        promote(job);
        skip(1);
        refusesCommitment(job, 2, CommitmentFault.Late);
        commit(job, 3, 1, ANSWER);
        revealAll(job);
        same(wealth(requester), FUNDS - (3 * PRICE + 0 + 1 + 3) - FEE, "three prices are paid");
    }

    /// Attack: A shadow declines at the last moment, and moves the beginning of revealing.
    /// Market: A shadow delays nothing.
    function test_attack_ShadowDelaysRevealing() public {
        Case memory job = opened(2, 2, 0, 1);
        decline(job, 0);
        commit(job, 1, 1, ANSWER);
        uint40 begins = revealAt(job);
        skip(WINDOW / 4 - 1);
        decline(job, 2);
        same(revealAt(job), begins, "as before");
        sameStatus(status(job), JobStatus.Revealing, "revealing runs");
    }

    /// Attack: A shadow commits after revealing began, with the answer before its eyes, to wash its probation.
    /// Market: Shadows commit while the seats do.
    function test_attack_ShadowCommitsDuringRevealing() public {
        Case memory job = opened(2, 2, 0, 1);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        reveal(job, list(0));
        refusesCommitment(job, 2, CommitmentFault.Late);
    }

    /// Attack: A request is opened after its expiry, when its offers were meant for another market price.
    /// Market: `open` comes before the expiry.
    function test_attack_ExpiredRequest() public {
        Case memory job = caseOf(requestFor(2, 2, 0, 0));
        for (uint256 i; i < 2; ++i) {
            job.offers[i].expiry = type(uint40).max;
            signOffer(job, i, keyOf(i));
        }
        for (uint256 late; late < 2; ++late) {
            goTo(job.request.expiry + late);
            vm.prank(requester);
            vm.expectRevert(abi.encodeWithSelector(IJobMarket.RequestExpired.selector, job.id, job.request.expiry));
            market.open(job.request, 0, job.offers);
        }
        goTo(job.request.expiry - 1);
        open(job);
    }

    /// Attack: Everybody goes offline, and the money is locked for ever.
    /// Market: After its deadlines a stranger settles every job.
    function test_attack_EverybodyGoesOffline() public {
        Case memory job = opened(3, 2, 2, 1);
        commit(job, 0, 1, ANSWER);
        goTo(START + WINDOW + WINDOW / 2 + REVEAL);
        vm.prank(attacker);
        (bool success, ) = address(market).call(abi.encodeCall(market.settle, (job.id, job.terms)));
        check(success, "a stranger settles");
        same(freeOf(attacker), FEE, "and earns the fee");
        for (uint256 i; i < 6; ++i) same(lockedOf(provider(i)), 0, "no bond is locked");
        uint256 owned = wealth(requester) + FEE;
        for (uint256 i; i < 16; ++i) owned += wealth(provider(i));
        same(owned, market.held(address(token)), "no escrow is left");
    }
}
