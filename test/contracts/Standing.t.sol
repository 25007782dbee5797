// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MarketTest} from "./support/MarketTest.sol";
import {Request, BadOffer, JobStatus, OfferFault} from "../../contracts/types/Job.sol";
import {IStandings} from "../../contracts/interfaces/IStandings.sol";
import {Standing, QuarantineState} from "../../contracts/types/Standing.sol";

/// @notice Probation and quarantine: rows T1 to T7 and A10. Branches: Standing.tree.
contract StandingTest is MarketTest {
    uint256 private constant TERM = 180 days;

    /// @dev A job whose provider 2 sits as a shadow, so that it may be on probation.
    function shadowJob() private returns (Case memory job) {
        return opened(2, 2, 0, 1);
    }

    /// @dev Plays a job with a shadow to its end; the shadow gives `answer`, or nothing.
    function finish(Case memory job, bytes32 answer) private {
        if (answer != 0) commit(job, 2, 1, answer);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        revealAll(job);
    }

    function fault() private {
        finish(shadowJob(), OTHER);
    }

    function align() private {
        finish(shadowJob(), ANSWER);
    }

    function standing() private view returns (Standing memory) {
        return market.standingOf(provider(2));
    }

    function entry(uint32 number, uint256 amount, QuarantineState state) private view {
        (uint96 found, QuarantineState foundState) = market.quarantineOf(provider(2), address(token), number);
        same(found, amount, "quarantined");
        same(uint256(foundState), uint256(state), "state of the entry");
    }

    function claim(uint32 number) private {
        market.claimQuarantine(provider(2), address(token), number);
    }

    function refusesClaim(uint32 number, QuarantineState state) private {
        vm.expectRevert(abi.encodeWithSelector(IStandings.NotClaimable.selector, provider(2), token, number, state));
        claim(number);
    }

    /// T5, A10: the first fault begins probation 1; the entry is held.
    function test_FaultBeginsProbation() public {
        Case memory job = shadowJob();
        commit(job, 2, 1, OTHER);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        reveal(job, list(0, 1));
        // The last opening settles, so these follow its event.
        vm.expectEmit(true, true, true, true, address(market));
        emit IStandings.ProbationBegan(provider(2), 1, job.id);
        vm.expectEmit(true, true, true, true, address(market));
        emit IStandings.BondQuarantined(provider(2), address(token), 1, job.id, BOND);
        reveal(job, list(2));
        same(standing().probation, 1, "number");
        same(standing().probationSince, clock, "since");
        same(standing().lastFaultAt, clock, "last fault");
        same(standing().faults, 1, "faults");
        check(market.onProbation(provider(2)), "on probation");
        entry(1, BOND, QuarantineState.Held);
        refusesClaim(1, QuarantineState.Held);
        refusesClaim(2, QuarantineState.None);
    }

    /// A2: on probation a provider is seated as a shadow only, unless the request accepts it.
    function test_ProbationClosesSeats() public {
        fault();
        Case memory job = caseOf(requestFor(3, 2, 0, 0));
        BadOffer[] memory bad = market.checkOffers(job.request, 0, job.offers);
        same(bad.length, 1, "one bad offer");
        same(uint256(bad[0].fault), uint256(OfferFault.OnProbation), "on probation");
        Request memory request = requestFor(3, 2, 0, 0);
        request.flags = 1;
        job = caseOf(request);
        open(job);
        sameStatus(status(job), JobStatus.Committing, "accepted by flag");
        shadowJob();
    }

    /// T1, A10: three alignments in a row end it well; the bond comes back to the provider.
    function test_ThreeAlignmentsEndProbation() public {
        fault();
        skip(1);
        align();
        align();
        same(standing().alignedInRow, 2, "two in a row");
        Case memory job = shadowJob();
        commit(job, 2, 1, ANSWER);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        revealAll(job);
        check(!market.onProbation(provider(2)), "ended");
        same(standing().probation, 1, "the number stays");
        entry(1, BOND, QuarantineState.Returnable);
        uint96 before = freeOf(provider(2));
        vm.expectEmit(true, true, true, true, address(market));
        emit IStandings.QuarantineClaimed(provider(2), address(token), 1, BOND, false);
        claim(1);
        same(freeOf(provider(2)), before + BOND, "returned");
        refusesClaim(1, QuarantineState.None);
    }

    /// T1: a job opened in the second in which the probation began counts as before it.
    function test_JobsOpenedBeforeDoNotCount() public {
        fault();
        align();
        same(standing().aligned, 1, "counter");
        same(standing().alignedInRow, 0, "not in the row");
        skip(1);
        align();
        same(standing().alignedInRow, 1, "in the row");
    }

    /// T2: lateness breaks the row, but not in a job from before.
    function test_LatenessBreaksTheRow() public {
        Case memory old = shadowJob();
        fault();
        skip(1);
        align();
        align();
        commit(old, 2, 1, ANSWER);
        commit(old, 0, 1, ANSWER);
        commit(old, 1, 1, ANSWER);
        reveal(old, list(0, 1));
        skip(REVEAL);
        settle(old);
        same(standing().late, 1, "late");
        same(standing().alignedInRow, 2, "a job from before breaks nothing");
        Case memory job = shadowJob();
        commit(job, 2, 1, ANSWER);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        reveal(job, list(0, 1));
        skip(REVEAL);
        settle(job);
        same(standing().alignedInRow, 0, "broken");
    }

    /// T3, T4: reports and silence of a shadow leave the row alone.
    function test_OtherVerdictsLeaveTheRow() public {
        fault();
        skip(1);
        align();
        Case memory job = shadowJob();
        commit(job, 2, 3, 0);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        revealAll(job);
        finish(shadowJob(), 0);
        same(standing().reported, 1, "reported");
        same(standing().alignedInRow, 1, "the row stands");
    }

    /// T6: a fault in a job from before adds to the entry, burns nothing, starts the term again.
    function test_OldFaultsAddUp() public {
        Case memory first = shadowJob();
        Case memory second = shadowJob();
        finish(first, OTHER);
        skip(10);
        finish(second, OTHER);
        same(standing().probation, 1, "the same number");
        same(standing().faults, 2, "two faults");
        same(standing().lastFaultAt, START + 10, "the term starts again");
        same(standing().probationSince, START, "the probation does not");
        entry(1, 2 * BOND, QuarantineState.Held);
        goTo(START + 10 + TERM - 1);
        check(market.onProbation(provider(2)), "still");
        goTo(START + 10 + TERM);
        check(!market.onProbation(provider(2)), "over after 180 days");
        entry(1, 2 * BOND, QuarantineState.Returnable);
    }

    /// T7, A10: a fault in a job opened during probation burns the entries of its number and begins the next.
    function test_FaultDuringProbationBurns() public {
        fault();
        skip(1);
        align();
        fault();
        same(standing().probation, 2, "number 2");
        same(standing().alignedInRow, 0, "a new row");
        entry(1, BOND, QuarantineState.Burnable);
        entry(2, BOND, QuarantineState.Held);
        uint96 before = freeOf(provider(2));
        uint96 held = market.held(address(token));
        vm.expectEmit(true, true, true, true, address(market));
        emit IStandings.QuarantineClaimed(provider(2), address(token), 1, BOND, true);
        claim(1);
        same(market.burnt(address(token)), BOND, "burnt");
        same(market.held(address(token)), held, "and still held");
        same(freeOf(provider(2)), before, "not paid");
    }

    /// T5 after 180 days: the old number ended well, though nobody touched it.
    function test_TermEndsProbationWell() public {
        fault();
        goTo(START + TERM);
        check(!market.onProbation(provider(2)), "over");
        fault();
        same(standing().probation, 2, "a new number");
        entry(1, BOND, QuarantineState.Returnable);
        entry(2, BOND, QuarantineState.Held);
        claim(1);
        goTo(START + 2 * TERM);
        claim(2);
        same(freeOf(provider(2)), FUNDS, "every bond is back");
    }

    /// T5, T7: a number that burns stays burnt, one that ended well stays returnable, whatever follows.
    function test_NumbersKeepTheirEnd() public {
        fault(); // 1
        skip(1);
        fault(); // 2, burns 1
        skip(1);
        align();
        align();
        align(); // ends 2 well
        fault(); // 3
        entry(1, BOND, QuarantineState.Burnable);
        entry(2, BOND, QuarantineState.Returnable);
        entry(3, BOND, QuarantineState.Held);
    }
}
