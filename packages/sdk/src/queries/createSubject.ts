import {
  type Clock,
  datasetIdOf,
  FatalError,
  generateEncryptionKeyPair,
  questionKeyDigest,
  systemClock,
  unixSeconds,
} from "@quorate/core";
import {
  type AnsweredQuestion,
  attributeOf,
  type ConsentRequest,
  type ConsentReview,
  type DatasetDefinition,
  definitionHash,
  encodeStatement,
  type KnownVerifiers,
  leafOf,
  NOBODY,
  type Papers,
  parseDatasetDefinition,
  parseStatement,
  pathRoot,
  personOf,
  queryOfQuestion,
  type RecordData,
  reviewConsent,
  type Statement,
  schemaOf,
  signConsent,
  subjectFromSecret,
  subjectIdOf,
  topicOf,
  valuesOf,
} from "@quorate/proofs";
import {
  createDomainClient,
  type DomainDataset,
  type JsonObject,
  openSubjectReply,
  type SignedQuestionKey,
  type SubjectAction,
  type SubjectAuditEntry,
  type SubjectKey,
  type SubjectRecord,
  type SubjectReply,
  sealConsent,
  sealSubjectRequest,
  subjectRequestHash,
} from "@quorate/wire";
import { type Address, type Hex, isAddressEqual, keccak256, zeroAddress } from "viem";
import { readDataset } from "../actions/readDataset.ts";
import { readRoot } from "../actions/readRoot.ts";
import { domainOf, type MarketClient } from "../client.ts";
import { getBlockHead } from "../internal/head.ts";
import { read } from "../internal/read.ts";
import { isSignedByProvider } from "./signedByProvider.ts";
import { type SeenRecord, type SubjectState, type SubjectStore, subjectStateId } from "./subjectStore.ts";

/** Ports and settings of {@link createSubject}. */
export type SubjectOptions = {
  /** Client of the query market; needs no wallet. */
  readonly client: MarketClient;
  /** 32 bytes, from `deriveSubjectSecret` or a key file. */
  readonly secret: Uint8Array;
  /** Domain provider that has the records. */
  readonly provider: Address;
  /** Base URL of its agent, as the subject knows it: a request's own URL is never followed. */
  readonly providerUrl: string;
  /** Default: the provider's only dataset. */
  readonly dataset?: Hex | undefined;
  readonly store: SubjectStore;
  /** Code hashes of verifiers by circuit. */
  readonly verifiers: KnownVerifiers;
  readonly clock?: Clock;
  readonly signal?: AbortSignal | undefined;
  /** For calls of the domain provider. Default: the platform's. */
  readonly fetch?: typeof fetch;
};

/** What a subject gives to askers: where its records are, and under which key. Says nothing about them. */
export type SubjectCard = {
  readonly version: 1;
  readonly chainId: number;
  /** Query market. */
  readonly market: Address;
  readonly provider: Address;
  readonly providerUrl: string;
  readonly dataset: Hex;
  readonly subjectKey: SubjectKey;
};

/** A record of the subject, as its provider showed it. */
export type OwnRecordView = {
  /** Name of the attribute or scorecard. */
  readonly name: string;
  readonly record: RecordData;
  /** Answers given or promised of the budget. */
  readonly used: number;
  readonly leaf: bigint;
  /**
   * `published`: its leaf was recomputed with the subject's own key and lies under a root that the chain has. `unpublished`: not
   * in the current tree. `foreign`: the leaf is not what the subject's key makes of it. `changed`: not what it was when it was
   * first seen.
   */
  readonly state: "published" | "unpublished" | "foreign" | "changed";
};

/** Where a subject stands after enrolling. */
export type EnrolledSubject = {
  /** Number of the person that the provider puts into its records; 0 for nobody's papers. */
  readonly person: bigint;
  readonly subjectId: bigint;
};

/** A consent, sealed to the provider: the asker carries it and cannot read it. */
export type SealedConsent = {
  readonly query: bigint;
  /** Base64. */
  readonly sealed: string;
  /** Unix s. */
  readonly notAfter: number;
};

/** The client of a subject at one provider. It holds no state of its own but the secret. */
export type SubjectClient = {
  readonly publicKey: SubjectKey;
  /** What askers need to ask about this subject. */
  card(): Promise<SubjectCard>;
  /**
   * Binds the records that the provider registered under a code to this key.
   *
   * @throws FatalError `SUBJECT_REFUSED` with the provider's reason, `ENROLMENT_MISMATCH` when it has other papers
   */
  enrol(parameters: { readonly code: string; readonly papers?: Papers | undefined }): Promise<EnrolledSubject>;
  /** The subject's records; remembers them as seen. */
  records(): Promise<readonly OwnRecordView[]>;
  /**
   * Recomputes all that a request asks to consent to, and says in plain words what will be learned.
   *
   * @throws FatalError `CONSENT_REFUSED_…`, `RECORD_NOT_FOUND`
   */
  review(request: ConsentRequest): Promise<ConsentReview>;
  /**
   * Signs what was reviewed, and seals it to the provider. The consent is stored before it leaves.
   *
   * @throws FatalError `CONSENT_NOT_REVIEWED`
   */
  consent(
    request: ConsentRequest,
    review: ConsentReview,
    options?: { readonly notAfter?: number | undefined },
  ): Promise<SealedConsent>;
  /** Who asked what at the provider, by its log. */
  audit(): Promise<readonly SubjectAuditEntry[]>;
};

