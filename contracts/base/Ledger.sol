// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ILedger} from "../interfaces/ILedger.sol";

/// @title All money of a market
/// @notice Moves money between free, locked, and the pots of the market (escrow and quarantine), which are whatever is held beyond
/// accounts and burnt money. The market built on top answers for never taking more out of a pot than it put in.
/// @dev The bookkeeping has no assembly and no external call. Every amount is part of `held`, which fits in 96 bits, so no sum of
/// amounts of one token overflows; arithmetic is checked all the same.
abstract contract Ledger is ILedger, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @dev One word per token.
    struct Totals {
        uint96 held;
        uint96 burnt;
    }

    /// @dev Bits of `locked` in the word of an account; those below are `free`. One word, so that one store changes both.
    uint256 private constant LOCKED = 96;

    mapping(address token => mapping(address owner => uint256 account)) private _accounts;
    mapping(address token => Totals totals) private _totals;

    /// @inheritdoc ILedger
    function deposit(address token, address account, uint96 amount) external nonReentrant {
        _deposit(token, account, amount);
    }

    /// @inheritdoc ILedger
    function depositWithPermit(
        address token,
        address account,
        uint96 amount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant {
        // Interaction: a used permit is as good as a fresh one, the transfer below decides.
        // solhint-disable-next-line no-empty-blocks
        try IERC20Permit(token).permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}
        _deposit(token, account, amount);
    }

    /// @inheritdoc ILedger
    function withdraw(address token, address to, uint96 amount) external nonReentrant {
        // Check:
        _requireUseful(to);
        // Effect:
        _takeFree(token, msg.sender, amount, 0);
        _totals[token].held -= amount;
        emit Withdrawn({token: token, account: msg.sender, to: to, amount: amount});
        // Interaction:
        IERC20(token).safeTransfer(to, amount);
    }

    /// @inheritdoc ILedger
    function accountOf(address token, address owner) external view returns (uint96 free, uint96 locked) {
        uint256 account = _accounts[token][owner];
        return (uint96(account), uint96(account >> LOCKED));
    }

    /// @inheritdoc ILedger
    function held(address token) external view returns (uint96) {
        return _totals[token].held;
    }

    /// @inheritdoc ILedger
    function burnt(address token) external view returns (uint96) {
        return _totals[token].burnt;
    }

    /// @dev Free balance of an account.
    function _freeOf(address token, address owner) internal view returns (uint96) {
        return uint96(_accounts[token][owner]);
    }

    /// @dev From a free balance into escrow.
    function _escrow(address token, address owner, uint256 amount) internal {
        _takeFree(token, owner, amount, 0);
    }

    /// @dev From escrow or quarantine into a free balance.
    function _credit(address token, address owner, uint256 amount) internal {
        _release(token, owner, 0, amount);
    }

    /// @dev From free to locked.
    function _lock(address token, address owner, uint256 amount) internal {
        if (amount == 0) return;
        _takeFree(token, owner, amount, amount);
    }

    /// @dev From locked back to free, and `pay` from escrow into free.
    function _release(address token, address owner, uint256 bond, uint256 pay) internal {
        if (bond | pay == 0) return;
        // `free` stays below 2^96, being part of `held`. A bond beyond `locked` would be beyond the word, and fail.
        _accounts[token][owner] = _accounts[token][owner] + bond + pay - (bond << LOCKED);
    }

    /// @dev From locked into the pots: the caller burns it or keeps count of it.
    function _seize(address token, address owner, uint256 bond) internal {
        if (bond == 0) return;
        _accounts[token][owner] -= bond << LOCKED;
    }

    /// @dev From the pots to nobody, for good.
    function _burn(address token, uint256 amount) internal {
        if (amount != 0) _totals[token].burnt += uint96(amount); // part of `held`, fits
    }

    function _deposit(address token, address account, uint96 amount) private {
        // Check:
        _requireUseful(account);
        // Interaction: first, since only what arrived is counted. Deposits and withdrawals cannot be re-entered, and nothing
        // else changes `held`.
        uint256 balanceBefore = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        uint256 balance = IERC20(token).balanceOf(address(this));
        // Check:
        if (balance < balanceBefore || balance - balanceBefore != amount) {
            revert UnexpectedTransfer(token, balance < balanceBefore ? 0 : balance - balanceBefore, amount);
        }
        uint256 holds = uint256(_totals[token].held) + amount;
        if (holds > type(uint96).max) revert HeldAboveMaximum(token, holds, type(uint96).max);
        if (balance < holds) revert BalanceBelowHeld(token, balance, holds);
        // Effect:
        _totals[token].held = uint96(holds); // fits: compared above
        _accounts[token][account] += amount; // part of `held`, so `free` stays below 2^96
        emit Deposited({token: token, account: account, payer: msg.sender, amount: amount});
    }

    /// @dev Takes from free, and adds to locked.
    function _takeFree(address token, address owner, uint256 amount, uint256 locks) private {
        uint256 account = _accounts[token][owner];
        uint96 free = uint96(account);
        if (free < amount) revert InsufficientFree(token, owner, free, amount);
        _accounts[token][owner] = account - amount + (locks << LOCKED); // both are parts of `held`, so they fit
    }

    function _requireUseful(address account) private view {
        if (account == address(0) || account == address(this)) revert UselessAddress(account);
    }
}
