// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

// What is required is the hypothesis of a theorem: nobody reads a message.
// solhint-disable reason-string

import {Books} from "../../../contracts/base/Books.sol";
import {Amounts} from "../../../contracts/types/Amounts.sol";

/// @title What is proved of the books
/// @notice Whatever stands in the words of the account and of the token that an entry names: what it makes of them. Each `assert` is a
/// theorem of scripts/verify/formal.ts; `require` says what it presupposes: that the words are those of two amounts.
/// @dev The words are put there first: a contract begins with zeros, and would prove its claims of zeros alone.
/// A deposit adds to the free balance and to what is held.
contract EnterProof is Books {
    function prove(address token, address owner, uint256 account, uint256 totals, uint96 amount) external {
        require(account < 2 ** 192);
        require(totals < 2 ** 192);
        _accounts[token][owner] = Amounts.wrap(account);
        _totals[token] = Amounts.wrap(totals);
        _enter(token, owner, amount);
        assert(Amounts.unwrap(_accounts[token][owner]) == account + amount);
        assert(Amounts.unwrap(_totals[token]) == totals + amount);
    }
}
