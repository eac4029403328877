-- Statements are parted by lines of `--;`, because functions hold semicolons.
-- Names stand without a schema: one installation is one schema, the search path's first.

CREATE TABLE events (
    idx    bigint PRIMARY KEY CHECK (idx >= 0),
    stream text COLLATE "C" NOT NULL CHECK (octet_length(stream) BETWEEN 1 AND 255 AND stream !~ '[^!#-\[\]-~]'),
    ver    bigint NOT NULL CHECK (ver BETWEEN 1 AND 9007199254740991),
    topic  text COLLATE "C" NOT NULL CHECK (octet_length(topic) BETWEEN 1 AND 255 AND topic !~ '[^!#-\[\]-~]'),
    state  bytea NOT NULL,
    at     text COLLATE "C" NOT NULL CHECK (length(at) = 27),
    entry  bytea NOT NULL CHECK (octet_length(entry) <= 65535),
    leaf   bytea NOT NULL CHECK (octet_length(leaf) = 32),
    UNIQUE (stream, ver)
)
--;
CREATE FUNCTION sunlot_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'events: append-only' USING ERRCODE = 'restrict_violation';
END
$body$
--;
CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events
FOR EACH STATEMENT EXECUTE FUNCTION sunlot_refuse_change()
--;
-- ALWAYS: also where session_replication_role is `replica`.
ALTER TABLE events ENABLE ALWAYS TRIGGER events_append_only
--;
CREATE TABLE claims (
    kind   text COLLATE "C" NOT NULL,
    key    text COLLATE "C" NOT NULL,
    stream text COLLATE "C" NOT NULL,
    PRIMARY KEY (kind, key)
)
--;
CREATE TABLE answers (
    account  text COLLATE "C" NOT NULL,
    key      text COLLATE "C" NOT NULL,
    request  text   NOT NULL,
    answer   text   NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (account, key)
)
--;
CREATE TABLE vault (
    person       text COLLATE "C" NOT NULL PRIMARY KEY,
    value        text,
    salt         text,
    unique_key   text COLLATE "C",
    retain_until text,
    erased_at    text,
    CHECK (erased_at IS NULL OR (value IS NULL AND salt IS NULL AND unique_key IS NULL)),
    CHECK (erased_at IS NOT NULL OR (value IS NOT NULL AND salt IS NOT NULL))
)
--;
CREATE UNIQUE INDEX vault_unique_key ON vault (unique_key) WHERE unique_key IS NOT NULL
--;
CREATE TABLE credentials (
    account       text COLLATE "C" NOT NULL PRIMARY KEY,
    login         text COLLATE "C" NOT NULL UNIQUE,
    password_hash text    NOT NULL,
    failures      integer NOT NULL DEFAULT 0,
    locked_until  text
)
--;
CREATE TABLE tokens (
    token      text COLLATE "C" NOT NULL PRIMARY KEY,
    account    text COLLATE "C" NOT NULL,
    digest     text COLLATE "C" NOT NULL UNIQUE,
    expires_at text    NOT NULL,
    revoked    boolean NOT NULL DEFAULT false
)
--;
CREATE INDEX tokens_account ON tokens (account)
--;
CREATE TABLE latch (
    one  integer NOT NULL PRIMARY KEY CHECK (one = 1),
    size bigint  NOT NULL CHECK (size >= 0),
    note bytea   NOT NULL
)
--;
-- One lock for each log; whoever appends or rebuilds claims takes it before any row.
CREATE FUNCTION sunlot_lock() RETURNS void LANGUAGE sql AS $body$
    SELECT pg_advisory_xact_lock((x'53756e4c'::bigint << 32) | 'events'::regclass::oid::bigint)
$body$
--;
CREATE FUNCTION sunlot_refuse(state text, facts json) RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION USING ERRCODE = state, MESSAGE = 'sunlot', DETAIL = facts::text;
END
$body$
--;
CREATE FUNCTION sunlot_claim(wanted json) RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
    turns int;
    clash json;
