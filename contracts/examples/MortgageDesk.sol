// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPoseidon1, IPoseidon6} from "../interfaces/IPoseidon.sol";
import {IQueryMarket} from "../interfaces/IQueryMarket.sol";

/// @title A contract that acts on an answer
/// @notice Approves the loan of an applicant whose income a payroll provider has proved to be high enough. An answer alone says true or
/// false; the desk makes the query again from its own statement, so that it takes the answer to no other question.
/// @dev Warning: whoever calls {approve} publishes the answer, its key and what was asked, the applicant's `person` among it, for ever.
/// A lender whose applicants do not want that reads the answer off chain.
contract MortgageDesk {
    /// @notice What the desk asks for.
    /// @param market where questions are asked
    /// @param lender who asks them, and knows the applicants by their papers
    /// @param provider whose word on incomes the desk takes
    /// @param verifier of sealed answers that the lender has checked
    /// @param attribute number of the income's definition
    /// @param minimum income, as records hold it
    /// @param maxAge of the date that the answer is about, seconds
    struct Policy {
        IQueryMarket market;
        address lender;
        address provider;
        address verifier;
        uint256 attribute;
        uint64 minimum;
        uint40 maxAge;
    }

    /// @notice The rest of what a query is made of.
    /// @param nonce of the question, 128 bits
    /// @param subjectRef the subject, hidden in a hash
    /// @param asOf date of the statement, unix s
    /// @param k key of the answer
    struct Opening {
        uint128 nonce;
        uint256 subjectRef;
        uint40 asOf;
        uint256 k;
    }

    /// @notice The policy.
    Policy public policy;
    /// @notice circomlibjs' Poseidon of one input.
    IPoseidon1 public immutable poseidon1;
    /// @notice circomlibjs' Poseidon of six inputs.
    IPoseidon6 public immutable poseidon6;
    /// @notice Who an applicant is: the hash of its papers, zero if the lender has not seen them.
    mapping(address applicant => uint256 person) public personOf;
    /// @notice Whether the loan of an applicant is approved.
    mapping(address applicant => bool) public isApproved;

    /// @notice The lender has seen the papers of an applicant.
    /// @param applicant who applies
    /// @param person hash of its papers
    event ApplicantRegistered(address indexed applicant, uint256 person);
    /// @notice The loan of an applicant is approved.
    /// @param applicant who applied
    /// @param query the question whose answer was true
    event LoanApproved(address indexed applicant, uint256 indexed query);

    /// @notice Only the lender registers applicants.
    /// @param caller who called
    error NotLender(address caller);
    /// @notice A person is neither zero, which stands for nobody, nor longer than 248 bits.
    /// @param person that came
    error PersonOutOfRange(uint256 person);
    /// @notice The lender has not seen the papers of this applicant.
    /// @param applicant that was named
    error UnknownApplicant(address applicant);
    /// @notice The loan is approved already.
    /// @param applicant that was named
    error AlreadyApproved(address applicant);
    /// @notice The answer is about a date that is too old, or has not come yet.
    /// @param asOf date of the answer, unix s
    /// @param earliest unix s
    /// @param latest unix s
    error DateOutOfRange(uint40 asOf, uint256 earliest, uint256 latest);
    /// @notice The statement is false.
    /// @param query the question
    error IncomeTooLow(uint256 query);

    /// @param policy_ what the desk asks for
    /// @param poseidon1_ circomlibjs' Poseidon of one input
    /// @param poseidon6_ circomlibjs' Poseidon of six inputs
    constructor(Policy memory policy_, IPoseidon1 poseidon1_, IPoseidon6 poseidon6_) {
        policy = policy_;
        (poseidon1, poseidon6) = (poseidon1_, poseidon6_);
    }

    /// @notice Enters who an applicant is.
    /// @dev Requirements: the caller is the lender; `person` is not zero and has at most 248 bits.
    /// @param applicant who applies
    /// @param person hash of the papers that the lender has seen
    function register(address applicant, uint256 person) external {
        if (msg.sender != policy.lender) revert NotLender(msg.sender);
        if (person == 0 || person >> 248 != 0) revert PersonOutOfRange(person);
        personOf[applicant] = person;
        emit ApplicantRegistered({applicant: applicant, person: person});
    }

    /// @notice Approves a loan by the answer to the lender's question about this applicant. Anybody may call.
    /// @dev Requirements:
    /// - the applicant is registered, and not approved;
    /// - the date of the answer is at most `maxAge` ago, and not in the future;
    /// - the market has the answer to exactly this question, `k` opens it, and it is true.
    /// @param applicant who applies
    /// @param opening what the question was made of
    function approve(address applicant, Opening calldata opening) external {
        uint256 person = personOf[applicant];
        if (person == 0) revert UnknownApplicant(applicant);
        if (isApproved[applicant]) revert AlreadyApproved(applicant);
        uint256 earliest = block.timestamp > policy.maxAge ? block.timestamp - policy.maxAge : 0;
        if (opening.asOf < earliest || opening.asOf > block.timestamp) {
            revert DateOutOfRange(opening.asOf, earliest, block.timestamp);
        }
        uint256 query = queryFor(person, opening);
        if (!policy.market.answerOf(policy.provider, query, opening.k)) revert IncomeTooLow(query);
        isApproved[applicant] = true;
        emit LoanApproved({applicant: applicant, query: query});
    }

    /// @notice The query of the one question whose answer the desk takes, as docs/protocol/circuits.md says.
    /// @param person hash of papers
    /// @param opening what the question was made of
    /// @return the query
    function queryFor(uint256 person, Opening calldata opening) public view returns (uint256) {
        Policy memory p = policy;
        bytes32 context = keccak256(
            abi.encode(block.chainid, p.market, p.provider, p.lender, p.verifier, opening.nonce)
        );
        // At least `minimum`: the interval from there to the highest value, not negated, of the form of sealed answers.
        uint256 params = uint256(p.minimum) | (uint256(type(uint64).max) << 64) | (uint256(opening.asOf) << 128);
        return
            poseidon6.poseidon(
                [
                    uint256(context) >> 8,
                    opening.subjectRef,
                    person,
                    p.attribute,
                    params,
                    poseidon1.poseidon([opening.k])
                ]
            );
    }
}
