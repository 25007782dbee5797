// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MarketTest} from "./support/MarketTest.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {Request, PlacedCommitment, Opening, JobStatus, OpeningFault} from "../../contracts/types/Job.sol";
import {JobState, Phase} from "../../contracts/types/JobState.sol";
import {Standing} from "../../contracts/types/Standing.sol";

/// @notice Reveal and settle: rows A7, A8 and M1 to M12. Branches: Settlement.tree.
contract SettlementTest is MarketTest {
    uint256 private constant CALLOUT = 10; // 1000 bps of a price, in percent

    function pay(Case memory job, uint8 place) private view returns (uint256) {
        // What a provider has beyond its deposit, its bond being back.
        return freeOf(job.terms.places[place].provider) + lockedOf(job.terms.places[place].provider) - FUNDS;
    }

    function loses(Case memory job, uint8 place) private view {
        same(freeOf(job.terms.places[place].provider), FUNDS - BOND, "bond is gone");
        same(lockedOf(job.terms.places[place].provider), 0, "nothing stays locked");
    }

    function gets(Case memory job, uint8 place, uint256 amount) private view {
        same(pay(job, place), amount, "compensation");
        same(lockedOf(job.terms.places[place].provider), 0, "bond is returned");
    }

    function standing(Case memory job, uint8 place) private view returns (Standing memory) {
        return market.standingOf(job.terms.places[place].provider);
    }

    function result(Case memory job, JobStatus expected, uint8 outcome, bytes32 hash) private view {
        (JobStatus found, uint8 foundOutcome, bytes27 foundHash) = market.resultOf(job.id);
        sameStatus(found, expected, "result status");
        same(foundOutcome, outcome, "outcome");
        same(bytes32(foundHash), bytes32(bytes27(hash)), "result hash");
        sameStatus(status(job), expected, "S4: status after settlement");
    }

    function refunded(Case memory job, uint256 paid) private view {
        same(freeOf(requester), FUNDS - paid, "the requester pays what was earned");
        same(lockedOf(requester), 0, "the requester locks nothing");
        same(freeOf(carrier), job.terms.carrierFee, "the carrier fee goes to the settling account");
    }

    /// M1, A7, A8, R1: all agree; the reveal that opens the last place settles.
    function test_RevealOfTheLastPlaceSettlesAndPaysPrices() public {
        Case memory job = opened(3, 2, 0, 0);
        same(freeOf(requester), FUNDS - escrowOf(job.terms), "escrow is taken");
        same(lockedOf(provider(0)), BOND, "bond is locked");
        for (uint8 i; i < 3; ++i) commit(job, i, 1, ANSWER);
        sameStatus(status(job), JobStatus.Revealing, "R1: revealing begins with the last commitment");
        same(revealAt(job), clock, "R1: time");
        revealAll(job);
        result(job, JobStatus.Accepted, 1, ANSWER);
        for (uint8 i; i < 3; ++i) {
            gets(job, i, PRICE + i);
            same(standing(job, i).aligned, 1, "T1: counter");
        }
        refunded(job, 3 * PRICE + 3 + FEE);
        same(market.burnt(address(token)), 0, "nothing is burnt");
        JobState memory state = market.jobState(job.id);
        same(state.seats, 3, "seats are kept");
        same(state.quorum, 2, "quorum is kept");
        same(state.agreeing, 3, "tally is kept");
        same(market.commitmentChainOf(job.id, keccak256(abi.encode(job.terms))), bytes32(0), "the chain is cleared");
    }

    /// A7: openings may come in several calls; the stored votes count.
    function test_RevealInPartsSettlesWithTheLast() public {
        Case memory job = opened(3, 2, 0, 0);
        for (uint8 i; i < 3; ++i) commit(job, i, 2, ANSWER);
        reveal(job, list(2));
        reveal(job, list(0));
        sameStatus(status(job), JobStatus.Revealing, "two of three are open");
        reveal(job, list(1));
        result(job, JobStatus.Accepted, 2, ANSWER);
        gets(job, 2, PRICE + 2);
    }

    /// M2: reports are one vote and are paid call-out when accepted. M3: a computed answer is overruled.
    function test_AcceptedReportsPayCallout() public {
        Case memory job = opened(3, 2, 0, 0);
        commit(job, 0, 3, 0);
        commit(job, 1, 3, 0);
        commit(job, 2, 1, ANSWER);
        revealAll(job);
        result(job, JobStatus.Accepted, 3, 0);
        gets(job, 0, PRICE / CALLOUT);
        gets(job, 2, (PRICE + 2) / CALLOUT);
        same(standing(job, 0).reported, 1, "T3: reported");
        same(standing(job, 2).aligned + standing(job, 2).faults, 0, "T4: overruled leaves no mark");
        refunded(job, 3 * (PRICE / CALLOUT) + FEE);
    }

    /// M4: a report against an accepted computed answer earns nothing and loses nothing.
    function test_ReportAgainstAnswerEarnsNothing() public {
        Case memory job = opened(3, 2, 0, 0);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        commit(job, 2, 3, 0);
        revealAll(job);
        gets(job, 2, 0);
        same(standing(job, 2).reported, 1, "reported");
        refunded(job, 2 * PRICE + 1 + FEE);
    }

    /// M5, T5: a fault is quarantined, neither burnt nor paid to anybody.
    function test_FaultIsQuarantined() public {
        Case memory job = opened(3, 2, 0, 0);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        commit(job, 2, 1, OTHER);
        revealAll(job);
        loses(job, 2);
        (uint96 amount, ) = market.quarantineOf(provider(2), address(token), 1);
        same(amount, BOND, "quarantined");
        same(standing(job, 2).faults, 1, "fault is counted");
        check(market.onProbation(provider(2)), "on probation");
        refunded(job, 2 * PRICE + 1 + FEE);
    }

    /// M5: Ok and Failed with one hash are different answers.
    function test_OutcomeIsPartOfTheAnswer() public {
        Case memory job = opened(3, 2, 0, 0);
        commit(job, 0, 2, ANSWER);
        commit(job, 1, 2, ANSWER);
        commit(job, 2, 1, ANSWER);
        revealAll(job);
        result(job, JobStatus.Accepted, 2, ANSWER);
        loses(job, 2);
    }

    /// M5: a fault also in an inconclusive job, when q is above the majority.
    function test_FaultInInconclusiveJob() public {
        Case memory job = opened(3, 3, 0, 0);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        commit(job, 2, 1, OTHER);
        revealAll(job);
        result(job, JobStatus.Inconclusive, 0, 0);
        loses(job, 2);
        gets(job, 0, PRICE / CALLOUT);
        same(standing(job, 0).undecided, 1, "the majority is undecided");
        same(market.jobState(job.id).agreeing, 2, "equal answers are recorded");
    }

    /// M6: without a bond there is no fault, only dissent.
    function test_DissentWithoutBond() public {
        Request memory request = requestFor(3, 2, 0, 0);
        request.bond = 0;
        Case memory job = caseOf(request);
        open(job);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        commit(job, 2, 1, OTHER);
        revealAll(job);
        gets(job, 2, 0);
        same(standing(job, 2).faults, 0, "no fault");
        check(!market.onProbation(provider(2)), "no probation");
    }

    /// M7, M8: nobody agrees; computed answers get call-out, reports and malformed openings nothing.
    function test_InconclusivePaysCalloutToComputed() public {
        Case memory job = opened(4, 3, 0, 0);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, OTHER);
        commit(job, 2, 3, 0);
        commit(job, 3, 1, 0); // malformed
        revealAll(job);
        result(job, JobStatus.Inconclusive, 0, 0);
        gets(job, 0, PRICE / CALLOUT);
        gets(job, 1, (PRICE + 1) / CALLOUT);
        gets(job, 2, 0);
        gets(job, 3, 0);
        same(standing(job, 0).undecided, 1, "T3: undecided");
        same(standing(job, 3).reported, 1, "malformed counts as reported");
    }

    /// M8: every malformed combination is no vote.
    function testFuzz_MalformedIsNoVote(uint8 outcome, bytes32 hash) public {
        bool wellFormed = ((outcome == 1 || outcome == 2) && hash != 0) || (outcome == 3 && hash == 0);
        Case memory job = opened(2, 2, 0, 0);
        commit(job, 0, outcome, hash);
        commit(job, 1, outcome, hash);
        revealAll(job);
        (JobStatus found, , ) = market.resultOf(job.id);
        sameStatus(found, wellFormed ? JobStatus.Accepted : JobStatus.Inconclusive, "accepted if well formed");
    }

    /// M9, A5: a declined seat has its bond at once and no pay.
    function test_DeclinedSeatIsFree() public {
        Case memory job = opened(3, 2, 0, 0);
        decline(job, 2);
        gets(job, 2, 0);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        revealAll(job);
        gets(job, 2, 0);
        same(standing(job, 2).declined, 1, "T3: declined");
        result(job, JobStatus.Accepted, 1, ANSWER);
    }

    /// M10, A8, R2: late bonds are burnt, whether nothing was committed or nothing opened.
    function test_LateBondsAreBurnt() public {
        Case memory job = opened(3, 2, 0, 0);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        same(revealAt(job), START + WINDOW, "R2: the deadline of the undecided seat");
        goTo(START + WINDOW);
        reveal(job, list(0));
        vm.expectRevert(
            abi.encodeWithSelector(IJobMarket.WrongStatus.selector, job.id, JobStatus.Revealing, JobStatus.Settleable)
        );
        market.settle(job.id, job.terms);
        goTo(START + WINDOW + REVEAL);
        sameStatus(status(job), JobStatus.Settleable, "S3");
        settle(job);
        result(job, JobStatus.Inconclusive, 0, 0);
        gets(job, 0, PRICE / CALLOUT);
        loses(job, 1);
        loses(job, 2);
        same(standing(job, 1).late, 1, "T2: late");
        same(market.burnt(address(token)), 2 * BOND, "burnt whole");
        refunded(job, PRICE / CALLOUT + FEE);
    }

    /// M10: nobody opened anything: late is marked, bonds return.
    function test_NobodyOpenedReturnsBonds() public {
        Case memory job = opened(3, 2, 0, 0);
        commit(job, 0, 1, ANSWER);
        goTo(START + WINDOW + REVEAL);
        settle(job);
        for (uint8 i; i < 3; ++i) {
            gets(job, i, 0);
            same(standing(job, i).late, 1, "late");
        }
        same(market.burnt(address(token)), 0, "nothing is burnt");
        refunded(job, FEE);
    }

    /// A7: a job without any commitment is not settled by an empty reveal.
    function test_EmptyRevealSettlesNothing() public {
        Case memory job = opened(2, 2, 0, 0);
        goTo(START + WINDOW);
        revealAll(job);
        sameStatus(status(job), JobStatus.Revealing, "still revealing");
        goTo(START + WINDOW + REVEAL);
        settle(job);
        result(job, JobStatus.Inconclusive, 0, 0);
    }

    /// M11: an unused spare gets its standby fee, a declined one does not.
    function test_StandbyFees() public {
        Case memory job = opened(2, 2, 2, 0);
        decline(job, 3);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        revealAll(job);
        gets(job, 2, ((PRICE + 2) * 250) / 10_000);
        gets(job, 3, 0);
        refunded(job, 2 * PRICE + 1 + ((PRICE + 2) * 250) / 10_000 + FEE);
    }

    /// M1 for a promoted spare: its own price; the former occupant stays declined.
    function test_PromotedSpareEarnsItsOwnPrice() public {
        Case memory job = opened(2, 2, 1, 0);
        decline(job, 0);
        promote(job);
        commit(job, 2, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        revealAll(job);
        gets(job, 0, 0);
        gets(job, 2, PRICE + 2);
        result(job, JobStatus.Accepted, 1, ANSWER);
    }

    /// M12 and shadows: no weight, the same rows, released without a mark.
    function test_ShadowsHaveNoWeight() public {
        Case memory job = opened(2, 2, 0, 3);
        commit(job, 2, 1, OTHER);
        commit(job, 3, 1, ANSWER);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        revealAll(job);
        result(job, JobStatus.Accepted, 1, ANSWER);
        loses(job, 2);
        gets(job, 3, PRICE + 3);
        gets(job, 4, 0);
        same(standing(job, 4).late, 0, "M12: no mark");
        same(market.jobState(job.id).agreeing, 2, "shadows are not counted");
    }

    /// M10: a shadow that committed and did not open is late; the job waits for its reveal window.
    function test_ShadowThatDoesNotOpenIsLate() public {
        Case memory job = opened(2, 2, 0, 1);
        commit(job, 2, 1, ANSWER);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        reveal(job, list(0, 1));
        sameStatus(status(job), JobStatus.Revealing, "waits for the shadow");
        skip(REVEAL);
        settle(job);
        loses(job, 2);
        result(job, JobStatus.Accepted, 1, ANSWER);
    }

    /// A7: bad openings are skipped with their cause and harm nobody.
    function test_BadOpeningsAreSkipped() public {
        Case memory job = opened(3, 2, 0, 0);
        for (uint8 i; i < 3; ++i) commit(job, i, 1, ANSWER);
        Opening[] memory openings = new Opening[](5);
        openings[0] = votes[job.id][0];
        openings[1] = votes[job.id][0];
        openings[2] = Opening({place: 200, outcome: 1, resultHash: ANSWER, salt: 0});
        openings[3] = Opening({place: 1, outcome: 1, resultHash: OTHER, salt: votes[job.id][1].salt});
        openings[4] = votes[job.id][2];
        expectOpening(job, 0);
        expectSkip(job, 0, OpeningFault.AlreadyOpened);
        expectSkip(job, 200, OpeningFault.NoSuchPlace);
        expectSkip(job, 1, OpeningFault.WrongOpening);
        expectOpening(job, 2);
        market.reveal(job.id, job.terms, placed[job.id], openings);
        same(market.jobState(job.id).opened, 5, "0 and 2 are open");
        revealAll(job);
        gets(job, 1, PRICE + 1);
    }

    function test_OpeningOfUncommittedPlaceIsSkipped() public {
        Case memory job = opened(3, 2, 0, 0);
        commit(job, 0, 1, ANSWER);
        voteFor(job, 1, 1, ANSWER);
        goTo(START + WINDOW);
        Opening[] memory openings = new Opening[](1);
        openings[0] = votes[job.id][1];
        expectSkip(job, 1, OpeningFault.NotCommitted);
        market.reveal(job.id, job.terms, placed[job.id], openings);
    }

    function expectSkip(Case memory job, uint8 place, OpeningFault cause) private {
        vm.expectEmit(true, true, true, true, address(market));
        emit IJobMarket.OpeningSkipped(job.id, place, cause);
    }

    function expectOpening(Case memory job, uint8 place) private {
        vm.expectEmit(true, true, true, true, address(market));
        Opening memory vote = votes[job.id][place];
        emit IJobMarket.CommitmentOpened(job.id, place, vote.outcome, vote.resultHash, vote.salt);
    }

    /// A copied commitment cannot be opened by the copier: it is bound to the provider.
    function test_CopiedCommitmentCannotBeOpened() public {
        Case memory job = opened(2, 2, 0, 0);
        commit(job, 0, 1, ANSWER);
        bytes32 copy = placed[job.id][0].commitment;
        vm.prank(provider(1));
        market.commit(job.id, job.terms, 1, copy);
        placed[job.id].push(PlacedCommitment({place: 1, commitment: copy}));
        Opening[] memory openings = new Opening[](1);
        openings[0] = votes[job.id][0];
        openings[0].place = 1;
        expectSkip(job, 1, OpeningFault.WrongOpening);
        market.reveal(job.id, job.terms, placed[job.id], openings);
    }

    function test_RevealNeedsTheCommitmentsInOrder() public {
        Case memory job = opened(2, 2, 0, 0);
        commit(job, 1, 1, ANSWER);
        commit(job, 0, 1, ANSWER);
        PlacedCommitment[] memory wrong = new PlacedCommitment[](2);
        (wrong[0], wrong[1]) = (placed[job.id][1], placed[job.id][0]);
        vm.expectPartialRevert(IJobMarket.CommitmentsMismatch.selector);
        market.reveal(job.id, job.terms, wrong, new Opening[](0));
        vm.expectPartialRevert(IJobMarket.CommitmentsMismatch.selector);
        market.reveal(job.id, job.terms, new PlacedCommitment[](0), new Opening[](0));
    }

    function test_RevealBeforeRevealingFails() public {
        Case memory job = opened(2, 2, 0, 0);
        commit(job, 0, 1, ANSWER);
        vm.expectRevert(
            abi.encodeWithSelector(IJobMarket.WrongStatus.selector, job.id, JobStatus.Committing, JobStatus.Revealing)
        );
        market.reveal(job.id, job.terms, placed[job.id], new Opening[](0));
    }

    function test_SettledJobTakesNothingMore() public {
        Case memory job = opened(2, 2, 0, 0);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        revealAll(job);
        bytes memory closed = abi.encodeWithSelector(IJobMarket.JobNotOpen.selector, job.id, Phase.Accepted);
        vm.expectRevert(closed);
        market.settle(job.id, job.terms);
        vm.expectRevert(closed);
        market.promote(job.id, job.terms);
        vm.prank(requester);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobAlreadyOpened.selector, job.id));
        market.open(job.request, 0, job.offers);
    }

    function test_OtherTermsAreRefused() public {
        Case memory job = opened(2, 2, 0, 0);
        job.terms.places[0].price += 1;
        vm.expectRevert(
            abi.encodeWithSelector(IJobMarket.TermsMismatch.selector, job.id, keccak256(abi.encode(job.terms)))
        );
        market.settle(job.id, job.terms);
    }

    /// 0011: a requester that settles its own job and owns a panel member gains nothing when an honest seat is made late.
    function test_CoalitionGainsNothingFromLateBonds() public {
        Case memory job = opened(3, 2, 0, 0);
        // The requester owns providers 0 and 1; provider 2 is kept out.
        uint256 before = uint256(FUNDS) * 3;
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, OTHER);
        goTo(START + WINDOW);
        reveal(job, list(0));
        Opening[] memory last = new Opening[](1);
        last[0] = votes[job.id][1];
        vm.prank(requester);
        market.reveal(job.id, job.terms, placed[job.id], last);
        loses(job, 2);
        same(freeOf(requester) + freeOf(provider(0)) + freeOf(provider(1)), before, "not a unit more");
    }

    function test_VerifyResultHoldsForOkOnly() public {
        bytes32 key = keccak256("result key");
        bytes memory bytes_ = "the result";
        bytes32 hash = keccak256(bytes.concat(key, bytes_));
        Case memory ok = opened(2, 2, 0, 0);
        check(!market.verifyResult(ok.id, key, bytes_), "not while open");
        commit(ok, 0, 1, hash);
        commit(ok, 1, 1, hash);
        revealAll(ok);
        check(market.verifyResult(ok.id, key, bytes_), "the result");
        check(!market.verifyResult(ok.id, key, "another"), "another result");
        check(!market.verifyResult(ok.id, 0, bytes_), "another key");
        Case memory failed = opened(2, 2, 0, 0);
        commit(failed, 0, 2, hash);
        commit(failed, 1, 2, hash);
        revealAll(failed);
        check(!market.verifyResult(failed.id, key, bytes_), "a failure is no result");
    }

    /// Sixteen places at the highest amounts that fit settle without overflow.
    function test_LargestJobSettles() public {
        Request memory request = requestFor(9, 5, 4, 3);
        request.priceCeiling = 1e6;
        Case memory job = caseOf(request);
        open(job);
        for (uint8 i; i < 3; ++i) decline(job, i);
        promote(job);
        for (uint8 i = 3; i < 12; ++i) commit(job, i, 1, ANSWER);
        revealAll(job);
        result(job, JobStatus.Accepted, 1, ANSWER);
        gets(job, 11, PRICE + 11);
        gets(job, 12, ((PRICE + 12) * 250) / 10_000);
    }
}
