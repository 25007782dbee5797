// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignerFault} from "../types/Agent.sol";
import {IAgents} from "../interfaces/IAgents.sol";

/// @title Signatures, and agents that sign for providers
/// @notice The EIP-712 domain of a market, and who may sign and act for whom.
abstract contract Agents is IAgents, EIP712 {
    /// @dev One word per provider, agent and token.
    struct Authorization {
        uint96 maxBondPerSeat;
        uint32 minCommitWindow;
        uint40 validUntil;
    }

    /// @dev What an ERC-1271 account may spend on judging a signature.
    uint256 private constant ERC1271_GAS = 100_000;

    mapping(address provider => mapping(address agent => mapping(address token => Authorization)))
        private _authorizations;

    constructor() EIP712("Quorate", "1") {}

    /// @inheritdoc IAgents
    function authorize(
        address agent,
        address token,
        uint96 maxBondPerSeat,
        uint32 minCommitWindow,
        uint40 validUntil
    ) external {
        Authorization storage authorization = _authorizations[msg.sender][agent][token];
        // Check: one that is in force ends now at the earliest, so that what its agent signed for open jobs stays signed; and one that
        // has ended stays ended when it did.
        if (validUntil <= block.timestamp) validUntil = uint40(Math.min(authorization.validUntil, block.timestamp)); // fits: a time
        // Effect:
        _authorizations[msg.sender][agent][token] = Authorization({
            maxBondPerSeat: maxBondPerSeat,
            minCommitWindow: minCommitWindow,
            validUntil: validUntil
        });
        emit AgentAuthorized({
            provider: msg.sender,
            agent: agent,
            token: token,
            maxBondPerSeat: maxBondPerSeat,
            minCommitWindow: minCommitWindow,
            validUntil: validUntil
        });
    }

    /// @inheritdoc IAgents
    function authorizationOf(
        address provider,
        address agent,
        address token
    ) external view returns (uint96 maxBondPerSeat, uint32 minCommitWindow, uint40 validUntil) {
        Authorization storage found = _authorizations[provider][agent][token];
        return (found.maxBondPerSeat, found.minCommitWindow, found.validUntil);
    }

    /// @dev Whether `account` may act for `provider` in what is paid in `token`.
    function _actsFor(address account, address provider, address token) internal view returns (bool) {
        return _actsForAt(account, provider, token, block.timestamp);
    }

    /// @dev Whether `account` may act for `provider` at `time`, which is not in the future.
    function _actsForAt(address account, address provider, address token, uint256 time) internal view returns (bool) {
        return account == provider || time < _authorizations[provider][account][token].validUntil;
    }

    /// @dev Whether a signature binds `provider`, and why not: its own, that of an agent within its limits, or what its account accepts.
    /// @param bond that would be locked, base units of `token`
    /// @param window that the provider would have, seconds
    function _judgeSigner(
        address provider,
        address token,
        uint256 bond,
        uint256 window,
        bytes32 digest,
        bytes calldata signature
    ) internal view returns (bool good, SignerFault fault) {
        address signer = _recover(digest, signature);
        if (signer != address(0)) {
            if (signer == provider) return (true, fault);
            (good, fault) = _judgeAgent(_authorizations[provider][signer][token], bond, window);
            if (good) return (true, fault);
        }
        // Interaction: static. An account with code has the last word on what it signed.
        if (provider.code.length != 0 && _isValidErc1271(provider, digest, signature)) return (true, fault);
        return (false, fault);
    }

    /// @dev The ECDSA signer, zero if there is none: 65 bytes, low s. Compact signatures are refused, one form is enough.
    function _recover(bytes32 digest, bytes calldata signature) internal pure returns (address signer) {
        (signer, , ) = ECDSA.tryRecoverCalldata(digest, signature);
    }

    /// @dev Whether the limits of an agent cover a bond and a window, and why not.
    function _judgeAgent(
        Authorization storage limits,
        uint256 bond,
        uint256 window
    ) private view returns (bool good, SignerFault fault) {
        // One word, read once.
        uint256 validUntil = limits.validUntil;
        uint256 maxBond = limits.maxBondPerSeat;
        uint256 minWindow = limits.minCommitWindow;
        if (validUntil == 0) return (false, SignerFault.BadSignature);
        if (block.timestamp >= validUntil) return (false, SignerFault.AgentExpired);
        if (bond > maxBond) return (false, SignerFault.BondBeyondAgent);
        if (window < minWindow) return (false, SignerFault.WindowBeyondAgent);
        return (true, fault);
    }

    /// @dev Asks an account with bounded gas, and reads one word of its answer whatever it returns: neither a gas burner nor a return
    /// bomb can make a batch fail.
    function _isValidErc1271(
        address account,
        bytes32 digest,
        bytes calldata signature
    ) private view returns (bool valid) {
        bytes memory data = abi.encodeCall(IERC1271.isValidSignature, (digest, signature));
        bytes32 answer;
        // Solidity's staticcall copies all return data; this copies one word into scratch space.
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            let success := staticcall(ERC1271_GAS, account, add(data, 0x20), mload(data), 0x00, 0x20)
            if and(success, gt(returndatasize(), 0x1f)) {
                answer := mload(0x00)
            }
        }
        return answer == bytes32(IERC1271.isValidSignature.selector);
    }
}
