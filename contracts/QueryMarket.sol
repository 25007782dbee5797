// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {SignerFault} from "./types/Agent.sol";
import {
    FIELD_MODULUS,
    Answer,
    AnswerFault,
    QuestionStatus,
    QuestionWord,
    QuestionWords,
    Quote
} from "./types/Question.sol";
import {IAnswerVerifier} from "./interfaces/IAnswerVerifier.sol";
import {IPoseidon2} from "./interfaces/IPoseidon.sol";
import {IQueryMarket} from "./interfaces/IQueryMarket.sol";
import {Agents} from "./base/Agents.sol";
import {Datasets} from "./base/Datasets.sol";
import {Ledger} from "./base/Ledger.sol";
import {Windows} from "./base/Windows.sol";

/// @title Query market
/// @notice The states of docs/protocol/queries.md. Money is in {Ledger}, signatures in {Agents}, roots in {Datasets}; what a proof says
/// is the matter of the verifier that a quote names.
contract QueryMarket is Ledger, Agents, Datasets, Windows, Multicall {
    /// @dev How the questions of a provider ended. One word; counters stop at their highest value.
    struct Record {
        uint32 answered;
        uint32 expired;
    }

    bytes32 private constant QUOTE_TYPEHASH = keccak256(
        "Quote(address asker,address provider,uint256 query,bytes32 dataset,uint256 root,address verifier,bytes32 verifierCodeHash,address token,uint96 price,uint96 bond,uint32 window,uint40 expiry)"
    );
    /// @dev Poseidon of 1 and 2, as circomlib computes it.
    uint256 private constant POSEIDON_OF_1_2 =
        7853200120776062878684798364095072458815029376092732009249414926327459813530;

    /// @inheritdoc IQueryMarket
    address public immutable poseidon2;

    mapping(address provider => mapping(uint256 query => QuestionWord)) private _questions;
    /// @dev Per provider: else a stranger with a dataset of its own could use up the nullifiers of others.
    mapping(address provider => mapping(uint256 nullifier => bool)) private _used;
    mapping(address provider => Record) private _records;

    /// @param minWindow_ shortest window of a quote, seconds; below 5 minutes only on the test chains 31337 and 1337
    /// @param maxWindow_ longest window of a quote, seconds; at most 7 days
    /// @param poseidon2_ circomlibjs' Poseidon of two inputs
    constructor(uint32 minWindow_, uint32 maxWindow_, address poseidon2_) Windows(minWindow_, maxWindow_) {
        if (poseidon2_.code.length == 0 || _poseidon(poseidon2_, 1, 2) != POSEIDON_OF_1_2) {
            revert NotPoseidon(poseidon2_);
        }
        poseidon2 = poseidon2_;
    }

    /// @inheritdoc IQueryMarket
    function ask(Quote calldata quote, bytes calldata signature) external returns (bytes32 id) {
        // Check:
        (address asker, address provider, address token) = (quote.asker, quote.provider, quote.token);
        (uint256 query, uint256 bond, uint32 window) = (quote.query, quote.bond, quote.window);
        if (msg.sender != asker) revert NotAsker(msg.sender, asker);
        if (provider == asker) revert ProviderIsAsker(provider);
        id = quoteDigest(quote);
        if (block.timestamp >= quote.expiry) revert QuoteExpired(id, quote.expiry);
        _requireWindow(window);
        _requireAskable(quote.dataset, provider, quote.root);
        _requireVerifier(quote.verifier, quote.verifierCodeHash);
        if (query == 0 || query >= FIELD_MODULUS) revert QueryOutOfRange(query);
        QuestionStatus status = _questions[provider][query].status();
        if (status != QuestionStatus.None) revert AlreadyAsked(provider, query, status);
        (bool good, SignerFault fault) = _judgeSigner(provider, token, bond, window, id, signature);
        if (!good) revert QuoteNotSigned(id, provider, fault);

        // Effect:
        _escrow(token, asker, quote.price);
        _lock(token, provider, bond);
        uint40 deadline = uint40(block.timestamp + window); // a time, fits
        _questions[provider][query] = QuestionWords.pending(id, deadline);
        emit QuestionAsked({id: id, provider: provider, asker: asker, quote: quote, deadline: deadline});
    }

    /// @inheritdoc IQueryMarket
    function answer(Quote calldata quote, uint256 cipher, uint256 nullifier, uint256[8] calldata proof) external {
        // Check:
        bytes32 id = quoteDigest(quote);
        (bool good, AnswerFault fault) = _judgeAnswer(id, quote, cipher, nullifier);
        if (!good) _refuse(fault, id, quote, cipher, nullifier);
        // Interaction: static. The points of a proof, flat, have the encoding of the verifier's three arguments.
        uint256[4] memory signals = [cipher, nullifier, quote.root, quote.query];
        bytes memory data = abi.encodeWithSelector(IAnswerVerifier.verifyProof.selector, proof, signals);
        _requireYes(quote.verifier, data);
        // Effect:
        _settle(id, quote, cipher, nullifier);
    }

    /// @inheritdoc IQueryMarket
    function answerBatch(Answer[] calldata answers) external {
        uint256[8][] memory proofs = new uint256[8][](answers.length);
        uint256[4][] memory signals = new uint256[4][](answers.length);
        address verifier;
        uint256 count;
        for (uint256 i; i < answers.length; ++i) {
            // Check:
            Quote calldata quote = answers[i].quote;
            (uint256 cipher, uint256 nullifier) = (answers[i].cipher, answers[i].nullifier);
            bytes32 id = quoteDigest(quote);
            (bool good, AnswerFault fault) = _judgeAnswer(id, quote, cipher, nullifier);
            if (good && count != 0 && quote.verifier != verifier) (good, fault) = (false, AnswerFault.OtherVerifier);
            if (!good) {
                emit AnswerSkipped({id: id, cause: fault});
                continue;
            }
            verifier = quote.verifier;
            proofs[count] = answers[i].proof;
            signals[count] = [cipher, nullifier, quote.root, quote.query];
            ++count;
            // Effect: before the verifier is asked, so that neither question nor nullifier can come twice. Whatever it sees of this
            // in a static call, it can do nothing with it, and its no undoes it.
            _settle(id, quote, cipher, nullifier);
        }
        if (count == 0) return;
        // Shortens the arrays to what was not skipped.
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            mstore(proofs, count)
            mstore(signals, count)
        }
        // Interaction: static.
        _requireYes(verifier, abi.encodeCall(IAnswerVerifier.verifyProofs, (proofs, signals)));
    }

    /// @inheritdoc IQueryMarket
    function expire(Quote calldata quote) external {
        // Check:
        bytes32 id = quoteDigest(quote);
        (address asker, address provider, address token) = (quote.asker, quote.provider, quote.token);
        (uint256 query, uint256 bond) = (quote.query, quote.bond);
        QuestionWord word = _questions[provider][query];
        if (word.status() != QuestionStatus.Pending) revert QuestionNotPending(id, word.status());
        if (!word.isAskedBy(id)) revert QuoteMismatch(id);
        uint40 deadline = word.deadline();
        bool early = block.timestamp <= deadline;
        if (early && !_actsFor(msg.sender, provider, token)) revert NotYetExpirable(id, msg.sender, deadline);

        // Effect:
        _questions[provider][query] = QuestionWords.expired();
        Record storage record = _records[provider];
        unchecked {
            if (record.expired != type(uint32).max) ++record.expired;
        }
        _seize(token, provider, bond);
        _credit(token, asker, quote.price + bond);
        emit QuestionExpired({id: id, provider: provider, asker: asker, query: query, early: early});
    }

    /// @inheritdoc IQueryMarket
    function questionOf(
        address provider,
        uint256 query
    ) external view returns (QuestionStatus status, uint40 deadline, uint256 cipher) {
        QuestionWord word = _questions[provider][query];
        status = word.status();
        if (status == QuestionStatus.Pending) deadline = word.deadline();
        else if (status == QuestionStatus.Answered) cipher = word.cipher();
    }

    /// @inheritdoc IQueryMarket
    function answerOf(address provider, uint256 query, uint256 k) external view returns (bool) {
        QuestionWord word = _questions[provider][query];
        if (word.status() != QuestionStatus.Answered) revert NotAnswered(provider, query, word.status());
        // A key and the same key plus the modulus hash alike: one of them is enough.
        if (k >= FIELD_MODULUS) revert WrongKey(provider, query);
        uint256 pad = _poseidon(poseidon2, k, query);
        uint256 opened = addmod(word.cipher(), FIELD_MODULUS - pad, FIELD_MODULUS); // a hash is below the modulus
        if (opened > 1) revert WrongKey(provider, query);
        return opened == 1;
    }

    /// @inheritdoc IQueryMarket
    function isUsed(address provider, uint256 nullifier) external view returns (bool) {
        return _used[provider][nullifier];
    }

    /// @inheritdoc IQueryMarket
    function recordOf(address provider) external view returns (uint32 answered, uint32 expired) {
        Record storage record = _records[provider];
        return (record.answered, record.expired);
    }

    /// @inheritdoc IQueryMarket
    function quoteDigest(Quote calldata quote) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(QUOTE_TYPEHASH, quote)));
    }

    /// @dev Stores an answer and pays for it. Requires one that was judged good.
    function _settle(bytes32 id, Quote calldata quote, uint256 cipher, uint256 nullifier) private {
        (address provider, uint256 query) = (quote.provider, quote.query);
        _questions[provider][query] = QuestionWords.answered(cipher);
        _used[provider][nullifier] = true;
        Record storage record = _records[provider];
        unchecked {
            if (record.answered != type(uint32).max) ++record.answered;
        }
        _release({token: quote.token, owner: provider, bond: quote.bond, pay: quote.price});
        emit QuestionAnswered({
            id: id,
            provider: provider,
            asker: quote.asker,
            query: query,
            cipher: cipher,
            nullifier: nullifier
        });
    }

    /// @dev Whether the verifier may be asked about an answer, and why not. The root is not looked at: what was asked stays answerable.
    function _judgeAnswer(
        bytes32 id,
        Quote calldata quote,
        uint256 cipher,
        uint256 nullifier
    ) private view returns (bool good, AnswerFault fault) {
        address provider = quote.provider;
        QuestionWord word = _questions[provider][quote.query];
        if (word.status() != QuestionStatus.Pending) return (false, AnswerFault.NotPending);
        if (!word.isAskedBy(id)) return (false, AnswerFault.OtherQuote);
        if (block.timestamp > word.deadline()) return (false, AnswerFault.TooLate);
        // Query and root were in range when the question was asked and the root published.
        if (cipher >= FIELD_MODULUS) return (false, AnswerFault.CipherOutOfRange);
        if (nullifier >= FIELD_MODULUS) return (false, AnswerFault.NullifierOutOfRange);
        if (_used[provider][nullifier]) return (false, AnswerFault.NullifierUsed);
        if (quote.verifier.codehash != quote.verifierCodeHash) return (false, AnswerFault.VerifierChanged);
        return (true, fault);
    }

    /// @dev Fails with the error of a fault.
    function _refuse(
        AnswerFault fault,
        bytes32 id,
        Quote calldata quote,
        uint256 cipher,
        uint256 nullifier
    ) private view {
        QuestionWord word = _questions[quote.provider][quote.query];
        if (fault == AnswerFault.NotPending) revert QuestionNotPending(id, word.status());
        if (fault == AnswerFault.OtherQuote) revert QuoteMismatch(id);
        if (fault == AnswerFault.TooLate) revert AnswerTooLate(id, word.deadline());
        if (fault == AnswerFault.CipherOutOfRange) revert CipherOutOfRange(cipher);
        if (fault == AnswerFault.NullifierOutOfRange) revert NullifierOutOfRange(nullifier);
        if (fault == AnswerFault.NullifierUsed) revert NullifierUsed(quote.provider, nullifier);
        revert VerifierChanged(quote.verifier, quote.verifier.codehash, quote.verifierCodeHash);
    }

    /// @dev Fails unless there is the code of the quote.
    function _requireVerifier(address verifier, bytes32 required) private view {
        if (verifier.code.length == 0) revert VerifierWithoutCode(verifier);
        if (verifier.codehash != required) revert VerifierChanged(verifier, verifier.codehash, required);
    }

    /// @dev Fails unless the verifier answers with one word of 1. One word is copied whatever it returns.
    function _requireYes(address verifier, bytes memory data) private view {
        bool hasAnswered;
        uint256 word;
        // Solidity's staticcall copies all return data; this copies one word into scratch space.
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            let success := staticcall(gas(), verifier, add(data, 0x20), mload(data), 0x00, 0x20)
            hasAnswered := and(success, eq(returndatasize(), 0x20))
            word := mload(0x00)
        }
        if (!hasAnswered || word > 1) revert VerifierFailed(verifier);
        if (word == 0) revert ProofRefused(verifier);
    }

    function _poseidon(address hasher, uint256 left, uint256 right) private pure returns (uint256) {
        return IPoseidon2(hasher).poseidon([left, right]);
    }
}
