// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Poseidon of one input
/// @notice Contracts of circomlibjs over the scalar field of BN254; inputs are taken modulo its order.
interface IPoseidon1 {
    /// @notice Hashes.
    /// @param input one field element
    /// @return digest a field element
    function poseidon(uint256[1] calldata input) external pure returns (uint256 digest);
}

/// @title Poseidon of two inputs
/// @notice See {IPoseidon1}.
interface IPoseidon2 {
    /// @notice Hashes.
    /// @param input two field elements
    /// @return digest a field element
    function poseidon(uint256[2] calldata input) external pure returns (uint256 digest);
}

/// @title Poseidon of six inputs
/// @notice See {IPoseidon1}.
interface IPoseidon6 {
    /// @notice Hashes.
    /// @param input six field elements
    /// @return digest a field element
    function poseidon(uint256[6] calldata input) external pure returns (uint256 digest);
}
