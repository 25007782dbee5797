// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Standing, QuarantineState} from "../types/Standing.sol";

/// @title Standing of providers
/// @notice Counters, probation and quarantined bonds. Rows T1 to T7 of docs/protocol/lifecycle.md.
interface IStandings {
    /// @notice A fault began probation `probation` of `provider`.
    event ProbationBegan(address indexed provider, uint32 probation, bytes32 jobId);
    /// @notice Probation `probation` ended: `well` by three alignments in a row, else by another fault.
    /// @dev The end by 180 days without a fault has no event, it is a matter of time.
    event ProbationEnded(address indexed provider, uint32 probation, bool well);
    /// @notice `amount` of a bond was quarantined under number `probation` for the fault in `jobId`.
    event BondQuarantined(
        address indexed provider,
        address indexed token,
        uint32 probation,
        bytes32 jobId,
        uint96 amount
    );
    /// @notice Quarantined money was burnt, or credited to the provider.
    event QuarantineClaimed(
        address indexed provider,
        address indexed token,
        uint32 probation,
        uint96 amount,
        bool burnt
    );

    /// @notice There is nothing to claim, or the probation lasts.
    error NotClaimable(address provider, address token, uint32 probation, QuarantineState state);

    /// @notice Ends the quarantine of one entry: to the provider's free balance if the probation ended well, else burnt.
    /// Anybody may call.
    /// @dev Requirements: {quarantineOf} says Returnable or Burnable.
    function claimQuarantine(address provider, address token, uint32 probation) external;

    /// @notice The raw record of a provider.
    function standingOf(address provider) external view returns (Standing memory);

    /// @notice Whether `provider` is on probation now.
    function onProbation(address provider) external view returns (bool);

    /// @notice What is quarantined for a provider under a probation number, and what will become of it.
    function quarantineOf(
        address provider,
        address token,
        uint32 probation
    ) external view returns (uint96 amount, QuarantineState state);
}
