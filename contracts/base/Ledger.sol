// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Amounts} from "../types/Amounts.sol";
import {ILedger} from "../interfaces/ILedger.sol";
import {Books} from "./Books.sol";

/// @title All money of a market
/// @notice Lets tokens in and out, and keeps count of them in its {Books}.
abstract contract Ledger is ILedger, Books, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

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
        _leave(token, msg.sender, amount);
        emit Withdrawn({token: token, account: msg.sender, to: to, amount: amount});
        // Interaction:
        IERC20(token).safeTransfer(to, amount);
    }

    /// @inheritdoc ILedger
    function accountOf(address token, address owner) external view returns (uint96 free, uint96 locked) {
        Amounts account = _accounts[token][owner];
        return (uint96(account.lower()), uint96(account.upper())); // 96 bits each
    }

    /// @inheritdoc ILedger
    function held(address token) external view returns (uint96) {
        return uint96(_totals[token].lower()); // 96 bits
    }

    /// @inheritdoc ILedger
    function burnt(address token) external view returns (uint96) {
        return uint96(_totals[token].upper()); // 96 bits
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
        uint256 holds = _totals[token].lower() + amount;
        if (holds > type(uint96).max) revert HeldAboveMaximum(token, holds, type(uint96).max);
        if (balance < holds) revert BalanceBelowHeld(token, balance, holds);
        // Effect:
        _enter(token, account, amount);
        emit Deposited({token: token, account: account, payer: msg.sender, amount: amount});
    }

    function _requireUseful(address account) private view {
        if (account == address(0) || account == address(this)) revert UselessAddress(account);
    }
}
