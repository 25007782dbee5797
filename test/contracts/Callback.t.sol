// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MarketTest} from "./support/MarketTest.sol";
import {MoodyCallback} from "./support/Callbacks.sol";
import {JobStatus, Opening, Request, PlacedCommitment} from "../../contracts/types/Job.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";

/// @notice The callback of a request, and A12 of docs/protocol/lifecycle.md.
contract CallbackTest is MarketTest {
    uint32 private constant GAS = 200_000;
    MoodyCallback private target;

    function setUp() public override {
        super.setUp();
        target = new MoodyCallback();
    }

    function settled(uint32 gasLimit) private returns (Case memory job) {
        job = openedWithCallback(address(target), gasLimit);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        revealAll(job);
    }

    /// @dev Whatever the callback does, everybody has what is theirs.
    function requirePaid(Case memory job) private view {
        sameStatus(status(job), JobStatus.Accepted, "settled");
        same(freeOf(provider(0)), FUNDS + PRICE, "paid");
        same(lockedOf(provider(0)), 0, "bond returned");
        same(freeOf(carrier), FEE, "carrier fee");
    }

    function test_CallbackIsToldTheResultOnce() public {
        Case memory job = settled(GAS);
        requirePaid(job);
        same(target.calls(), 1, "once");
        same(target.jobId(), job.id, "job");
        sameStatus(target.status(), JobStatus.Accepted, "status");
        same(target.outcome(), 1, "outcome");
        same(bytes32(target.resultHash()), bytes32(bytes27(ANSWER)), "first 27 bytes");
        check(target.gasGiven() > GAS - 1000 && target.gasGiven() <= GAS, "its gas");
        check(!market.jobState(job.id).callbackPending, "done");
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.NoCallbackPending.selector, job.id));
        market.retryCallback(job.request);
    }

    function test_InconclusiveJobIsToldToo() public {
        Case memory job = openedWithCallback(address(target), GAS);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, OTHER);
        revealAll(job);
        sameStatus(target.status(), JobStatus.Inconclusive, "status");
        same(target.outcome(), 0, "outcome");
        same(bytes32(target.resultHash()), 0, "no result");
    }

    function test_FailureIsMarkedAndRetried() public {
        MoodyCallback.Mood[3] memory moods = [
            MoodyCallback.Mood.Reverts,
            MoodyCallback.Mood.BurnsGas,
            MoodyCallback.Mood.ReturnBomb
        ];
        for (uint256 i; i < moods.length; ++i) {
            setUp();
            target.set(moods[i]);
            Case memory job = openedWithCallback(address(target), GAS);
            commit(job, 0, 1, ANSWER);
            commit(job, 1, 1, ANSWER);
            PlacedCommitment[] memory landed = placed[job.id];
            Opening[] memory openings = openingsOf(job, list(0, 1));
            vm.expectEmit(true, true, true, true, address(market));
            emit IJobMarket.CallbackCalled(job.id, address(target), false);
            vm.prank(carrier);
            market.reveal(job.id, job.terms, landed, openings);
            requirePaid(job);
            check(market.jobState(job.id).callbackPending, "marked");
            check(market.jobState(job.id).resultHash == bytes27(ANSWER), "the mark changes nothing else");

            vm.expectRevert(abi.encodeWithSelector(IJobMarket.CallbackFailed.selector, job.id, address(target)));
            market.retryCallback(job.request);
            check(market.jobState(job.id).callbackPending, "still marked");

            target.set(MoodyCallback.Mood.Fine);
            vm.expectEmit(true, true, true, true, address(market));
            emit IJobMarket.CallbackCalled(job.id, address(target), true);
            vm.prank(address(0x57A6));
            market.retryCallback(job.request);
            same(target.calls(), 1, "told by a stranger");
            same(bytes32(target.resultHash()), bytes32(bytes27(ANSWER)), "the same as at the settlement");
            check(!market.jobState(job.id).callbackPending, "done");
        }
    }

    function test_TooLittleGasForTheCallbackFailsTheCall() public {
        Case memory job = openedWithCallback(address(target), 1_000_000);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        PlacedCommitment[] memory landed = placed[job.id];
        Opening[] memory openings = openingsOf(job, list(0, 1));
        vm.expectPartialRevert(IJobMarket.CallbackNeedsGas.selector);
        market.reveal{gas: 1_000_000}(job.id, job.terms, landed, openings);
        sameStatus(status(job), JobStatus.Revealing, "nothing happened");
        market.reveal{gas: 1_400_000}(job.id, job.terms, landed, openings);
        same(target.calls(), 1, "told");
        check(target.gasGiven() > 999_000, "all the gas that it was promised");
    }

    function test_ReentrantCallbackFindsNothingToRetry() public {
        Case memory job = openedWithCallback(address(target), 1_000_000);
        target.reenter(market, job.request);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        revealAll(job);
        requirePaid(job);
        same(target.calls(), 1, "once");
        check(
            keccak256(target.refusal()) ==
                keccak256(abi.encodeWithSelector(IJobMarket.NoCallbackPending.selector, job.id)),
            "refused"
        );
    }

    function test_RetryNeedsASettledJobAndItsRequest() public {
        Case memory job = openedWithCallback(address(target), GAS);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.NoCallbackPending.selector, job.id));
        market.retryCallback(job.request);
        target.set(MoodyCallback.Mood.Reverts);
        commit(job, 0, 1, ANSWER);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.NoCallbackPending.selector, job.id));
        market.retryCallback(job.request);
        commit(job, 1, 1, ANSWER);
        revealAll(job);
        Request memory other = job.request;
        other.callback = address(this);
        vm.expectPartialRevert(IJobMarket.NoCallbackPending.selector);
        market.retryCallback(other);
    }

    function test_OpenRefusesACallbackWithoutCode() public {
        Request memory request = requestFor(2, 2, 0, 0);
        request.callback = address(0xE0A);
        Case memory job = caseOf(request);
        vm.prank(requester);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.CallbackWithoutCode.selector, address(0xE0A)));
        market.open(request, 0, job.offers);
    }

    function test_CallbackWithoutGasIsCalledInVain() public {
        Case memory job = settled(0);
        requirePaid(job);
        check(market.jobState(job.id).callbackPending, "marked");
    }
}
