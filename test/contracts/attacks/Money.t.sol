// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AttackTest} from "../support/AttackTest.sol";
import {ILedger} from "../../../contracts/interfaces/ILedger.sol";
import {IJobMarket} from "../../../contracts/interfaces/IJobMarket.sol";
import {JobStatus, Opening, Request} from "../../../contracts/types/Job.sol";
import {Phase} from "../../../contracts/types/JobState.sol";

/// @notice Attacks on escrow, bonds and fees.
contract MoneyAttacks is AttackTest {
    /// Attack: A requester keeps honest seats from the chain, and lives on their late bonds.
    /// Market: Late bonds are burnt: no account of the job gains by a penalty.
    function test_attack_LateBondsAsIncome() public {
        Case memory job = opened(3, 2, 0, 0);
        // The requester owns providers 0 and 1, and settles by itself.
        uint256 before = 3 * uint256(FUNDS);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        goTo(START + WINDOW);
        Opening[] memory openings = new Opening[](2);
        (openings[0], openings[1]) = (votes[job.id][0], votes[job.id][1]);
        vm.prank(requester);
        market.reveal(job.id, job.terms, placed[job.id], openings);
        same(wealth(provider(2)), FUNDS - BOND, "the honest seat was made late");
        same(wealth(requester) + wealth(provider(0)) + wealth(provider(1)), before, "nobody gained by it");
        same(market.burnt(address(token)), BOND, "it is burnt");
    }

    /// Attack: A builder keeps everybody from the chain, so that all bonds are burnt.
    /// Market: If nobody opened anything the chain failed, not the panel: every bond returns.
    function test_attack_HaltedChainBurnsBonds() public {
        Case memory job = opened(3, 2, 0, 0);
        commit(job, 0, 1, ANSWER);
        goTo(START + WINDOW + REVEAL);
        settle(job);
        for (uint256 i; i < 3; ++i) same(freeOf(provider(i)), FUNDS, "the bond is back");
        same(market.burnt(address(token)), 0, "nothing is burnt");
    }

    /// Attack: One bond stands for seats in many jobs, most of which have nothing at stake then.
    /// Market: A bond is taken from the free balance.
    function test_attack_OneBondForManyJobs() public {
        vm.prank(provider(0));
        market.withdraw(address(token), provider(0), FUNDS - BOND);
        opened(2, 2, 0, 0);
        same(freeOf(provider(0)), 0, "the bond is taken");
        Case memory second = caseOf(requestFor(2, 2, 0, 0));
        same(market.checkOffers(second.request, 0, second.offers).length, 1, "there is none for another job");
    }

    /// Attack: A provider withdraws its bond while the job runs.
    /// Market: What is locked stays.
    function test_attack_BondWithdrawnWhileLocked() public {
        opened(2, 2, 0, 0);
        vm.prank(provider(0));
        vm.expectRevert(
            abi.encodeWithSelector(ILedger.InsufficientFree.selector, token, provider(0), FUNDS - BOND, FUNDS)
        );
        market.withdraw(address(token), provider(0), FUNDS);
    }

    /// Attack: A provider that has committed declines, has its bond back, and still votes.
    /// Market: A place with a commitment cannot decline.
    function test_attack_BondBackAfterCommitment() public {
        Case memory job = opened(2, 2, 0, 0);
        commit(job, 0, 1, ANSWER);
        vm.prank(provider(0));
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.AlreadyCommitted.selector, job.id, 0));
        market.decline(job.id, job.terms, 0);
    }

    /// Attack: A provider declines twice, and has the bond of another job back.
    /// Market: A place declines once.
    function test_attack_DeclineTwice() public {
        opened(2, 2, 0, 0);
        Case memory job = opened(2, 2, 0, 0);
        decline(job, 0);
        vm.prank(provider(0));
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.AlreadyDeclined.selector, job.id, 0));
        market.decline(job.id, job.terms, 0);
        same(lockedOf(provider(0)), BOND, "the other bond is locked");
    }

    /// Attack: The bond of a place that declined is returned once more by the settlement.
    /// Market: A declined place has had its bond.
    function test_attack_DeclinedBondReturnedTwice() public {
        opened(2, 2, 0, 0);
        Case memory job = opened(2, 2, 0, 0);
        decline(job, 0);
        goTo(START + WINDOW + REVEAL);
        settle(job);
        same(lockedOf(provider(0)), BOND, "the other bond is locked");
        same(wealth(provider(0)), FUNDS, "not a unit more");
    }

    /// Attack: A spare declines and has its standby fee all the same.
    /// Market: A fee is for standing by to the end.
    function test_attack_DecliningSpareKeepsItsFee() public {
        opened(2, 2, 1, 0);
        Case memory job = opened(2, 2, 1, 0);
        decline(job, 2);
        play(job, answers(ANSWER, ANSWER));
        same(wealth(provider(2)), FUNDS, "no fee");
        same(lockedOf(provider(2)), BOND, "the bond of the other job alone is locked");
    }

    /// Attack: A provider never computes and reports in every job, to live on call-out fees.
    /// Market: Reports are paid when a majority reports, and not otherwise.
    function test_attack_LazyReporter() public {
        Case memory job = opened(2, 2, 0, 0);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 3, 0);
        revealAll(job);
        sameStatus(status(job), JobStatus.Inconclusive, "no decision");
        same(wealth(provider(1)), FUNDS, "no fee for the report");
        same(wealth(provider(0)), FUNDS + PRICE / 10, "a fee for the answer");
    }

    /// Attack: Puppets mark a third in a job without bonds, which costs them nothing.
    /// Market: Without a stake there is no fault.
    function test_attack_ConvictionWithoutStake() public {
        Request memory request = requestFor(3, 2, 0, 0);
        request.bond = 0;
        Case memory job = caseOf(request);
        open(job);
        play(job, answers(OTHER, OTHER, ANSWER));
        check(!market.onProbation(provider(2)), "no probation");
        same(market.standingOf(provider(2)).faults, 0, "no mark");
    }

    /// Attack: A spare is dearer than every seat, and its promotion leaves the escrow short: nobody can settle.
    /// Market: The escrow covers the highest price among seats and spares.
    function test_attack_DearSpareUnderfunds() public {
        Case memory job = caseOf(requestFor(2, 2, 2, 0));
        for (uint256 i = 2; i < 4; ++i) job.offers[i] = offerBy(job.id, i, 2 * PRICE);
        fillTerms(job);
        open(job);
        decline(job, 0);
        decline(job, 1);
        promote(job);
        commit(job, 2, 1, ANSWER);
        commit(job, 3, 1, ANSWER);
        (bool success, ) = address(this).call(abi.encodeCall(this.revealedAll, (job)));
        check(success, "it settles");
        for (uint256 i = 2; i < 4; ++i) same(wealth(provider(i)), FUNDS + 2 * PRICE, "and pays");
    }

    /// Attack: Shadows that align are paid out of an escrow that did not count them: nobody can settle.
    /// Market: The escrow covers the price of each shadow.
    function test_attack_ShadowsUnderfund() public {
        Case memory job = opened(2, 2, 0, 2);
        commit(job, 2, 1, ANSWER);
        commit(job, 3, 1, ANSWER);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        (bool success, ) = address(this).call(abi.encodeCall(this.revealedAll, (job)));
        check(success, "it settles");
        same(wealth(provider(3)), FUNDS + PRICE + 3, "and pays");
    }

    function revealedAll(Case memory job) external {
        revealAll(job);
    }

    /// Attack: Prices are chosen so that each share is rounded up, and the last unit is taken from others.
    /// Market: Shares are rounded down, the dust returns to the requester.
    function test_attack_DustAndRounding() public {
        Request memory request = requestFor(2, 2, 2, 0);
        (request.calloutBps, request.standbyBps) = (3333, 1);
        Case memory job = caseOf(request);
        for (uint256 i; i < 4; ++i) job.offers[i] = offerBy(job.id, i, 1001);
        fillTerms(job);
        open(job);
        play(job, answers(ANSWER, OTHER));
        for (uint256 i; i < 2; ++i) same(wealth(provider(i)), FUNDS + 333, "33.33 % of 1001, rounded down");
        for (uint256 i = 2; i < 4; ++i) same(wealth(provider(i)), FUNDS, "0.01 % of 1001 is nothing");
        same(wealth(requester), FUNDS - 2 * 333 - FEE, "the dust is the requester's");
        uint256 total = wealth(requester) + freeOf(carrier);
        for (uint256 i; i < 4; ++i) total += wealth(provider(i));
        same(total, 5 * uint256(FUNDS), "to the unit");
    }

    /// Attack: Amounts so high that their sum wraps let a job open with next to no escrow.
    /// Market: Sums are wider than amounts.
    function test_attack_HugeAmounts() public {
        Request memory request = requestFor(2, 2, 0, 0);
        request.priceCeiling = type(uint96).max;
        Case memory job = caseOf(request);
        for (uint256 i; i < 2; ++i) job.offers[i] = offerBy(job.id, i, 1 << 95);
        fillTerms(job);
        vm.prank(requester);
        vm.expectRevert(
            abi.encodeWithSelector(ILedger.InsufficientFree.selector, token, requester, FUNDS, (1 << 96) + FEE)
        );
        market.open(job.request, 0, job.offers);
    }

    /// Attack: Everybody settles at once, and each of them has the carrier fee.
    /// Market: A job settles once.
    function test_attack_SettleByEveryoneAtOnce() public {
        opened(2, 2, 0, 0);
        Case memory job = opened(2, 2, 0, 0);
        goTo(START + WINDOW + REVEAL);
        settle(job);
        for (uint256 i; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobNotOpen.selector, job.id, Phase.Inconclusive));
            this.settledBy(address(uint160(0xE0 + i)), job);
        }
        same(freeOf(carrier), FEE, "one fee");
    }

    /// Attack: A carrier settles early, so that whoever has not opened yet is late.
    /// Market: The reveal window is everybody's to its last second.
    function test_attack_SettleTooEarly() public {
        Case memory job = opened(2, 2, 0, 0);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        reveal(job, list(0));
        skip(REVEAL - 1);
        needsStatus(job, JobStatus.Revealing, JobStatus.Settleable);
        this.settledBy(attacker, job);
    }

    function settledBy(address by, Case memory job) external {
        vm.prank(by);
        market.settle(job.id, job.terms);
    }
}
