// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {WeirdToken} from "../support/WeirdTokens.sol";

/// @title A token that can be told to misbehave, for tests that deploy artifacts
contract FickleToken is WeirdToken {}
