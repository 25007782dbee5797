// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title An account with code
/// @notice A provider that is a contract: its owner signs for it (ERC-1271) and calls through it. It can be told to misbehave.
contract ContractAccount is IERC1271 {
    /// @notice How the account answers when it is asked about a signature.
    enum Manner {
        Honest,
        BurnsGas,
        ReturnsBomb,
        Reverts,
        ReturnsNothing
    }

    address public immutable owner;
    Manner public manner;

    error NotOwner(address caller);

    constructor(address owner_) {
        owner = owner_;
    }

    /// @notice Calls `target` as this account.
    function execute(address target, bytes calldata data) public returns (bytes memory) {
        if (msg.sender != owner) revert NotOwner(msg.sender);
        // An account calls whatever its owner says.
        // solhint-disable-next-line avoid-low-level-calls
        (bool success, bytes memory answer) = target.call(data);
        if (!success) {
            // solhint-disable-next-line no-inline-assembly -- hands the error of the target on
            assembly ("memory-safe") {
                revert(add(answer, 0x20), mload(answer))
            }
        }
        return answer;
    }

    /// @notice Calls each of `targets` as this account: all or none.
    function executeAll(address[] calldata targets, bytes[] calldata data) external {
        for (uint256 i = 0; i < targets.length; ++i) execute(targets[i], data[i]);
    }

    /// @notice From now on the account answers in this manner.
    function behave(Manner manner_) external {
        manner = manner_;
    }

    /// @inheritdoc IERC1271
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        if (manner == Manner.BurnsGas) while (gasleft() > 0) {}
        if (manner == Manner.Reverts) revert NotOwner(address(this));
        // solhint-disable-next-line no-inline-assembly -- only assembly can return this little, or this much
        if (manner == Manner.ReturnsNothing)
            assembly {
                return(0, 0)
            }
        // solhint-disable-next-line no-inline-assembly -- see above
        if (manner == Manner.ReturnsBomb)
            assembly {
                return(0, 100000)
            }
        (address signer, , ) = ECDSA.tryRecoverCalldata(hash, signature);
        return signer == owner ? IERC1271.isValidSignature.selector : bytes4(0);
    }
}
