import { randomBytes } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { Hex } from "@quorate/core";
import {
  type Cursor,
  type Envelope,
  encodeEnvelope,
  MAX_PAGE_BYTES,
  MAX_PAGE_MESSAGES,
  type PostedMessage,
  relayError,
} from "@quorate/wire";
import type { RelayLimits } from "./config.ts";

/** A verified message at the door of the store. */
export type Delivery = {
  readonly envelope: Envelope;
  /** EIP-712 digest of the envelope. */
  readonly digest: Hex;
  /** Pseudonym of the address that it came from. */
  readonly source: string;
  /** Whether the operator knows the sender. */
  readonly trusted: boolean;
};

/** Messages of a topic, ready to send: the JSON was made when they were stored. */
export type StoredPage = {
  readonly messages: readonly { readonly seq: number; readonly json: string }[];
  readonly cursor: Cursor;
  readonly more: boolean;
};

/** Messages of a relay. */
export type MessageStore = {
  /**
   * Stores a message. Resolves once it is on disk; a message that is there already keeps its number.
   * @throws RetryableError `TOPIC_FULL`, `SENDER_QUOTA_EXCEEDED`, `SOURCE_QUOTA_EXCEEDED`, `RELAY_FULL`
   */
  post(delivery: Delivery): Promise<PostedMessage>;
  /** The number of a message that is stored, by its digest. */
  find(digest: Hex): PostedMessage | undefined;
  /** Messages after a cursor that have not expired. A cursor of another database reads from the beginning. */
  page(topic: Hex, after: Cursor | undefined, nowS: number): StoredPage;
  /** Removes what has expired, at most so many; returns how many were removed. */
  removeExpired(nowS: number, most: number): number;
  /** Live messages and their bytes. */
  totals(): { items: number; bytes: number };
};

/** Writes that go to disk together, at most. */
const MAX_BATCH = 256;

type Waiting = Delivery & {
  readonly resolve: (posted: PostedMessage) => void;
  readonly reject: (error: unknown) => void;
};

/**
 * Opens the messages of a relay.
 *
 * Writes that arrive in one turn of the event loop share one transaction, hence one flush to disk: each is acknowledged
 * after it, so that what was acknowledged survives a kill.
 *
 * @param db Database with the tables of `schema.ts`.
 * @param limits Quotas; `keepsRoom` when there are trusted senders to keep room for.
 * @param onStored Called after a batch is on disk with the topics that got something.
 */
export function openMessages(
  db: DatabaseSync,
  limits: RelayLimits & { readonly keepsRoom: boolean },
  onStored: (topics: ReadonlySet<Hex>) => void,
): MessageStore {
  const epoch = readEpoch(db);
  const byDigest = db.prepare("SELECT seq FROM messages WHERE digest = ?");
  const lastSeq = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'messages'");
  const insert = db.prepare(
    "INSERT INTO messages (digest, topic, kind, sender, source, trusted, expiry, bytes, json) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const pageOf = db.prepare(
    `SELECT seq, json, bytes FROM messages WHERE topic = ? AND seq > ? AND expiry > ? ORDER BY seq LIMIT ${MAX_PAGE_MESSAGES + 1}`,
  );
  const expired = db.prepare(
    "DELETE FROM messages WHERE seq IN (SELECT seq FROM messages WHERE expiry <= ? ORDER BY expiry LIMIT ?)",
  );
  const usage = usageReader(db);
  const admit = createAdmission(usage, limits);
  let queue: Waiting[] = [];

  function find(digest: Hex): PostedMessage | undefined {
    const row = byDigest.get(digest) as { seq: number } | undefined;
    return row && { seq: row.seq, digest, duplicate: true };
  }

  function store({ envelope, digest, source, trusted }: Delivery): PostedMessage {
    const known = find(digest);
    if (known !== undefined) return known;
    const json = JSON.stringify(encodeEnvelope(envelope));
    const bytes = Buffer.byteLength(json);
    const sender = envelope.sender.toLowerCase();
    admit({ topic: envelope.topic, kind: envelope.kind, sender, source, trusted, bytes });
    const { lastInsertRowid } = insert.run(
      digest,
      envelope.topic,
      envelope.kind,
      sender,
      source,
      trusted ? 1 : 0,
      envelope.expiry,
      bytes,
      json,
    );
    return { seq: Number(lastInsertRowid), digest, duplicate: false };
  }

  function flush(): void {
    const batch = queue.slice(0, MAX_BATCH);
    queue = queue.slice(MAX_BATCH);
    if (queue.length > 0) setImmediate(flush);
    const results: (() => void)[] = [];
    const topics = new Set<Hex>();
    try {
      db.exec("BEGIN IMMEDIATE");
      for (const waiting of batch) {
        try {
          const posted = store(waiting);
          results.push(() => waiting.resolve(posted));
          if (!posted.duplicate) topics.add(waiting.envelope.topic);
        } catch (error) {
          results.push(() => waiting.reject(error));
        }
      }
      db.exec("COMMIT");
    } catch (error) {
      if (db.isOpen && db.isTransaction) db.exec("ROLLBACK");
      for (const waiting of batch) waiting.reject(error);
      return;
    }
    for (const answer of results) answer();
    if (topics.size > 0) onStored(topics);
  }

  return {
    find,
    post: (delivery) =>
      new Promise((resolve, reject) => {
        queue.push({ ...delivery, resolve, reject });
        if (queue.length === 1) setImmediate(flush);
      }),
    page: (topic, after, nowS) => {
      const last = (lastSeq.get() as { seq: number } | undefined)?.seq ?? 0;
      const start = startOf(after, epoch, last);
      const rows = pageOf.all(topic, start, nowS) as { seq: number; json: string; bytes: number }[];
      const messages: { seq: number; json: string }[] = [];
      let bytes = 0;
      for (const row of rows) {
        if (messages.length === MAX_PAGE_MESSAGES || bytes >= MAX_PAGE_BYTES) break;
        messages.push({ seq: row.seq, json: row.json });
        bytes += row.bytes;
      }
      const cursor = `${epoch}-${messages.at(-1)?.seq ?? start}`;
      return { messages, cursor, more: messages.length < rows.length };
    },
    removeExpired: (nowS, most) => Number(expired.run(nowS, most).changes),
    totals: () => {
      const [strangers, trusted] = [usage("t/0"), usage("t/1")];
      return { items: strangers.items + trusted.items, bytes: strangers.bytes + trusted.bytes };
    },
  };
}

