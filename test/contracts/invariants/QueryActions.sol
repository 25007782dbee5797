// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Answer, QuestionStatus, Quote} from "../../../contracts/types/Question.sol";
import {MoodyVerifier} from "../harness/MoodyVerifier.sol";
import {QueryMarketTest} from "../support/QueryMarketTest.sol";
import {Wallet} from "../support/Wallets.sol";
import {TestToken} from "../tokens/TestToken.sol";

/// @notice Plays questions at random and keeps books of what should have become of them, after docs/protocol/queries.md. No action reverts:
/// before each call the books say whether the page allows it, the call is made whatever they say, and a market that disagrees is noted.
abstract contract QueryActions is QueryMarketTest {
    /// @notice What a call of the actions can show to be wrong at once. Everything else is seen by comparing books with the market.
    enum Breach {
        Ask, // a question was taken or refused against the page
        Answer,
        Batch,
        Expire,
        Deposit,
        Withdraw,
        Register,
        SetPublisher,
        Publish,
        Revoke,
        AskedTwice,
        OtherQuote,
        PaidWithoutYes,
        LateAnswer,
        EarlyExpiry,
        RevokedAsked,
        AgentBeyondLimits,
        StrangersMoney
    }

    struct Question {
        Quote quote;
        QuestionStatus status;
        uint256 deadline;
        uint256 cipher;
        uint256 nullifier;
    }

    struct Root {
        uint256 publishedAt;
        uint256 supersededAt;
        bool revoked;
    }

    struct Dataset {
        bytes32 id;
        address provider;
        uint32 grace;
        address publisher;
        uint256 root;
    }

    struct Limits {
        uint96 maxBond;
        uint32 minWindow;
        uint40 validUntil;
    }

    uint256 internal constant PARTIES = 3;
    uint256 internal constant ROOTS = 4;
    uint256 internal constant QUESTIONS = 24;

    TestToken[2] internal tokens;
    uint96[2] internal units = [uint96(1000), uint96(2 ** 70)];
    address[PARTIES] internal providers; // two with keys, and a contract
    address[2] internal askers; // one is a provider as well
    address[] internal accounts;
    MoodyVerifier internal otherVerifier;
    Dataset[] internal datasets;
    mapping(bytes32 dataset => mapping(uint256 root => Root)) internal roots;
    Question[] internal questions;
    uint256[] internal pending; // indices of questions
    mapping(address provider => mapping(uint256 query => bool)) internal wasAsked;
    mapping(address provider => mapping(uint256 nullifier => bool)) internal used;
    mapping(address token => uint256) internal held;
    mapping(address token => mapping(address account => uint256)) internal free;
    mapping(address provider => uint256) internal answered;
    mapping(address provider => uint256) internal expired;
    mapping(address provider => mapping(address token => Limits)) internal limits;
    mapping(Breach => uint256) public breaches;
    uint256 public actions;
    uint256 private _calls;

    function setUp() public override {
        if (address(market) != address(0)) return;
        vm.warp(START);
        market = deploy(300, 7 days, deployPoseidon());
        (verifier, otherVerifier) = (new MoodyVerifier(), new MoodyVerifier());
        providers = [provider, rival, address(new Wallet())];
        askers = [asker, rival];
        for (uint256 i; i < PARTIES; ++i) {
            accounts.push(providers[i]);
            _register(providers[i], uint32(1000 * i), i == 0 ? publisher : address(0));
            _publish(datasets[i].provider, i, ROOT);
        }
        accounts.push(asker);
        accounts.push(stranger);
        for (uint256 t; t < 2; ++t) {
            tokens[t] = new TestToken("Test", "TST", t == 0 ? 6 : 18);
            tokens[t].mint(stranger, type(uint128).max);
            vm.prank(stranger);
            tokens[t].approve(address(market), type(uint256).max);
            for (uint256 i; i < PARTIES + 1; ++i) _deposit(t, accounts[i], units[t] << 20);
        }
    }

    // Calls

    function _begin(uint256 seed) private returns (uint256) {
        ++actions;
        return uint256(keccak256(abi.encode(seed)));
    }

    /// @dev A call of the market. One of the others, in turn, is watched: only `ask` takes from somebody who does not call.
    function _call(address caller, bytes memory data) internal returns (bool done) {
        uint256 turn = ++_calls;
        address other = accounts[turn % accounts.length];
        address token_ = address(tokens[(turn / accounts.length) % 2]);
        (uint96 before, ) = market.accountOf(token_, other);
        vm.prank(caller);
        (done, ) = address(market).call(data);
        (uint96 after_, ) = market.accountOf(token_, other);
        if (after_ < before && other != caller && bytes4(data) != market.ask.selector)
            ++breaches[Breach.StrangersMoney];
    }

    function _expect(Breach breach, bool found, bool expected) internal {
        if (found != expected) ++breaches[breach];
    }

    // Asking

    function askOne(uint256 seed) external {
        seed = _begin(seed);
        if (questions.length == QUESTIONS) return _askAgain(seed);
        (Quote memory quote, uint256 party, address caller) = _quote(seed);
        bytes memory signed = party < 2 ? signature(party == 0 ? PROVIDER_KEY : RIVAL_KEY, quote) : bytes("");
        bool allowed = true;
        if ((seed >> 240) % 4 == 0) {
            signed = signature(AGENT_KEY, quote);
            if (party < 2) {
                if (!_covers(limits[quote.provider][quote.token], quote)) allowed = false;
                if (!_coversOnChain(quote)) allowed = false;
            }
        }
        _ask(quote, signed, caller, allowed);
    }

    /// @dev The same question again, however it stands, with another price.
    function _askAgain(uint256 seed) private {
        Quote memory quote = questions[seed % QUESTIONS].quote;
        quote.price += 1;
        (quote.root, quote.expiry) = (_datasetOf(quote.dataset).root, uint40(clock + 1));
        bytes memory signed = quote.provider == rival ? signature(RIVAL_KEY, quote) : signature(PROVIDER_KEY, quote);
        _expect(Breach.AskedTwice, _call(quote.asker, abi.encodeCall(market.ask, (quote, signed))), false);
    }

    function _quote(uint256 seed) private view returns (Quote memory quote, uint256 party, address caller) {
        party = seed % PARTIES;
        uint256 t = (seed >> 8) % 2;
        quote.asker = askers[(seed >> 16) % 2];
        quote.provider = providers[party];
        quote.query = 1 + ((seed >> 24) % 64);
        if ((seed >> 32) % 32 == 0) quote.query = (seed >> 40) % 2 == 0 ? 0 : P;
        uint256 d = (seed >> 48) % 16 == 0 ? (seed >> 56) % datasets.length : party;
        quote.dataset = datasets[d].id;
        quote.root = (seed >> 64) % 2 == 0 ? datasets[d].root : ROOT + ((seed >> 72) % ROOTS);
        (quote.verifier, quote.verifierCodeHash) = (address(verifier), address(verifier).codehash);
        if ((seed >> 80) % 4 == 0) quote.verifier = address(otherVerifier);
        if ((seed >> 88) % 32 == 0) quote.verifier = stranger; // no code
        quote.token = address(tokens[t]);
        quote.price = uint96((seed >> 96) % (4 * uint256(units[t])));
        quote.bond = uint96((seed >> 104) % (4 * uint256(units[t])));
        quote.window = uint32(300 + ((seed >> 176) % 900));
        if ((seed >> 192) % 32 == 0) quote.window = 299;
        quote.expiry = uint40((seed >> 200) % 32 == 0 ? clock : clock + 1);
        caller = (seed >> 208) % 32 == 0 ? stranger : quote.asker;
    }

    function _ask(Quote memory quote, bytes memory signed, address caller, bool allowed) private {
        bool isSigned = allowed;
        allowed = allowed && caller == quote.asker && quote.asker != quote.provider && quote.expiry > clock;
        allowed = allowed && quote.window >= 300 && quote.query != 0 && quote.query < P && quote.verifier != stranger;
        allowed =
            allowed &&
            _datasetOf(quote.dataset).provider == quote.provider &&
            isAskable(quote.dataset, quote.root);
        if (wasAsked[quote.provider][quote.query]) {
            _expect(Breach.AskedTwice, _call(caller, abi.encodeCall(market.ask, (quote, signed))), false);
            return;
        }
        allowed =
            allowed &&
            free[quote.token][quote.asker] >= quote.price &&
            free[quote.token][quote.provider] >= quote.bond;
        bool done = _call(caller, abi.encodeCall(market.ask, (quote, signed)));
        _expect(Breach.Ask, done, allowed);
        if (!done) return;
        if (!isSigned) ++breaches[Breach.AgentBeyondLimits];
        (, , bool revoked, ) = market.rootOf(quote.dataset, quote.root);
        if (revoked) ++breaches[Breach.RevokedAsked];
        free[quote.token][quote.asker] -= quote.price;
        free[quote.token][quote.provider] -= quote.bond;
        wasAsked[quote.provider][quote.query] = true;
        pending.push(questions.length);
        questions.push(
            Question({
                quote: quote,
                status: QuestionStatus.Pending,
                deadline: clock + quote.window,
                cipher: 0,
                nullifier: 0
            })
        );
    }

    function _covers(Limits memory mine, Quote memory quote) private view returns (bool) {
        return clock < mine.validUntil && quote.bond <= mine.maxBond && quote.window >= mine.minWindow;
    }

    function _coversOnChain(Quote memory quote) private view returns (bool) {
        Limits memory found;
        (found.maxBond, found.minWindow, found.validUntil) = market.authorizationOf(quote.provider, agent, quote.token);
        return _covers(found, quote);
    }

    function _datasetOf(bytes32 id) internal view returns (Dataset memory found) {
        for (uint256 i; i < datasets.length; ++i) if (datasets[i].id == id) return datasets[i];
    }

    /// @notice As the page says it: published, not revoked, current or in its grace, the last second included.
    function isAskable(bytes32 dataset_, uint256 root) public view returns (bool) {
        Root memory mine = roots[dataset_][root];
        if (mine.publishedAt == 0 || mine.revoked) return false;
        return mine.supersededAt == 0 || clock <= mine.supersededAt + _datasetOf(dataset_).grace;
    }

    // Answering

    /// @dev Whether the page takes this answer, if the verifier says yes.
    function _mayAnswer(Question memory question, uint256 cipher, uint256 nullifier) private view returns (bool) {
        if (question.status != QuestionStatus.Pending || clock > question.deadline) return false;
        return cipher < P && nullifier < P && !used[question.quote.provider][nullifier];
    }

    function _wasAnswered(uint256 index, uint256 cipher, uint256 nullifier) private {
        Question storage question = questions[index];
        Quote memory quote = question.quote;
        if (clock > question.deadline) ++breaches[Breach.LateAnswer];
        (question.status, question.cipher, question.nullifier) = (QuestionStatus.Answered, cipher, nullifier);
        used[quote.provider][nullifier] = true;
        ++answered[quote.provider];
        free[quote.token][quote.provider] += uint256(quote.price) + quote.bond;
        _drop(index);
    }

    function _drop(uint256 index) private {
        uint256 position;
        while (pending[position] != index) ++position;
        pending[position] = pending[pending.length - 1];
        pending.pop();
    }

    /// @dev Mostly a pending one.
    function _pick(uint256 seed) private view returns (uint256) {
        if (pending.length == 0 || seed % 8 == 0) return (seed >> 8) % questions.length;
        return pending[(seed >> 8) % pending.length];
    }

    /// @dev Few nullifiers, so that many are used already; seldom what is no element of the field.
    function _signals(uint256 seed) private pure returns (uint256 cipher, uint256 nullifier) {
        cipher = seed % 32 == 1 ? P + ((seed >> 16) % 5) : uint256(keccak256(abi.encode(seed))) % P;
        nullifier = seed % 32 == 2 ? P + ((seed >> 16) % 5) : 1 + ((seed >> 8) % 96);
    }

    function answerOne(uint256 seed) external {
        seed = _begin(seed);
        if (questions.length == 0) return;
        uint256 index = _pick(seed);
        Question memory question = questions[index];
        (uint256 cipher, uint256 nullifier) = _signals(seed >> 64);
        bool allowed = _mayAnswer(question, cipher, nullifier);
        bool yes = (seed >> 128) % 4 != 0;
        MoodyVerifier judge = MoodyVerifier(question.quote.verifier);
        if (!yes) judge.set(MoodyVerifier.Mood(1 + ((seed >> 136) % 6)));
        bool done = _call(stranger, abi.encodeCall(market.answer, (question.quote, cipher, nullifier, noProof())));
        if (!yes) judge.set(MoodyVerifier.Mood.Yes);
        _expect(Breach.Answer, done, allowed && yes);
        if (done && !yes) ++breaches[Breach.PaidWithoutYes];
        if (done) _wasAnswered(index, cipher, nullifier);
    }

    /// @dev Some of any, the same one twice at times. Without a yes nothing of it happens.
    function answerMany(uint256 seed) external {
        seed = _begin(seed);
        if (questions.length == 0) return;
        Answer[] memory answers = new Answer[](1 + (seed % 4));
        uint256[] memory indices = new uint256[](answers.length);
        for (uint256 i; i < answers.length; ++i) {
            uint256 part = uint256(keccak256(abi.encode(seed, i)));
            indices[i] = _pick(part);
            (uint256 cipher, uint256 nullifier) = _signals(part >> 64);
            answers[i] = answerOf(questions[indices[i]].quote, cipher, nullifier);
        }
        bool yes = (seed >> 128) % 4 != 0;
        if (!yes) _setBoth(MoodyVerifier.Mood(1 + ((seed >> 136) % 6)));
        bool done = _call(stranger, abi.encodeCall(market.answerBatch, (answers)));
        if (!yes) _setBoth(MoodyVerifier.Mood.Yes);
        uint256 taken;
        address judge;
        for (uint256 i; i < answers.length; ++i) {
            Answer memory item = answers[i];
            // Items that are not fit are skipped, and those for another verifier than the first fit one has.
            if (!_mayAnswer(questions[indices[i]], item.cipher, item.nullifier)) continue;
            if (judge != address(0) && item.quote.verifier != judge) continue;
            judge = item.quote.verifier;
            ++taken;
            if (!done) continue;
            if (!yes) ++breaches[Breach.PaidWithoutYes];
            _wasAnswered(indices[i], item.cipher, item.nullifier);
        }
        _expect(Breach.Batch, done, taken == 0 || yes);
    }

    function _setBoth(MoodyVerifier.Mood mood) private {
        verifier.set(mood);
        otherVerifier.set(mood);
    }

    function expireOne(uint256 seed) external {
        seed = _begin(seed);
        if (questions.length == 0) return;
        uint256 index = _pick(seed);
        Question memory question = questions[index];
        Quote memory quote = question.quote;
        uint256 who = (seed >> 64) % 8;
        address caller =
            who == 0
                ? quote.provider
                : who == 1
                    ? agent
                    : stranger;
        bool acts = who == 0 || (who == 1 && clock < limits[quote.provider][quote.token].validUntil);
        bool allowed = question.status == QuestionStatus.Pending && (clock > question.deadline || acts);
        bool done = _call(caller, abi.encodeCall(market.expire, (quote)));
        _expect(Breach.Expire, done, allowed);
        if (!done) return;
        if (clock <= question.deadline && !acts) ++breaches[Breach.EarlyExpiry];
        questions[index].status = QuestionStatus.Expired;
        ++expired[quote.provider];
        free[quote.token][quote.asker] += uint256(quote.price) + quote.bond;
        _drop(index);
    }

    /// @dev A quote that differs in one field from the one that was asked.
    function bringOtherQuote(uint256 seed) external {
        seed = _begin(seed);
        if (questions.length == 0) return;
        Quote memory quote = questions[_pick(seed)].quote;
        uint256 field = (seed >> 64) % 8;
        if (field == 0) quote.asker = stranger;
        if (field == 1) quote.price += 1;
        if (field == 2) quote.bond += 1;
        if (field == 3) quote.root += 1;
        if (field == 4)
            quote.verifier = quote.verifier == address(verifier) ? address(otherVerifier) : address(verifier);
        if (field == 5) quote.token = quote.token == address(tokens[0]) ? address(tokens[1]) : address(tokens[0]);
        if (field == 6) quote.window += 1;
        if (field == 7) quote.expiry += 1;
        bool done =
            (seed >> 72) % 2 == 0
                ? _call(quote.provider, abi.encodeCall(market.expire, (quote)))
                : _call(stranger, abi.encodeCall(market.answer, (quote, 1, (seed >> 80) % P, noProof())));
        _expect(Breach.OtherQuote, done, false);
    }

    // Datasets

    function registerOne(uint256 seed) external {
        seed = _begin(seed);
        address account = (seed >> 8) % 8 == 0 ? askers[0] : providers[seed % PARTIES];
        if (account == askers[0] && datasets.length > PARTIES) account = providers[0]; // one more is enough
        _register(account, uint32((seed >> 16) % 3000), (seed >> 64) % 2 == 0 ? publisher : address(0));
    }

    function _register(address account, uint32 grace, address publisher_) private {
        bytes32 id = keccak256(abi.encode(account, DEFINITION));
        bool done = _call(account, abi.encodeCall(market.registerDataset, (DEFINITION, grace, publisher_)));
        _expect(Breach.Register, done, _datasetOf(id).provider == address(0));
        if (done) datasets.push(Dataset(id, account, grace, publisher_, 0));
    }

    function changePublisher(uint256 seed) external {
        seed = _begin(seed);
        Dataset storage set = datasets[seed % datasets.length];
        address caller = _publisherOrSo(set, seed >> 16);
        address next = (seed >> 32) % 2 == 0 ? publisher : agent;
        bool done = _call(caller, abi.encodeCall(market.setPublisher, (set.id, next)));
        _expect(Breach.SetPublisher, done, caller == set.provider);
        if (done) set.publisher = next;
    }

    function _publisherOrSo(Dataset storage set, uint256 seed) private view returns (address) {
        if (seed % 4 == 0) return set.provider;
        return
            seed % 16 == 1
                ? stranger
                : seed % 4 == 1
                    ? publisher
                    : set.publisher;
    }

    function publishOne(uint256 seed) external {
        seed = _begin(seed);
        uint256 d = seed % datasets.length;
        uint256 root = ROOT + ((seed >> 8) % ROOTS);
        if ((seed >> 24) % 32 == 0) root = (seed >> 32) % 2 == 0 ? 0 : P;
        _publish(_publisherOrSo(datasets[d], seed >> 40), d, root);
    }

    function _publish(address caller, uint256 d, uint256 root) private {
        Dataset storage set = datasets[d];
        Root storage mine = roots[set.id][root];
        bool allowed = caller == set.provider || caller == set.publisher;
        allowed = allowed && root != 0 && root < P && root != set.root && !mine.revoked;
        bool done = _call(caller, abi.encodeCall(market.publishRoot, (set.id, root)));
        _expect(Breach.Publish, done, allowed);
        if (!done) return;
        if (set.root != 0) roots[set.id][set.root].supersededAt = clock;
        (mine.publishedAt, mine.supersededAt, set.root) = (clock, 0, root);
    }

    function revokeOne(uint256 seed) external {
        seed = _begin(seed);
        if (seed % 4 != 0) return; // else soon none is left
        Dataset storage set = datasets[(seed >> 8) % datasets.length];
        uint256 root = ROOT + ((seed >> 16) % ROOTS);
        Root storage mine = roots[set.id][root];
        address caller = _publisherOrSo(set, seed >> 40);
        bool allowed = (caller == set.provider || caller == set.publisher) && mine.publishedAt != 0 && !mine.revoked;
        bool done = _call(caller, abi.encodeCall(market.revokeRoot, (set.id, root)));
        _expect(Breach.Revoke, done, allowed);
        if (!done) return;
        mine.revoked = true;
        if (root == set.root) (mine.supersededAt, set.root) = (clock, 0);
    }

    // Money, agents, time

    function _deposit(uint256 t, address account, uint96 amount) private {
        address token_ = address(tokens[t]);
        bool allowed = held[token_] + amount <= type(uint96).max && account != address(market);
        bool done = _call(stranger, abi.encodeCall(market.deposit, (token_, account, amount)));
        _expect(Breach.Deposit, done, allowed);
        if (!done) return;
        held[token_] += amount;
        free[token_][account] += amount;
    }

    function depositSome(uint256 seed) external {
        seed = _begin(seed);
        uint256 t = seed % 2;
        uint96 amount = uint96((seed >> 8) % (8 * uint256(units[t])));
        if ((seed >> 128) % 16 == 0) amount = type(uint96).max; // beyond what the market can hold
        _deposit(t, (seed >> 136) % 16 == 0 ? address(market) : accounts[(seed >> 144) % accounts.length], amount);
    }

    function withdrawSome(uint256 seed) external {
        seed = _begin(seed);
        address account = accounts[seed % accounts.length];
        address token_ = address(tokens[(seed >> 8) % 2]);
        uint256 amount = (seed >> 16) % 16 == 0 ? free[token_][account] : (seed >> 24) % (units[(seed >> 8) % 2] / 4);
        if ((seed >> 20) % 16 == 0) amount = free[token_][account] + 1;
        address to = (seed >> 128) % 16 == 0 ? address(0) : publisher;
        bool done = _call(account, abi.encodeCall(market.withdraw, (token_, to, uint96(amount))));
        _expect(Breach.Withdraw, done, amount <= free[token_][account] && to != address(0));
        if (!done) return;
        held[token_] -= amount;
        free[token_][account] -= amount;
    }

    function authorizeAgent(uint256 seed) external {
        seed = _begin(seed);
        address account = providers[seed % PARTIES];
        uint256 t = (seed >> 8) % 2;
        Limits memory mine = Limits({
            maxBond: uint96((seed >> 16) % (5 * uint256(units[t]))),
            minWindow: uint32((seed >> 112) % 900),
            validUntil: (seed >> 128) % 4 == 0 ? 0 : uint40(clock + ((seed >> 136) % 3000))
        });
        _call(
            account,
            abi.encodeCall(market.authorize, (agent, address(tokens[t]), mine.maxBond, mine.minWindow, mine.validUntil))
        );
        // One in force ends now at the earliest; one that has ended keeps its end.
        uint40 before = limits[account][address(tokens[t])].validUntil;
        if (mine.validUntil <= clock) mine.validUntil = before < clock ? before : uint40(clock);
        limits[account][address(tokens[t])] = mine;
    }

    /// @dev Just on, or to the deadline of a question or the end of a grace, one second before or after.
    function passTime(uint256 seed) external {
        seed = _begin(seed);
        uint256 target = clock + ((seed >> 64) % 400);
        if (questions.length != 0 && seed % 4 == 0)
            target = questions[_pick(seed >> 8)].deadline + ((seed >> 72) % 3) - 1;
        if (seed % 4 == 1) {
            Dataset memory set = datasets[(seed >> 8) % datasets.length];
            uint256 since = roots[set.id][ROOT + ((seed >> 16) % ROOTS)].supersededAt;
            if (since != 0) target = since + set.grace + ((seed >> 72) % 3) - 1;
        }
        goTo(target > clock ? target : clock + 1);
    }
}
