// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AttackTest} from "../support/AttackTest.sol";
import {BlocklistToken, DecimalsToken, HookReceiver, HookToken, OldToken, WeirdToken} from "../support/WeirdTokens.sol";
import {ReenteringAccount} from "../support/Callbacks.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ILedger} from "../../../contracts/interfaces/ILedger.sol";
import {SET_VOTES, JobStatus, Request} from "../../../contracts/types/Job.sol";
import {TestToken} from "../tokens/TestToken.sol";

/// @notice Attacks by tokens, and through them.
contract TokensAttacks is AttackTest {
    uint256 private constant DAVE_KEY = 0xDA4E;

    function freeOf(address token_, address account) private view returns (uint96 free) {
        (free, ) = market.accountOf(token_, account);
    }

    /// Attack: A token takes a fee on the way, and the account is credited what was sent.
    /// Market: What arrives is compared with what was sent.
    function test_attack_FeeOnTransfer() public {
        WeirdToken weird = new WeirdToken();
        weird.mint(address(this), 100);
        weird.approve(address(market), 100);
        weird.setFee(1);
        vm.expectRevert(abi.encodeWithSelector(ILedger.UnexpectedTransfer.selector, weird, 99, 100));
        market.deposit(address(weird), address(this), 100);
    }

    /// Attack: A token shrinks balances, and new deposits pay out the old ones.
    /// Market: While there is less than what is held, nothing is taken in.
    function test_attack_RebasingDown() public {
        WeirdToken weird = new WeirdToken();
        weird.mint(address(this), 200);
        weird.approve(address(market), 200);
        market.deposit(address(weird), address(this), 100);
        weird.shrink(address(market), 1);
        vm.expectRevert(abi.encodeWithSelector(ILedger.BalanceBelowHeld.selector, weird, 199, 200));
        market.deposit(address(weird), address(this), 100);
    }

    /// Attack: A token without return values is taken in and can never be sent out again.
    /// Market: No return value is as good as true.
    function test_attack_NoReturnValue() public {
        OldToken old = new OldToken();
        old.mint(address(this), 100);
        market.deposit(address(old), address(this), 100);
        (bool success, ) = address(market).call(
            abi.encodeCall(market.withdraw, (address(old), address(this), uint96(100)))
        );
        check(success, "sent");
        same(old.balanceOf(address(this)), 100, "arrived");
    }

    /// Attack: A token answers false and sends nothing, and the account is debited.
    /// Market: False is a failure: nothing is debited.
    function test_attack_FalseOnFailure() public {
        OldToken old = new OldToken();
        old.mint(address(this), 100);
        market.deposit(address(old), address(this), 100);
        old.setLies(true);
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, old));
        market.withdraw(address(old), address(this), 100);
        same(freeOf(address(old), address(this)), 100, "nothing is debited");
    }

    /// Attack: A party that its token blocks makes every settlement with it fail.
    /// Market: Settling moves balances of the ledger; only the blocked account's own withdrawal fails, and it may name another receiver.
    function test_attack_Blocklist() public {
        BlocklistToken blocklist = new BlocklistToken();
        token = TestToken(address(blocklist));
        fund(requester, FUNDS);
        fund(provider(0), FUNDS);
        fund(provider(1), FUNDS);
        Case memory job = opened(2, 2, 0, 0);
        blocklist.setBlocked(provider(0), true);
        blocklist.setBlocked(requester, true);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        (bool success, ) = address(this).call(abi.encodeCall(this.revealedAll, (job)));
        check(success, "it settles");
        sameStatus(status(job), JobStatus.Accepted, "accepted");
        same(wealth(provider(0)), FUNDS + PRICE, "the blocked one is paid in the ledger");
        vm.prank(provider(0));
        vm.expectRevert(abi.encodeWithSelector(BlocklistToken.Blocked.selector, provider(0)));
        market.withdraw(address(token), provider(0), PRICE);
        vm.prank(provider(0));
        market.withdraw(address(token), attacker, PRICE);
        same(token.balanceOf(attacker), PRICE, "to another account");
    }

    function revealedAll(Case memory job) external {
        revealAll(job);
    }

    /// Attack: A receiver is called by its token and withdraws again before it is debited.
    /// Market: Accounts are debited before the transfer, and the call cannot be re-entered.
    function test_attack_TokenHookReenters() public {
        HookToken hook = new HookToken();
        hook.mint(address(this), 300);
        hook.approve(address(market), 300);
        HookReceiver thief = new HookReceiver(market, address(hook));
        market.deposit(address(hook), address(this), 200);
        market.deposit(address(hook), address(thief), 100);
        thief.withdraw(100);
        same(hook.balanceOf(address(thief)), 100, "its own, once");
        same(hook.balanceOf(address(market)), market.held(address(hook)), "the others' is there");
    }

    /// Attack: A token of no decimals, or of very many, makes amounts mean something else.
    /// Market: Amounts are base units: what arrives is what counts.
    function test_attack_LowAndHighDecimals() public {
        uint8[3] memory decimals = [0, 6, 36];
        for (uint256 i; i < 3; ++i) {
            DecimalsToken odd = new DecimalsToken(decimals[i]);
            odd.mint(address(this), 77);
            odd.approve(address(market), 77);
            market.deposit(address(odd), attacker, 77);
            same(freeOf(address(odd), attacker), 77, "as many units as arrived");
        }
    }

    /// Attack: Somebody uses the permit first, so that a deposit with it fails.
    /// Market: A used permit is as good as a fresh one.
    function test_attack_PermitFrontRun() public {
        address dave = vm.addr(DAVE_KEY);
        token.mint(dave, 20);
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                dave,
                address(market),
                20,
                0,
                clock
            )
        );
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), structHash));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(DAVE_KEY, digest);
        token.permit(dave, address(market), 20, clock, v, r, s);
        vm.prank(dave);
        (bool success, ) = address(market).call(
            abi.encodeCall(market.depositWithPermit, (address(token), dave, 20, clock, v, r, s))
        );
        check(success, "the allowance is there");
        same(freeOf(dave), 20, "credited");
    }

    /// Attack: Somebody uses up the allowance of another for a deposit of its own.
    /// Market: A deposit is paid by the caller.
    function test_attack_AllowanceOfAnother() public {
        address victim = address(0x71C);
        token.mint(victim, 50);
        vm.prank(victim);
        token.approve(address(market), 50);
        vm.prank(attacker);
        (bool success, ) = address(market).call(abi.encodeCall(market.deposit, (address(token), attacker, uint96(50))));
        check(!success, "the caller has nothing");
        vm.prank(attacker);
        (success, ) = address(market).call(abi.encodeCall(market.deposit, (address(token), victim, uint96(50))));
        check(!success, "nor does it decide about the money of another");
        same(token.balanceOf(victim), 50, "untouched");
    }

    /// Attack: Deposits beyond the width of an amount wrap what is held, and then what is owed.
    /// Market: What is held of a token stays below 2^96.
    function test_attack_HugeDeposits() public {
        uint96 rest = type(uint96).max - market.held(address(token));
        fund(attacker, rest);
        token.mint(attacker, 1);
        vm.prank(attacker);
        token.approve(address(market), 1);
        vm.prank(attacker);
        vm.expectRevert(
            abi.encodeWithSelector(ILedger.HeldAboveMaximum.selector, token, uint256(1) << 96, type(uint96).max)
        );
        market.deposit(address(token), attacker, 1);
    }

    /// Attack: Tokens are sent to the market without a deposit, and the next depositor takes them, or nobody can deposit any more.
    /// Market: They are nobody's; deposits go on and are credited what they bring.
    function test_attack_ForceFedBalance() public {
        token.mint(address(market), 12_345);
        fund(attacker, 10);
        same(freeOf(attacker), 10, "what it brought");
        same(market.held(address(token)), token.balanceOf(address(market)) - 12_345, "the gift is nobody's");
    }

    /// Attack: A slip sends money to the market's own address or to nobody, where it stays for ever.
    /// Market: Both are refused.
    function test_attack_MoneySentToNobody() public {
        vm.prank(provider(0));
        vm.expectRevert(abi.encodeWithSelector(ILedger.UselessAddress.selector, address(market)));
        market.withdraw(address(token), address(market), 1);
        vm.prank(provider(0));
        vm.expectRevert(abi.encodeWithSelector(ILedger.UselessAddress.selector, address(0)));
        market.deposit(address(token), address(0), 0);
    }

    /// Attack: A requester withdraws all it has, and from the hook of its token opens a job that is voted by a set with the same money.
    /// Market: What is being sent has left the account before the token is called.
    function test_attack_TokenHookOpensWithMoneyOnItsWay() public {
        token = TestToken(address(new HookToken()));
        for (uint256 i; i < 2; ++i) fund(provider(i), FUNDS);
        ReenteringAccount thief = new ReenteringAccount();
        Request memory request = requestFor(2, 2, 0, 0);
        (request.requester, request.flags) = (address(thief), SET_VOTES);
        Case memory job = caseOf(request);
        uint96 escrow = uint96(escrowOf(job.terms));
        fund(address(thief), escrow);
        thief.prepare(address(market), abi.encodeCall(market.open, (request, 0, job.offers)));
        vm.prank(address(thief));
        market.withdraw(address(token), address(thief), escrow);
        check(thief.called(), "the hook has tried");
        check(!thief.succeeded(), "one amount pays once");
        check(
            keccak256(thief.answer()) ==
                keccak256(abi.encodeWithSelector(ILedger.InsufficientFree.selector, token, thief, 0, escrow)),
            "there is nothing left"
        );
        same(token.balanceOf(address(thief)), escrow, "its own, once");
    }
}
