// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AttackTest} from "../support/AttackTest.sol";
import {MoodyCallback, ReenteringAccount} from "../support/Callbacks.sol";
import {IJobMarket} from "../../../contracts/interfaces/IJobMarket.sol";
import {BadOffer, MAX_CALLBACK_GAS, JobStatus, OfferFault, Request} from "../../../contracts/types/Job.sol";

/// @notice Attacks by and on the callback of a request.
contract CallbacksAttacks is AttackTest {
    uint32 private constant GAS = 200_000;
    MoodyCallback private _target;

    function setUp() public override {
        super.setUp();
        _target = new MoodyCallback();
    }

    function withCallback(uint32 callbackGas) private returns (Case memory job) {
        job = openedWithCallback(address(_target), callbackGas);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
    }

    function settles(Case memory job, uint256 gas_) private returns (bool success) {
        bytes memory data = abi.encodeCall(
            market.reveal,
            (job.id, job.terms, placed[job.id], openingsOf(job, list(0, 1)))
        );
        vm.prank(carrier);
        (success, ) = address(market).call{gas: gas_}(data);
    }

    /// @dev Gas of a settlement.
    function cost() private returns (uint256 spent) {
        Case memory job = withCallback(GAS);
        spent = gasleft();
        check(settles(job, 5_000_000), "it settles");
        spent -= gasleft();
    }

    function paid(Case memory job) private view {
        sameStatus(status(job), JobStatus.Accepted, "settled");
        same(wealth(provider(0)), FUNDS + PRICE, "paid");
        same(lockedOf(provider(0)), 0, "bond returned");
    }

    /// Attack: A callback reverts, so that a job that does not suit it is never settled.
    /// Market: A failure is marked, and changes nothing else.
    function test_attack_CallbackReverts() public {
        _target.set(MoodyCallback.Mood.Reverts);
        Case memory job = withCallback(GAS);
        check(settles(job, 5_000_000), "it settles");
        paid(job);
        check(market.jobState(job.id).callbackPending, "marked");
    }

    /// Attack: A callback burns all gas that it is given.
    /// Market: It has the gas of the request and no more.
    function test_attack_CallbackBurnsGas() public {
        _target.set(MoodyCallback.Mood.BurnsGas);
        Case memory job = withCallback(GAS);
        uint256 before = gasleft();
        check(settles(job, 50_000_000), "it settles");
        check(before - gasleft() < 3_000_000, "for the gas of the request");
        paid(job);
    }

    /// Attack: A callback answers with a memory so large that copying it fails the settlement.
    /// Market: Nothing of what comes back is copied.
    function test_attack_CallbackReturnBomb() public {
        _target.set(MoodyCallback.Mood.Reverts);
        cost();
        uint256 plain = cost();
        _target.set(MoodyCallback.Mood.ReturnBomb);
        // What the callback spends on its memory, of the gas that it was given, is all that there is to spend.
        check(cost() < plain + 35_000, "the settlement does not pay for it a second time");
    }

    /// Attack: A carrier gives so little gas that the callback fails and the settlement does not.
    /// Market: A settling call has gas for the whole promise, or fails as a whole.
    function test_attack_CallbackStarved() public {
        Case memory job = withCallback(1_000_000);
        for (uint256 gas_ = 500_000; gas_ < 1_500_000; gas_ += 50_000) {
            if (settles(job, gas_)) break;
            sameStatus(status(job), JobStatus.Revealing, "nothing has happened");
        }
        paid(job);
        check(!market.jobState(job.id).callbackPending, "the first call that settled told the callback, too");
        same(_target.calls(), 1, "told");
        check(_target.gasGiven() > 990_000, "with all its gas");
    }

    /// Attack: A request promises a callback more gas than a block has, and nobody can settle.
    /// Market: The promise is bounded.
    function test_attack_CallbackWithTooMuchGas() public {
        Request memory request = requestFor(2, 2, 0, 0);
        (request.callback, request.callbackGas) = (address(_target), MAX_CALLBACK_GAS + 1);
        Case memory job = caseOf(request);
        vm.prank(requester);
        vm.expectRevert(
            abi.encodeWithSelector(
                IJobMarket.BadCallbackGas.selector,
                address(_target),
                MAX_CALLBACK_GAS + 1,
                MAX_CALLBACK_GAS
            )
        );
        market.open(request, 0, job.offers);
    }

    /// Attack: A stranger tells a contract of a settlement again and again.
    /// Market: A callback that succeeded is over.
    function test_attack_CallbackTwice() public {
        Case memory job = withCallback(GAS);
        check(settles(job, 5_000_000), "it settles");
        same(_target.calls(), 1, "told");
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.NoCallbackPending.selector, job.id));
        market.retryCallback(job.request);
        _target.set(MoodyCallback.Mood.Reverts);
        job = withCallback(GAS);
        check(settles(job, 5_000_000), "it settles");
        _target.set(MoodyCallback.Mood.Fine);
        market.retryCallback(job.request);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.NoCallbackPending.selector, job.id));
        market.retryCallback(job.request);
    }

    /// Attack: A callback that is tried again calls for another try from within, to be told many times.
    /// Market: The mark is gone before the call.
    function test_attack_CallbackReenters() public {
        _target.set(MoodyCallback.Mood.Reverts);
        Case memory job = withCallback(1_000_000);
        check(settles(job, 5_000_000), "it settles");
        _target.reenter(market, job.request);
        market.retryCallback(job.request);
        same(_target.calls(), 1, "told once");
        check(
            keccak256(_target.refusal()) ==
                keccak256(abi.encodeWithSelector(IJobMarket.NoCallbackPending.selector, job.id)),
            "the inner try is refused"
        );
    }

    /// Attack: A callback is an account that has no code yet: a call to it succeeds, and tells nobody.
    /// Market: A callback has code when the job is opened.
    function test_attack_CallbackWithoutCode() public {
        Request memory request = requestFor(2, 2, 0, 0);
        (request.callback, request.callbackGas) = (attacker, GAS);
        Case memory job = caseOf(request);
        vm.prank(requester);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.CallbackWithoutCode.selector, attacker));
        market.open(request, 0, job.offers);
    }

    /// Attack: A callback opens another job from within, with a provider that this settlement is about to convict, as a seat.
    /// Market: Every verdict of a job is on record before its callback is called.
    function test_attack_CallbackOpensBeforeTheVerdict() public {
        ReenteringAccount puppet = new ReenteringAccount();
        fund(address(puppet), FUNDS);
        Request memory request = requestFor(2, 2, 0, 1);
        (request.callback, request.callbackGas) = (address(puppet), MAX_CALLBACK_GAS);
        Case memory job = caseOf(request);
        open(job);

        Request memory next = requestFor(2, 2, 0, 0);
        next.requester = address(puppet);
        Case memory other = caseOf(next);
        other.offers[0] = offerBy(other.id, 2, PRICE);
        other.offers[1] = offerBy(other.id, 3, PRICE);
        puppet.prepare(address(market), abi.encodeCall(market.open, (next, 0, other.offers)));
        same(market.checkOffers(next, 0, other.offers).length, 0, "as yet it may sit");

        playWithShadow(job, OTHER);
        check(puppet.called(), "the callback has tried");
        check(!puppet.succeeded(), "no seat for who was convicted in the same transaction");
        BadOffer[] memory bad = new BadOffer[](1);
        bad[0] = BadOffer({place: 0, fault: OfferFault.OnProbation});
        check(
            keccak256(puppet.answer()) == keccak256(abi.encodeWithSelector(IJobMarket.BadOffers.selector, bad)),
            "for its probation"
        );
    }
}
