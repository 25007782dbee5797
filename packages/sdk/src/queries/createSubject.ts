import { type Clock, canonicalJson, FatalError, systemClock, unixSeconds } from "@quorate/core";
import {
  type ConsentRequest,
  type ConsentReview,
  consentRequestToJson,
  type KnownVerifiers,
  leafOf,
  NOBODY,
  type Papers,
  pathRoot,
  personOf,
  queryOfQuestion,
  type RecordData,
  reviewConsent,
  signConsent,
  subjectFromSecret,
  subjectIdOf,
} from "@quorate/proofs";
import {
  type JsonObject,
  type SubjectAuditEntry,
  type SubjectKey,
  type SubjectReply,
  sealConsent,
} from "@quorate/wire";
import { type Address, type Hex, isAddressEqual, keccak256 } from "viem";
import { readDataset } from "../actions/readDataset.ts";
import { readRoot } from "../actions/readRoot.ts";
import { domainOf, type MarketClient } from "../client.ts";
import { Mutex } from "../internal/mutex.ts";
import { read } from "../internal/read.ts";
import {
  earlierOf,
  type FetchedRecord,
  isSame,
  type OwnRecordView,
  personIn,
  recordFor,
  recordOf,
  recordOfSeen,
  requirePath,
  seenBefore,
  seenOf,
} from "./ownRecords.ts";
import { createSubjectChannel } from "./subjectChannel.ts";
import { type SubjectState, type SubjectStore, subjectStateId } from "./subjectStore.ts";

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
  const { client, store, verifiers, clock = systemClock } = options;
  const domain = domainOf(client);
  const subject = subjectFromSecret(options.secret, options.provider);
  const { provider, publicKey } = subject;
  const channel = createSubjectChannel({ ...options, domain, subject, clock });
  const stateId = subjectStateId({ ...domain, provider, subjectKey: publicKey });
  const reviewed = new WeakMap<ConsentReview, { readonly record: RecordData; readonly request: string }>();
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

  /** One change after the other, each on what is stored: a consent that is forgotten would be told to nobody. */
  const changing = new Mutex();
  const changeState = (change: (state: SubjectState) => SubjectState): Promise<void> =>
    changing.run(async () => store.put(change(await loadState())));

  /** Own records with what the reply says of them; `root` is the one that their paths lead to. */
  const fetchRecords = async (): Promise<{ root: bigint; records: readonly FetchedRecord[] }> => {
    const { definition } = await channel.dataset();
    const reply = await channel.send("records");
    if (reply.kind !== "records") throw unexpected(reply);
    return {
      root: reply.root ?? 0n,
      records: reply.records.map((shown) => ({ shown, record: recordOf(shown, definition) })),
    };
  };

  return {
    publicKey,
    async card() {
      const { dataset } = await channel.dataset();
      const { providerUrl } = options;
      return { version: 1, ...domain, provider, providerUrl, dataset, subjectKey: publicKey };
    },
    async enrol({ code, papers }) {
      const { dataset } = await channel.dataset();
      const reply = await channel.send("enrol", {
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
      await changeState((state) => ({ ...state, persons: { ...state.persons, [dataset]: person } }));
      return { person, subjectId };
    },
    async records() {
      const { dataset } = await channel.dataset();
      const { root, records } = await fetchRecords();
      const state = await loadState();
      const person = personIn(state, dataset);
      const isPublished = root !== 0n && (await readRoot(client, { dataset, root })).publishedAt > 0;
      const owner = { subjectId: subjectIdOf(publicKey, person), nk: subject.nk };
      const views = records.map(({ shown, record }): OwnRecordView => {
        const leaf = leafOf(record, owner);
        const inTree = shown.path !== undefined && pathRoot(leaf, shown.path) === root && isPublished;
        const before = seenBefore(state, dataset, record);
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
      await changeState((now) => {
        const fresh = views.filter(
          (view) => view.state !== "foreign" && seenBefore(now, dataset, view.record) === undefined,
        );
        return { ...now, seen: [...now.seen, ...fresh.map((view) => seenOf(dataset, view.record))] };
      });
      return views;
    },
    async review(request) {
      const { dataset, definition } = await channel.dataset();
      const state = await loadState();
      const { root: shownRoot, records } = await fetchRecords();
      const { shown, record } = recordFor(records, request.statement);
      const [asked, now, code, keySignerOk] = await Promise.all([
        readRoot(client, { dataset: request.dataset, root: request.root }),
        readRoot(client, { dataset: request.dataset, root: shownRoot }),
        read(client.public.getCode({ address: request.verifier })),
        channel.isKeySigned(request.questionKey),
      ]);
      const onChain = await readDataset(client, { dataset: request.dataset });
      // The provider shows paths in its newest data. A consent is to a record, whatever root the question names in the end: it is
      // enough that the record lies in published data, and that the request names published data as well.
      const isNewer = request.root !== shownRoot && asked.publishedAt > 0 && !asked.revoked;
      const root = isNewer ? now : asked;
      const query = queryOfQuestion(request);
      const review = reviewConsent({
        request: isNewer ? { ...request, root: shownRoot } : request,
        subject,
        record: {
          record,
          person: personIn(state, dataset),
          path: requirePath(shown),
          stored: state.seen
            .filter((seen) => seen.dataset === dataset)
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
      reviewed.set(review, { record, request: textOf(request) });
      return review;
    },
    async consent(request, review, { notAfter } = {}) {
      const known = reviewed.get(review);
      // The whole request, not its query alone: the one-time key that it is sealed to stands beside the query.
      if (known === undefined || known.request !== textOf(request)) {
        throw new FatalError(
          "CONSENT_NOT_REVIEWED",
          "Nothing is signed but what this client has reviewed itself. Review this very request first.",
        );
      }
      const { record } = known;
      const { key } = request.questionKey;
      const until = Math.min(notAfter ?? key.expiry, key.expiry);
      const consent = signConsent(review, subject, until);
      const { dataset, asker } = request;
      const sealed = await sealConsent(consent, key.encryptionKey, { ...domain, provider, dataset, asker });
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
      await changeState((state) => ({
        ...state,
        seen: seenBefore(state, dataset, record) === undefined ? [...state.seen, seenOf(dataset, record)] : state.seen,
        consents: [...state.consents.filter(({ query }) => query !== given.query), given],
      }));
      return { query: review.query, sealed, notAfter: until };
    },
    async audit() {
      const reply = await channel.send("audit");
      if (reply.kind !== "audit") throw unexpected(reply);
      return reply.entries;
    },
  };
}

function textOf(request: ConsentRequest): string {
  return canonicalJson(consentRequestToJson(request));
}

function unexpected({ kind }: SubjectReply): FatalError {
  return new FatalError("DOMAIN_BAD_RESPONSE", `The domain provider answered with "${kind}", which was not asked for.`);
}
