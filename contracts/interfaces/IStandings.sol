// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Standing, QuarantineState} from "../types/Standing.sol";

/// @title Standing of providers
/// @notice Counters, probation and quarantined bonds. Rows T1 to T7 of docs/protocol/lifecycle.md.
interface IStandings {
    /// @notice A fault began probation `probation` of `provider`.
    /// @param provider who is on probation
    /// @param probation its number, from 1
    /// @param jobId the job of the fault
    event ProbationBegan(address indexed provider, uint32 probation, bytes32 jobId);
    /// @notice Probation `probation` ended: `well` by three alignments in a row, else by another fault.
    /// @dev The end by 180 days without a fault has no event, it is a matter of time.
    /// @param provider who was on probation
    /// @param probation its number
    /// @param well whether what was quarantined under this number is returned; else it is burnt
    event ProbationEnded(address indexed provider, uint32 probation, bool well);
    /// @notice `amount` of a bond was quarantined under number `probation` for the fault in `jobId`.
    /// @param provider whose bond it was
    /// @param token the token of the job
    /// @param probation number of the probation that decides about it
    /// @param jobId the job of the fault
    /// @param amount the whole bond of the place, base units
    event BondQuarantined(
        address indexed provider,
        address indexed token,
        uint32 probation,
        bytes32 jobId,
        uint96 amount
    );
    /// @notice Quarantined money was burnt, or credited to the provider.
    /// @param provider whose bonds they were
    /// @param token the token of the bonds
    /// @param probation number under which they were quarantined
    /// @param amount the whole entry, base units
    /// @param burnt true if it was burnt, false if it is in the provider's free balance
    event QuarantineClaimed(
        address indexed provider,
        address indexed token,
        uint32 probation,
        uint96 amount,
        bool burnt
    );

    /// @notice There is nothing to claim, or the probation lasts.
    /// @param provider whose entry was asked for
    /// @param token its token
    /// @param probation its number
    /// @param state None or Held
    error NotClaimable(address provider, address token, uint32 probation, QuarantineState state);

    /// @notice A10. Ends the quarantine of one entry: to the provider's free balance if the probation ended well, else burnt.
    /// Anybody may call.
    /// @dev Requirements: {quarantineOf} says Returnable or Burnable.
    /// @param provider whose entry it is
    /// @param token its token
    /// @param probation its number
    function claimQuarantine(address provider, address token, uint32 probation) external;

    /// @notice The raw record of a provider.
    /// @dev It changes by verdicts only: a probation that ended by time still looks begun here, see {onProbation}.
    /// @param provider whose record it is
    /// @return counters, and the last probation; all zero before the first verdict that counts
    function standingOf(address provider) external view returns (Standing memory);

    /// @notice Whether `provider` is on probation now.
    /// @param provider who is asked for
    /// @return true while a probation lasts: no three alignments in a row, and a fault in the last 180 days
    function onProbation(address provider) external view returns (bool);

    /// @notice What is quarantined for a provider under a probation number, and what will become of it.
    /// @param provider whose bonds they were
    /// @param token the token of the bonds
    /// @param probation number of the probation
    /// @return amount what is quarantined, base units
    /// @return state what {claimQuarantine} would do now
    function quarantineOf(
        address provider,
        address token,
        uint32 probation
    ) external view returns (uint96 amount, QuarantineState state);
}
