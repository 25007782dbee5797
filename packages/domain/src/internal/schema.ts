/** Scripts that bring the schema up to date, in order; never changed, only added to. */
export const migrations: readonly string[] = [
  `
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE dataset (
  id INTEGER PRIMARY KEY, dataset TEXT NOT NULL UNIQUE, definition TEXT NOT NULL, size INTEGER NOT NULL DEFAULT 0
) STRICT;

-- body: reference, person, keys
CREATE TABLE subject (
  id INTEGER PRIMARY KEY, reference_tag BLOB NOT NULL UNIQUE, key_tag BLOB UNIQUE, body BLOB NOT NULL
) STRICT;
CREATE TABLE enrolment_code (
  tag BLOB PRIMARY KEY, subject_id INTEGER NOT NULL REFERENCES subject, expiry INTEGER NOT NULL,
  failures INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX enrolment_code_by_subject ON enrolment_code (subject_id);

-- leaf: what the place shall hold; placed: what it holds since the last publication that was made; '0' is empty
CREATE TABLE record (
  id INTEGER PRIMARY KEY, dataset_id INTEGER NOT NULL REFERENCES dataset, subject_id INTEGER NOT NULL REFERENCES subject,
  body BLOB NOT NULL, leaf TEXT, slot INTEGER, placed TEXT
) STRICT;
CREATE INDEX record_by_subject ON record (subject_id, dataset_id);
CREATE UNIQUE INDEX record_by_slot ON record (dataset_id, slot) WHERE slot IS NOT NULL;
CREATE INDEX record_pending ON record (dataset_id) WHERE leaf IS NOT placed;
CREATE INDEX record_by_leaf ON record (leaf);

CREATE TABLE staged (line INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;

CREATE TABLE publication (
  id INTEGER PRIMARY KEY, dataset_id INTEGER NOT NULL REFERENCES dataset, root TEXT NOT NULL, made_at INTEGER NOT NULL,
  changes INTEGER NOT NULL, outbox_key TEXT NOT NULL, published_at INTEGER, superseded_at INTEGER,
  revoked INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX publication_by_root ON publication (dataset_id, root);
CREATE TABLE leaf_change (
  publication_id INTEGER NOT NULL REFERENCES publication, slot INTEGER NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL,
  PRIMARY KEY (publication_id, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE one_time_key (
  public TEXT PRIMARY KEY, dataset_id INTEGER NOT NULL REFERENCES dataset, asker TEXT NOT NULL, private BLOB NOT NULL,
  expiry INTEGER NOT NULL, source TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX one_time_key_by_expiry ON one_time_key (expiry);

-- key: the question's own, sealed; body: everything about the question, sealed under it; both null once erased
CREATE TABLE question (
  id INTEGER PRIMARY KEY, quote_id TEXT NOT NULL UNIQUE, query TEXT NOT NULL UNIQUE, encryption_key TEXT NOT NULL UNIQUE,
  sealed_hash TEXT NOT NULL, dataset_id INTEGER NOT NULL REFERENCES dataset, asker TEXT NOT NULL, verifier TEXT NOT NULL,
  quote TEXT NOT NULL, signature TEXT NOT NULL, status TEXT NOT NULL, key BLOB, body BLOB, deadline INTEGER,
  proof TEXT, outbox_key TEXT, failures INTEGER NOT NULL DEFAULT 0, retry_at INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX question_by_status ON question (status);
CREATE INDEX question_by_asker ON question (asker, status);

-- uses of budgets; lane: subject, topic and period
CREATE TABLE use (
  lane BLOB NOT NULL, i INTEGER NOT NULL, question_id INTEGER REFERENCES question, PRIMARY KEY (lane, i)
) STRICT, WITHOUT ROWID;
CREATE INDEX use_by_question ON use (question_id);

CREATE TABLE audit (
  id INTEGER PRIMARY KEY, question_id INTEGER UNIQUE REFERENCES question, subject_id INTEGER NOT NULL REFERENCES subject,
  leaf TEXT NOT NULL, query TEXT NOT NULL, asker TEXT NOT NULL, consent_hash TEXT NOT NULL, outcome TEXT NOT NULL,
  reason TEXT, quoted_at INTEGER NOT NULL, asked_at INTEGER, ended_at INTEGER
) STRICT;
CREATE INDEX audit_by_subject ON audit (subject_id, id);
CREATE INDEX audit_by_asker ON audit (asker, quoted_at);

-- followed and not yet final
CREATE TABLE chain_block (number INTEGER PRIMARY KEY, timestamp INTEGER NOT NULL) STRICT;
CREATE TABLE chain_event (
  block INTEGER NOT NULL, log_index INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (block, log_index)
) STRICT, WITHOUT ROWID;
`,
];
