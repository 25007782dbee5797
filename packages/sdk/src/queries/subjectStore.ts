import type { JsonObject, SubjectKey } from "@quorate/wire";
import { type Address, encodeAbiParameters, type Hex, keccak256 } from "viem";
import { z } from "zod";
import { decodeWith } from "./record.ts";
import { addressSchema, bigSchema, countSchema, hexSchema, jsonObjectSchema } from "./schemas.ts";

/** A record as the subject first saw it: a later state of it must not differ. */
export type SeenRecord = {
  readonly dataset: Hex;
  /** Number of the attribute, or of the scorecard's schema. */
  readonly topic: bigint;
  readonly values: readonly bigint[];
  /** Unix s. */
  readonly validFrom: number;
  /** Unix s. */
  readonly validUntil: number;
  readonly budget: number;
};

/** A consent that was given: what an asker may know since. */
export type GivenConsent = {
  readonly query: bigint;
  readonly dataset: Hex;
  readonly asker: Address;
  /** As the package of proofs writes it. */
  readonly statement: JsonObject;
  /** Start of the record that it is about, unix s. */
  readonly validFrom: number;
  /** Unix s. */
  readonly notAfter: number;
  /** Unix ms. */
  readonly givenAt: number;
};

/** What a subject's client keeps of one provider. No keys. */
export type SubjectState = {
  readonly version: 1;
  /** From {@link subjectStateId}. */
  readonly stateId: Hex;
  readonly chainId: number;
  readonly market: Address;
  readonly provider: Address;
  readonly subjectKey: SubjectKey;
  /** By dataset: the person that the provider put into the records. */
  readonly persons: Readonly<Record<Hex, bigint>>;
  readonly seen: readonly SeenRecord[];
  readonly consents: readonly GivenConsent[];
};

/** Where a subject's client keeps what it saw and what it consented to. `put` is durable when its promise resolves. */
export type SubjectStore = {
  /**
   * Stores a state, in place of an earlier one of the same id.
   *
   * @param state The whole state.
   */
  put(state: SubjectState): Promise<void>;
  /**
   * @param stateId From `subjectStateId`.
   * @returns The state, or undefined when there is none.
   */
  get(stateId: Hex): Promise<SubjectState | undefined>;
};

/**
 * Id of a state: one for each key of a subject at a provider of a market.
 *
 * @param of Market, provider, subject's key.
 */
export function subjectStateId(of: {
  readonly chainId: number;
  readonly market: Address;
  readonly provider: Address;
  readonly subjectKey: SubjectKey;
}): Hex {
  return keccak256(
    encodeAbiParameters(
      [{ type: "uint256" }, { type: "address" }, { type: "address" }, { type: "uint256" }, { type: "uint256" }],
      [BigInt(of.chainId), of.market, of.provider, of.subjectKey[0], of.subjectKey[1]],
    ),
  );
}

/** A store that forgets everything with the process. */
export function memorySubjectStore(): SubjectStore {
  const states = new Map<Hex, string>();
  return {
    async put(state) {
      states.set(state.stateId, encodeSubjectState(state));
    },
    async get(stateId) {
      const text = states.get(stateId);
      return text === undefined ? undefined : decodeSubjectState(text);
    },
  };
}

const stateSchema = z.strictObject({
  version: z.literal(1),
  stateId: hexSchema(32),
  chainId: countSchema,
  market: addressSchema,
  provider: addressSchema,
  subjectKey: z.tuple([bigSchema, bigSchema]),
  persons: z.record(hexSchema(32) as z.ZodType<Hex, Hex>, bigSchema),
  seen: z.array(
    z.strictObject({
      dataset: hexSchema(32),
      topic: bigSchema,
      values: z.array(bigSchema).min(1).max(8),
      validFrom: countSchema,
      validUntil: countSchema,
      budget: countSchema,
    }),
  ),
  consents: z.array(
    z.strictObject({
      query: bigSchema,
      dataset: hexSchema(32),
      asker: addressSchema,
      statement: jsonObjectSchema,
      validFrom: countSchema,
      notAfter: countSchema,
      givenAt: countSchema,
    }),
  ),
}) as unknown as z.ZodType<SubjectState, unknown>;

/**
 * A state as JSON text.
 *
 * @param state The state.
 */
export function encodeSubjectState(state: SubjectState): string {
  return JSON.stringify(z.encode(stateSchema, state));
}

/**
 * Reads a state.
 *
 * @param text What `encodeSubjectState` wrote.
 * @throws FatalError `KEY_STORE_DAMAGED` naming the fields that are wrong, never their values.
 */
export function decodeSubjectState(text: string): SubjectState {
  return decodeWith(stateSchema, text, "subject");
}
