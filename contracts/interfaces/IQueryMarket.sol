// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Answer, AnswerFault, QuestionStatus, Quote} from "../types/Question.sol";
import {SignerFault} from "../types/Agent.sol";
import {ILedger} from "./ILedger.sol";
import {IAgents} from "./IAgents.sol";
import {IWindows} from "./IWindows.sol";

/// @title A market of sealed answers
/// @notice A domain provider answers a question about its records with an encrypted true or false and a proof, and is paid by the same
/// call. Nobody but the two of them learns question or answer. Rules: docs/protocol/queries.md; what a proof says: docs/protocol/circuits.md.
/// @dev The market has no owner, no upgrade, no pause and no fee. A question lies under provider and query in one word; its quote travels
/// in calldata, and anybody takes it from {QuestionAsked}.
interface IQueryMarket is ILedger, IAgents, IWindows {
    /// @notice `provider` has a dataset, whose roots `publisher` publishes too.
    /// @param dataset `keccak256(abi.encode(provider, definition))`
    /// @param provider who answers for it
    /// @param definition hash of what the records mean
    /// @param grace seconds for which a superseded root may still be asked about
    /// @param publisher hot key that publishes and revokes, zero if there is none
    event DatasetRegistered(
        bytes32 indexed dataset,
        address indexed provider,
        bytes32 definition,
        uint32 grace,
        address publisher
    );
    /// @notice Another hot key publishes and revokes.
    /// @param dataset whose roots
    /// @param publisher the key, zero if there is none
    event PublisherSet(bytes32 indexed dataset, address publisher);
    /// @notice `root` is the current one; the one before is superseded.
    /// @param dataset whose root
    /// @param root of the tree of records
    event RootPublished(bytes32 indexed dataset, uint256 indexed root);
    /// @notice Nobody can ask about `root` any more. What was asked stays answerable.
    /// @param dataset whose root
    /// @param root of the tree of records
    event RootRevoked(bytes32 indexed dataset, uint256 indexed root);
    /// @notice A question waits for its answer: price in escrow, bond locked.
    /// @param id EIP-712 digest of the quote
    /// @param provider who has to answer
    /// @param asker who paid
    /// @param quote all of it, for whoever answers or expires
    /// @param deadline last time for the answer, unix s
    event QuestionAsked(
        bytes32 indexed id,
        address indexed provider,
        address indexed asker,
        Quote quote,
        uint40 deadline
    );
    /// @notice The proof of an answer was accepted: the provider has price and bond.
    /// @param id EIP-712 digest of the quote
    /// @param provider who was paid
    /// @param asker who can decrypt
    /// @param query what was asked
    /// @param cipher the answer, encrypted
    /// @param nullifier use of the record
    event QuestionAnswered(
        bytes32 indexed id,
        address indexed provider,
        address indexed asker,
        uint256 query,
        uint256 cipher,
        uint256 nullifier
    );
    /// @notice Nobody answered: the asker has price and bond.
    /// @param id EIP-712 digest of the quote
    /// @param provider whose bond it was
    /// @param asker who was paid
    /// @param query what was asked
    /// @param early whether the provider gave up before the deadline had passed
    event QuestionExpired(
        bytes32 indexed id,
        address indexed provider,
        address indexed asker,
        uint256 query,
        bool early
    );
    /// @notice An item of `answerBatch` had no effect.
    /// @param id EIP-712 digest of the item's quote
    /// @param cause why, the first that was found
    event AnswerSkipped(bytes32 indexed id, AnswerFault cause);

