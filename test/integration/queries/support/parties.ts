// The parties of the scenario. The contracts have fixed addresses, because a query commits to market and verifier.
import { AbiCoder, getCreateAddress, id, keccak256, Wallet } from "ethers";

/** Circuits by the name of circuits/circuits.json. */
export type CircuitName = "sealed-answer" | "scorecard";

/** Contracts in the order in which the deployer creates them. */
export const deploymentOrder = [
  "TestToken",
  "Poseidon2",
  "QueryMarket",
  "SealedAnswerVerifier",
  "ScorecardVerifier",
  "Poseidon1",
  "Poseidon6",
] as const;
/** A contract of the scenario. */
export type ContractName = (typeof deploymentOrder)[number];

/** Private key of an actor, the same in every run. */
export const actorKey = (name: string): string => id(`quorate test actor ${name}`);
const addressOf = (name: string): string => new Wallet(actorKey(name)).address;

/** Chain of the scenario. */
export const CHAIN_ID = 31_337;
/** Time of the first block, unix s. */
export const START = 1_795_305_600;
/** Who deploys, and nothing else. */
export const DEPLOYER_KEY: string = actorKey("deployer of queries");
/** The domain provider. */
export const PROVIDER: string = addressOf("payroll");
/** The asker. */
export const ASKER: string = addressOf("lender");

/**
 * Address of a contract of the scenario.
 *
 * @param name of the contract
 */
export function contractAddress(name: ContractName): string {
  return getCreateAddress({ from: new Wallet(DEPLOYER_KEY).address, nonce: deploymentOrder.indexOf(name) });
}

/** Number below 2^bits that a text names. */
export const numberOf = (text: string, bits: bigint): bigint => BigInt(id(text)) >> (256n - bits);

/** The parts of a query that a contract needs to make it again. */
export type Opening = {
  readonly nonce: bigint;
  readonly subjectRef: bigint;
  readonly person: bigint;
  readonly asOf: bigint;
  readonly k: bigint;
};

/**
 * What a query is tied to.
 *
 * @param verifier that will be asked
 * @param nonce 128 bits
 * @param over other parties than those of the scenario
 */
export function contextOf(
  verifier: string,
  nonce: bigint,
  over: { readonly asker?: string; readonly provider?: string; readonly market?: string } = {},
): bigint {
  const { asker = ASKER, provider = PROVIDER, market = contractAddress("QueryMarket") } = over;
  const types = ["uint256", "address", "address", "address", "address", "uint256"];
  const words = [CHAIN_ID, market, provider, asker, verifier, nonce];
  return BigInt(keccak256(AbiCoder.defaultAbiCoder().encode(types, words))) >> 8n;
}

/** Number of the attribute. */
export const INCOME: bigint = numberOf("income", 248n);
/** What the lender asks for. */
export const MINIMUM = 100_000n;
/** Date of every statement, unix s. */
export const AS_OF: bigint = BigInt(START) - 3_600n;
