/** Largest envelope as JSON, bytes of UTF-8. Relays refuse and clients drop what is larger. */
export const MAX_MESSAGE_BYTES: number = 32_768;

/** Largest signed profile as JSON, bytes of UTF-8. */
export const MAX_PROFILE_BYTES: number = 16_384;

/** Longest long poll, milliseconds. Below the 30 s after which many proxies cut a silent connection. */
export const MAX_WAIT_MS: number = 25_000;

/** Most messages in one page. */
export const MAX_PAGE_MESSAGES: number = 200;

/** A page stops growing at this size, bytes of JSON; its last message may pass it. */
export const MAX_PAGE_BYTES: number = 524_288;

/** Most profiles in one page. */
export const MAX_PAGE_PROFILES: number = 50;

/** How far a message's creation may lie ahead of the reader's clock, seconds. */
export const MAX_CLOCK_SKEW_S: number = 300;

/** Longest life of a message, seconds: two windows of the longest job, and time to ask for the result again. */
export const MAX_MESSAGE_LIFETIME_S: number = 45 * 86_400;

/** Longest life of a profile, seconds. */
export const MAX_PROFILE_LIFETIME_S: number = 400 * 86_400;

/** Longest life of a presence, seconds: a provider that went away soon counts as away. */
export const MAX_PRESENCE_LIFETIME_S: number = 3_600;
