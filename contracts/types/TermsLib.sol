// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Terms, MAX_PLACES} from "./Job.sol";

/// @title Terms in calldata
/// @notice Hash of the terms that a call brings, and cheap access to their places.
/// @dev Assembly, since the compiler copies and checks word by word what one hash over the raw words has already proved: terms whose
/// hash the market stored are encoded exactly as `abi.encode(terms)`, so the places are where it puts them and every word is
/// clean. Other encodings of the same terms hash differently and are refused.
library TermsLib {
    /// @notice `keccak256(abi.encode(terms))` for terms in the canonical encoding, and no hash of any terms otherwise.
    function hash(Terms calldata terms) internal pure returns (bytes32 digest) {
        uint256 places;
        // 12 words of fields, the last of them the offset of the places; then their number, then two words each.
        // solhint-disable-next-line no-inline-assembly
        assembly {
            places := calldataload(add(terms, 0x180))
        }
        if (places > MAX_PLACES) return 0;
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            let free := mload(0x40)
            let size := add(0x1a0, mul(places, 0x40))
            mstore(free, 0x20)
            calldatacopy(add(free, 0x20), terms, size)
            digest := keccak256(free, add(size, 0x20))
        }
    }

    /// @notice Number of places.
    /// @dev Requires terms whose hash was recognized.
    function count(Terms calldata terms) internal pure returns (uint256 places) {
        // solhint-disable-next-line no-inline-assembly
        assembly {
            places := calldataload(add(terms, 0x180))
        }
    }

    /// @notice Provider of a place.
    /// @dev Requires terms whose hash was recognized, and `place < count`.
    function providerOf(Terms calldata terms, uint256 place) internal pure returns (address provider) {
        // solhint-disable-next-line no-inline-assembly
        assembly {
            provider := calldataload(add(add(terms, 0x1a0), mul(place, 0x40)))
        }
    }

    /// @notice Price of a place.
    /// @dev Requires terms whose hash was recognized, and `place < count`.
    function priceOf(Terms calldata terms, uint256 place) internal pure returns (uint256 price) {
        // solhint-disable-next-line no-inline-assembly
        assembly {
            price := calldataload(add(add(terms, 0x1c0), mul(place, 0x40)))
        }
    }
}
