// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {SignerFault} from "../types/Agent.sol";
import {Request, SetSignature, SignedOffer, OfferFault} from "../types/Job.sol";
import {Agents} from "./Agents.sol";

/// @title What requesters and providers of jobs sign
/// @notice Typed data of the job market.
abstract contract SignedOffers is Agents {
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

    bytes32 private constant COMMITMENT_SET_TYPEHASH = keccak256("CommitmentSet(bytes32 jobId,bytes32[] commitments)");

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

    /// @dev What every member of a set of commitments signs.
    /// @param set by place, zero for places that take no part
    function _setDigest(bytes32 jobId, bytes32[] memory set) internal view returns (bytes32) {
        return
            _hashTypedDataV4(keccak256(abi.encode(COMMITMENT_SET_TYPEHASH, jobId, keccak256(abi.encodePacked(set)))));
    }

    /// @dev Whether a set is signed by a member, or by an agent of it whose authorization lasted beyond the opening of the job: what others
    /// relied on when they opened their votes cannot be taken back. ECDSA only.
    function _isSetSigned(
        bytes32 digest,
        address provider,
        address token,
        uint256 openedAt,
        SetSignature calldata signature
    ) internal view returns (bool) {
        (address signer, , ) = ECDSA.tryRecover(digest, signature.r, signature.vs);
        return signer != address(0) && _actsForAt(signer, provider, token, openedAt);
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
        SignerFault found;
        (good, found) = _judgeSigner(
            provider,
            request.token,
            request.bond,
            request.commitWindow,
            digest,
            offer.signature
        );
        if (!good) fault = _offerFault(found);
    }

    /// @dev The same fault among those of offers, where the agent's three stand in the same order.
    function _offerFault(SignerFault fault) private pure returns (OfferFault) {
        if (fault == SignerFault.BadSignature) return OfferFault.BadSignature;
        return OfferFault(uint8(OfferFault.BondBeyondAgent) + uint8(fault) - uint8(SignerFault.BondBeyondAgent));
    }
}
