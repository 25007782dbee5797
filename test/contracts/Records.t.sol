// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MarketTest} from "./support/MarketTest.sol";
import {Slots, VmLogs} from "./support/VmStorage.sol";
import {
    CarriedCommitment,
    CommitmentFault,
    JobStatus,
    Opening,
    PlacedCommitment,
    PlaceResult,
    Request,
    Terms,
    Verdict
} from "../../contracts/types/Job.sol";
import {QuarantineState, Standing} from "../../contracts/types/Standing.sol";
import {IAgents} from "../../contracts/interfaces/IAgents.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {IStandings} from "../../contracts/interfaces/IStandings.sol";
import {IWindows} from "../../contracts/interfaces/IWindows.sol";

/// @notice What is logged and counted, to the last field, and amounts at their edges. Branches: Records.tree.
contract RecordsTest is MarketTest {
    function marketWith(uint32 minWindow, uint32 maxWindow) external {
        deploy(minWindow, maxWindow);
    }

    function standing(uint256 index) private view returns (Standing memory) {
        return market.standingOf(provider(index));
    }

    function results(uint256 count) private pure returns (PlaceResult[] memory) {
        return new PlaceResult[](count);
    }

    function expect() private {
        vm.expectEmit(true, true, true, true, address(market));
    }

    /// @dev A job in which provider 2, a shadow, gives an answer.
    function shadowJob(bytes32 hash) private returns (Case memory job) {
        job = opened(2, 2, 0, 1);
        commit(job, 2, 1, hash);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
    }

    // Events

    function test_AuthorizeIsLogged() public {
        expect();
        emit IAgents.AgentAuthorized(address(this), address(0xA1), address(0x70), 11, 22, START + 33);
        market.authorize(address(0xA1), address(0x70), 11, 22, START + 33);
        // A time that has passed is now: so it is seen until when a revoked agent could sign.
        expect();
        emit IAgents.AgentAuthorized(address(this), address(0xA1), address(0x70), 44, 55, START);
        market.authorize(address(0xA1), address(0x70), 44, 55, START - 1);
        (uint96 bond, uint32 window, uint40 until) = market.authorizationOf(
            address(this),
            address(0xA1),
            address(0x70)
        );
        check(bond == 44 && window == 55 && until == START, "stored alike");
        // One that has ended, or never began, does not end later because it is revoked once more.
        skip(5);
        market.authorize(address(0xA1), address(0x70), 0, 0, START + 5);
        (, , until) = market.authorizationOf(address(this), address(0xA1), address(0x70));
        same(until, START, "ended when it did");
    }

    function test_AcceptedJobIsLoggedWhole() public {
        Case memory job = opened(3, 2, 1, 2);
        commit(job, 4, 1, OTHER);
        commit(job, 5, 1, ANSWER);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        commit(job, 2, 1, ANSWER);
        reveal(job, list(0, 1));
        reveal(job, list(4, 5));
        skip(REVEAL);
        PlaceResult[] memory expected = results(6);
        (expected[0].verdict, expected[0].paid) = (Verdict.Aligned, PRICE);
        (expected[1].verdict, expected[1].paid) = (Verdict.Aligned, PRICE + 1);
        expected[2].verdict = Verdict.Late;
        (expected[3].verdict, expected[3].paid) = (Verdict.Standby, 25);
        expected[4].verdict = Verdict.Fault;
        (expected[5].verdict, expected[5].paid) = (Verdict.Aligned, PRICE + 5);
        uint96 paid = PRICE + PRICE + 1 + 25 + PRICE + 5 + FEE;
        uint96 refund = uint96(escrowOf(job.terms)) - paid;
        expect();
        emit IJobMarket.JobSettled(job.id, JobStatus.Accepted, 1, ANSWER, carrier, refund, BOND, expected);
        settle(job);
    }

    function test_InconclusiveJobIsLoggedWhole() public {
        Case memory job = opened(2, 2, 0, 0);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 3, 0);
        reveal(job, list(0));
        PlaceResult[] memory expected = results(2);
        (expected[0].verdict, expected[0].paid) = (Verdict.Undecided, 100);
        expected[1].verdict = Verdict.Reported;
        uint96 refund = uint96(escrowOf(job.terms)) - 100 - FEE;
        expect();
        emit IJobMarket.JobSettled(job.id, JobStatus.Inconclusive, 0, 0, carrier, refund, 0, expected);
        reveal(job, list(1));
    }

    /// What is opened is not skipped too: one event an opening.
    function test_OpeningIsLoggedOnce() public {
        Case memory job = opened(3, 2, 0, 0);
        for (uint8 place; place < 3; ++place) commit(job, place, 1, ANSWER);
        VmLogs(address(vm)).recordLogs();
        reveal(job, list(0, 2));
        VmLogs.Log[] memory logs = VmLogs(address(vm)).getRecordedLogs();
        same(logs.length, 2, "two openings");
        for (uint256 i; i < 2; ++i) same(logs[i].topics[0], IJobMarket.CommitmentOpened.selector, "event");
        reveal(job, list(1));
        logs = VmLogs(address(vm)).getRecordedLogs();
        same(logs.length, 2, "the last opening, and the settlement");
        same(logs[1].topics[0], IJobMarket.JobSettled.selector, "without a callback nobody is called");
    }

    function test_EndsOfProbationAreLogged() public {
        revealAll(shadowJob(OTHER));
        skip(1);
        Case memory job = shadowJob(OTHER);
        reveal(job, list(0, 1));
        expect();
        emit IStandings.ProbationEnded(provider(2), 1, false);
        expect();
        emit IStandings.ProbationBegan(provider(2), 2, job.id);
        reveal(job, list(2));
        skip(1);
        revealAll(shadowJob(ANSWER));
        revealAll(shadowJob(ANSWER));
        job = shadowJob(ANSWER);
        reveal(job, list(0, 1));
        expect();
        emit IStandings.ProbationEnded(provider(2), 2, true);
        reveal(job, list(2));
    }

    // Counters

    function test_CountersStopAtTheirHighest() public {
        revealAll(shadowJob(OTHER));
        bytes32 slot = Slots.find(address(market), bytes32(uint256(uint160(provider(2)))));
        // Counters are the highest 136 bits; the probation below them ended.
        uint256 full = (type(uint256).max >> 120) << 120;
        Slots.write(address(market), slot, full);
        skip(1);
        revealAll(shadowJob(ANSWER));
        revealAll(shadowJob(OTHER));
        requireFull("aligned, faults");
        Slots.write(address(market), slot, full);
        Case memory job = shadowJob(ANSWER);
        reveal(job, list(0, 1));
        skip(REVEAL);
        settle(job);
        requireFull("late");
        job = opened(2, 2, 0, 1);
        commit(job, 2, 3, 0);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        revealAll(job);
        requireFull("reported");
        job = opened(2, 2, 0, 1);
        commit(job, 2, 1, ANSWER);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, OTHER);
        revealAll(job);
        requireFull("undecided");
        job = opened(2, 2, 0, 1);
        decline(job, 2);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        revealAll(job);
        requireFull("declined");
    }

    function requireFull(string memory claim) private view {
        Standing memory found = standing(2);
        same(found.aligned, type(uint24).max, claim);
        same(found.late, type(uint24).max, claim);
        same(found.reported, type(uint24).max, claim);
        same(found.undecided, type(uint24).max, claim);
        same(found.declined, type(uint24).max, claim);
        same(found.faults, type(uint16).max, claim);
    }

    /// T4: standby, overruled and absent shadows leave no mark at all.
    function test_OtherVerdictsCountNothing() public {
        Case memory job = opened(3, 2, 1, 1);
        commit(job, 0, 3, 0);
        commit(job, 1, 3, 0);
        commit(job, 2, 1, ANSWER);
        revealAll(job);
        for (uint256 index = 2; index < 5; ++index) {
            same(keccak256(abi.encode(standing(index))), keccak256(abi.encode(standing(9))), "like a stranger's");
        }
    }

    // Amounts

    /// One unit is enough to be burnt, quarantined and claimed.
    function test_BondsOfOneUnit() public {
        Request memory request = requestFor(3, 2, 0, 1);
        request.bond = 1;
        Case memory job = caseOf(request);
        open(job);
        commit(job, 3, 1, OTHER);
        for (uint8 place; place < 3; ++place) commit(job, place, 1, ANSWER);
        reveal(job, list(0, 1));
        reveal(job, list(3));
        skip(REVEAL);
        settle(job);
        same(market.burnt(address(token)), 1, "burnt");
        for (uint256 i; i < 4; ++i) same(lockedOf(provider(i)), 0, "nothing stays locked");
        (uint96 amount, QuarantineState state) = market.quarantineOf(provider(3), address(token), 1);
        same(amount, 1, "quarantined");
        same(uint256(state), uint256(QuarantineState.Held), "held");
        skip(180 days);
        market.claimQuarantine(provider(3), address(token), 1);
        same(freeOf(provider(3)), FUNDS, "claimed");
    }

    /// Nothing at stake: a late place loses nothing, and nothing is burnt.
    function test_LateWithoutBondLosesNothing() public {
        Request memory request = requestFor(3, 2, 0, 0);
        request.bond = 0;
        Case memory job = caseOf(request);
        open(job);
        for (uint8 place; place < 3; ++place) commit(job, place, 1, ANSWER);
        reveal(job, list(0, 1));
        skip(REVEAL);
        settle(job);
        same(standing(2).late, 1, "late");
        same(freeOf(provider(2)), FUNDS, "all its money");
        same(market.burnt(address(token)), 0, "nothing burnt");
    }

    function test_BondOfAllThatIsFree() public {
        Request memory request = requestFor(2, 2, 0, 0);
        request.bond = FUNDS;
        open(caseOf(request));
        same(freeOf(provider(1)), 0, "nothing is left");
        same(lockedOf(provider(1)), FUNDS, "all is locked");
    }

    /// The highest price among seats and spares counts, wherever it stands.
    function test_DearestOfferComesFirst() public {
        Request memory request = requestFor(2, 2, 2, 1);
        Case memory job = caseOf(request);
        for (uint256 i; i < 5; ++i) job.offers[i] = offerBy(job.id, i, PRICE + 100 - uint96(30 * i));
        fillTerms(job);
        open(job);
        // Two seats at the highest price, two standby fees rounded down, a shadow.
        uint256 escrow = 2 * (PRICE + 100) + 26 + 25 + (PRICE - 20) + FEE;
        same(escrowOf(job.terms), escrow, "the sum of the page");
        same(freeOf(requester), FUNDS - escrow, "is taken");
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        revealAll(job);
        same(market.held(address(token)), 17 * FUNDS, "held");
        uint256 paid = PRICE + 100 + PRICE + 70 + 26 + 25 + FEE;
        same(freeOf(requester), FUNDS - paid, "the rest returns");
    }

    // Votes

    /// The first vote is not the answer when the others agree.
    function test_FirstVoteIsOutvoted() public {
        Case memory job = opened(3, 2, 0, 0);
        commit(job, 0, 1, OTHER);
        commit(job, 1, 1, ANSWER);
        commit(job, 2, 1, ANSWER);
        revealAll(job);
        (JobStatus found, , bytes27 hash) = market.resultOf(job.id);
        sameStatus(found, JobStatus.Accepted, "accepted");
        same(bytes32(hash), bytes32(bytes27(ANSWER)), "the answer of two");
    }

    function test_VotesMayComeInAnyOrder() public {
        Case memory job = opened(5, 3, 0, 0);
        bytes32[5] memory hashes = [OTHER, ANSWER, keccak256("third"), ANSWER, ANSWER];
        for (uint8 place; place < 5; ++place) commit(job, place, 1, hashes[place]);
        revealAll(job);
        (JobStatus found, , bytes27 hash) = market.resultOf(job.id);
        sameStatus(found, JobStatus.Accepted, "accepted");
        same(bytes32(hash), bytes32(bytes27(ANSWER)), "the answer of three");
        same(market.jobState(job.id).agreeing, 3, "three agree");
    }

    /// Half of the seats is no majority: whoever disagrees is undecided.
    function test_HalfOfTheSeatsConvictsNobody() public {
        Case memory job = opened(4, 3, 0, 0);
        for (uint8 place; place < 3; ++place) commit(job, place, 1, place == 2 ? OTHER : ANSWER);
        skip(WINDOW);
        revealAll(job);
        sameStatus(status(job), JobStatus.Inconclusive, "no decision");
        same(standing(2).faults, 0, "no fault");
        same(standing(2).undecided, 1, "undecided");
        same(market.jobState(job.id).agreeing, 0, "no majority");
    }

    function test_CarriedCommitmentsAreStored() public {
        Case memory job = opened(2, 2, 0, 0);
        CarriedCommitment[] memory items = new CarriedCommitment[](2);
        for (uint8 place; place < 2; ++place) {
            bytes32 commitment = voteFor(job, place, 1, ANSWER);
            bytes memory signed = signedCommitment(keyOf(place), job.id, provider(place), commitment);
            items[place] = CarriedCommitment({place: place, commitment: commitment, signature: signed});
            placed[job.id].push(PlacedCommitment({place: place, commitment: commitment}));
        }
        market.commitBySig(job.id, job.terms, items);
        revealAll(job);
        sameStatus(status(job), JobStatus.Accepted, "settled");
    }

    function test_TwoEquivocatorsAreNamed() public {
        Request memory request = requestFor(3, 2, 0, 0);
        request.flags = 2;
        Case memory job = caseOf(request);
        open(job);
        bytes32[] memory set = setOf(job, first(3), ANSWER);
        commit(job, 0, 1, OTHER);
        commit(job, 2, 1, OTHER);
        bytes32[] memory stands = new bytes32[](3);
        stands[1] = set[1];
        expect();
        emit IJobMarket.CommitmentSetPlaced(job.id, stands, 5);
        revealSet(job, set, list(1));
        same(market.jobState(job.id).committed, 7, "all are bound");
        same(market.jobState(job.id).opened, 2, "one is open");
    }

    function first(uint8 count) private pure returns (uint8[] memory all) {
        all = new uint8[](count);
        for (uint8 place; place < count; ++place) all[place] = place;
    }

    /// A set that settles a job with commitments on chain clears their chain too.
    function test_SetClearsTheChain() public {
        Request memory request = requestFor(2, 2, 0, 0);
        request.flags = 2;
        Case memory job = caseOf(request);
        open(job);
        bytes32[] memory set = setOf(job, list(0, 1), ANSWER);
        commit(job, 0, 1, ANSWER);
        revealSet(job, set, list(0, 1));
        sameStatus(status(job), JobStatus.Accepted, "settled");
        same(market.commitmentChainOf(job.id, keccak256(abi.encode(job.terms))), 0, "no chain");
    }

    // Views and refusals

    function test_OpenJobHasNoResult() public {
        Case memory job = opened(2, 2, 0, 0);
        for (uint8 round; round < 2; ++round) {
            (JobStatus found, uint8 outcome, bytes27 hash) = market.resultOf(job.id);
            sameStatus(found, JobStatus.None, "status");
            same(outcome, 0, "outcome");
            same(bytes32(hash), 0, "hash");
            check(!market.verifyResult(job.id, 0, ""), "nothing to verify");
            if (round == 0) commit(job, 0, 1, ANSWER);
        }
    }

    function test_WholeStandbyFeeIsAllowed() public {
        Request memory request = requestFor(2, 2, 1, 0);
        request.standbyBps = 10_000;
        Case memory job = caseOf(request);
        open(job);
        same(freeOf(requester), FUNDS - 3 * (PRICE + 2) - FEE, "as dear as a seat");
    }

    function test_VacantSeatWithoutSpareStaysVacant() public {
        Case memory job = opened(3, 2, 0, 0);
        decline(job, 1);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.NothingToPromote.selector, job.id, 2, 0));
        promote(job);
    }

    function test_PlacesBeyondThePanelAreNotInTheChain() public {
        Case memory job = opened(2, 2, 0, 0);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        bytes32 chain = market.commitmentChainOf(job.id, keccak256(abi.encode(job.terms)));
        PlacedCommitment[] memory landed = new PlacedCommitment[](1);
        for (uint8 place = 2; place < 4; ++place) {
            landed[0] = PlacedCommitment({place: place, commitment: ANSWER});
            bytes32 found = keccak256(abi.encode(job.id, place, ANSWER));
            vm.expectRevert(abi.encodeWithSelector(IJobMarket.CommitmentsMismatch.selector, job.id, found, chain));
            market.reveal(job.id, job.terms, landed, new Opening[](0));
        }
    }

    function test_SettledJobHasNoTimes() public {
        Case memory job = opened(2, 2, 0, 0);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        revealAll(job);
        (JobStatus found, uint40 revealAt_, uint40 deadline) = market.statusOf(job.id, job.terms);
        sameStatus(found, JobStatus.Accepted, "status");
        same(revealAt_, 0, "no start of revealing");
        same(deadline, 0, "and no end");
    }

    function test_StatusAsksForTheTerms() public {
        Case memory job = opened(2, 2, 0, 0);
        (, uint40 revealAt_, uint40 deadline) = market.statusOf(job.id, job.terms);
        same(revealAt_, START + WINDOW, "start of revealing");
        same(deadline, START + WINDOW + REVEAL, "its end");
        commit(job, 0, 1, ANSWER);
        Terms memory other = job.terms;
        ++other.bond;
        bytes32 hash = keccak256(abi.encode(other));
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.TermsMismatch.selector, job.id, hash));
        market.statusOf(job.id, other);
    }

    function test_PlaceAfterTheLastIsNone() public {
        Case memory job = opened(2, 2, 0, 0);
        CarriedCommitment[] memory items = new CarriedCommitment[](1);
        items[0].place = 2;
        items[0].commitment = ANSWER;
        expect();
        emit IJobMarket.CommitmentSkipped(job.id, 2, CommitmentFault.NoSuchPlace);
        market.commitBySig(job.id, job.terms, items);
    }

    function test_MismatchNamesBothChains() public {
        Case memory job = opened(2, 2, 0, 0);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        bytes32 chain = market.commitmentChainOf(job.id, keccak256(abi.encode(job.terms)));
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.CommitmentsMismatch.selector, job.id, job.id, chain));
        this.revealNothing(job);
    }

    function revealNothing(Case memory job) external {
        delete placed[job.id];
        reveal(job, new uint8[](0));
    }

    function test_BadWindowsAreNamed() public {
        vm.expectRevert(abi.encodeWithSelector(IWindows.MarketWindowsOutOfRange.selector, 500, 400, 1, 7 days));
        this.marketWith(500, 400);
        vm.chainId(1);
        vm.expectRevert(abi.encodeWithSelector(IWindows.MarketWindowsOutOfRange.selector, 299, 400, 300, 7 days));
        this.marketWith(299, 400);
    }

    function test_ShortWindowsAreForTestChains() public {
        uint16[6] memory chains = [1336, 1337, 1338, 31_336, 31_337, 31_338];
        for (uint256 i; i < chains.length; ++i) {
            vm.chainId(chains[i]);
            uint32 lowest = i % 3 == 1 ? 1 : 300;
            this.marketWith(lowest, 400);
            vm.expectRevert(
                abi.encodeWithSelector(IWindows.MarketWindowsOutOfRange.selector, lowest - 1, 400, lowest, 7 days)
            );
            this.marketWith(lowest - 1, 400);
        }
    }
}