/**
 * Creates a subject's client. Nothing is signed that it did not compute itself.
 *
 * @param options Ports, secret, provider.
 */
export function createSubject(options: SubjectOptions): SubjectClient {
  const { client, store, verifiers, clock = systemClock, signal } = options;
  const domain = domainOf(client);
  const subject = subjectFromSecret(options.secret, options.provider);
  const { provider, publicKey } = subject;
  const agent = createDomainClient({ url: options.providerUrl, fetch: options.fetch, signal });
  const stateId = subjectStateId({ ...domain, provider, subjectKey: publicKey });
  const reviewed = new WeakMap<ConsentReview, RecordData>();
  let listed: Promise<{ dataset: DomainDataset; definition: DatasetDefinition }> | undefined;

  const loadState = async (): Promise<SubjectState> =>
    (await store.get(stateId)) ?? {
      version: 1,
      stateId,
      ...domain,
      provider,
      subjectKey: publicKey,
      persons: {},
      seen: [],
      consents: [],
    };

  /** The dataset by the provider's word, held against its id and the chain. */
  const findDataset = (): NonNullable<typeof listed> => {
    listed ??= (async () => {
      const info = await agent.info();
      if (info.chainId !== domain.chainId || !isAddressEqual(info.market, domain.market)) {
        throw new FatalError(
          "DOMAIN_OTHER_MARKET",
          `The domain provider answers on market ${info.market} of chain ${info.chainId}; this client is for ${domain.market} on chain ${domain.chainId}.`,
        );
      }
      const [first, ...others] = info.datasets.filter(
        ({ dataset }) => options.dataset === undefined || dataset === options.dataset.toLowerCase(),
      );
      if (first === undefined || others.length > 0) {
        const known = info.datasets.map(({ dataset }) => dataset).join(", ") || "none";
        throw first === undefined
          ? new FatalError("DATASET_UNKNOWN", `The domain provider does not offer this dataset. It offers: ${known}.`)
          : new FatalError("DATASET_AMBIGUOUS", `The domain provider offers several datasets: ${known}. Name one.`);
      }
      const definition = parseDatasetDefinition(first.definition);
      if (datasetIdOf(provider, definitionHash(definition)) !== first.dataset) {
        throw new FatalError(
          "DATASET_MISMATCH",
          `The definition that ${options.providerUrl} gives is not that of dataset ${first.dataset} of ${provider}. Check URL and provider.`,
        );
      }
      return { dataset: first, definition };
    })();
    listed.catch(() => {
      listed = undefined;
    });
    return listed;
  };

  const isKeySigned = async ({ key, signature }: SignedQuestionKey): Promise<boolean> => {
    const { dataset } = await findDataset();
    const { timestamp } = await getBlockHead(client);
    return isSignedByProvider(client, {
      provider,
      digest: questionKeyDigest(key, domain),
      signature,
      tokens: dataset.offers.map(({ token }) => token),
      now: timestamp,
    });
  };

  const send = async (
    action: SubjectAction,
    more: { readonly code?: string; readonly nk?: bigint; readonly papers?: Papers } = {},
  ): Promise<SubjectReply> => {
    const { dataset } = await findDataset();
    const signed = await agent.questionKey({ dataset: dataset.dataset, asker: zeroAddress });
    // Whoever could put a key of its own here would read code and papers.
    if (!isAddressEqual(signed.key.provider, provider) || !(await isKeySigned(signed))) {
      throw new FatalError(
        "QUESTION_KEY_INVALID",
        "The one-time key of the domain provider cannot be used: neither the provider nor an agent of it in force signed it. Nothing was sent; check the URL.",
      );
    }
    const { encryptionKey } = signed.key;
    const context = { ...domain, provider, dataset: dataset.dataset, asker: zeroAddress };
    const reply = generateEncryptionKeyPair();
    const draft = { action, subjectKey: publicKey, replyKey: reply.publicKey, at: unixSeconds(clock), ...more };
    const signature = subject.sign(subjectRequestHash(draft, encryptionKey, context));
    const sealed = await sealSubjectRequest({ ...draft, signature }, encryptionKey, context);
    const answer = await agent.subject(action, { encryptionKey, dataset: dataset.dataset, sealed });
    const opened = await openSubjectReply(answer.sealed, reply.privateKey, context);
    if (opened.kind !== "refused") return opened;
    throw new FatalError("SUBJECT_REFUSED", `The provider refuses: ${opened.message} (${opened.code}).`, {
      details: { reason: opened.code },
    });
  };

  /** Own records with what the reply says of them; `root` is the one that their paths lead to. */
  const fetchRecords = async (): Promise<{ root: bigint; records: readonly FetchedRecord[] }> => {
    const { definition } = await findDataset();
    const reply = await send("records");
    if (reply.kind !== "records") throw unexpected(reply);
    return {
      root: reply.root ?? 0n,
      records: reply.records.map((shown) => ({ shown, record: recordOf(shown, definition) })),
    };
  };

  return {
    publicKey,
    async card() {
      const { dataset } = await findDataset();
      const { providerUrl } = options;
      return { version: 1, ...domain, provider, providerUrl, dataset: dataset.dataset, subjectKey: publicKey };
    },
    async enrol({ code, papers }) {
      const { dataset } = await findDataset();
      const reply = await send("enrol", {
        code,
        nk: subject.nk,
        ...(papers === undefined ? {} : { papers }),
      });
      if (reply.kind !== "enrolled") throw unexpected(reply);
      const { person, subjectId } = reply;
      const isOurs = papers === undefined || person === NOBODY || person === personOf(papers);
      if (!isOurs || subjectId !== subjectIdOf(publicKey, person)) {
        throw new FatalError(
          "ENROLMENT_MISMATCH",
          "The provider put other papers or another key into the records than yours. Ask it to correct its registration.",
        );
      }
      const state = await loadState();
      await store.put({ ...state, persons: { ...state.persons, [dataset.dataset]: person } });
      return { person, subjectId };
    },
    async records() {
      const { dataset } = await findDataset();
      const { root, records } = await fetchRecords();
      const state = await loadState();
      const person = personIn(state, dataset.dataset);
      const isPublished = root !== 0n && (await readRoot(client, { dataset: dataset.dataset, root })).publishedAt > 0;
      const owner = { subjectId: subjectIdOf(publicKey, person), nk: subject.nk };
      const views = records.map(({ shown, record }): OwnRecordView => {
        const leaf = leafOf(record, owner);
        const inTree = shown.path !== undefined && pathRoot(leaf, shown.path) === root && isPublished;
        const before = seenBefore(state, dataset.dataset, record);
        return {
          name: shown.name,
          record,
          used: shown.used,
          leaf,
          state:
            leaf !== shown.leaf
              ? "foreign"
              : before !== undefined && !isSame(before, record)
                ? "changed"
                : inTree
                  ? "published"
                  : "unpublished",
        };
      });
      const fresh = views.filter(
        (view) => view.state !== "foreign" && seenBefore(state, dataset.dataset, view.record) === undefined,
      );
      await store.put({
        ...state,
        seen: [...state.seen, ...fresh.map((view) => seenOf(dataset.dataset, view.record))],
      });
      return views;
    },
    async review(request) {
      const { dataset, definition } = await findDataset();
      const state = await loadState();
      const { records } = await fetchRecords();
      const { shown, record } = recordFor(records, request.statement);
      const [root, code, keySignerOk] = await Promise.all([
        readRoot(client, { dataset: request.dataset, root: request.root }),
        read(client.public.getCode({ address: request.verifier })),
        isKeySigned(request.questionKey),
      ]);
      const onChain = await readDataset(client, { dataset: request.dataset });
      const query = queryOfQuestion(request);
      const review = reviewConsent({
        request,
        subject,
        record: {
          record,
          person: personIn(state, dataset.dataset),
          path: requirePath(shown),
          stored: state.seen
            .filter((seen) => seen.dataset === dataset.dataset)
            .flatMap((seen) => recordOfSeen(seen, definition) ?? []),
        },
        // A consent that is given again, because its file was lost, is not an earlier answer of its own.
        earlier: state.consents.filter((given) => given.query !== query).map(earlierOf),
        chainFacts: {
          root: isAddressEqual(onChain.provider, provider) ? root : { ...root, publishedAt: 0, askable: false },
          verifierCodeHash: keccak256(code ?? "0x"),
          keySignerOk,
        },
        knownVerifiers: verifiers,
        domain,
        now: unixSeconds(clock),
      });
      reviewed.set(review, record);
      return review;
    },
    async consent(request, review, { notAfter } = {}) {
      const record = reviewed.get(review);
      if (record === undefined || review.query !== queryOfQuestion(request)) {
        throw new FatalError(
          "CONSENT_NOT_REVIEWED",
          "Nothing is signed but what this client has reviewed itself. Review this very request first.",
        );
      }
      const { key } = request.questionKey;
      const until = Math.min(notAfter ?? key.expiry, key.expiry);
      const consent = signConsent(review, subject, until);
      const { dataset, asker } = request;
      const sealed = await sealConsent(consent, key.encryptionKey, { ...domain, provider, dataset, asker });
      const state = await loadState();
      const given = {
        query: review.query,
        dataset,
        asker,
        statement: request.statement as unknown as JsonObject,
        validFrom: record.validFrom,
        notAfter: until,
        givenAt: clock.now(),
      };
      // Stored before it leaves: what an asker may know is never forgotten.
      await store.put({
        ...state,
        seen: seenBefore(state, dataset, record) === undefined ? [...state.seen, seenOf(dataset, record)] : state.seen,
        consents: [...state.consents.filter(({ query }) => query !== given.query), given],
      });
      return { query: review.query, sealed, notAfter: until };
    },
    async audit() {
      const reply = await send("audit");
      if (reply.kind !== "audit") throw unexpected(reply);
      return reply.entries;
    },
  };
}

