// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {Request, SignedOffer, OfferFault} from "../types/Job.sol";
import {IAgents} from "../interfaces/IAgents.sol";

/// @title Typed data, signatures and agents
/// @notice What requesters and providers sign, and who may sign for whom.
abstract contract SignedOffers is IAgents, EIP712 {
    /// @dev One word per provider, agent and token.
    struct Authorization {
        uint96 maxBondPerSeat;
        uint32 minCommitWindow;
        uint40 validUntil;
    }

    bytes32 private constant REQUEST_TYPEHASH = keccak256(
        "Request(address requester,address token,bytes32 packageHash,bytes32 contentHash,bytes32 requirementsHash,bytes32 encryptionKey,uint96 priceCeiling,uint96 bond,uint96 carrierFee,uint8 seats,uint8 quorum,uint8 spares,uint8 shadows,uint16 calloutBps,uint16 standbyBps,uint32 commitWindow,uint32 revealWindow,uint32 flags,address callback,uint32 callbackGas,uint40 expiry,uint256 nonce)"
    );
    bytes32 private constant OFFER_TYPEHASH = keccak256(
        "Offer(bytes32 jobId,address provider,uint96 price,bytes32 encryptionKey,uint8 roles,uint40 expiry)"
    );
    bytes32 private constant COMMITMENT_TYPEHASH = keccak256(
        "Commitment(bytes32 jobId,address provider,uint8 outcome,bytes32 resultHash,bytes32 salt)"
    );
    bytes32 private constant SIGNED_COMMITMENT_TYPEHASH = keccak256(
        "SignedCommitment(bytes32 jobId,address provider,bytes32 commitment)"
    );

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

    /// @dev A request in memory, and the job id: its digest.
    function _read(Request calldata source) internal view returns (Request memory request, bytes32 jobId) {
        bytes32 typeHash = REQUEST_TYPEHASH;
        bytes32 structHash;
        // A request has no dynamic field: its 22 words in calldata are its encoding and its layout in memory. The compiler would check
        // the range of each field by itself; here those of one width are checked together, and refused as it refuses them.
        // The compiler has made room for `request` already, since it is returned.
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            calldatacopy(request, source, 0x2c0)
            function word(base, offset) -> value {
                value := mload(add(base, offset))
            }
            // requester, token, callback
            let excess := shr(160, or(or(word(request, 0x00), word(request, 0x20)), word(request, 0x240)))
            // priceCeiling, bond, carrierFee
            let widest := or(or(word(request, 0xc0), word(request, 0xe0)), word(request, 0x100))
            excess := or(excess, shr(96, widest))
            // seats, quorum, spares, shadows
            widest := or(or(word(request, 0x120), word(request, 0x140)), or(word(request, 0x160), word(request, 0x180)))
            excess := or(excess, shr(8, widest))
            // calloutBps, standbyBps
            excess := or(excess, shr(16, or(word(request, 0x1a0), word(request, 0x1c0))))
            // commitWindow, revealWindow, flags, callbackGas
            widest := or(or(word(request, 0x1e0), word(request, 0x200)), or(word(request, 0x220), word(request, 0x260)))
            excess := or(excess, shr(32, widest))
            // expiry
            if or(excess, shr(40, word(request, 0x280))) {
                revert(0x00, 0x00)
            }
            let free := mload(0x40)
            mstore(free, typeHash)
            mcopy(add(free, 0x20), request, 0x2c0)
            structHash := keccak256(free, 0x2e0)
        }
        jobId = _hashTypedDataV4(structHash);
    }

    /// @dev The commitment that an opening of `provider` belongs to.
    function _commitmentDigest(
        bytes32 jobId,
        address provider,
        uint8 outcome,
        bytes32 resultHash,
        bytes32 salt
    ) internal view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(COMMITMENT_TYPEHASH, jobId, provider, outcome, resultHash, salt)));
    }

    /// @dev Whether `account` may commit and decline for `provider` in jobs paid in `token`.
    function _actsFor(address account, address provider, address token) internal view returns (bool) {
        return account == provider || block.timestamp < _authorizations[provider][account][token].validUntil;
    }

    /// @dev Whether a commitment is signed by its provider or by an agent in force. ECDSA only.
    function _isCommitmentSigned(
        bytes32 domain,
        bytes32 jobId,
        address provider,
        address token,
        bytes32 commitment,
        bytes calldata signature
    ) internal view returns (bool) {
        bytes32 digest = MessageHashUtils.toTypedDataHash(
            domain,
            keccak256(abi.encode(SIGNED_COMMITMENT_TYPEHASH, jobId, provider, commitment))
        );
        address signer = _recover(digest, signature);
        return signer != address(0) && _actsFor(signer, provider, token);
    }

    /// @dev Whether an offer is signed by someone who may sign it, and why not. Requires clean words, as reading its fields ensures.
    function _judgeSignature(
        bytes32 domain,
        Request memory request,
        bytes32 jobId,
        SignedOffer calldata offer
    ) internal view returns (bool good, OfferFault fault) {
        address provider = offer.provider;
        bytes32 typeHash = OFFER_TYPEHASH;
        bytes32 structHash;
        // The offer's first five words in calldata are the encoding of what is signed after the job id.
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, typeHash)
            mstore(add(free, 0x20), jobId)
            calldatacopy(add(free, 0x40), offer, 0xa0)
            structHash := keccak256(free, 0xe0)
        }
        bytes32 digest = MessageHashUtils.toTypedDataHash(domain, structHash);
        address signer = _recover(digest, offer.signature);
        if (signer != address(0)) {
            if (signer == provider) return (true, fault);
            (good, fault) = _judgeAgent(_authorizations[provider][signer][request.token], request);
            if (good) return (true, fault);
        }
        // Interaction: static. An account with code has the last word on what it signed.
        if (provider.code.length != 0 && _isValidErc1271(provider, digest, offer.signature)) return (true, fault);
        return (false, fault);
    }

    /// @dev Whether the limits of an agent cover a place of the request, and why not.
    function _judgeAgent(
        Authorization memory limits,
        Request memory request
    ) private view returns (bool good, OfferFault fault) {
        if (limits.validUntil == 0) return (false, OfferFault.BadSignature);
        if (block.timestamp >= limits.validUntil) return (false, OfferFault.AgentExpired);
        if (request.bond > limits.maxBondPerSeat) return (false, OfferFault.BondBeyondAgent);
        if (request.commitWindow < limits.minCommitWindow) return (false, OfferFault.WindowBeyondAgent);
        return (true, fault);
    }

    /// @dev The ECDSA signer, zero if there is none: 65 bytes, low s. Compact signatures are refused, one form is enough.
    function _recover(bytes32 digest, bytes calldata signature) private pure returns (address signer) {
        (signer, , ) = ECDSA.tryRecoverCalldata(digest, signature);
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
