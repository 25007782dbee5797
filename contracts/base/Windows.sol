// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IWindows} from "../interfaces/IWindows.sol";

/// @title Bounds of windows
/// @notice Long enough for a chain that is congested or halts for minutes, short enough that money is never held for months.
abstract contract Windows is IWindows {
    uint32 private constant LOWEST_WINDOW = 5 minutes;
    uint32 private constant HIGHEST_WINDOW = 7 days;

    /// @inheritdoc IWindows
    uint32 public immutable minWindow;
    /// @inheritdoc IWindows
    uint32 public immutable maxWindow;

    /// @param minWindow_ shortest window, seconds; below 5 minutes only on the test chains 31337 and 1337
    /// @param maxWindow_ longest window, seconds; at most 7 days
    constructor(uint32 minWindow_, uint32 maxWindow_) {
        uint32 lowest = block.chainid == 31_337 || block.chainid == 1337 ? 1 : LOWEST_WINDOW;
        if (minWindow_ < lowest || maxWindow_ < minWindow_ || maxWindow_ > HIGHEST_WINDOW) {
            revert MarketWindowsOutOfRange(minWindow_, maxWindow_, lowest, HIGHEST_WINDOW);
        }
        (minWindow, maxWindow) = (minWindow_, maxWindow_);
    }

    function _requireWindow(uint32 window) internal view {
        if (window < minWindow || window > maxWindow) revert WindowOutOfRange(window, minWindow, maxWindow);
    }
}
