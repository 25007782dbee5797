// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Terms, MAX_PLACES, SET_VOTES} from "./Job.sol";

/// @title Terms in calldata
/// @notice Hash of the terms that a call brings, and cheap access to their fields.
/// @dev Assembly, since the compiler copies and checks word by word what one hash over the raw words has already proved: terms whose
/// hash the market stored are encoded exactly as `abi.encode(terms)`, so the places are where it puts them and every word is
/// clean. Other encodings of the same terms hash differently and are refused.
library TermsLib {
    /// @notice `keccak256(abi.encode(terms))` for terms in the canonical encoding, and no hash of any terms otherwise.
    function hash(Terms calldata terms) internal pure returns (bytes32 digest) {
        uint256 places;
        // 15 words of fields, the last of them the offset of the places; then their number, then two words each.
        // solhint-disable-next-line no-inline-assembly
        assembly {
            places := calldataload(add(terms, 0x1e0))
        }
        if (places > MAX_PLACES) return 0;
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            let free := mload(0x40)
            let size := add(0x200, mul(places, 0x40))
            mstore(free, 0x20)
            calldatacopy(add(free, 0x20), terms, size)
            digest := keccak256(free, add(size, 0x20))
        }
    }

    // Scalars. All of them require terms whose hash was recognized: then no word needs the check of its range that the compiler makes
    // at each reading of a field in calldata.

    /// @notice Who pays.
    function requesterOf(Terms calldata terms) internal pure returns (address) {
        return address(uint160(_word(terms, 0x00)));
    }

    /// @notice Token of every amount.
    function tokenOf(Terms calldata terms) internal pure returns (address) {
        return address(uint160(_word(terms, 0x20)));
    }

    /// @notice Bond of each place.
    function bondOf(Terms calldata terms) internal pure returns (uint256) {
        return _word(terms, 0x40);
    }

    /// @notice Fee of the account whose call settles.
    function carrierFeeOf(Terms calldata terms) internal pure returns (uint256) {
        return _word(terms, 0x60);
    }

    /// @notice Number of seats.
    function seatsOf(Terms calldata terms) internal pure returns (uint256) {
        return _word(terms, 0x80);
    }

    /// @notice Equal votes that an answer needs.
    function quorumOf(Terms calldata terms) internal pure returns (uint256) {
        return _word(terms, 0xa0);
    }

    /// @notice Number of spares.
    function sparesOf(Terms calldata terms) internal pure returns (uint256) {
        return _word(terms, 0xc0);
    }

    /// @notice Call-out fee, basis points of the price.
    function calloutBpsOf(Terms calldata terms) internal pure returns (uint256) {
        return _word(terms, 0xe0);
    }

    /// @notice Standby fee, basis points of the price.
    function standbyBpsOf(Terms calldata terms) internal pure returns (uint256) {
        return _word(terms, 0x100);
    }

    /// @notice Window of a commitment, seconds.
    function commitWindowOf(Terms calldata terms) internal pure returns (uint256) {
        return _word(terms, 0x120);
    }

    /// @notice Window of revealing, seconds.
    function revealWindowOf(Terms calldata terms) internal pure returns (uint256) {
        return _word(terms, 0x140);
    }

    /// @notice Whether votes may come by a set.
    function hasSetVotes(Terms calldata terms) internal pure returns (bool) {
        return _word(terms, 0x160) & SET_VOTES != 0;
    }

    /// @notice Whom the market tells of the settlement, zero for nobody.
    function callbackOf(Terms calldata terms) internal pure returns (address) {
        return address(uint160(_word(terms, 0x180)));
    }

    /// @notice Gas that the callback gets.
    function callbackGasOf(Terms calldata terms) internal pure returns (uint256) {
        return _word(terms, 0x1a0);
    }

    /// @notice Number of places.
    function count(Terms calldata terms) internal pure returns (uint256) {
        return _word(terms, 0x1e0);
    }

    /// @notice Provider of a place.
    /// @dev Requires `place < count`.
    function providerOf(Terms calldata terms, uint256 place) internal pure returns (address) {
        return address(uint160(_placeWord(terms, place, 0x200)));
    }

    /// @notice Price of a place.
    /// @dev Requires `place < count`.
    function priceOf(Terms calldata terms, uint256 place) internal pure returns (uint256) {
        return _placeWord(terms, place, 0x220);
    }

    function _placeWord(Terms calldata terms, uint256 place, uint256 offset) private pure returns (uint256) {
        unchecked {
            // A place is below 16.
            return _word(terms, offset + (place << 6));
        }
    }

    /// @dev The word at an offset from the beginning of the terms.
    function _word(Terms calldata terms, uint256 offset) private pure returns (uint256 value) {
        // solhint-disable-next-line no-inline-assembly
        assembly {
            value := calldataload(add(terms, offset))
        }
    }
}
