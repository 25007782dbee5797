// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MarketTest} from "./support/MarketTest.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {CarriedCommitment, JobStatus, CommitmentFault} from "../../contracts/types/Job.sol";
import {Promotion} from "../../contracts/types/JobState.sol";

/// @notice Commit, decline, promote and the status: rows A3 to A6, R1 to R3, S1 to S3. Branches: Panel.tree.
contract PanelTest is MarketTest {
    uint256 private constant AGENT = 0xA9E7;

    function refuses(Case memory job, uint8 place, CommitmentFault fault) private {
        vm.prank(job.terms.places[place].provider);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.CommitmentRefused.selector, job.id, place, fault));
        market.commit(job.id, job.terms, place, keccak256("late"));
    }

    /// A3: in time until the last second before the deadline; S1.
    function test_CommitUntilTheDeadline() public {
        Case memory job = opened(2, 2, 0, 0);
        goTo(START + WINDOW - 1);
        bytes32 commitment = voteFor(job, 0, 1, ANSWER);
        vm.prank(provider(0));
        vm.expectEmit(true, true, true, true, address(market));
        emit IJobMarket.CommitmentPlaced(job.id, 0, commitment);
        market.commit(job.id, job.terms, 0, commitment);
        same(market.jobState(job.id).committed, 1, "committed");
        same(market.jobState(job.id).lastCommitAt, clock, "lastCommitAt");
        sameStatus(status(job), JobStatus.Committing, "S1");
        goTo(START + WINDOW);
        refuses(job, 1, CommitmentFault.Late);
        sameStatus(status(job), JobStatus.Revealing, "S2");
        goTo(START + WINDOW + REVEAL - 1);
        sameStatus(status(job), JobStatus.Revealing, "S2 until the last second");
        goTo(START + WINDOW + REVEAL);
        sameStatus(status(job), JobStatus.Settleable, "S3");
    }

    function test_CommitRefusals() public {
        Case memory job = opened(2, 2, 1, 0);
        commit(job, 0, 1, ANSWER);
        refuses(job, 0, CommitmentFault.AlreadyCommitted);
        refuses(job, 2, CommitmentFault.NotSeated);
        decline(job, 1);
        refuses(job, 1, CommitmentFault.Declined);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.NoSuchPlace.selector, job.id, 3, 3));
        market.commit(job.id, job.terms, 3, ANSWER);
        vm.prank(provider(1));
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.NotProvider.selector, job.id, 0, provider(1), provider(0)));
        market.commit(job.id, job.terms, 0, ANSWER);
        Case memory fresh = opened(2, 2, 0, 0);
        vm.prank(provider(0));
        vm.expectRevert(
            abi.encodeWithSelector(IJobMarket.CommitmentRefused.selector, fresh.id, 0, CommitmentFault.ZeroCommitment)
        );
        market.commit(fresh.id, fresh.terms, 0, 0);
    }

    /// A3: an agent in force commits, an expired or revoked one does not.
    function test_AgentCommitsWhileInForce() public {
        Case memory job = opened(2, 2, 0, 0);
        address agent = vm.addr(AGENT);
        vm.prank(provider(0));
        market.authorize(agent, address(token), 0, 0, uint40(clock + 10));
        goTo(clock + 10);
        vm.prank(agent);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.NotProvider.selector, job.id, 0, agent, provider(0)));
        market.commit(job.id, job.terms, 0, ANSWER);
        goTo(clock - 1);
        vm.prank(agent);
        market.commit(job.id, job.terms, 0, ANSWER);
        same(market.jobState(job.id).committed, 1, "committed");
    }

    /// A3: shadows commit while Committing only.
    function test_ShadowCommitsBeforeRevealing() public {
        Case memory job = opened(2, 2, 0, 2);
        commit(job, 2, 1, ANSWER);
        same(market.jobState(job.id).lastCommitAt, 0, "a shadow's commitment moves nothing");
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        refuses(job, 3, CommitmentFault.Late);
    }

    // A4

    function carried(Case memory job, uint8 place, uint256 key) private returns (CarriedCommitment memory item) {
        item.place = place;
        item.commitment = voteFor(job, place, 1, ANSWER);
        item.signature = signedCommitment(key, job.id, job.terms.places[place].provider, item.commitment);
    }

    function expectSkip(Case memory job, uint8 place, CommitmentFault cause) private {
        vm.expectEmit(true, true, true, true, address(market));
        emit IJobMarket.CommitmentSkipped(job.id, place, cause);
    }

    /// A4: a poisoned batch places what is good and names why the rest is not.
    function test_PoisonedBatchCostsTheInnocentNothing() public {
        Case memory job = opened(3, 2, 1, 1);
        decline(job, 2);
        vm.prank(provider(1));
        market.authorize(vm.addr(AGENT), address(token), 0, 0, type(uint40).max);

        CarriedCommitment[] memory items = new CarriedCommitment[](11);
        items[0] = carried(job, 0, keyOf(1)); // signed by another
        items[1] = carried(job, 0, keyOf(0));
        items[1].signature = ""; // no signature
        items[2] = carried(job, 0, keyOf(0));
        items[2].signature = new bytes(5000);
        items[3] = CarriedCommitment({place: 255, commitment: ANSWER, signature: ""});
        items[4] = carried(job, 2, keyOf(2)); // declined
        items[5] = carried(job, 3, keyOf(3)); // spare without a seat
        items[6] = CarriedCommitment({place: 1, commitment: 0, signature: ""});
        items[7] = carried(job, 4, keyOf(4)); // shadow, good
        items[8] = carried(job, 0, keyOf(0)); // good
        items[9] = carried(job, 0, keyOf(0)); // twice
        items[10] = carried(job, 1, AGENT); // good

        expectSkip(job, 0, CommitmentFault.BadSignature);
        expectSkip(job, 0, CommitmentFault.BadSignature);
        expectSkip(job, 0, CommitmentFault.BadSignature);
        expectSkip(job, 255, CommitmentFault.NoSuchPlace);
        expectSkip(job, 2, CommitmentFault.Declined);
        expectSkip(job, 3, CommitmentFault.NotSeated);
        expectSkip(job, 1, CommitmentFault.ZeroCommitment);
        vm.expectEmit(true, true, true, true, address(market));
        emit IJobMarket.CommitmentPlaced(job.id, 4, items[7].commitment);
        vm.expectEmit(true, true, true, true, address(market));
        emit IJobMarket.CommitmentPlaced(job.id, 0, items[8].commitment);
        expectSkip(job, 0, CommitmentFault.AlreadyCommitted);
        vm.expectEmit(true, true, true, true, address(market));
        emit IJobMarket.CommitmentPlaced(job.id, 1, items[10].commitment);
        market.commitBySig(job.id, job.terms, items);
        same(market.jobState(job.id).committed, 1 + 2 + 16, "0, 1 and 4");

        goTo(START + WINDOW);
        CarriedCommitment[] memory late = new CarriedCommitment[](1);
        Case memory other = job;
        late[0] = carried(other, 2, keyOf(2));
        expectSkip(job, 2, CommitmentFault.Declined);
        market.commitBySig(job.id, job.terms, late);
    }

    function test_LateCarriedCommitmentIsSkipped() public {
        Case memory job = opened(2, 2, 0, 0);
        CarriedCommitment[] memory items = new CarriedCommitment[](1);
        items[0] = carried(job, 0, keyOf(0));
        goTo(START + WINDOW);
        expectSkip(job, 0, CommitmentFault.Late);
        market.commitBySig(job.id, job.terms, items);
        same(market.jobState(job.id).committed, 0, "nothing placed");
    }

    /// A4: the first commitment stands, whoever carries.
    function test_FirstCommitmentStands() public {
        Case memory job = opened(2, 2, 0, 0);
        commit(job, 0, 1, ANSWER);
        bytes32 termsHash = keccak256(abi.encode(job.terms));
        bytes32 chain = market.commitmentChainOf(job.id, termsHash);
        same(
            chain,
            keccak256(abi.encode(job.id, uint8(0), placed[job.id][0].commitment)),
            "the chain is the documented fold"
        );
        CarriedCommitment[] memory items = new CarriedCommitment[](1);
        items[0] = carried(job, 0, keyOf(0));
        market.commitBySig(job.id, job.terms, items);
        same(market.commitmentChainOf(job.id, termsHash), chain, "unchanged");
    }

    /// A4: a signature for one job is none for another.
    function test_CarriedCommitmentIsBoundToItsJob() public {
        Case memory job = opened(2, 2, 0, 0);
        Case memory other = opened(2, 2, 0, 0);
        CarriedCommitment[] memory items = new CarriedCommitment[](1);
        items[0] = carried(other, 0, keyOf(0));
        expectSkip(job, 0, CommitmentFault.BadSignature);
        market.commitBySig(job.id, job.terms, items);
    }

    // A5

    /// A5: the first quarter, to the second; the bond is free at once.
    function test_DeclineInTheFirstQuarter() public {
        Case memory job = opened(2, 2, 2, 1);
        goTo(START + WINDOW / 4 - 1);
        vm.expectEmit(true, true, true, true, address(market));
        emit IJobMarket.SeatDeclined(job.id, provider(0), 0);
        decline(job, 0);
        same(freeOf(provider(0)), FUNDS, "bond is back");
        same(market.jobState(job.id).lastDeclineAt, clock, "lastDeclineAt");
        vm.prank(provider(0));
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.AlreadyDeclined.selector, job.id, 0));
        market.decline(job.id, job.terms, 0);
        decline(job, 3);
        decline(job, 4);
        goTo(START + WINDOW / 4);
        for (uint8 i = 1; i < 3; ++i) {
            vm.prank(provider(i));
            vm.expectRevert(
                abi.encodeWithSelector(IJobMarket.TooLateToDecline.selector, job.id, i, START + WINDOW / 4)
            );
            market.decline(job.id, job.terms, i);
        }
        same(lockedOf(provider(1)), BOND, "still bonded");
    }

    function test_CommittedPlaceCannotDecline() public {
        Case memory job = opened(2, 2, 0, 0);
        commit(job, 0, 1, ANSWER);
        vm.prank(provider(0));
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.AlreadyCommitted.selector, job.id, 0));
        market.decline(job.id, job.terms, 0);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.NotProvider.selector, job.id, 1, address(this), provider(1)));
        market.decline(job.id, job.terms, 1);
    }

    /// A5: a promoted spare has a quarter of its own window.
    function test_PromotedSpareDeclinesFromItsPromotion() public {
        Case memory job = opened(2, 2, 1, 0);
        goTo(START + WINDOW);
        promote(job);
        skip(WINDOW / 4 - 1);
        decline(job, 2);
        same(freeOf(provider(2)), FUNDS, "bond is back");
        same(revealAt(job), clock, "R2: seat 1 is long past its deadline, the decline is the last fact");
    }

    /// A5, 0010: the decline of a shadow moves nothing, not even the end of revealing.
    function test_ShadowsDeclineMovesNothing() public {
        Case memory job = opened(2, 2, 0, 1);
        goTo(START + 5);
        decline(job, 1);
        goTo(START + 10);
        commit(job, 0, 1, ANSWER);
        same(revealAt(job), START + 10, "R2");
        goTo(START + 100);
        decline(job, 2);
        same(revealAt(job), START + 10, "unmoved");
        same(lockedOf(provider(2)), 0, "but the bond is back");
    }

    // A6

    /// A6: every vacant seat, lowest first, gets the lowest spare left.
    function test_PromotionOrder() public {
        Case memory job = opened(3, 2, 3, 0);
        decline(job, 2);
        decline(job, 3);
        decline(job, 0);
        skip(50);
        uint40 deadline = uint40(clock) + WINDOW;
        vm.expectEmit(true, true, true, true, address(market));
        emit IJobMarket.SparePromoted(job.id, provider(4), 4, 0, deadline);
        vm.expectEmit(true, true, true, true, address(market));
        emit IJobMarket.SparePromoted(job.id, provider(5), 5, 2, deadline);
        promote(job);
        Promotion memory promotion = market.promotionOf(job.id, 5);
        same(promotion.seat, 2, "seat");
        same(promotion.promotedAt, clock, "time");
        refuses(job, 0, CommitmentFault.Declined);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.NothingToPromote.selector, job.id, 0, 0));
        promote(job);
    }

    /// A6: fewer spares than vacant seats: the lowest seats get them.
    function test_PromotionWithTooFewSpares() public {
        Case memory job = opened(3, 2, 1, 0);
        decline(job, 1);
        decline(job, 2);
        promote(job);
        same(market.promotionOf(job.id, 3).seat, 1, "the lower seat");
        same(market.jobState(job.id).used, 8, "one used");
    }

    /// A6: a late occupant is replaced and can no longer commit or decline; so is a late spare.
    function test_LateOccupantIsReplaced() public {
        Case memory job = opened(2, 2, 2, 0);
        commit(job, 0, 1, ANSWER);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.NothingToPromote.selector, job.id, 0, 12));
        promote(job);
        goTo(START + WINDOW);
        promote(job);
        refuses(job, 1, CommitmentFault.Late);
        skip(WINDOW);
        refuses(job, 2, CommitmentFault.Late);
        promote(job);
        same(market.promotionOf(job.id, 3).seat, 1, "the second spare takes the same seat");
        commit(job, 3, 1, ANSWER);
        same(revealAt(job), clock, "R1");
        revealAll(job);
        same(market.standingOf(provider(1)).late, 1, "the first occupant is late");
        same(market.standingOf(provider(2)).late, 1, "the second too");
        same(market.standingOf(provider(3)).aligned, 1, "the third is aligned");
        same(market.burnt(address(token)), 2 * BOND, "both bonds are burnt");
    }

    /// A6, R3: until the latest seat deadline plus half a window, not a second longer.
    function test_PromotionEnds() public {
        Case memory job = opened(2, 2, 1, 0);
        same(revealAt(job), START + WINDOW + WINDOW / 2, "R3");
        goTo(START + WINDOW + WINDOW / 2);
        vm.expectRevert(
            abi.encodeWithSelector(IJobMarket.WrongStatus.selector, job.id, JobStatus.Revealing, JobStatus.Committing)
        );
        promote(job);
        goTo(clock - 1);
        promote(job);
        same(revealAt(job), clock + WINDOW, "R2: the spare's deadline");
    }

    /// R2: never into the past (decision 0003).
    function test_RevealingNeverBeginsInThePast() public {
        Case memory job = opened(2, 2, 0, 0);
        goTo(START + 5);
        decline(job, 1);
        same(revealAt(job), START + WINDOW, "R2: seat 0 is undecided");
        goTo(START + 800);
        commit(job, 0, 1, ANSWER);
        same(revealAt(job), START + 800, "R2: the last commitment");
        sameStatus(status(job), JobStatus.Revealing, "the whole reveal window lies ahead");
    }

    /// R2: everyone declined.
    function test_AllDeclined() public {
        Case memory job = opened(2, 2, 1, 0);
        decline(job, 0);
        skip(10);
        decline(job, 1);
        same(revealAt(job), START + WINDOW + WINDOW / 2, "R3 while a spare is left");
        skip(10);
        decline(job, 2);
        same(revealAt(job), clock, "R2: the decline of the last spare");
        skip(REVEAL);
        settle(job);
        same(freeOf(requester), FUNDS - FEE, "only the carrier fee is paid");
    }

    // The rules once more, as the page says them, against random histories

    struct Model {
        uint256[] occupant;
        uint256[] since;
        uint256[16] committedAt;
        uint256[16] declinedAt;
        bool[16] used;
        uint256 last;
    }

    /// R1 to R3 as the page words them, with occupants looked up one by one.
    function expectedR(Case memory job, Model memory model) private pure returns (uint256 r) {
        uint256 seats = job.terms.seats;
        bool all = true;
        uint256 latest;
        uint256 undecided;
        uint256 lastCommit;
        for (uint256 s; s < seats; ++s) {
            uint256 o = model.occupant[s];
            uint256 deadline = model.since[s] + WINDOW;
            if (deadline > latest) latest = deadline;
            if (model.committedAt[o] == 0) {
                all = false;
                if (model.declinedAt[o] == 0 && deadline > undecided) undecided = deadline;
            } else if (model.committedAt[o] > lastCommit) lastCommit = model.committedAt[o];
        }
        if (all) return lastCommit;
        bool left;
        uint256 lastDecline;
        for (uint256 p; p < seats + job.terms.spares; ++p) {
            if (p >= seats && !model.used[p] && model.declinedAt[p] == 0) left = true;
            if (model.declinedAt[p] > lastDecline) lastDecline = model.declinedAt[p];
        }
        if (left) return latest + WINDOW / 2;
        r = undecided;
        if (lastCommit > r) r = lastCommit;
        if (lastDecline > r) r = lastDecline;
    }

    /// R1, R2, R3, A6: any history gives the R of the page; R never falls behind the clock before it has come, never moves once it
    /// has, and the status never goes back.
    function testFuzz_StatusFollowsThePage(uint256 seed, uint8 seats, uint8 spares) public {
        seats = uint8(bound(seats, 2, 4));
        spares = uint8(bound(spares, 0, 4));
        Case memory job = opened(seats, seats / 2 + 1, spares, 1);
        Model memory model;
        model.occupant = new uint256[](seats);
        model.since = new uint256[](seats);
        for (uint256 s; s < seats; ++s) (model.occupant[s], model.since[s]) = (s, START);
        JobStatus before = JobStatus.Committing;
        uint256 fixedR;
        for (uint256 step; step < 24; ++step) {
            seed = uint256(keccak256(abi.encode(seed)));
            act(job, model, seed);
            uint256 r = revealAt(job);
            same(r, expectedR(job, model), "R as the page words it");
            if (fixedR != 0) same(r, fixedR, "R does not move once it has come");
            else check(r >= model.last, "R does not jump into the past");
            if (clock >= r) fixedR = r;
            model.last = clock;
            JobStatus now_ = status(job);
            check(uint256(now_) >= uint256(before), "status never goes back");
            before = now_;
            skip((seed >> 128) % 200);
        }
    }

    /// One random move, tried by whoever may try it; the model follows what succeeded.
    function act(Case memory job, Model memory model, uint256 seed) private {
        uint8 place = uint8((seed >> 8) % job.terms.places.length);
        uint256 kind = seed % 4;
        if (kind == 0) {
            vm.prank(provider(place));
            try market.commit(job.id, job.terms, place, bytes32(seed)) {
                model.committedAt[place] = clock;
            } catch {}
        } else if (kind == 1) {
            vm.prank(provider(place));
            try market.decline(job.id, job.terms, place) {
                model.declinedAt[place] = clock;
            } catch {}
            if (place >= job.terms.seats + job.terms.spares) model.declinedAt[place] = 0;
        } else if (kind == 2) {
            try market.promote(job.id, job.terms) {
                for (uint256 s; s < job.terms.seats; ++s) {
                    uint256 o = model.occupant[s];
                    bool vacant =
                        model.declinedAt[o] != 0 || (model.committedAt[o] == 0 && clock >= model.since[s] + WINDOW);
                    if (!vacant) continue;
                    for (uint256 p = job.terms.seats; p < uint256(job.terms.seats) + job.terms.spares; ++p) {
                        if (model.used[p] || model.declinedAt[p] != 0) continue;
                        (model.used[p], model.occupant[s], model.since[s]) = (true, p, clock);
                        break;
                    }
                }
            } catch {}
        }
    }
}
