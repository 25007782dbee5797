// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Request, SignedOffer} from "./Job.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";

/// @notice Pointer to the places of a job in memory: their number, then provider and price of each, exactly as `abi.encode` writes a
/// `Place[]`. So the hash of the terms and the event take them as they are.
type Panel is uint256;

using Panels for Panel global;

/// @title Panel of a job that is being opened
/// @dev Assembly, since the compiler would copy every word three times: into memory, into the terms, into the event.
library Panels {
    /// @notice Room for a number of places, all of them still zero.
    /// @dev Requires a small number: memory is not bounded here.
    function create(uint256 places) internal pure returns (Panel panel) {
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            panel := mload(0x40)
            let size := add(0x20, shl(6, places))
            mstore(panel, places)
            calldatacopy(add(panel, 0x20), calldatasize(), shl(6, places)) // zeros
            mstore(0x40, add(panel, size))
        }
    }

    /// @notice Puts somebody in a place.
    /// @dev Requires `place` below the number of places.
    function set(Panel panel, uint256 place, address provider, uint256 price) internal pure {
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            let slot := add(add(panel, 0x20), shl(6, place))
            mstore(slot, shr(96, shl(96, provider)))
            mstore(add(slot, 0x20), price)
        }
    }

    /// @notice Provider of a place.
    /// @dev Requires `place` below the number of places.
    function providerOf(Panel panel, uint256 place) internal pure returns (address provider) {
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            provider := mload(add(add(panel, 0x20), shl(6, place)))
        }
    }

    /// @notice Price of a place.
    /// @dev Requires `place` below the number of places.
    function priceOf(Panel panel, uint256 place) internal pure returns (uint256 price) {
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            price := mload(add(add(panel, 0x40), shl(6, place)))
        }
    }

    /// @notice `keccak256(abi.encode(terms))` of the terms of a job that is opened with this panel.
    function termsHash(Panel panel, Request memory request, uint256 spares) internal pure returns (bytes32 digest) {
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, 0x20)
            mcopy(add(free, 0x20), request, 0x40) // requester, token
            mcopy(add(free, 0x60), add(request, 0xe0), 0x80) // bond, carrierFee, seats, quorum
            mstore(add(free, 0xe0), spares)
            mcopy(add(free, 0x100), add(request, 0x1a0), 0xe0) // calloutBps to callbackGas
            mstore(add(free, 0x1e0), 0x1e0) // where the places are
            let size := add(0x20, shl(6, mload(panel)))
            mcopy(add(free, 0x200), panel, size)
            digest := keccak256(free, add(0x200, size))
        }
    }

    /// @notice Emits {IJobMarket-JobOpened}, with the key wraps straight from calldata.
    /// @param offers as many as there are places
    function emitOpened(
        Panel panel,
        bytes32 jobId,
        Request memory request,
        uint256 spares,
        SignedOffer[] calldata offers
    ) internal {
        bytes32 topic = IJobMarket.JobOpened.selector;
        uint256 data;
        uint256 wraps;
        uint256 end;
        uint256 count = offers.length;
        // The data is written beyond the free memory pointer; nothing below allocates before it is logged.
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            data := mload(0x40)
            let size := add(0x20, shl(6, count))
            mcopy(data, request, 0x2c0)
            mstore(add(data, 0x2c0), spares)
            mstore(add(data, 0x2e0), 0x320) // where the places are
            mstore(add(data, 0x300), add(0x320, size)) // where the key wraps are
            mcopy(add(data, 0x320), panel, size)
            mstore(add(data, add(0x320, size)), count)
            wraps := add(data, add(0x340, size))
            end := add(wraps, shl(5, count))
        }
        unchecked {
            // Calldata holds every offer, so no length overflows.
            for (uint256 i; i < count; ++i) {
                bytes calldata wrap = offers[i].keyWrap;
                // solhint-disable-next-line no-inline-assembly
                assembly ("memory-safe") {
                    let size := and(add(wrap.length, 0x1f), not(0x1f))
                    mstore(add(wraps, shl(5, i)), sub(end, wraps))
                    mstore(add(end, size), 0) // the padding; an empty wrap has its length here, which is zero too
                    mstore(end, wrap.length)
                    calldatacopy(add(end, 0x20), wrap.offset, wrap.length)
                    end := add(end, add(0x20, size))
                }
            }
        }
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            log3(data, sub(end, data), topic, jobId, caller())
        }
    }
}
