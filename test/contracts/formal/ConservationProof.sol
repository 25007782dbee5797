// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

// What is required is the hypothesis of a theorem: nobody reads a message.
// solhint-disable reason-string

import {Amounts} from "../../../contracts/types/Amounts.sol";

/// @title That no entry of the books makes or loses money
/// @notice For one account and the sums of everything else: if accounts, pots and burnt money are what is held before an entry, they are
/// after it. What the entry does to the words is what BooksProof.sol proves of it.
contract ConservationProof {
    uint256 private constant UNIT = 2 ** 96;

    function enterConserves(uint256 free, uint256 locked, uint256 rest, uint256 amount) external pure {
        uint256 account = _account(free, locked, rest);
        uint256 held = free + locked + rest;
        require(held + amount < UNIT);
        Amounts next = Amounts.wrap(account + amount);
        assert(next.lower() + next.upper() + rest == held + amount);
    }

    function leaveConserves(uint256 free, uint256 locked, uint256 rest, uint256 amount) external pure {
        uint256 account = _account(free, locked, rest);
        uint256 held = free + locked + rest;
        require(amount <= free);
        Amounts next = Amounts.wrap(account - amount);
        assert(next.lower() + next.upper() + rest == held - amount);
    }

    function escrowConserves(uint256 free, uint256 locked, uint256 rest, uint256 pots, uint256 amount) external pure {
        uint256 account = _account(free, locked, rest + pots);
        uint256 held = free + locked + rest + pots;
        require(amount <= free);
        Amounts next = Amounts.wrap(account - amount);
        assert(next.lower() + next.upper() + rest + (pots + amount) == held);
    }

    function lockConserves(uint256 free, uint256 locked, uint256 rest, uint256 amount) external pure {
        uint256 account = _account(free, locked, rest);
        uint256 held = free + locked + rest;
        require(amount <= free);
        Amounts next = Amounts.wrap(account - amount + amount * UNIT);
        assert(next.lower() + next.upper() + rest == held);
    }

    /// @dev With no bond it is the credit.
    function releaseConserves(
        uint256 free,
        uint256 locked,
        uint256 rest,
        uint256 pots,
        uint256 bond,
        uint256 pay
    ) external pure {
        uint256 account = _account(free, locked, rest + pots);
        uint256 held = free + locked + rest + pots;
        require(bond <= locked);
        require(pay <= pots);
        Amounts next = Amounts.wrap(account + bond + pay - bond * UNIT);
        assert(next.lower() + next.upper() + rest + (pots - pay) == held);
    }

    function seizeConserves(uint256 free, uint256 locked, uint256 rest, uint256 pots, uint256 bond) external pure {
        uint256 account = _account(free, locked, rest + pots);
        uint256 held = free + locked + rest + pots;
        require(bond <= locked);
        Amounts next = Amounts.wrap(account - bond * UNIT);
        assert(next.lower() + next.upper() + rest + (pots + bond) == held);
    }

    function burnConserves(uint256 accounts, uint256 pots, uint256 burnt, uint256 amount) external pure {
        uint256 held = accounts + pots + burnt;
        require(held < UNIT);
        require(amount <= pots);
        Amounts next = Amounts.wrap(held + burnt * UNIT + amount * UNIT);
        assert(next.lower() == held);
        assert(accounts + (pots - amount) + next.upper() == held);
    }

    function _account(uint256 free, uint256 locked, uint256 rest) private pure returns (uint256) {
        require(free < UNIT);
        require(locked < UNIT);
        require(rest < UNIT);
        require(free + locked + rest < UNIT);
        return free + locked * UNIT;
    }
}
