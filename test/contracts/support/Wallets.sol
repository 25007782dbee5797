// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @notice An ERC-1271 account that answers in every good and bad way.
contract Wallet is IERC1271 {
    enum Mood {
        Accept,
        AcceptLong, // the magic value in 64 bytes
        WrongMagic,
        DirtyMagic, // the magic value with dirt behind it
        Short, // 4 bytes
        Revert,
        Burn, // all gas
        Bomb // a megabyte of return data
    }

    Mood public mood;

    function set(Mood mood_) external {
        mood = mood_;
    }

    /// @notice Does anything in the name of the account.
    function run(address target, bytes calldata data) external {
        (bool success, ) = target.call(data);
        require(success, "call failed");
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        Mood mood_ = mood;
        bytes32 magic = bytes32(IERC1271.isValidSignature.selector);
        if (mood_ == Mood.WrongMagic) magic = bytes32(bytes4(0xffffffff));
        if (mood_ == Mood.DirtyMagic) magic |= bytes32(uint256(1));
        if (mood_ == Mood.Revert) revert("no");
        if (mood_ == Mood.Burn) while (true) {}
        uint256 size = 32;
        if (mood_ == Mood.AcceptLong) size = 64;
        if (mood_ == Mood.Short) size = 4;
        if (mood_ == Mood.Bomb) size = 1 << 17;
        assembly {
            mstore(0, magic)
            return(0, size)
        }
    }
}

/// @notice An account that takes its chance to call when it is asked about a signature, and accepts it.
/// @dev Not an `IERC1271`: the caller's static call is what keeps it from changing anything, not a promise of its own.
contract ReentrantWallet {
    address private _target;
    bytes private _payload;

    /// @notice What the account will call.
    function prepare(address target, bytes calldata data) external {
        (_target, _payload) = (target, data);
    }

    function isValidSignature(bytes32, bytes calldata) external returns (bytes4) {
        // Whether the call got through does not matter to the answer.
        (bool success, ) = _target.call(_payload);
        success;
        return IERC1271.isValidSignature.selector;
    }
}
