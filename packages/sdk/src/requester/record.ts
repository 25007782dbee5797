import {
  FatalError,
  type PlaceRole,
  type Request,
  type Requirements,
  requirementsSchema,
  type SignedOffer,
} from "@quorate/core";
import { requestSchema } from "@quorate/wire";
import { type Address, type Hex, isAddress, isHex } from "viem";
import { z } from "zod";
import type { AskedBatch, SentTransaction as JournaledTransaction } from "../internal/journaledSend.ts";

/** Something the requester sent for a job, stored before it was broadcast. */
export type SentTransaction = JournaledTransaction<"approve" | "deposit" | "open">;

/** The panel that was fixed for `open`, key wraps included. */
export type StoredSelection = {
  /** Spares among `offers`. */
  readonly spares: number;
  /** Seats, spares, shadows. */
  readonly offers: readonly SignedOffer[];
  /** Why each was chosen, in the order of `offers`. */
  readonly reasons: readonly { readonly role: PlaceRole; readonly reasons: readonly string[] }[];
};

/**
 * Everything that a requester needs to come back to a job: with it and the chain, nothing else has to survive.
 * Holds secrets: whoever has it reads the package and the result.
 */
export type JobRecord = {
  readonly version: 1;
  readonly jobId: Hex;
  readonly chainId: number;
  readonly market: Address;
  readonly request: Request;
  readonly requirements: Requirements;
  /** Root of the encrypted package. */
  readonly packageCid: string;
  /** 32 bytes; secret. */
  readonly packageKey: Hex;
  /** X25519, the private half of `request.encryptionKey`; secret. */
  readonly encryptionPrivateKey: Hex;
  /** For people; never leaves the store. */
  readonly label?: string | undefined;
  /** Unix ms. */
  readonly createdAt: number;
  /** Newest block when the record was made: every event of the job lies after it. */
  readonly createdAtBlock: number;
  /** Set once the package lies on relays and the request was published or announced. Unix ms. */
  readonly publishedAt?: number | undefined;
  readonly selection?: StoredSelection | undefined;
  /** In the order of sending. */
  readonly transactions: readonly SentTransaction[];
  /** Set while a wallet has been asked to send and has not answered: its answer may have been lost. Unix ms. */
  readonly askedWalletAt?: number | undefined;
  /** Calls that the wallet was asked to send as one (EIP-5792); set together with `askedWalletAt`. */
  readonly askedBatch?: AskedBatch<SentTransaction["purpose"]> | undefined;
};

const hex = (bytes?: number): z.ZodType<Hex, unknown> =>
  z.custom<Hex>(
    (value) => isHex(value, { strict: true }) && (bytes === undefined || value.length === 2 + 2 * bytes),
    bytes === undefined ? "expected hex" : `expected ${bytes} bytes of hex`,
  );
const address = z.custom<Address>(
  (value) => typeof value === "string" && isAddress(value, { strict: false }),
  "expected an address",
);
const amount = z.codec(z.string().regex(/^[0-9]{1,29}$/), z.bigint(), {
  decode: (text) => BigInt(text),
  encode: (value) => value.toString(),
});
const count = z.int().min(0);

const purposeSchema = z.enum(["approve", "deposit", "open"]);

const recordSchema = z.strictObject({
  version: z.literal(1),
  jobId: hex(32),
  chainId: count,
  market: address,
  request: requestSchema as z.ZodType<Request, unknown>,
  requirements: requirementsSchema as z.ZodType<Requirements, unknown>,
  packageCid: z.string().min(1).max(128),
  packageKey: hex(32),
  encryptionPrivateKey: hex(32),
  label: z.string().max(200).optional(),
  createdAt: count,
  createdAtBlock: count,
  publishedAt: count.optional(),
  selection: z
    .strictObject({
      spares: count.max(16),
      offers: z
        .array(
          z.strictObject({
            provider: address,
            price: amount,
            encryptionKey: hex(32),
            roles: count.max(255),
            expiry: count,
            signature: hex(),
            keyWrap: hex(),
          }),
        )
        .max(16),
      reasons: z.array(z.strictObject({ role: z.enum(["seat", "spare", "shadow"]), reasons: z.array(z.string()) })),
    })
    .optional(),
  transactions: z.array(
    z.strictObject({
      purpose: purposeSchema,
      hash: hex(32),
      raw: hex().optional(),
      nonce: count.optional(),
      from: address,
      sentAt: count,
    }),
  ),
  askedWalletAt: count.optional(),
  askedBatch: z.strictObject({ purpose: purposeSchema, id: z.string().max(4096) }).optional(),
});

/**
 * A record as JSON text.
 *
 * @param record The record.
 */
export function encodeJobRecord(record: JobRecord): string {
  return JSON.stringify(z.encode(recordSchema as unknown as z.ZodType<JobRecord, unknown>, record));
}

/**
 * Reads a record.
 *
 * @param text What `encodeJobRecord` wrote.
 * @throws FatalError `KEY_STORE_DAMAGED` naming the fields that are wrong, never their values.
 */
export function decodeJobRecord(text: string): JobRecord {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw damaged("it is not JSON");
  }
  const result = recordSchema.safeParse(json);
  if (result.success) return result.data as JobRecord;
  throw damaged(
    [...new Set(result.error.issues.map((issue) => issue.path.map(String).join(".") || "the record"))].join(", "),
  );
}

function damaged(what: string): FatalError {
  return new FatalError(
    "KEY_STORE_DAMAGED",
    `An entry of the requester's key store cannot be read: ${what}. Restore it from a backup; without it the result of its job cannot be opened.`,
  );
}