/** Name of this database in its cursors: a relay that lost its data is read again from the beginning. */
function readEpoch(db: DatabaseSync): string {
  db.prepare("INSERT INTO meta (name, value) VALUES ('epoch', ?) ON CONFLICT DO NOTHING").run(
    randomBytes(8).toString("hex"),
  );
  return (db.prepare("SELECT value FROM meta WHERE name = 'epoch'").get() as { value: string }).value;
}

function startOf(after: Cursor | undefined, epoch: string, last: number): number {
  const [from, seq] = after?.split("-") ?? [];
  const start = Number(seq ?? 0);
  // a number that was never given out comes from a newer copy of this database
  return from === epoch && Number.isSafeInteger(start) && start <= last ? start : 0;
}

/** Count and bytes under a key of the table `usage`. */
export type UsageReader = (key: string) => { items: number; bytes: number };

/**
 * Reads the counters that triggers keep.
 *
 * @param db Database with the tables of `schema.ts`.
 */
export function usageReader(db: DatabaseSync): UsageReader {
  const select = db.prepare("SELECT items, bytes FROM usage WHERE key = ?");
  return (key) => (select.get(key) as { items: number; bytes: number } | undefined) ?? { items: 0, bytes: 0 };
}

/** What the quotas look at. */
type Candidate = {
  readonly topic: string;
  readonly kind: Envelope["kind"];
  readonly sender: string;
  readonly source: string;
  readonly trusted: boolean;
  readonly bytes: number;
};

/**
 * The quotas. Nothing that was accepted is ever put out for something newer: whoever floods a pool runs into its own
 * share of it and leaves the rest to others.
 */
function createAdmission(
  usage: UsageReader,
  limits: RelayLimits & { readonly keepsRoom: boolean },
): (candidate: Candidate) => void {
  const strangerShare = limits.keepsRoom ? limits.strangerShare : 100;
  const shareOf = (total: number, percent: number): number => Math.max(1, Math.floor((total * percent) / 100));

  return ({ topic, kind, sender, source, trusted, bytes }) => {
    const pool = `${topic}/${kind}`;
    const [poolSize, perSender] = {
      request: [limits.requests, limits.requestsPerSender] as const,
      requirements: [limits.requests, limits.requestsPerSender] as const,
      offer: [limits.offersPerTopic, limits.perSenderAndTopic] as const,
      commitment: [limits.othersPerTopic, limits.perSenderAndTopic] as const,
      "set-commitment": [limits.othersPerTopic, limits.perSenderAndTopic] as const,
      "set-signature": [limits.othersPerTopic, limits.perSenderAndTopic] as const,
      opening: [limits.othersPerTopic, limits.perSenderAndTopic] as const,
      delivery: [limits.othersPerTopic, limits.perSenderAndTopic] as const,
      redelivery: [limits.othersPerTopic, limits.perSenderAndTopic] as const,
    }[kind];

    const ofSender = usage(`s/${sender}`);
    if (ofSender.items >= limits.messagesPerSender || ofSender.bytes + bytes > limits.bytesPerSender) {
      throw relayError("SENDER_QUOTA_EXCEEDED", `${sender} has as many live messages here as one sender may have.`);
    }
    if (usage(`ps/${pool}/${sender}`).items >= perSender) {
      throw relayError(
        "SENDER_QUOTA_EXCEEDED",
        `${sender} has ${perSender} live messages of kind ${kind} in this topic, the most that one sender may have.`,
      );
    }
    const [strangersInPool, trustedInPool] = [usage(`p/${pool}/0`), usage(`p/${pool}/1`)];
    const isPoolFull =
      strangersInPool.items + trustedInPool.items >= poolSize ||
      (!trusted && strangersInPool.items >= shareOf(poolSize, strangerShare));
    if (isPoolFull) {
      throw relayError(
        "TOPIC_FULL",
        `The topic holds as many messages of kind ${kind} as it may. Use other relays too.`,
      );
    }
    const [strangers, known] = [usage("t/0"), usage("t/1")];
    const isFull =
      strangers.items + known.items >= limits.messages ||
      strangers.bytes + known.bytes + bytes > limits.messageBytes ||
      (!trusted && strangers.items >= shareOf(limits.messages, strangerShare)) ||
      (!trusted && strangers.bytes + bytes > shareOf(limits.messageBytes, strangerShare));
    if (isFull) throw relayError("RELAY_FULL", "The relay is full. Use other relays.");
    if (!trusted) {
      const ofSource = usage(`i/${source}`);
      const isOver =
        ofSource.items >= shareOf(limits.messages, limits.sourceShare) ||
        ofSource.bytes + bytes > shareOf(limits.messageBytes, limits.sourceShare) ||
        usage(`pi/${pool}/${source}`).items >= shareOf(poolSize, limits.sourceShare);
      if (isOver) {
        throw relayError(
          "SOURCE_QUOTA_EXCEEDED",
          `Your address fills its share of this topic or relay (${limits.sourceShare} %). Wait for messages to expire.`,
        );
      }
    }
  };
}
