// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Two amounts in one word, so that one store changes both: `lower + upper * 2^96`, each below 2^96.
type Amounts is uint256;

using AmountsLib for Amounts global;

/// @title Arithmetic on two amounts in a word
/// @notice Readers and verbs of {Amounts}. Verbs return the new word; who stores it is the caller's business.
/// @dev In products and remainders, which the proofs of test/contracts/formal can follow; the compiler makes shifts and masks of them.
/// Verbs require that both results stay below 2^96. Then a subtraction of more than there is fails.
library AmountsLib {
    uint256 private constant UPPER = 2 ** 96;

    /// @notice The lower amount.
    function lower(Amounts self) internal pure returns (uint256) {
        return Amounts.unwrap(self) % UPPER;
    }

    /// @notice The upper amount.
    function upper(Amounts self) internal pure returns (uint256) {
        return Amounts.unwrap(self) / UPPER;
    }

    /// @notice More below.
    function addLower(Amounts self, uint256 amount) internal pure returns (Amounts) {
        unchecked {
            return Amounts.wrap(Amounts.unwrap(self) + amount); // an amount is below 2^96
        }
    }

    /// @notice Less below.
    /// @dev Requires `amount <= lower`: a borrow from the upper amount would not fail.
    function subLower(Amounts self, uint256 amount) internal pure returns (Amounts) {
        return Amounts.wrap(Amounts.unwrap(self) - amount);
    }

    /// @notice More above.
    function addUpper(Amounts self, uint256 amount) internal pure returns (Amounts) {
        unchecked {
            return Amounts.wrap(Amounts.unwrap(self) + _raised(amount)); // both upper amounts are below 2^96
        }
    }

    /// @notice Less above.
    function subUpper(Amounts self, uint256 amount) internal pure returns (Amounts) {
        return Amounts.wrap(Amounts.unwrap(self) - _raised(amount));
    }

    function _raised(uint256 amount) private pure returns (uint256) {
        unchecked {
            return amount * UPPER; // an amount is below 2^96
        }
    }
}
