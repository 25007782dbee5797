// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {QueryMarketTest} from "../support/QueryMarketTest.sol";
import {ProofVectors} from "../support/ProofVectors.sol";
import {IAnswerVerifier} from "../../../contracts/interfaces/IAnswerVerifier.sol";

/// @notice Attacks on the verifier of real proofs.
contract BatchesAttacks is QueryMarketTest {
    IAnswerVerifier private _real;

    function setUp() public override {
        _real = IAnswerVerifier(create(vm.getCode("SealedAnswerVerifier.sol:SealedAnswerVerifier")));
    }

    /// Attack: Two wrong proofs whose errors cancel are sent as a batch.
    /// Market: Their equations are raised to coefficients that nobody can choose, and only then multiplied.
    function test_attack_BatchWhoseErrorsCancel() public view {
        uint256[8][] memory proofs = new uint256[8][](2);
        uint256[4][] memory signals = new uint256[4][](2);
        for (uint256 i; i < 2; ++i) (signals[i], proofs[i]) = ProofVectors.proven(i);
        check(_real.verifyProofs(proofs, signals), "good proofs");
        // The product of the equations holds the sum of the C: swapped, each is wrong and the sum is right.
        for (uint256 word = 6; word < 8; ++word) {
            (proofs[0][word], proofs[1][word]) = (proofs[1][word], proofs[0][word]);
        }
        check(!_real.verifyProofs(proofs, signals), "errors that cancel");
    }

    /// Attack: The modulus is added to a signal, for a second form of a proven statement.
    /// Market: Signals are below the modulus.
    function test_attack_SignalPlusModulus() public view {
        (uint256[4] memory signals, uint256[8] memory proof) = ProofVectors.proven(0);
        check(verifies(proof, signals), "good proof");
        signals[1] += P;
        check(!verifies(proof, signals), "the same signal again");
    }

    function verifies(uint256[8] memory p, uint256[4] memory signals) private view returns (bool) {
        return _real.verifyProof([p[0], p[1]], [[p[2], p[3]], [p[4], p[5]]], [p[6], p[7]], signals);
    }
}
