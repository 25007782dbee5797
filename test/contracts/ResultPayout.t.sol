// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {MarketTest} from "./support/MarketTest.sol";
import {WeirdToken} from "./support/WeirdTokens.sol";
import {ResultPayout} from "../../contracts/examples/ResultPayout.sol";
import {ILedger} from "../../contracts/interfaces/ILedger.sol";
import {JobStatus, Request} from "../../contracts/types/Job.sol";

/// @notice An example of a contract that acts on results, against a real market.
contract ResultPayoutTest is MarketTest {
    bytes32 private constant KEY = keccak256("result key");
    uint96 private constant PRIZE = 5000;
    address private constant WINNER = address(0x3141);
    ResultPayout private payout;
    address private sponsor = address(0x5905);
    uint40 private refundableAt;

    function setUp() public override {
        super.setUp();
        bytes memory code = bytes.concat(vm.getCode("ResultPayout.sol:ResultPayout"), abi.encode(market));
        ResultPayout deployed;
        assembly {
            deployed := create(0, add(code, 0x20), mload(code))
        }
        payout = deployed;
        refundableAt = uint40(clock + 1 days);
        token.mint(sponsor, 2 * PRIZE);
        vm.prank(sponsor);
        token.approve(address(payout), 2 * PRIZE);
    }

    /// @dev A job and its one prize, in another token than the market's.
    function prizedIn(WeirdToken weird) private returns (Case memory job) {
        job = caseOf(requestFor(2, 2, 0, 0));
        vm.prank(sponsor);
        payout.putUp(job.id, IERC20(address(weird)), PRIZE, refundableAt);
        open(job);
    }

    function prized() private returns (Case memory job) {
        Request memory request = requestFor(2, 2, 0, 0);
        (request.callback, request.callbackGas) = (address(payout), 60_000);
        job = caseOf(request);
        vm.expectEmit(true, true, true, true, address(payout));
        emit ResultPayout.PrizePutUp(job.id, sponsor, address(token), PRIZE, refundableAt);
        vm.prank(sponsor);
        payout.putUp(job.id, IERC20(address(token)), PRIZE, refundableAt);
        open(job);
    }

    function settledWith(Case memory job, uint8 outcome, bytes memory result) private {
        bytes32 hash = keccak256(bytes.concat(KEY, result));
        commit(job, 0, outcome, hash);
        commit(job, 1, outcome, hash);
        revealAll(job);
        sameStatus(status(job), JobStatus.Accepted, "settled");
        check(!market.jobState(job.id).callbackPending, "60,000 gas are enough for the callback");
    }

    function test_TheWinnerThatTheResultNamesIsPaidOnce() public {
        Case memory job = prized();
        bytes memory result = abi.encode(WINNER);
        settledWith(job, 1, result);
        check(!payout.isWithoutResult(job.id), "there is a result");
        vm.expectEmit(true, true, true, true, address(payout));
        emit ResultPayout.PrizePaid(job.id, sponsor, WINNER, PRIZE);
        vm.prank(address(0x57A6));
        payout.pay(job.id, sponsor, KEY, result);
        same(token.balanceOf(WINNER), PRIZE, "paid");
        same(token.balanceOf(address(payout)), 0, "nothing left");
        vm.expectRevert(abi.encodeWithSelector(ResultPayout.NoPrize.selector, job.id, sponsor));
        payout.pay(job.id, sponsor, KEY, result);
    }

    function test_NothingIsPaidOnAnotherResultOrKeyOrBeforeTheSettlement() public {
        Case memory job = prized();
        bytes memory result = abi.encode(WINNER);
        vm.expectRevert(abi.encodeWithSelector(ResultPayout.NotTheResult.selector, job.id));
        payout.pay(job.id, sponsor, KEY, result);
        settledWith(job, 1, result);
        vm.expectRevert(abi.encodeWithSelector(ResultPayout.NotTheResult.selector, job.id));
        payout.pay(job.id, sponsor, KEY, abi.encode(address(0xBAD)));
        vm.expectRevert(abi.encodeWithSelector(ResultPayout.NotTheResult.selector, job.id));
        payout.pay(job.id, sponsor, ANSWER, result);
        same(token.balanceOf(address(payout)), PRIZE, "the prize is there");
    }

    function test_AResultHasToNameSomebody() public {
        bytes[3] memory results = [
            bytes.concat(abi.encode(WINNER), hex"00"),
            abi.encode(address(0)),
            abi.encode(uint256(1) << 160)
        ];
        for (uint256 i; i < results.length; ++i) {
            setUp();
            Case memory job = prized();
            settledWith(job, 1, results[i]);
            vm.expectRevert(abi.encodeWithSelector(ResultPayout.NoWinner.selector, job.id));
            payout.pay(job.id, sponsor, KEY, results[i]);
        }
    }

    function test_WithoutAResultTheSponsorTakesThePrizeBackAtOnce() public {
        Case memory job = prized();
        vm.expectRevert(abi.encodeWithSelector(ResultPayout.TooEarly.selector, job.id, refundableAt));
        vm.prank(sponsor);
        payout.takeBack(job.id);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, OTHER);
        vm.expectEmit(true, true, true, true, address(payout));
        emit ResultPayout.ResultMissing(job.id);
        revealAll(job);
        vm.expectEmit(true, true, true, true, address(payout));
        emit ResultPayout.PrizeReturned(job.id, sponsor, PRIZE);
        vm.prank(sponsor);
        payout.takeBack(job.id);
        same(token.balanceOf(sponsor), 2 * PRIZE, "all of it");
        vm.expectRevert(abi.encodeWithSelector(ResultPayout.NoPrize.selector, job.id, sponsor));
        vm.prank(sponsor);
        payout.takeBack(job.id);
    }

    function test_AnAgreedFailureIsNoResult() public {
        Case memory job = prized();
        bytes memory code = abi.encode(WINNER);
        settledWith(job, 2, code);
        check(payout.isWithoutResult(job.id), "told so");
        vm.expectRevert(abi.encodeWithSelector(ResultPayout.NotTheResult.selector, job.id));
        payout.pay(job.id, sponsor, KEY, code);
    }

    function test_FromItsTimeOnThePrizeComesBackInAnyCase() public {
        Case memory job = prized();
        vm.warp(refundableAt - 1);
        vm.expectRevert(abi.encodeWithSelector(ResultPayout.TooEarly.selector, job.id, refundableAt));
        vm.prank(sponsor);
        payout.takeBack(job.id);
        vm.warp(refundableAt);
        vm.prank(sponsor);
        payout.takeBack(job.id);
        same(token.balanceOf(sponsor), 2 * PRIZE, "all of it");
    }

    function test_ASponsorHasOnePrizeAJobAndMoreThanNothing() public {
        Case memory job = prized();
        vm.expectRevert(abi.encodeWithSelector(ResultPayout.PrizeExists.selector, job.id, sponsor));
        vm.prank(sponsor);
        payout.putUp(job.id, IERC20(address(token)), 1, refundableAt);
        vm.expectRevert(abi.encodeWithSelector(ResultPayout.NoAmount.selector));
        payout.putUp(job.id, IERC20(address(token)), 0, refundableAt);
    }

    function test_ATokenThatTakesAFeeIsRefused() public {
        WeirdToken weird = new WeirdToken();
        weird.mint(sponsor, PRIZE);
        weird.setFee(1);
        vm.prank(sponsor);
        weird.approve(address(payout), PRIZE);
        vm.expectRevert(
            abi.encodeWithSelector(ResultPayout.UnexpectedTransfer.selector, address(weird), PRIZE - 1, PRIZE)
        );
        vm.prank(sponsor);
        payout.putUp(bytes32("job"), IERC20(address(weird)), PRIZE, refundableAt);
    }

    function test_ATokenThatReentersTakesNothingTwice() public {
        WeirdToken weird = new WeirdToken();
        weird.mint(sponsor, 2 * uint256(PRIZE));
        vm.prank(sponsor);
        weird.approve(address(payout), 2 * uint256(PRIZE));
        vm.prank(sponsor);
        payout.putUp(bytes32("job of another"), IERC20(address(weird)), PRIZE, refundableAt);
        Case memory job = prizedIn(weird);
        bytes memory result = abi.encode(WINNER);
        settledWith(job, 1, result);
        weird.reenter(ILedger(address(payout)), abi.encodeCall(payout.pay, (job.id, sponsor, KEY, result)));
        vm.expectRevert(abi.encodeWithSelector(ResultPayout.NoPrize.selector, job.id, sponsor));
        payout.pay(job.id, sponsor, KEY, result);
        weird.reenter(ILedger(address(0)), "");
        payout.pay(job.id, sponsor, KEY, result);
        same(weird.balanceOf(WINNER), PRIZE, "once");
        same(weird.balanceOf(address(payout)), PRIZE, "the other prize is there");
    }

    function test_OneSponsorCannotTakeThePrizeOfAnother() public {
        Case memory job = prized();
        vm.warp(refundableAt);
        vm.expectRevert(abi.encodeWithSelector(ResultPayout.NoPrize.selector, job.id, address(this)));
        payout.takeBack(job.id);
        same(token.balanceOf(address(payout)), PRIZE, "the prize is there");
    }

    function test_OnlyTheMarketIsBelieved() public {
        Case memory job = prized();
        vm.expectRevert(abi.encodeWithSelector(ResultPayout.NotMarket.selector, address(this)));
        payout.onJobSettled(job.id, JobStatus.Inconclusive, 0, 0);
        check(!payout.isWithoutResult(job.id), "nothing was said");
    }
}