type FetchedRecord = { readonly shown: SubjectRecord; readonly record: RecordData };

function personIn(state: SubjectState, dataset: Hex): bigint {
  return state.persons[dataset] ?? NOBODY;
}

/** The record with the definition that its number names. */
function recordOf(shown: SubjectRecord, definition: DatasetDefinition): RecordData {
  const { topic, values, validFrom, validUntil, budget } = shown;
  const record = recordOfSeen({ topic, values, validFrom, validUntil, budget }, definition);
  if (record !== undefined) return record;
  throw new FatalError(
    "RECORD_INVALID",
    `The provider shows a record "${shown.name}" that its dataset does not define. Do not consent to anything about it.`,
  );
}

function recordOfSeen(
  { topic, values, validFrom, validUntil, budget }: Omit<SeenRecord, "dataset">,
  definition: DatasetDefinition,
): RecordData | undefined {
  const meta = { validFrom, validUntil, budget };
  const attribute = definition.attributes.find((item) => attributeOf(item) === topic);
  const [value] = values;
  if (attribute !== undefined && value !== undefined) return { kind: "attribute", attribute, value, ...meta };
  const scorecard = definition.scorecards.find((item) => schemaOf(item) === topic);
  return scorecard === undefined ? undefined : { kind: "scorecard", scorecard, values, ...meta };
}

