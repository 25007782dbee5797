// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title A verifier of answers
/// @notice One circuit under one key. The market asks the verifier that a question names, and takes its word: a new kind of question
/// is a new verifier, no new market.
/// @dev Public signals are `[cipher, nullifier, root, query]`, each below the modulus of the scalar field of BN254. Proof words are the
/// points A, B and C in the order of EIP-197: `a0 a1 b00 b01 b10 b11 c0 c1`, where the first word of a pair in B is the imaginary part.
///
/// Warning: a verifier that says yes to anything lets its provider earn without an answer. Askers and subjects compare the hash of its
/// code with the one that they know.
interface IAnswerVerifier {
    /// @notice Whether a proof holds for its public signals.
    /// @dev Anything but one word, 0 or 1, counts as a failure of the verifier.
    /// @param a point of G1
    /// @param b point of G2
    /// @param c point of G1
    /// @param signals cipher, nullifier, root and query
    /// @return whether it holds
    function verifyProof(
        uint256[2] calldata a,
        uint256[2][2] calldata b,
        uint256[2] calldata c,
        uint256[4] calldata signals
    ) external view returns (bool);

    /// @notice Whether every one of these proofs holds for its public signals.
    /// @dev False without any, and for different numbers of proofs and signals.
    /// @param proofs words of the points of each proof
    /// @param signals cipher, nullifier, root and query of each proof
    /// @return whether all hold
    function verifyProofs(uint256[8][] calldata proofs, uint256[4][] calldata signals) external view returns (bool);
}
