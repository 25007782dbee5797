// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAnswerVerifier} from "../../../contracts/interfaces/IAnswerVerifier.sol";

/// @title A verifier that says what it is told to
/// @notice Its moods are in storage, so its code hash stays the same.
contract MoodyVerifier is IAnswerVerifier {
    /// @notice How the verifier answers.
    enum Mood {
        Yes,
        No,
        Reverts,
        ReturnsNothing,
        ReturnsShort, // 31 bytes
        ReturnsLong, // 64 bytes, the first word is 1
        ReturnsTwo, // one word, neither 0 nor 1
        BurnsGas,
        ReturnsBomb
    }

    Mood public mood;

    error Moody();

    /// @notice From now on the verifier answers in this mood.
    function set(Mood mood_) external {
        mood = mood_;
    }

    /// @inheritdoc IAnswerVerifier
    function verifyProof(
        uint256[2] calldata,
        uint256[2][2] calldata,
        uint256[2] calldata,
        uint256[4] calldata
    ) external view returns (bool) {
        return _answer();
    }

    /// @inheritdoc IAnswerVerifier
    function verifyProofs(uint256[8][] calldata, uint256[4][] calldata) external view returns (bool) {
        return _answer();
    }

    function _answer() private view returns (bool) {
        Mood mood_ = mood;
        if (mood_ == Mood.Yes) return true;
        if (mood_ == Mood.No) return false;
        if (mood_ == Mood.Reverts) revert Moody();
        if (mood_ == Mood.BurnsGas) while (gasleft() > 0) {}
        uint256 size;
        if (mood_ == Mood.ReturnsShort) size = 31;
        if (mood_ == Mood.ReturnsLong) size = 64;
        if (mood_ == Mood.ReturnsTwo) size = 32;
        if (mood_ == Mood.ReturnsBomb) size = 1 << 17;
        uint256 word = mood_ == Mood.ReturnsTwo ? 2 : 1;
        // solhint-disable-next-line no-inline-assembly -- only assembly can return this little, or this much
        assembly {
            mstore(0, word)
            return(0, size)
        }
    }
}
