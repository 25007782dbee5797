// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice What the market recorded about a provider: exactly one word. Counters stop at their highest value.
/// @dev Raw facts: jobs of one's own making count too, so nobody should plan on the counters alone.
struct Standing {
    uint32 probation; // number of the last probation, zero if there was none
    uint40 probationSince; // zero when the last probation was ended by alignments
    uint40 lastFaultAt;
    uint8 alignedInRow; // alignments in a row during the probation
    uint24 aligned;
    uint24 late;
    uint24 reported;
    uint24 undecided;
    uint24 declined;
    uint16 faults;
}

/// @notice What will become of a quarantined bond.
enum QuarantineState {
    None, // nothing quarantined under this number
    Held, // the probation lasts
    Returnable, // the probation ended well: `claimQuarantine` credits the provider
    Burnable // the probation ended by another fault: `claimQuarantine` burns
}
