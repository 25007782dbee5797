// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Many views in one call
/// @notice Takes a list of static calls and returns what each of them answered, so that a test reads a whole state at once.
/// @dev Input: an address whose code, if it has any, begins the list after its first byte; then the rest of the list. An item of the list is target (20
/// bytes), length of its calldata (2 bytes), calldata. Output, item by item: success (1 byte), length (2 bytes), returned data.
contract Observer {
    // solhint-disable-next-line no-complex-fallback, payable-fallback -- no selector to encode, nothing to pay
    fallback() external {
        // solhint-disable-next-line no-inline-assembly -- reads and writes packed lists of some kilobytes
        assembly {
            let source := shr(96, calldataload(0))
            let stored := extcodesize(source)
            if stored {
                stored := sub(stored, 1)
            }
            let more := sub(calldatasize(), 20)
            let at := 0x80
            extcodecopy(source, at, 1, stored)
            calldatacopy(add(at, stored), 20, more)
            let end := add(add(at, stored), more)
            let output := and(add(end, 0x1f), not(0x1f))
            let to := output
            for {} lt(at, end) {} {
                let target := shr(96, mload(at))
                let size := shr(240, mload(add(at, 20)))
                let success := staticcall(gas(), target, add(at, 22), size, 0, 0)
                mstore8(to, success)
                mstore(add(to, 1), shl(240, returndatasize()))
                returndatacopy(add(to, 3), 0, returndatasize())
                to := add(add(to, 3), returndatasize())
                at := add(add(at, 22), size)
            }
            return(output, sub(to, output))
        }
    }
}
