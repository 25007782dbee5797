// What the generated verifiers have beside the verifier of snarkjs: many proofs checked by one equation.

/**
 * Writes `verifyProofs` for a verifier of snarkjs, whose constants it uses.
 *
 * A proof holds when `e(A, B) = e(alpha, beta) · e(vk, gamma) · e(C, delta)`, with `vk = IC0 + Σ signal · IC`. Raised to random powers and
 * multiplied, the equations of many proofs hold together; but for a chance of one in the field's order they do so only if each
 * holds. The last three pairings of all proofs are of the same points of G2, so they become three for all.
 *
 * @param signals how many public signals the circuit has
 * @returns Solidity, members of a contract
 */
export function batchSource(signals: number): string {
  const indices = Array.from({ length: signals }, (_, index) => index + 1);
  const points = ["alpha", "beta", "gamma", "delta"].flatMap((name) =>
    name === "alpha" ? [`${name}x`, `${name}y`] : ["x1", "x2", "y1", "y2"].map((part) => name + part),
  );
  const key = [...points, ...[0, ...indices].flatMap((index) => [`IC${index}x`, `IC${index}y`])];
  return `    /// @notice Verifies many proofs: whether each of them holds for its signals.
    /// @dev Their equations are raised to coefficients and multiplied. The coefficients follow from chain, key and every point and signal, so
    /// nobody can choose errors that cancel. The first may be 1: were it alone wrong, nothing could cancel it.
    /// No point is used before a precompile has seen it as it came: those that are off the curve or not reduced are refused.
    function verifyProofs(uint256[8][] calldata proofs, uint256[${signals}][] calldata signals) external view returns (bool) {
        uint256 count = proofs.length;
        if (count == 0 || count != signals.length) return false;
        bytes32 seed = keccak256(abi.encode(block.chainid, verificationKey(), proofs, signals));
        uint256[] memory pairs = new uint256[](6 * (count + 3));
        uint256[${signals + 1}] memory sums; // of the coefficients, then of coefficients times each signal
        uint256[2] memory c; // sum of coefficients times C
        for (uint256 i = 0; i < count; ++i) {
            uint256 coefficient = i == 0 ? 1 : uint256(keccak256(abi.encode(seed, i))) % r;
            if (!addSignals(sums, signals[i], coefficient)) return false;
            uint256[2] memory scaled = [proofs[i][6], proofs[i][7]];
            if (i != 0 && !multiply(scaled, coefficient)) return false;
            if (!add(c, scaled)) return false;
            scaled = [proofs[i][0], proofs[i][1]];
            if (i != 0 && !multiply(scaled, coefficient)) return false;
            setPair(pairs, i, scaled, [proofs[i][2], proofs[i][3], proofs[i][4], proofs[i][5]]);
        }
        // The other side of the equation, negated. The sum of C comes from a precompile, so it is reduced.
        c[1] = (q - c[1]) % q;
        for (uint256 j = 0; j < ${signals + 1}; ++j) sums[j] = (r - sums[j]) % r;
        uint256[2] memory alpha = [alphax, alphay];
        if (!multiply(alpha, sums[0])) return false;
        uint256[2] memory vk = [IC0x, IC0y];
        if (!multiply(vk, sums[0])) return false;
${indices.map((index) => `        if (!addProduct(vk, IC${index}x, IC${index}y, sums[${index}])) return false;`).join("\n")}
        setPair(pairs, count, alpha, [betax1, betax2, betay1, betay2]);
        setPair(pairs, count + 1, vk, [gammax1, gammax2, gammay1, gammay2]);
        setPair(pairs, count + 2, c, [deltax1, deltax2, deltay1, deltay2]);
        return isOne(pairs);
    }

    /// @dev The words of the verification key.
    function verificationKey() private pure returns (uint256[${key.length}] memory) {
        return [
${key.map((word) => `            ${word}`).join(",\n")}
        ];
    }

    /// @dev Adds a coefficient, and its products with the signals of a proof; false for a signal that is not reduced.
    function addSignals(
        uint256[${signals + 1}] memory sums,
        uint256[${signals}] calldata signals,
        uint256 coefficient
    ) private pure returns (bool) {
        sums[0] = addmod(sums[0], coefficient, r);
        for (uint256 j = 0; j < ${signals}; ++j) {
            if (signals[j] >= r) return false;
            sums[j + 1] = addmod(sums[j + 1], mulmod(coefficient, signals[j], r), r);
        }
        return true;
    }

    function setPair(
        uint256[] memory pairs,
        uint256 index,
        uint256[2] memory g1,
        uint256[4] memory g2
    ) private pure {
        uint256 start = 6 * index;
        (pairs[start], pairs[start + 1]) = (g1[0], g1[1]);
        (pairs[start + 2], pairs[start + 3], pairs[start + 4], pairs[start + 5]) = (g2[0], g2[1], g2[2], g2[3]);
    }

    /// @dev Adds a multiple of a point to \`sum\`.
    function addProduct(uint256[2] memory sum, uint256 x, uint256 y, uint256 scalar) private view returns (bool) {
        uint256[2] memory product = [x, y];
        return multiply(product, scalar) && add(sum, product);
    }

    /// @dev Multiplies \`point\` in place; false if it is none.
    function multiply(uint256[2] memory point, uint256 scalar) private view returns (bool success) {
        uint256[3] memory input = [point[0], point[1], scalar];
        assembly {
            success := staticcall(gas(), 7, input, 0x60, point, 0x40)
        }
    }

    /// @dev Adds to \`sum\` in place; false if one of them is no point.
    function add(uint256[2] memory sum, uint256[2] memory point) private view returns (bool success) {
        uint256[4] memory input = [sum[0], sum[1], point[0], point[1]];
        assembly {
            success := staticcall(gas(), 6, input, 0x80, sum, 0x40)
        }
    }

    /// @dev Whether the product of the pairings is one; false if one of them has no points of the right group.
    function isOne(uint256[] memory pairs) private view returns (bool) {
        uint256[1] memory output;
        bool success;
        assembly {
            success := staticcall(gas(), 8, add(pairs, 0x20), mul(mload(pairs), 0x20), output, 0x20)
        }
        return success && output[0] == 1;
    }

`;
}
