export * from "./amounts.ts";
export * from "./block.ts";
export * from "./bytes.ts";
export * from "./canonical-json.ts";
export * from "./clock.ts";
export * from "./commitment.ts";
export * from "./errors.ts";
export * from "./facts.ts";
export * from "./failure.ts";
export {
  checkEncryptionKey,
  type EncryptionKeyPair,
  encryptionPublicKey,
  generateEncryptionKeyPair,
  KEY_WRAP_BYTES,
  type OpenSealedParameters,
  openSealed,
  type QuerySealContext,
  queryAad,
  type SealContext,
  type SealParameters,
  type SealPurpose,
  sealAad,
  sealTo,
} from "./hpke.ts";
export * from "./job.ts";
export * from "./keys.ts";
export * from "./logger.ts";
export * from "./manifest.ts";
export * from "./package.ts";
export * from "./package-cipher.ts";
export * from "./quote.ts";
export * from "./request.ts";
export * from "./settlement.ts";
export * from "./standing.ts";
export * from "./status.ts";
export * from "./terms.ts";
export * from "./typed-data.ts";
