// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Vm} from "../support/Vm.sol";

/// @notice What the suites of invariants share: how a handler is deployed and how the runner is told to call nothing else.
abstract contract InvariantSuite {
    /// @dev As the runner asks for it.
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Vm internal constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);

    error NotUndone();

    /// @dev From the artifact: so a suite does not compile its handler into itself.
    function deploy(string memory artifact) internal returns (address deployed) {
        bytes memory code = vm.getCode(artifact);
        assembly {
            deployed := create(0, add(code, 0x20), mload(code))
            if iszero(deployed) {
                returndatacopy(0, 0, returndatasize())
                revert(0, returndatasize())
            }
        }
    }

    function only(address handler) internal pure returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = handler;
    }

    function only(address handler, bytes4[] memory selectors) internal pure returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector({addr: handler, selectors: selectors});
    }

    /// @dev Back to a snapshot, which stays.
    function _undo(uint256 id) internal {
        if (!vm.revertToState(id)) revert NotUndone();
    }
}
