import type { Address, Hex } from "@quorate/core";
import { z } from "zod";
import { address, bytes32, line, uint } from "./internal/primitives.ts";
import { MAX_PAGE_MESSAGES, MAX_PAGE_PROFILES } from "./limits.ts";

/**
 * Position in one topic of one relay. Opaque: it names the relay's database and the last message read, so that a relay
 * that lost its database is read again from the beginning.
 */
export type Cursor = string;

/** Schema of a {@link Cursor}. */
export const cursorSchema: z.ZodType<Cursor, string> = z
  .string()
  .max(64)
  .regex(/^[a-z0-9]+-[0-9]+$/);

/** Answer to a posted message. */
export type PostedMessage = {
  /** Number of the message at this relay; grows. */
  readonly seq: number;
  /** EIP-712 digest of the envelope. */
  readonly digest: Hex;
  /** True when the relay had the message already. */
  readonly duplicate: boolean;
};

/** Schema of {@link PostedMessage}; keys of newer relays are ignored, as in every answer. */
export const postedMessageSchema: z.ZodType<PostedMessage, unknown> = z.object({
  seq: uint(53),
  digest: bytes32,
  duplicate: z.boolean(),
});

/** Messages of a topic after a cursor, in the order of their numbers. Messages are parsed one by one: one may be bad. */
export type MessagePage = {
  readonly messages: readonly { readonly seq: number; readonly message: unknown }[];
  readonly cursor: Cursor;
  /** True when more messages are there already. */
  readonly more: boolean;
};

/** Schema of {@link MessagePage}. */
export const messagePageSchema: z.ZodType<MessagePage, unknown> = z.object({
  messages: z.array(z.object({ seq: uint(53), message: z.unknown() })).max(MAX_PAGE_MESSAGES),
  cursor: cursorSchema,
  more: z.boolean().default(false),
});

/** Profiles in the order of their providers. Records are parsed one by one. */
export type ProfilePage = {
  readonly profiles: readonly unknown[];
  /** Provider to continue after, when there are more. */
  readonly next?: Address | undefined;
};

/** Schema of {@link ProfilePage}. */
export const profilePageSchema: z.ZodType<ProfilePage, unknown> = z.object({
  profiles: z.array(z.unknown()).max(MAX_PAGE_PROFILES),
  next: address.optional(),
});

/** What a relay says about itself. */
export type RelayInfo = {
  readonly name: string;
  readonly version: string;
  /** Markets whose messages it accepts. */
  readonly markets: readonly { readonly chainId: number; readonly market: Address }[];
  /** Limits by name; bytes, seconds or counts. */
  readonly limits: Readonly<Record<string, number>>;
};

/** Schema of {@link RelayInfo}. */
export const relayInfoSchema: z.ZodType<RelayInfo, unknown> = z.object({
  name: line(80),
  version: line(32),
  markets: z.array(z.object({ chainId: uint(53), market: address })).max(64),
  limits: z.record(z.string().max(64), z.number()),
});
