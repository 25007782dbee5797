// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev Flag of a request: providers on probation may take seats and places of spares.
uint32 constant ACCEPT_PROBATION = 1;
/// @dev Flag of a request: its seats may vote by a set that all of them signed, see {IJobMarket-revealSet}.
uint32 constant SET_VOTES = 2;

/// @dev Roles that an offer accepts, one bit each.
uint8 constant ROLE_SEAT = 1;
uint8 constant ROLE_SPARE = 2;
uint8 constant ROLE_SHADOW = 4;

/// @dev Outcomes of an opening; every other value is malformed.
uint8 constant OUTCOME_OK = 1;
uint8 constant OUTCOME_FAILED = 2;
uint8 constant OUTCOME_REPORT = 3;

/// @dev Most places of one job: seats, spares and shadows together.
uint8 constant MAX_PLACES = 16;

/// @dev Most gas that a request may promise its callback.
uint32 constant MAX_CALLBACK_GAS = 1_000_000;

/// @notice What a requester asks for. Its EIP-712 digest is the job id.
struct Request {
    address requester; // pays; the only account that may open the job
    address token; // every amount of the job is in base units of this token
    bytes32 packageHash; // SHA-256 digest inside the package's root CID
    bytes32 contentHash; // keccak256(contentKey ‖ package), see docs/protocol/keys.md
    bytes32 requirementsHash; // keccak256 of the canonical requirements document
    bytes32 encryptionKey; // X25519 key of the requester: offers and results are sealed to it
    uint96 priceCeiling; // highest price of any place
    uint96 bond; // what each provider locks per place
    uint96 carrierFee; // earned by the account whose call settles
    uint8 seats; // n
    uint8 quorum; // q, 2 <= q <= n and q > n/2
    uint8 spares; // at most so many spares are opened
    uint8 shadows; // at most so many shadows are opened
    uint16 calloutBps; // call-out fee as a share of the price, at most 5000
    uint16 standbyBps; // standby fee of an unused spare as a share of its price, at most 10000
    uint32 commitWindow; // seconds
    uint32 revealWindow; // seconds
    uint32 flags; // sum of ACCEPT_PROBATION and SET_VOTES
    address callback; // told of the settlement, see {IJobCallback}; zero for nobody
    uint32 callbackGas; // what the callback gets, at most {MAX_CALLBACK_GAS}; zero without one
    uint40 expiry; // `open` must come before this time (unix s)
    uint256 nonce; // chosen by the requester
}

/// @notice An offer as `open` receives it. The typed data that the provider signs has `jobId` as first field and
/// neither `signature` nor `keyWrap`.
struct SignedOffer {
    address provider;
    uint96 price;
    bytes32 encryptionKey; // X25519 key of the provider: the package key is sealed to it
    uint8 roles; // bitmap of accepted roles: ROLE_SEAT, ROLE_SPARE, ROLE_SHADOW
    uint40 expiry; // unix s, counts at `open` only
    bytes signature; // by the provider, by its agent, or ERC-1271
    bytes keyWrap; // package key sealed to `encryptionKey`; emitted, never read by the contract
}

/// @notice One place of the panel: seats first, then spares, then shadows.
struct Place {
    address provider;
    uint96 price;
}

/// @notice The facts that `open` fixed and every later call repeats; only their hash is stored.
struct Terms {
    address requester;
    address token;
    uint96 bond;
    uint96 carrierFee;
    uint8 seats;
    uint8 quorum;
    uint8 spares; // spares opened, not the request's maximum
    uint16 calloutBps;
    uint16 standbyBps;
    uint32 commitWindow;
    uint32 revealWindow;
    uint32 flags;
    address callback;
    uint32 callbackGas;
    Place[] places; // places.length - seats - spares shadows at the end
}

/// @notice A commitment somebody carries for a provider.
struct CarriedCommitment {
    uint8 place;
    bytes32 commitment;
    bytes signature; // ECDSA over SignedCommitment by the provider or its agent
}

/// @notice A commitment as it landed; the list in the order of landing rebuilds the stored chain of commitments.
struct PlacedCommitment {
    uint8 place;
    bytes32 commitment;
}

/// @notice An ECDSA signature over a set of commitments, as EIP-2098 packs it into two words.
struct SetSignature {
    bytes32 r;
    bytes32 vs; // the parity of v in the highest bit, s below
}

/// @notice What opens a commitment.
struct Opening {
    uint8 place;
    uint8 outcome; // 1 Ok, 2 Failed, 3 Report; anything else is malformed
    bytes32 resultHash; // zero for a report
    bytes32 salt;
}

/// @notice How a seat came out of its job.
struct PlaceResult {
    Verdict verdict;
    uint96 paid; // compensation, without the returned bond
}

/// @notice Why an offer cannot be opened.
struct BadOffer {
    uint8 place;
    OfferFault fault;
}

enum JobStatus {
    None,
    Committing,
    Revealing,
    Settleable, // the reveal window is over, nobody has settled yet
    Accepted,
    Inconclusive
}

enum Verdict {
    None, // spare never used and not paid, shadow that did not commit
    Aligned, // computed, equals the accepted computed answer
    Reported, // report or malformed opening
    Overruled, // computed, while the accepted answer is a report
    Undecided, // computed, no decision, no fault
    Dissent, // computed against an accepted computed answer with no bond at stake
    Fault, // computed against more than n/2 equal computed answers
    Declined,
    Late, // not committed in time, or committed and not opened
    Standby // unused spare
}

enum OfferFault {
    BadSignature,
    Expired,
    PriceAboveCeiling,
    RoleNotAccepted,
    DuplicateProvider,
    ProviderIsRequester,
    BondExceedsFree,
    OnProbation,
    BondBeyondAgent,
    WindowBeyondAgent,
    AgentExpired,
    ZeroKey
}

/// @notice Why a commitment is refused by `commit` or skipped by `commitBySig`.
enum CommitmentFault {
    NoSuchPlace,
    NotSeated, // a spare that was never promoted
    Declined,
    AlreadyCommitted, // the first commitment stands
    Late,
    ZeroCommitment,
    BadSignature // neither by the provider nor by an agent in force
}

/// @notice Why `reveal` skips an opening.
enum OpeningFault {
    NoSuchPlace,
    NotCommitted,
    AlreadyOpened,
    WrongOpening // does not hash to the commitment of its place
}
