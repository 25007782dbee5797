import { FIELD_MODULUS, hash } from "@quorate/proofs";

/** What somebody knows who knows everybody and everything that is asked, but no secret. */
export type Knowledge = {
  /** Everybody's papers as numbers. */
  readonly persons: readonly bigint[];
  /** Public keys of subjects, each with its person. */
  readonly subjects: readonly { readonly key: readonly [bigint, bigint]; readonly person: bigint }[];
  /** Attributes, schemas, programs. */
  readonly topics: readonly bigint[];
  /** Parameters of statements: every threshold on every date. */
  readonly params: readonly bigint[];
  /** Possible values of records. */
  readonly values: readonly bigint[];
  /** Packed validity and budget of records. */
  readonly metas: readonly bigint[];
};

/** A question as the chain shows it. */
export type PublicQuestion = { readonly query: bigint; readonly cipher: bigint };

/** A guess that hit. */
export type Hit = { readonly what: string; readonly word: bigint };

/**
 * Tries everything that can be computed without a secret against every public word: the known numbers, their hashes, leaves and
 * nullifiers without a nullifier key, queries without nonces; then, for each answer, every known or public number as its key.
 *
 * @param knowledge - What is known.
 * @param words - Every public word.
 * @param questions - Every answered question.
 * @returns The hits; each would tell something that the chain must not.
 */
export function guess(
  knowledge: Knowledge,
  words: ReadonlySet<bigint>,
  questions: readonly PublicQuestion[],
): readonly Hit[] {
  const hits: Hit[] = [];
  const candidates = new Set<bigint>();
  const attempt = (what: string, number: bigint): void => {
    candidates.add(number);
    if (words.has(number)) hits.push({ what, word: number });
  };
  const { persons, subjects, topics, params, values, metas } = knowledge;
  for (const person of persons) {
    attempt("a person", person);
    attempt("the hash of a person", hash(person));
  }
  for (const topic of topics) attempt("an attribute, schema or program", topic);
  for (const number of params) attempt("the parameters of a statement", number);
  const contexts = [0n, ...questions.map(({ query }) => query)];
  for (const { key, person } of subjects) {
    const subjectId = hash(...key, person);
    attempt("a public key", key[0]);
    attempt("a public key", key[1]);
    attempt("a subject", subjectId);
    for (const nonce of [0n, 1n, person]) attempt("the reference of a subject", hash(subjectId, nonce));
    for (const topic of topics) {
      for (const guessed of [0n, subjectId]) {
        for (let use = 0n; use < 4n; use++) attempt("a nullifier", hash(guessed, topic, 0n, use));
      }
      for (const value of values) {
        for (const meta of metas) attempt("a leaf", hash(subjectId, topic, value, meta, 0n));
      }
      for (const number of params.slice(0, 4)) {
        for (const context of contexts.slice(0, 2)) {
          attempt("a query", hash(context, hash(subjectId, 0n), person, topic, number, hash(0n)));
        }
      }
    }
  }
  // An answer opens when the difference between cipher and pad is 0 or 1.
  const keys = new Set([...words, ...candidates].filter((number) => number < FIELD_MODULUS));
  for (const { query, cipher } of questions) {
    for (const key of keys) {
      const opened = (cipher + FIELD_MODULUS - hash(key, query)) % FIELD_MODULUS;
      if (opened <= 1n) hits.push({ what: "an answer", word: key });
    }
  }
  return hits;
}
