/**
 * Tables of a relay. `usage` counts live things by key and is kept by triggers, so that it can never differ from what it
 * counts: `t` totals, `s` by sender, `i` by source, `p` by topic and kind; for messages of strangers (0) and trusted senders (1).
 */
export const migrations: readonly string[] = [
  `
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE usage (key TEXT PRIMARY KEY, items INTEGER NOT NULL, bytes INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE messages (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  digest TEXT NOT NULL UNIQUE,
  topic TEXT NOT NULL,
  kind TEXT NOT NULL,
  sender TEXT NOT NULL,
  source TEXT NOT NULL,
  trusted INTEGER NOT NULL,
  expiry INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  json TEXT NOT NULL
);
CREATE INDEX messages_by_topic ON messages (topic, seq);
CREATE INDEX messages_by_expiry ON messages (expiry);

CREATE TRIGGER messages_added AFTER INSERT ON messages BEGIN
  INSERT INTO usage (key, items, bytes) VALUES
    ('t/' || new.trusted, 1, new.bytes),
    ('s/' || new.sender, 1, new.bytes),
    ('i/' || new.source, 1, new.bytes),
    ('p/' || new.topic || '/' || new.kind || '/' || new.trusted, 1, new.bytes),
    ('ps/' || new.topic || '/' || new.kind || '/' || new.sender, 1, new.bytes),
    ('pi/' || new.topic || '/' || new.kind || '/' || new.source, 1, new.bytes)
  ON CONFLICT (key) DO UPDATE SET items = items + 1, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER messages_removed AFTER DELETE ON messages BEGIN
  UPDATE usage SET items = items - 1, bytes = bytes - old.bytes WHERE key IN (
    't/' || old.trusted,
    's/' || old.sender,
    'i/' || old.source,
    'p/' || old.topic || '/' || old.kind || '/' || old.trusted,
    'ps/' || old.topic || '/' || old.kind || '/' || old.sender,
    'pi/' || old.topic || '/' || old.kind || '/' || old.source);
  DELETE FROM usage WHERE items = 0 AND key IN (
    's/' || old.sender,
    'i/' || old.source,
    'p/' || old.topic || '/' || old.kind || '/' || old.trusted,
    'ps/' || old.topic || '/' || old.kind || '/' || old.sender,
    'pi/' || old.topic || '/' || old.kind || '/' || old.source);
END;

CREATE TABLE profiles (
  provider TEXT PRIMARY KEY,
  digest TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expiry INTEGER NOT NULL,
  source TEXT NOT NULL,
  trusted INTEGER NOT NULL,
  profile TEXT NOT NULL,
  presence_at INTEGER,
  presence TEXT
) WITHOUT ROWID;
CREATE INDEX profiles_by_expiry ON profiles (expiry);
CREATE INDEX profiles_by_source ON profiles (source);

CREATE TABLE blocks (
  cid TEXT PRIMARY KEY,
  size INTEGER NOT NULL,
  source TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX blocks_by_expiry ON blocks (expires_at);

CREATE TRIGGER blocks_added AFTER INSERT ON blocks BEGIN
  INSERT INTO usage (key, items, bytes) VALUES ('b', 1, new.size), ('bi/' || new.source, 1, new.size)
  ON CONFLICT (key) DO UPDATE SET items = items + 1, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER blocks_removed AFTER DELETE ON blocks BEGIN
  UPDATE usage SET items = items - 1, bytes = bytes - old.size WHERE key IN ('b', 'bi/' || old.source);
  DELETE FROM usage WHERE items = 0 AND key = 'bi/' || old.source;
END;
`,
];
