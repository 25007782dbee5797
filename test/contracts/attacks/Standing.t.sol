// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AttackTest} from "../support/AttackTest.sol";
import {IStandings} from "../../../contracts/interfaces/IStandings.sol";
import {Request} from "../../../contracts/types/Job.sol";
import {QuarantineState} from "../../../contracts/types/Standing.sol";
import {TestToken} from "../tokens/TestToken.sol";

/// @notice Attacks on probation and quarantine.
contract StandingAttacks is AttackTest {
    uint256 private constant TERM = 180 days;

    function refusesClaim(uint32 number, QuarantineState state) private {
        vm.expectRevert(abi.encodeWithSelector(IStandings.NotClaimable.selector, provider(2), token, number, state));
        claim(provider(2), number);
    }

    function align() private {
        playWithShadow(opened(2, 2, 0, 1), ANSWER);
    }

    /// @dev A job of puppets alone, in a token of nothing, without prices, bonds and fees, and its settlement by them.
    function washingJob(TestToken worthless) private returns (Case memory job) {
        Request memory request = requestFor(2, 2, 0, 1);
        request.requester = attacker;
        request.token = address(worthless);
        (request.bond, request.carrierFee) = (0, 0);
        job = caseOf(request);
        // Puppets for seats, the provider on probation as the shadow.
        uint256[3] memory members = [uint256(10), 11, 2];
        for (uint256 i; i < 3; ++i) job.offers[i] = offerBy(job.id, members[i], 0);
        fillTerms(job);
        vm.prank(attacker);
        market.open(job.request, 0, job.offers);
    }

    /// Attack: A provider on probation washes its mark by jobs that it makes itself, with puppets for seats.
    /// Market: It cannot tell puppets from others: three jobs opened after the fault are the whole price. Locked meanwhile 0 units, carrier fee 0 units, no waiting beyond the next block. Hence clients never plan on raw standing.
    function test_attack_ProbationWashedBySelfMadeJobs() public {
        fault();
        skip(1);
        TestToken worthless = new TestToken("Nothing", "NIL", 0);
        uint256 wealthBefore = wealth(provider(2)) + wealth(provider(10)) + wealth(provider(11)) + wealth(attacker);
        uint256 begun = clock;
        uint256 locked;
        uint256 fees;
        for (uint256 i; i < 3; ++i) {
            check(market.onProbation(provider(2)), "fewer than three do not end it");
            Case memory job = washingJob(worthless);
            locked += 3 * uint256(job.terms.bond) + escrowOf(job.terms);
            fees += job.terms.carrierFee;
            playWithShadow(job, ANSWER);
        }
        check(!market.onProbation(provider(2)), "three do");
        same(locked, 0, "price: bonds and escrow locked");
        same(fees, 0, "price: carrier fees");
        same(clock - begun, 0, "price: waiting");
        claim(provider(2), 1);
        uint256 wealthAfter = wealth(provider(2)) + wealth(provider(10)) + wealth(provider(11)) + wealth(attacker);
        same(wealthAfter - wealthBefore, BOND, "it has its own bond back, and nothing of anybody's");
    }

    /// Attack: Self-made jobs are opened before the fault, and settled after it as alignments in a row.
    /// Market: Only jobs opened after a probation began count in it.
    function test_attack_ProbationWashedByPreparedJobs() public {
        Case[3] memory prepared;
        for (uint256 i; i < 3; ++i) prepared[i] = opened(2, 2, 0, 1);
        skip(1);
        fault();
        for (uint256 i; i < 3; ++i) playWithShadow(prepared[i], ANSWER);
        check(market.onProbation(provider(2)), "on probation");
        same(market.standingOf(provider(2)).alignedInRow, 0, "none counts");
    }

    /// Attack: A broken engine hits jobs that were open when its first fault was found, and each burns the bonds of the one before.
    /// Market: A job opened before the probation, or in the block in which it began, adds to the entry and burns nothing.
    function test_attack_OneBrokenEngineBurnsManyBonds() public {
        Case memory first = opened(2, 2, 0, 1);
        Case memory second = opened(2, 2, 0, 1);
        Case memory third = opened(2, 2, 0, 1);
        playWithShadow(first, OTHER);
        playWithShadow(second, OTHER);
        playWithShadow(third, OTHER);
        same(market.standingOf(provider(2)).probation, 1, "one probation");
        same(quarantined(provider(2), 1), 3 * BOND, "three bonds in its entry");
        refusesClaim(1, QuarantineState.Held);
    }

    /// Attack: A provider on probation keeps its row by silence: it opens what aligned, and not what did not.
    /// Market: Lateness breaks the row.
    function test_attack_RowKeptBySilence() public {
        fault();
        skip(1);
        align();
        align();
        Case memory job = opened(2, 2, 0, 1);
        commit(job, 2, 1, OTHER);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        reveal(job, list(0, 1));
        skip(REVEAL);
        settle(job);
        align();
        check(market.onProbation(provider(2)), "two and one are not three in a row");
        same(market.standingOf(provider(2)).alignedInRow, 1, "the row is broken");
    }

    /// Attack: A provider errs again on probation, and loses no more than the first time.
    /// Market: The entry of the probation is burnt, and the row begins again.
    function test_attack_SecondFaultForFree() public {
        fault();
        skip(1);
        fault();
        (uint96 amount, QuarantineState state) = market.quarantineOf(provider(2), address(token), 1);
        same(amount, BOND, "the first bond");
        same(uint256(state), uint256(QuarantineState.Burnable), "is to be burnt");
        claim(provider(2), 1);
        same(market.burnt(address(token)), BOND, "burnt");
        refusesClaim(2, QuarantineState.Held);
    }

    /// Attack: The bond of a probation that failed is claimed back once a later one ended well.
    /// Market: A probation keeps its end.
    function test_attack_FailedProbationPaidBack() public {
        fault();
        skip(1);
        fault();
        skip(TERM);
        uint256 before = wealth(provider(2));
        claim(provider(2), 2);
        same(wealth(provider(2)), before + BOND, "the second ended well");
        claim(provider(2), 1);
        same(wealth(provider(2)), before + BOND, "the first did not");
    }

    /// Attack: A provider sits its probation out although it errs meanwhile.
    /// Market: Each fault starts the 180 days again.
    function test_attack_TermNotRestarted() public {
        Case memory before = opened(2, 2, 0, 1);
        fault();
        skip(WINDOW - 1);
        playWithShadow(before, OTHER);
        uint256 last = clock;
        goTo(last + TERM - 1);
        check(market.onProbation(provider(2)), "to the last second");
        refusesClaim(1, QuarantineState.Held);
        goTo(last + TERM);
        check(!market.onProbation(provider(2)), "and no longer");
    }

    /// Attack: The bond is claimed while the probation lasts.
    /// Market: It is held.
    function test_attack_ClaimWhileHeld() public {
        fault();
        refusesClaim(1, QuarantineState.Held);
    }

    /// Attack: An entry is claimed again and again.
    /// Market: A claim clears its entry.
    function test_attack_ClaimTwice() public {
        fault();
        skip(TERM);
        claim(provider(2), 1);
        refusesClaim(1, QuarantineState.None);
        same(wealth(provider(2)), FUNDS, "once");
    }

    /// Attack: A stranger claims the entries of others.
    /// Market: Anybody may call; the money goes to the provider whose bond it was.
    function test_attack_ClaimedByAStranger() public {
        fault();
        skip(TERM);
        vm.prank(attacker);
        market.claimQuarantine(provider(2), address(token), 1);
        same(wealth(provider(2)), FUNDS, "to the provider");
        same(wealth(attacker), 0, "not to the caller");
    }

    /// Attack: A bond of a token of nothing is quarantined, and claimed in a token of value.
    /// Market: Entries are kept by token.
    function test_attack_ClaimInAnotherToken() public {
        TestToken valuable = token;
        TestToken worthless = new TestToken("Nothing", "NIL", 0);
        token = worthless;
        for (uint256 i; i < 3; ++i) fund(provider(i), FUNDS);
        fund(requester, FUNDS);
        fault();
        skip(TERM);
        token = valuable;
        refusesClaim(1, QuarantineState.None);
        same(wealth(provider(2)), FUNDS, "not a unit of value");
        token = worthless;
        claim(provider(2), 1);
        same(wealth(provider(2)), FUNDS, "the own token comes back");
    }

    /// Attack: Many entries of many numbers are claimed in any order, to take out more than was put in.
    /// Market: Each entry has its amount and its end, and what is held stays exact.
    function test_attack_ClaimsOfManyEntries() public {
        uint256 before = wealth(provider(2));
        for (uint256 i; i < 5; ++i) {
            fault();
            skip(1);
        }
        same(before - wealth(provider(2)), 5 * BOND, "five bonds are out");
        skip(TERM);
        for (uint32 number = 5; number > 0; --number) {
            claim(provider(2), number);
            refusesClaim(number, QuarantineState.None);
        }
        same(wealth(provider(2)), before - 4 * BOND, "one comes back");
        same(market.burnt(address(token)), 4 * BOND, "four are burnt");
        refusesClaim(6, QuarantineState.None);
        uint256 owned = wealth(requester) + freeOf(carrier);
        for (uint256 i; i < 16; ++i) owned += wealth(provider(i));
        same(owned + market.burnt(address(token)), market.held(address(token)), "held is what is owned and burnt");
    }
}