    /// @notice The contract given as Poseidon of two inputs is another one.
    /// @param poseidon2 what was given
    error NotPoseidon(address poseidon2);
    /// @notice The provider has registered this definition already.
    /// @param dataset that exists
    error DatasetExists(bytes32 dataset);
    /// @notice Nobody registered this dataset.
    /// @param dataset that was named
    error UnknownDataset(bytes32 dataset);
    /// @notice Only the provider of the dataset may do this, or it is another provider's dataset.
    /// @param dataset that was named
    /// @param found caller, or provider of the quote
    /// @param provider of the dataset
    error NotDatasetProvider(bytes32 dataset, address found, address provider);
    /// @notice Only provider and publisher of the dataset may do this.
    /// @param dataset that was named
    /// @param caller who called
    error NotPublisher(bytes32 dataset, address caller);
    /// @notice A root is neither zero nor a number that no tree has.
    /// @param root that was named
    error RootOutOfRange(uint256 root);
    /// @notice The root is current already.
    /// @param dataset whose root
    /// @param root that was to be published
    error RootIsCurrent(bytes32 dataset, uint256 root);
    /// @notice The root was revoked, for good.
    /// @param dataset whose root
    /// @param root that was to be published or revoked
    error RootIsRevoked(bytes32 dataset, uint256 root);
    /// @notice The root was never published.
    /// @param dataset whose root
    /// @param root that was to be revoked
    error UnknownRoot(bytes32 dataset, uint256 root);
    /// @notice Nobody can ask about this root: it is unknown, revoked, or superseded for longer than the grace of its dataset.
    /// @param dataset of the quote
    /// @param root of the quote
    /// @param publishedAt unix s, zero if it is unknown
    /// @param supersededAt unix s, zero if it is current or unknown
    /// @param revoked whether it was revoked
    error RootNotAskable(bytes32 dataset, uint256 root, uint40 publishedAt, uint40 supersededAt, bool revoked);
    /// @notice Only the asker of the quote may ask.
    /// @param caller who called
    /// @param asker of the quote
    error NotAsker(address caller, address asker);
    /// @notice Nobody asks itself.
    /// @param provider of the quote, also its asker
    error ProviderIsAsker(address provider);
    /// @notice The quote expired at `expiry`.
    /// @param id EIP-712 digest of the quote
    /// @param expiry `ask` had to come before, unix s
    error QuoteExpired(bytes32 id, uint40 expiry);
    /// @notice The verifier of the quote is no contract.
    /// @param verifier that was named
    error VerifierWithoutCode(address verifier);
    /// @notice The verifier has other code than the quote says.
    /// @param verifier of the quote
    /// @param found hash of its code
    /// @param required hash of the code in the quote
    error VerifierChanged(address verifier, bytes32 found, bytes32 required);
    /// @notice A query is neither zero nor a number that no circuit has.
    /// @param query of the quote
    error QueryOutOfRange(uint256 query);
    /// @notice A query is asked once per provider.
    /// @param provider of the quote
    /// @param query of the quote
    /// @param status where that question stands
    error AlreadyAsked(address provider, uint256 query, QuestionStatus status);
    /// @notice Nobody who may sign the quote has signed it.
    /// @param id EIP-712 digest of the quote
    /// @param provider of the quote
    /// @param cause why, the first that was found
    error QuoteNotSigned(bytes32 id, address provider, SignerFault cause);
    /// @notice The question was never asked, or has ended.
    /// @param id EIP-712 digest of the quote
    /// @param status where the question under its provider and query stands
    error QuestionNotPending(bytes32 id, QuestionStatus status);
    /// @notice The question was asked by another quote.
    /// @param id EIP-712 digest of the quote that came
    error QuoteMismatch(bytes32 id);
    /// @notice The last time for an answer was `deadline`.
    /// @param id EIP-712 digest of the quote
    /// @param deadline unix s
    error AnswerTooLate(bytes32 id, uint40 deadline);
    /// @notice The cipher is no field element.
    /// @param cipher that came
    error CipherOutOfRange(uint256 cipher);
    /// @notice The nullifier is no field element.
    /// @param nullifier that came
    error NullifierOutOfRange(uint256 nullifier);
    /// @notice The provider has used this nullifier before.
    /// @param provider of the question
    /// @param nullifier that came
    error NullifierUsed(address provider, uint256 nullifier);
    /// @notice The verifier said no.
    /// @param verifier that was asked
    error ProofRefused(address verifier);
    /// @notice The verifier reverted, or answered with something else than one word of 0 or 1.
    /// @param verifier that was asked
    error VerifierFailed(address verifier);
    /// @notice Before the deadline has passed only the provider and its agents may expire a question.
    /// @param id EIP-712 digest of the quote
    /// @param caller who called
    /// @param deadline last time for the answer, unix s
    error NotYetExpirable(bytes32 id, address caller, uint40 deadline);
    /// @notice The question has no answer.
    /// @param provider who was asked
    /// @param query what was asked
    /// @param status where the question stands
    error NotAnswered(address provider, uint256 query, QuestionStatus status);
    /// @notice The key does not open the answer.
    /// @param provider who answered
    /// @param query what was asked
    error WrongKey(address provider, uint256 query);

