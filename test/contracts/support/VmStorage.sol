// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

// Cheat codes and what is done with them.
// solhint-disable one-contract-per-file

/// @notice Cheat codes that read and write storage, for tests of what is stored and no view shows, or no call reaches.
interface VmStorage {
    function load(address account, bytes32 slot) external view returns (bytes32);
    function store(address account, bytes32 slot, bytes32 value) external;
}

/// @notice Cheat codes that count events.
interface VmLogs {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function recordLogs() external;
    function getRecordedLogs() external returns (Log[] memory);
}

/// @notice Finds words of mappings without knowing the order of the contract's variables.
library Slots {
    VmStorage private constant VM = VmStorage(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
    uint256 private constant VARIABLES = 32;

    /// @notice The slot of the first mapping that has something other than zero under a key.
    function find(address account, bytes32 key) internal view returns (bytes32 slot) {
        for (uint256 variable; variable < VARIABLES; ++variable) {
            slot = keccak256(abi.encode(key, variable));
            if (VM.load(account, slot) != 0) return slot;
        }
        revert("nothing is stored under this key");
    }

    /// @notice What is stored in a slot.
    function read(address account, bytes32 slot) internal view returns (uint256) {
        return uint256(VM.load(account, slot));
    }

    /// @notice Stores something in a slot.
    function write(address account, bytes32 slot, uint256 value) internal {
        VM.store(account, slot, bytes32(value));
    }
}
