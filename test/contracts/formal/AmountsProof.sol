// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

// What is required is the hypothesis of a theorem: nobody reads a message.
// solhint-disable reason-string

import {Amounts} from "../../../contracts/types/Amounts.sol";

/// @title What is proved of two amounts in a word
/// @notice For all amounts below 2^96. Each `assert` is a theorem of scripts/verify/formal.ts; `require` says what it presupposes.
contract AmountsProof {
    uint256 private constant UNIT = 2 ** 96;

    function readsWhatIsThere(uint256 lower, uint256 upper) external pure {
        Amounts word = _word(lower, upper);
        assert(word.lower() == lower);
        assert(word.upper() == upper);
    }

    function addLowerKeepsUpper(uint256 lower, uint256 upper, uint256 amount) external pure {
        Amounts word = _word(lower, upper);
        require(amount < UNIT - lower);
        Amounts next = word.addLower(amount);
        assert(next.lower() == lower + amount);
        assert(next.upper() == upper);
    }

    function subLowerKeepsUpper(uint256 lower, uint256 upper, uint256 amount) external pure {
        Amounts word = _word(lower, upper);
        require(amount <= lower);
        Amounts next = word.subLower(amount);
        assert(next.lower() == lower - amount);
        assert(next.upper() == upper);
    }

    function addUpperKeepsLower(uint256 lower, uint256 upper, uint256 amount) external pure {
        Amounts word = _word(lower, upper);
        require(amount < UNIT - upper);
        Amounts next = word.addUpper(amount);
        assert(next.lower() == lower);
        assert(next.upper() == upper + amount);
    }

    /// @dev Does not presuppose `amount <= upper`: more than there is fails.
    function subUpperNeverTakesMoreThanThereIs(uint256 lower, uint256 upper, uint256 amount) external pure {
        Amounts word = _word(lower, upper);
        require(amount < UNIT);
        Amounts next = word.subUpper(amount);
        assert(amount <= upper);
        assert(next.lower() == lower);
        assert(next.upper() == upper - amount);
    }

    function _word(uint256 lower, uint256 upper) private pure returns (Amounts) {
        require(lower < UNIT);
        require(upper < UNIT);
        return Amounts.wrap(lower + upper * UNIT);
    }
}