BEGIN
    SELECT coalesce(max(w.turn), 0) INTO turns FROM json_to_recordset(wanted) AS w (turn int);
    FOR now_turn IN 1 .. turns LOOP
        SELECT json_build_object('kind', w.kind, 'key', w.key, 'holder', coalesce(c.stream, '')) INTO clash
        FROM json_to_recordset(wanted) AS w (nth int, turn int, stream text, kind text, key text, released boolean)
        LEFT JOIN claims c ON c.kind = w.kind AND c.key = w.key
        WHERE w.turn = now_turn
          AND CASE WHEN w.released THEN c.stream IS DISTINCT FROM w.stream ELSE c.stream IS NOT NULL END
        ORDER BY w.nth LIMIT 1;
        IF FOUND THEN
            PERFORM sunlot_refuse('SL004', clash);
        END IF;
        DELETE FROM claims c
        USING json_to_recordset(wanted) AS w (turn int, kind text, key text, released boolean)
        WHERE w.turn = now_turn AND w.released AND c.kind = w.kind AND c.key = w.key;
        INSERT INTO claims (kind, key, stream)
        SELECT w.kind, w.key, w.stream
        FROM json_to_recordset(wanted) AS w (turn int, stream text, kind text, key text, released boolean)
        WHERE w.turn = now_turn AND NOT w.released;
    END LOOP;
END
$body$
--;
CREATE FUNCTION sunlot_keep_persons(persons json) RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
    p record;
    other text;
BEGIN
    FOR p IN SELECT * FROM json_to_recordset(persons)
        AS w (person text, value text, salt text, unique_key text, retain_until text)
    LOOP
        SELECT v.person INTO other FROM vault v WHERE v.unique_key = p.unique_key AND v.person <> p.person;
        IF FOUND THEN
            PERFORM sunlot_refuse('SL004', json_build_object('kind', 'vault', 'key', '', 'holder', other));
        END IF;
        INSERT INTO vault AS v (person, value, salt, unique_key, retain_until)
        VALUES (p.person, p.value, p.salt, p.unique_key, p.retain_until)
        ON CONFLICT (person) DO UPDATE SET
            value = excluded.value, salt = excluded.salt, unique_key = excluded.unique_key,
            retain_until = excluded.retain_until, erased_at = NULL;
    END LOOP;
END
$body$
--;
CREATE FUNCTION sunlot_keep_secrets(logins json, bearers json) RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
    c record;
    other text;
BEGIN
    FOR c IN SELECT * FROM json_to_recordset(logins) AS w (account text, login text, password_hash text) LOOP
        SELECT k.account INTO other FROM credentials k WHERE k.login = c.login AND k.account <> c.account;
        IF FOUND THEN
            PERFORM sunlot_refuse('SL004', json_build_object('kind', 'login', 'key', c.login, 'holder', other));
        END IF;
        INSERT INTO credentials (account, login, password_hash) VALUES (c.account, c.login, c.password_hash)
        ON CONFLICT (account) DO UPDATE SET
            login = excluded.login, password_hash = excluded.password_hash, failures = 0, locked_until = NULL;
    END LOOP;
    FOR c IN SELECT * FROM json_to_recordset(bearers)
        AS w (token text, account text, digest text, expires_at text, revoked boolean)
    LOOP
        INSERT INTO tokens AS t (token, account, digest, expires_at, revoked)
        VALUES (c.token, c.account, c.digest, c.expires_at, c.revoked)
        ON CONFLICT (token) DO UPDATE SET
            expires_at = excluded.expires_at, revoked = t.revoked OR excluded.revoked;
    END LOOP;
END
$body$
--;
-- The log's only way in. Writes each event and its entry as one row; `beside` is what goes with them (NULL: nothing).
-- Answers the position of the first event. Refusals: SL001 answer kept, SL002 clock behind, SL003 registry moved,
-- SL004 claim taken, SL005 version gap; their facts stand in DETAIL.
CREATE FUNCTION sunlot_append(
    clock text, streams text[], vers bigint[], topics text[], states bytea[], beside json
) RETURNS bigint LANGUAGE plpgsql
-- A plan made while the tables were small must not scan them later, while all others wait for the lock.
SET enable_seqscan TO off AS $body$
DECLARE
    head record;
    at text;
    first bigint;
    e record;
    same_stream text := '';
    same_ver bigint := 0;
    same_nth bigint := 0;
    line bytea;
    hash bytea;
    lines bytea[] := array_fill(NULL::bytea, ARRAY[cardinality(streams)]);
    hashes bytea[] := array_fill(NULL::bytea, ARRAY[cardinality(streams)]);
    prev text := '';
    moved bigint;
