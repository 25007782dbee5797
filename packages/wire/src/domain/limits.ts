/** Largest body that a domain provider reads, bytes of JSON. */
export const MAX_DOMAIN_BODY_BYTES: number = 98_304;

/** Largest sealed question or subject's message, bytes before base64. */
export const MAX_SEALED_QUESTION_BYTES: number = 65_536;

/** Largest sealed consent, bytes before base64. */
export const MAX_SEALED_CONSENT_BYTES: number = 4_096;

/** Largest sealed reply to a subject, bytes before base64. */
export const MAX_SEALED_REPLY_BYTES: number = 1_048_576;

/** Largest answer of a domain provider that a client reads, bytes of JSON. */
export const MAX_DOMAIN_ANSWER_BYTES: number = 2_097_152;

/** How far the time in a subject's message may lie from the provider's, seconds. */
export const MAX_SUBJECT_SKEW_S: number = 300;

/** Most records in one reply to a subject. */
export const MAX_REPLY_RECORDS: number = 128;

/** Most entries of the audit log in one reply to a subject. */
export const MAX_REPLY_AUDIT: number = 1_000;