    /// @notice Registers a dataset of the caller.
    /// @dev Requirement: the caller has not registered this definition before.
    ///
    /// Warning: the grace is for good. A long one lets an asker ask about records that were corrected since; {revokeRoot} ends it for a root.
    /// @param definition hash of what the records mean
    /// @param grace seconds for which a superseded root may still be asked about
    /// @param publisher hot key that publishes and revokes besides the caller, zero for none
    /// @return dataset `keccak256(abi.encode(caller, definition))`
    function registerDataset(bytes32 definition, uint32 grace, address publisher) external returns (bytes32 dataset);

    /// @notice Sets the hot key that publishes and revokes besides the provider.
    /// @dev Requirement: the caller is the provider of the dataset.
    /// @param dataset of the caller
    /// @param publisher the key, zero for none
    function setPublisher(bytes32 dataset, address publisher) external;

    /// @notice Makes `root` the current one, and starts the grace of the one before.
    /// @dev Requirements:
    /// - the caller is provider or publisher of the dataset;
    /// - `root` is a field element other than zero;
    /// - it is not current, and was never revoked.
    ///
    /// A superseded root may become current again, when the records are again what they were: its times begin anew.
    /// @param dataset whose root
    /// @param root of the tree of records
    function publishRoot(bytes32 dataset, uint256 root) external;

    /// @notice Ends the use of `root` for new questions, for good. If it is current, the dataset has no current root until the next.
    /// @dev Requirements:
    /// - the caller is provider or publisher of the dataset;
    /// - the root was published, and not revoked.
    ///
    /// Questions that were asked about it stay answerable.
    /// @param dataset whose root
    /// @param root of the tree of records
    function revokeRoot(bytes32 dataset, uint256 root) external;

    /// @notice Asks a question: escrows its price from the caller's free balance and locks the provider's bond.
    /// @dev Requirements, checked in this order:
    /// - the caller is `quote.asker`, and another account than `quote.provider`;
    /// - it is before `quote.expiry`;
    /// - `quote.window` lies in {minWindow} to {maxWindow};
    /// - `quote.dataset` is registered by `quote.provider`;
    /// - `quote.root` is askable, see {rootOf};
    /// - `quote.verifier` has code, with the hash `quote.verifierCodeHash`;
    /// - `quote.query` is a field element other than zero, and was never asked at this provider;
    /// - the signature is the provider's, or of an agent of it in force for `quote.token` whose limits cover bond and window, or the
    ///   provider's account accepts it (ERC-1271);
    /// - the free balances cover price and bond.
    ///
    /// Warning: nothing here says that an answer will be about anything. Make the query from parts that you know, read root and verifier,
    /// and ask only what you can check: whoever signed the quote chose them.
    /// @param quote of the provider
    /// @param signature of the quote: 65 bytes, or what the provider's account takes
    /// @return id EIP-712 digest of the quote
    function ask(Quote calldata quote, bytes calldata signature) external returns (bytes32 id);

    /// @notice Answers a question with a proof, and pays its provider. Anybody may call.
    /// @dev Requirements, checked in this order:
    /// - the question is Pending and was asked by this quote;
    /// - it is not after the deadline;
    /// - cipher and nullifier are field elements;
    /// - the provider has not used the nullifier;
    /// - the verifier still has the code of the quote, and says yes to `[cipher, nullifier, quote.root, quote.query]`.
    ///
    /// Whether the root was superseded or revoked since is no matter. What the proof binds decides who is paid, so a copied one serves.
    /// @param quote of the question
    /// @param cipher the answer, encrypted
    /// @param nullifier use of the record
    /// @param proof points A, B and C as {IAnswerVerifier} takes them
    function answer(Quote calldata quote, uint256 cipher, uint256 nullifier, uint256[8] calldata proof) external;

