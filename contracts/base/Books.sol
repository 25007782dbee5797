// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Amounts} from "../types/Amounts.sol";
import {ILedger} from "../interfaces/ILedger.sol";

/// @title Books of a market
/// @notice Every change of an account and of the totals. Money is free, locked, burnt, or in the pots of the market (escrow and
/// quarantine), which are whatever is held beyond accounts and burnt money. The market built on top answers for never taking more out
/// of a pot than it put in.
/// @dev No assembly, no external call, no loop, so that it can be proved; docs/security/formal.md says what is. Every amount is part of
/// what is held, which fits in 96 bits, so no sum of amounts of one token overflows; subtractions are checked all the same.
abstract contract Books {
    /// @dev Free below, locked above.
    mapping(address token => mapping(address owner => Amounts account)) internal _accounts;
    /// @dev Held below, burnt above.
    mapping(address token => Amounts totals) internal _totals;

    /// @dev Free balance of an account.
    function _freeOf(address token, address owner) internal view returns (uint256) {
        return _accounts[token][owner].lower();
    }

    /// @dev From outside into a free balance. Requires what is held to stay below 2^96.
    function _enter(address token, address owner, uint256 amount) internal {
        _totals[token] = _totals[token].addLower(amount);
        _accounts[token][owner] = _accounts[token][owner].addLower(amount);
    }

    /// @dev From a free balance to outside.
    function _leave(address token, address owner, uint256 amount) internal {
        _accounts[token][owner] = _take(token, owner, amount);
        _totals[token] = _totals[token].subLower(amount);
    }

    /// @dev From a free balance into escrow.
    function _escrow(address token, address owner, uint256 amount) internal {
        _accounts[token][owner] = _take(token, owner, amount);
    }

    /// @dev From escrow or quarantine into a free balance.
    function _credit(address token, address owner, uint256 amount) internal {
        _release(token, owner, 0, amount);
    }

    /// @dev From free to locked.
    function _lock(address token, address owner, uint256 amount) internal {
        if (amount != 0) _accounts[token][owner] = _take(token, owner, amount).addUpper(amount);
    }

    /// @dev From locked back to free, and `pay` from escrow into free.
    function _release(address token, address owner, uint256 bond, uint256 pay) internal {
        uint256 gain;
        unchecked {
            gain = bond + pay; // parts of `held`
        }
        if (gain != 0) _accounts[token][owner] = _accounts[token][owner].addLower(gain).subUpper(bond);
    }

    /// @dev From locked into the pots: the caller burns it or keeps count of it.
    function _seize(address token, address owner, uint256 bond) internal {
        if (bond != 0) _accounts[token][owner] = _accounts[token][owner].subUpper(bond);
    }

    /// @dev From the pots to nobody, for good.
    function _burn(address token, uint256 amount) internal {
        if (amount != 0) _totals[token] = _totals[token].addUpper(amount);
    }

    /// @dev The word of an account with less in its free balance.
    function _take(address token, address owner, uint256 amount) private view returns (Amounts account) {
        account = _accounts[token][owner];
        uint256 free = account.lower();
        if (free < amount) revert ILedger.InsufficientFree(token, owner, uint96(free), amount); // a lower amount fits
        return account.subLower(amount);
    }
}