BEGIN
    PERFORM sunlot_lock();
    IF beside->'retry' IS NOT NULL THEN
        PERFORM 1 FROM answers a WHERE a.account = beside->'retry'->>'account' AND a.key = beside->'retry'->>'key';
        IF FOUND THEN
            PERFORM sunlot_refuse('SL001', '{}');
        END IF;
    END IF;

    SELECT g.idx, g.at INTO head FROM events g ORDER BY g.idx DESC LIMIT 1;
    first := coalesce(head.idx + 1, 0);
    at := greatest(clock COLLATE "C", head.at);
    IF at > clock COLLATE "C" AND head.at::timestamptz - clock::timestamptz > interval '60 seconds' THEN
        PERFORM sunlot_refuse('SL002', json_build_object('now', clock, 'last', head.at));
    END IF;

    IF beside->'quiet' IS NOT NULL THEN
        SELECT g.idx INTO moved
        FROM events g, json_array_elements_text(beside->'quiet'->'prefixes') AS prefix
        WHERE g.idx > (beside->'quiet'->>'since')::bigint AND starts_with(g.topic, prefix)
        ORDER BY g.idx LIMIT 1;
        IF FOUND THEN
            PERFORM sunlot_refuse('SL003', json_build_object('since', beside->'quiet'->'since', 'idx', moved));
        END IF;
    END IF;

    -- Entries first, stream by stream, because each holds the hash of the one before; then all rows at once, because
    -- each INSERT prepares the table's checks anew.
    FOR e IN
        SELECT u.nth, u.stream, u.ver, u.topic, encode(sha256(u.state), 'hex') AS state
        FROM unnest(streams, vers, topics, states) WITH ORDINALITY AS u (stream, ver, topic, state, nth)
        ORDER BY u.stream COLLATE "C", u.ver
    LOOP
        IF e.ver = 1 THEN
            prev := '';
        ELSIF e.stream = same_stream AND e.ver = same_ver + 1 AND e.nth > same_nth THEN
            prev := encode(hash, 'hex');
        ELSE
            SELECT encode(g.leaf, 'hex') INTO prev FROM events g WHERE g.stream = e.stream AND g.ver = e.ver - 1;
            IF NOT FOUND THEN
                PERFORM sunlot_refuse('SL005', json_build_object('stream', e.stream, 'version', e.ver));
            END IF;
        END IF;
        line := convert_to(
            '{"at":"' || at || '","idx":' || first + e.nth - 1 || ',"prev":"' || prev || '","state":"' || e.state
            || '","stream":"' || e.stream || '","topic":"' || e.topic || '","v":1,"ver":' || e.ver || '}', 'UTF8');
        hash := sha256('\x00'::bytea || line);
        lines[e.nth] := line;
        hashes[e.nth] := hash;
        same_stream := e.stream;
        same_ver := e.ver;
        same_nth := e.nth;
    END LOOP;
    INSERT INTO events (idx, stream, ver, topic, state, at, entry, leaf)
    SELECT first + u.nth - 1, u.stream, u.ver, u.topic, u.state, at, u.line, u.hash
    FROM unnest(streams, vers, topics, states, lines, hashes) WITH ORDINALITY
        AS u (stream, ver, topic, state, line, hash, nth);

    IF beside IS NOT NULL THEN
        PERFORM sunlot_claim(beside->'claims');
        PERFORM sunlot_keep_persons(beside->'vault');
        PERFORM sunlot_keep_secrets(beside->'credentials', beside->'tokens');
        IF beside->'retry' IS NOT NULL THEN
            INSERT INTO answers (account, key, request, answer, position)
            SELECT beside->'retry'->>'account', beside->'retry'->>'key', beside->'retry'->>'request',
                   beside->>'answer', coalesce(first + nullif(cardinality(streams), 0) - 1,
                                               (beside->>'position')::bigint);
        END IF;
    END IF;
    -- A hint for who waits; nobody relies on it.
    PERFORM pg_notify('sunlot', (first + cardinality(streams) - 1)::text);
    RETURN first;
END
$body$
