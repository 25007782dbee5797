// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

// What is required is the hypothesis of a theorem: nobody reads a message.
// solhint-disable reason-string

// A contract an entry: the solver's question is about everything that a contract can do.
// solhint-disable one-contract-per-file

import {Books} from "../../../contracts/base/Books.sol";
import {Amounts} from "../../../contracts/types/Amounts.sol";

uint256 constant UNIT = 2 ** 96;

/// @title What is proved of the books
/// @notice From any state: what each entry does to the words of the account and of the token that it names. Each `assert` is a theorem
/// of scripts/verify/formal.ts; `require` says what it presupposes: that the words are those of amounts.
contract EnterProof is Books {
    function enterAddsToFreeAndHeld(address token, address owner, uint96 amount) external {
        uint256 account = Amounts.unwrap(_accounts[token][owner]);
        uint256 totals = Amounts.unwrap(_totals[token]);
        require(account < 2 ** 192);
        require(totals < 2 ** 192);
        _enter(token, owner, amount);
        assert(Amounts.unwrap(_accounts[token][owner]) == account + amount);
        assert(Amounts.unwrap(_totals[token]) == totals + amount);
    }
}

/// @notice See {EnterProof}.
contract LeaveProof is Books {
    function leaveTakesFromFreeAndHeld(address token, address owner, uint96 amount) external {
        uint256 account = Amounts.unwrap(_accounts[token][owner]);
        uint256 totals = Amounts.unwrap(_totals[token]);
        require(account < 2 ** 192);
        require(totals < 2 ** 192);
        _leave(token, owner, amount);
        assert(Amounts.unwrap(_accounts[token][owner]) == account - amount);
        assert(Amounts.unwrap(_totals[token]) == totals - amount);
    }

    function leaveNeverTakesMoreThanIsFree(address token, address owner, uint96 amount) external {
        uint256 free = _accounts[token][owner].lower();
        _leave(token, owner, amount);
        assert(amount <= free);
    }
}

/// @notice See {EnterProof}.
contract EscrowProof is Books {
    function escrowTakesFromFree(address token, address owner, uint96 amount) external {
        uint256 account = Amounts.unwrap(_accounts[token][owner]);
        uint256 totals = Amounts.unwrap(_totals[token]);
        require(account < 2 ** 192);
        require(totals < 2 ** 192);
        _escrow(token, owner, amount);
        assert(Amounts.unwrap(_accounts[token][owner]) == account - amount);
        assert(Amounts.unwrap(_totals[token]) == totals);
    }

    function escrowNeverTakesMoreThanIsFree(address token, address owner, uint96 amount) external {
        uint256 free = _accounts[token][owner].lower();
        _escrow(token, owner, amount);
        assert(amount <= free);
    }
}

/// @notice See {EnterProof}.
contract CreditProof is Books {
    function creditAddsToFree(address token, address owner, uint96 amount) external {
        uint256 account = Amounts.unwrap(_accounts[token][owner]);
        uint256 totals = Amounts.unwrap(_totals[token]);
        require(account < 2 ** 192);
        require(totals < 2 ** 192);
        _credit(token, owner, amount);
        assert(Amounts.unwrap(_accounts[token][owner]) == account + amount);
        assert(Amounts.unwrap(_totals[token]) == totals);
    }
}

/// @notice See {EnterProof}.
contract LockProof is Books {
    function lockMovesFromFreeToLocked(address token, address owner, uint96 amount) external {
        uint256 account = Amounts.unwrap(_accounts[token][owner]);
        uint256 totals = Amounts.unwrap(_totals[token]);
        require(account < 2 ** 192);
        require(totals < 2 ** 192);
        _lock(token, owner, amount);
        assert(Amounts.unwrap(_accounts[token][owner]) == account - amount + amount * UNIT);
        assert(Amounts.unwrap(_totals[token]) == totals);
    }

    function lockNeverTakesMoreThanIsFree(address token, address owner, uint96 amount) external {
        uint256 free = _accounts[token][owner].lower();
        _lock(token, owner, amount);
        assert(amount <= free);
    }
}

/// @notice See {EnterProof}.
contract ReleaseProof is Books {
    function releaseMovesFromLockedToFree(address token, address owner, uint96 bond, uint96 pay) external {
        uint256 account = Amounts.unwrap(_accounts[token][owner]);
        uint256 totals = Amounts.unwrap(_totals[token]);
        require(account < 2 ** 192);
        require(totals < 2 ** 192);
        _release(token, owner, bond, pay);
        assert(Amounts.unwrap(_accounts[token][owner]) == account + bond + pay - bond * UNIT);
        assert(Amounts.unwrap(_totals[token]) == totals);
    }
}

/// @notice See {EnterProof}.
contract SeizeProof is Books {
    function seizeTakesFromLocked(address token, address owner, uint96 bond) external {
        uint256 account = Amounts.unwrap(_accounts[token][owner]);
        uint256 totals = Amounts.unwrap(_totals[token]);
        require(account < 2 ** 192);
        require(totals < 2 ** 192);
        _seize(token, owner, bond);
        assert(Amounts.unwrap(_accounts[token][owner]) == account - bond * UNIT);
        assert(Amounts.unwrap(_totals[token]) == totals);
    }
}

/// @notice See {EnterProof}.
contract BurnProof is Books {
    function burnAddsToBurntAlone(address token, address owner, uint96 amount) external {
        uint256 account = Amounts.unwrap(_accounts[token][owner]);
        uint256 totals = Amounts.unwrap(_totals[token]);
        require(account < 2 ** 192);
        require(totals < 2 ** 192);
        _burn(token, amount);
        assert(Amounts.unwrap(_accounts[token][owner]) == account);
        assert(Amounts.unwrap(_totals[token]) == totals + amount * UNIT);
    }
}