function seenOf(dataset: Hex, record: RecordData): SeenRecord {
  const { validFrom, validUntil, budget } = record;
  return { dataset, topic: topicOf(record), values: valuesOf(record), validFrom, validUntil, budget };
}

function seenBefore(state: SubjectState, dataset: Hex, record: RecordData): SeenRecord | undefined {
  const topic = topicOf(record);
  return state.seen.find(
    (seen) => seen.dataset === dataset && seen.topic === topic && seen.validFrom === record.validFrom,
  );
}

function isSame(seen: SeenRecord, record: RecordData): boolean {
  const values = valuesOf(record);
  return (
    seen.validUntil === record.validUntil &&
    seen.budget === record.budget &&
    seen.values.length === values.length &&
    seen.values.every((value, n) => value === values[n])
  );
}

/** The record that a statement is about: of its attribute or scorecard, valid on its day. */
function recordFor(records: readonly FetchedRecord[], statement: Statement): FetchedRecord {
  const { nullifierTopic } = encodeStatement(statement);
  const { asOf } = statement;
  const about = records.filter(({ record }) => topicOf(record) === nullifierTopic);
  const valid = about.filter(({ record }) => record.validFrom <= asOf && asOf <= record.validUntil);
  // Without one that is valid, another one says in the refusal why there is no answer.
  const found = valid.find(({ shown }) => shown.path !== undefined) ?? valid[0] ?? about[0];
  if (found !== undefined) return found;
  const name = statement.kind === "attribute" ? statement.attribute.name : statement.scorecard.name;
  throw new FatalError(
    "RECORD_NOT_FOUND",
    `The provider holds no record "${name}" of you. Nothing can be consented to.`,
  );
}

function requirePath({ path, name }: SubjectRecord): NonNullable<SubjectRecord["path"]> {
  if (path !== undefined) return path;
  throw new FatalError(
    "RECORD_NOT_FOUND",
    `Your record "${name}" is not in the data that the provider has published. Ask it when it will be.`,
  );
}

function earlierOf({ statement, validFrom, asker }: SubjectState["consents"][number]): AnsweredQuestion {
  return { statement: parseStatement(statement), validFrom, asker };
}

function unexpected({ kind }: SubjectReply): FatalError {
  return new FatalError("DOMAIN_BAD_RESPONSE", `The domain provider answered with "${kind}", which was not asked for.`);
}
