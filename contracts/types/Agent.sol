// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Why a signature does not bind its provider.
enum SignerFault {
    BadSignature, // neither of the provider, nor of an agent, nor accepted by the provider's account
    BondBeyondAgent,
    WindowBeyondAgent,
    AgentExpired
}