    /// @notice Answers many questions of one verifier for less gas than one by one. Anybody may call.
    /// @dev Items that {answer} would refuse before it asks the verifier are skipped with {AnswerSkipped}, and so are those with another
    /// verifier than the first that is not. The verifier is asked once about the rest.
    ///
    /// Warning: one bad proof fails the call.
    /// @param answers quote, cipher, nullifier and proof of each
    function answerBatch(Answer[] calldata answers) external;

    /// @notice Ends a question without an answer: price and bond go to the asker. Anybody may call after the deadline; the provider, and
    /// its agents in force for the token, at any time.
    /// @dev Requirements:
    /// - the question is Pending and was asked by this quote;
    /// - the deadline has passed, or the caller acts for the provider.
    /// @param quote of the question
    function expire(Quote calldata quote) external;

    /// @notice What is known of a dataset, all zero if it is not registered.
    /// @param dataset that is asked for
    /// @return provider who answers for it
    /// @return grace seconds for which a superseded root may still be asked about
    /// @return publisher hot key that publishes and revokes, zero if there is none
    /// @return root the current one, zero if there is none
    function datasetOf(
        bytes32 dataset
    ) external view returns (address provider, uint32 grace, address publisher, uint256 root);

    /// @notice What is known of a root, all zero if it was never published.
    /// @param dataset whose root
    /// @param root of the tree of records
    /// @return publishedAt unix s
    /// @return supersededAt since when another root is current, or since when this one, revoked, is not; unix s, zero while it is current
    /// @return revoked whether it was revoked
    /// @return askable whether `ask` takes it now: current, or superseded and not after `supersededAt` and the grace
    function rootOf(
        bytes32 dataset,
        uint256 root
    ) external view returns (uint40 publishedAt, uint40 supersededAt, bool revoked, bool askable);

    /// @notice Where a question stands.
    /// @param provider who was asked
    /// @param query what was asked
    /// @return status None if it was never asked
    /// @return deadline last time for the answer while Pending, else zero; unix s
    /// @return cipher the answer, encrypted, if Answered, else zero
    function questionOf(
        address provider,
        uint256 query
    ) external view returns (QuestionStatus status, uint40 deadline, uint256 cipher);

    /// @notice The answer to a question, for whoever has its key. Free of charge off chain.
    /// @dev Requirements:
    /// - the question is Answered;
    /// - the key opens the answer.
    ///
    /// Warning: a transaction that calls this publishes the key, and with it the answer. And the answer belongs to what `query` commits to:
    /// a contract that must know what was asked recomputes it, as contracts/examples/MortgageDesk.sol does.
    /// @param provider who answered
    /// @param query what was asked
    /// @param k the key, below the modulus
    /// @return whether the statement holds
    function answerOf(address provider, uint256 query, uint256 k) external view returns (bool);

    /// @notice Id of the question that a quote asks.
    /// @param quote any
    /// @return EIP-712 digest of the quote at this market
    function quoteDigest(Quote calldata quote) external view returns (bytes32);

    /// @notice Whether a provider has used a nullifier.
    /// @param provider whose answers
    /// @param nullifier use of a record
    /// @return whether an answer had it
    function isUsed(address provider, uint256 nullifier) external view returns (bool);

    /// @notice How the questions of a provider ended.
    /// @dev Raw facts: questions to oneself through another account count too.
    /// @param provider whose questions
    /// @return answered how many were answered
    /// @return expired how many were not
    function recordOf(address provider) external view returns (uint32 answered, uint32 expired);

    /// @notice The contract that hashes two field elements.
    /// @return address of circomlibjs' Poseidon of two inputs
    function poseidon2() external view returns (address);
}
