-- Statements are parted by lines of `--;`, because triggers hold semicolons.

CREATE TABLE events (
    idx    INTEGER PRIMARY KEY CHECK (idx >= 0),
    stream TEXT    NOT NULL CHECK (length(stream) BETWEEN 1 AND 255 AND stream NOT GLOB '*[^]!#-[^-~]*'),
    ver    INTEGER NOT NULL CHECK (ver BETWEEN 1 AND 9007199254740991),
    topic  TEXT    NOT NULL CHECK (length(topic) BETWEEN 1 AND 255 AND topic NOT GLOB '*[^]!#-[^-~]*'),
    state  BLOB    NOT NULL,
    at     TEXT    NOT NULL CHECK (length(at) = 27),
    entry  BLOB    NOT NULL CHECK (length(entry) <= 65535),
    leaf   BLOB    NOT NULL CHECK (length(leaf) = 32),
    UNIQUE (stream, ver)
) STRICT
--;
-- Fires before the deletion that INSERT OR REPLACE does without any DELETE trigger.
CREATE TRIGGER events_dense BEFORE INSERT ON events
WHEN NEW.idx <> (SELECT coalesce(max(idx), -1) + 1 FROM events)
  OR NEW.ver <> (SELECT coalesce(max(ver), 0) + 1 FROM events WHERE stream = NEW.stream)
BEGIN
    SELECT RAISE(ABORT, 'events: position or version taken, or a gap');
END
--;
CREATE TRIGGER events_no_update BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'events: append-only');
END
--;
CREATE TRIGGER events_no_delete BEFORE DELETE ON events
BEGIN
    SELECT RAISE(ABORT, 'events: append-only');
END
--;
CREATE TABLE claims (
    kind   TEXT NOT NULL,
    key    TEXT NOT NULL,
    stream TEXT NOT NULL,
    PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID
--;
CREATE TABLE answers (
    account  TEXT    NOT NULL,
    key      TEXT    NOT NULL,
    request  TEXT    NOT NULL,
    answer   TEXT    NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (account, key)
) STRICT, WITHOUT ROWID
--;
CREATE TABLE vault (
    person       TEXT NOT NULL PRIMARY KEY,
    value        TEXT,
    salt         TEXT,
    unique_key   TEXT,
    retain_until TEXT,
    erased_at    TEXT,
    CHECK (erased_at IS NULL OR (value IS NULL AND salt IS NULL AND unique_key IS NULL)),
    CHECK (erased_at IS NOT NULL OR (value IS NOT NULL AND salt IS NOT NULL))
) STRICT
--;
CREATE UNIQUE INDEX vault_unique_key ON vault (unique_key) WHERE unique_key IS NOT NULL
--;
CREATE TABLE credentials (
    account       TEXT    NOT NULL PRIMARY KEY,
    login         TEXT    NOT NULL UNIQUE,
    password_hash TEXT    NOT NULL,
    failures      INTEGER NOT NULL DEFAULT 0,
    locked_until  TEXT
) STRICT
--;
CREATE TABLE tokens (
    token      TEXT    NOT NULL PRIMARY KEY,
    account    TEXT    NOT NULL,
    digest     TEXT    NOT NULL UNIQUE,
    expires_at TEXT    NOT NULL,
    revoked    INTEGER NOT NULL DEFAULT 0 CHECK (revoked IN (0, 1))
) STRICT
--;
CREATE INDEX tokens_account ON tokens (account)
--;
CREATE TABLE latch (
    one  INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    size INTEGER NOT NULL CHECK (size >= 0),
    note BLOB    NOT NULL
) STRICT
