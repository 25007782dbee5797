// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MarketTest} from "./support/MarketTest.sol";
import {Request, JobStatus} from "../../contracts/types/Job.sol";
import {ILedger} from "../../contracts/interfaces/ILedger.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {OldToken, WeirdToken} from "./support/WeirdTokens.sol";

/// @notice Deposits, withdrawals and tokens that misbehave: row A9. Branches: Ledger.tree.
contract LedgerTest is MarketTest {
    address private alice = address(0xA11CE);
    uint256 private constant DAVE_KEY = 0xDA7E;

    function test_DepositCreditsTheNamedAccount() public {
        token.mint(address(this), 10);
        token.approve(address(market), 10);
        uint96 before = market.held(address(token));
        vm.expectEmit(true, true, true, true, address(market));
        emit ILedger.Deposited(address(token), alice, address(this), 10);
        market.deposit(address(token), alice, 10);
        same(freeOf(alice), 10, "credited");
        same(freeOf(address(this)), 0, "the payer is not");
        same(market.held(address(token)), before + 10, "held");
    }

    /// A9: only the owner's free balance, to where it says.
    function test_WithdrawSendsTheCallersMoney() public {
        fund(alice, 10);
        vm.prank(alice);
        vm.expectEmit(true, true, true, true, address(market));
        emit ILedger.Withdrawn(address(token), alice, address(0x70), 4);
        market.withdraw(address(token), address(0x70), 4);
        same(token.balanceOf(address(0x70)), 4, "sent");
        same(freeOf(alice), 6, "taken");
        vm.expectRevert(abi.encodeWithSelector(ILedger.InsufficientFree.selector, token, address(this), 0, 1));
        market.withdraw(address(token), address(this), 1);
    }

    /// A9: locked money cannot leave.
    function test_LockedMoneyStays() public {
        opened(2, 2, 0, 0);
        vm.prank(provider(0));
        vm.expectRevert(
            abi.encodeWithSelector(ILedger.InsufficientFree.selector, token, provider(0), FUNDS - BOND, FUNDS)
        );
        market.withdraw(address(token), provider(0), FUNDS);
    }

    function test_UselessAddressesAreRefused() public {
        vm.expectRevert(abi.encodeWithSelector(ILedger.UselessAddress.selector, address(0)));
        market.deposit(address(token), address(0), 0);
        vm.expectRevert(abi.encodeWithSelector(ILedger.UselessAddress.selector, address(market)));
        market.deposit(address(token), address(market), 0);
        vm.expectRevert(abi.encodeWithSelector(ILedger.UselessAddress.selector, address(market)));
        market.withdraw(address(token), address(market), 0);
        vm.expectRevert(abi.encodeWithSelector(ILedger.UselessAddress.selector, address(0)));
        market.withdraw(address(token), address(0), 0);
    }

    function testFuzz_DepositAndWithdrawConserve(uint96 amount, uint96 out) public {
        amount = uint96(bound(amount, 0, type(uint96).max - market.held(address(token))));
        out = uint96(bound(out, 0, amount));
        fund(alice, amount);
        vm.prank(alice);
        market.withdraw(address(token), alice, out);
        same(freeOf(alice), amount - out, "the rest is free");
        same(token.balanceOf(alice), out, "arrived");
        same(market.held(address(token)), token.balanceOf(address(market)), "held is owned");
    }

    function test_HeldFitsIn96Bits() public {
        uint96 rest = type(uint96).max - market.held(address(token));
        fund(alice, rest);
        token.mint(alice, 1);
        vm.prank(alice);
        token.approve(address(market), 1);
        vm.prank(alice);
        vm.expectRevert(
            abi.encodeWithSelector(
                ILedger.HeldAboveMaximum.selector,
                token,
                uint256(type(uint96).max) + 1,
                type(uint96).max
            )
        );
        market.deposit(address(token), alice, 1);
    }

    function permit(uint256 value) private view returns (uint8 v, bytes32 r, bytes32 s) {
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                vm.addr(DAVE_KEY),
                address(market),
                value,
                token.nonces(vm.addr(DAVE_KEY)),
                clock
            )
        );
        return vm.sign(DAVE_KEY, keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), structHash)));
    }

    function test_DepositWithPermit() public {
        address dave = vm.addr(DAVE_KEY);
        token.mint(dave, 20);
        (uint8 v, bytes32 r, bytes32 s) = permit(20);
        vm.prank(dave);
        market.depositWithPermit(address(token), alice, 20, clock, v, r, s);
        same(freeOf(alice), 20, "credited");
    }

    /// A permit that somebody used first does not stop the deposit.
    function test_UsedPermitIsTolerated() public {
        address dave = vm.addr(DAVE_KEY);
        token.mint(dave, 20);
        (uint8 v, bytes32 r, bytes32 s) = permit(20);
        token.permit(dave, address(market), 20, clock, v, r, s);
        vm.prank(dave);
        market.depositWithPermit(address(token), dave, 20, clock, v, r, s);
        same(freeOf(dave), 20, "credited");
    }

    function test_WrongPermitMovesNothing() public {
        address dave = vm.addr(DAVE_KEY);
        token.mint(dave, 20);
        (uint8 v, bytes32 r, bytes32 s) = permit(19);
        vm.prank(dave);
        vm.expectRevert();
        market.depositWithPermit(address(token), dave, 20, clock, v, r, s);
    }

    /// Permit, deposit and open in one transaction.
    function test_MulticallOpensWithFreshMoney() public {
        address dave = vm.addr(DAVE_KEY);
        token.mint(dave, 5000);
        (uint8 v, bytes32 r, bytes32 s) = permit(5000);
        Request memory request = requestFor(2, 2, 0, 0);
        request.requester = dave;
        Case memory job = caseOf(request);
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(market.depositWithPermit, (address(token), dave, 5000, clock, v, r, s));
        calls[1] = abi.encodeCall(market.open, (request, 0, job.offers));
        vm.prank(dave);
        market.multicall(calls);
        sameStatus(status(job), JobStatus.Committing, "open");
        same(freeOf(dave), 5000 - escrowOf(job.terms), "escrowed");
    }

    // Weird tokens

    function weird() private returns (WeirdToken w) {
        w = new WeirdToken();
        w.mint(address(this), 1000);
        w.approve(address(market), type(uint256).max);
    }

    function test_FeeOnTransferIsRefused() public {
        WeirdToken w = weird();
        w.setFee(1);
        vm.expectRevert(abi.encodeWithSelector(ILedger.UnexpectedTransfer.selector, w, 99, 100));
        market.deposit(address(w), alice, 100);
    }

    function test_RebasedTokenTakesNoDeposit() public {
        WeirdToken w = weird();
        market.deposit(address(w), alice, 100);
        w.shrink(address(market), 1);
        vm.expectRevert(abi.encodeWithSelector(ILedger.BalanceBelowHeld.selector, w, 109, 110));
        market.deposit(address(w), alice, 10);
    }

    function test_ReenteringDepositFails() public {
        WeirdToken w = weird();
        w.reenter(market, abi.encodeCall(market.deposit, (address(w), alice, 1)));
        vm.expectRevert(abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector));
        this.depositOf(address(w));
        w.reenter(market, abi.encodeCall(market.withdraw, (address(w), alice, 0)));
        vm.expectRevert(abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector));
        this.depositOf(address(w));
    }

    function depositOf(address w) external {
        market.deposit(w, alice, 100);
    }

    function test_ReenteringWithdrawFails() public {
        WeirdToken w = weird();
        market.deposit(address(w), address(this), 100);
        w.reenter(market, abi.encodeCall(market.withdraw, (address(w), alice, 0)));
        vm.expectRevert();
        market.withdraw(address(w), address(this), 50);
        (uint96 free, ) = market.accountOf(address(w), address(this));
        same(free, 100, "nothing moved");
    }

    function test_TokenWithoutReturnValueWorks() public {
        OldToken old = new OldToken();
        old.mint(address(this), 100);
        market.deposit(address(old), alice, 100);
        vm.prank(alice);
        market.withdraw(address(old), alice, 60);
        same(old.balanceOf(alice), 60, "sent");
    }

    function test_FalseReturningTokenIsRefused() public {
        OldToken old = new OldToken();
        old.mint(address(this), 100);
        old.setLies(true);
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, old));
        market.deposit(address(old), alice, 100);
    }

    function test_AccountWithoutCodeIsNoToken() public {
        vm.expectRevert();
        market.deposit(address(0x1234), alice, 1);
    }
}
