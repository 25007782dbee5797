// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Windows of a market
/// @notice Every window that a requester or a provider names lies between two bounds, set for good at deployment.
interface IWindows {
    /// @notice A window is shorter or longer than the market allows, seconds.
    /// @param window that was named, seconds
    /// @param minimum see {minWindow}, seconds
    /// @param maximum see {maxWindow}, seconds
    error WindowOutOfRange(uint32 window, uint32 minimum, uint32 maximum);
    /// @notice The windows of the market itself are out of range, seconds.
    /// @param minimum shortest window that the market was to allow, seconds
    /// @param maximum longest window that the market was to allow, seconds
    /// @param lowest the minimum may not be below, seconds
    /// @param highest the maximum may not be above, seconds
    error MarketWindowsOutOfRange(uint32 minimum, uint32 maximum, uint32 lowest, uint32 highest);

    /// @notice Shortest window that may be named, seconds.
    /// @return seconds
    function minWindow() external view returns (uint32);

    /// @notice Longest window that may be named, seconds.
    /// @return seconds
    function maxWindow() external view returns (uint32);
}
