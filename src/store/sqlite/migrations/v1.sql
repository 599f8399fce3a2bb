-- What the store knows of itself: the wrapped data key.
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- One process that held the lock and meant to write.
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    command TEXT NOT NULL,
    trigger TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    exit_code INTEGER,
    clock_skew INTEGER
) STRICT;
CREATE INDEX run_by_start ON run (command, started_at);

-- A token lives as long as the store: history must outlast its label's place in the config.
-- The second half is its ledger.
CREATE TABLE token (
    id INTEGER PRIMARY KEY,
    label TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    name TEXT,
    page_id TEXT,
    listed INTEGER,
    unlisted_since INTEGER,
    retired_at INTEGER,
    last_refreshed_at INTEGER,
    last_attempt_at INTEGER,
    consecutive_failures INTEGER NOT NULL DEFAULT 0,
    not_before INTEGER,
    first_miss_at INTEGER,
    misses INTEGER NOT NULL DEFAULT 0,
    problem TEXT
) STRICT;

-- One string. `verdict` is the last one that a run wrote into the history; a proof may be newer.
CREATE TABLE generation (
    id INTEGER PRIMARY KEY,
    token INTEGER NOT NULL REFERENCES token (id),
    number INTEGER NOT NULL,
    state TEXT NOT NULL,
    origin TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    sealed BLOB,
    obtained_at INTEGER NOT NULL,
    expiry TEXT NOT NULL,
    expires_at INTEGER,
    parent INTEGER REFERENCES generation (id),
    set_aside_at INTEGER,
    verdict INTEGER,
    UNIQUE (token, number),
    UNIQUE (token, fingerprint),
    CHECK ((state = 'purged') = (sealed IS NULL)),
    CHECK ((expiry = 'at') = (expires_at IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX one_candidate ON generation (token) WHERE state = 'candidate';
CREATE UNIQUE INDEX one_current ON generation (token) WHERE state = 'current';
CREATE INDEX generation_by_fingerprint ON generation (fingerprint);

-- The last answer about a generation.
CREATE TABLE proof (
    generation INTEGER PRIMARY KEY REFERENCES generation (id),
    at INTEGER NOT NULL,
    valid INTEGER,
    problem TEXT,
    token_type TEXT,
    application TEXT,
    app_id TEXT,
    user_id TEXT,
    page_id TEXT,
    expiry TEXT NOT NULL,
    expires_at INTEGER,
    data_access TEXT NOT NULL,
    data_access_until INTEGER,
    issued_at INTEGER,
    scopes TEXT NOT NULL,
    granular_scopes TEXT NOT NULL
) STRICT;

-- A renewal that was announced before its first request; open until something came of it.
CREATE TABLE attempt (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run (id),
    token INTEGER NOT NULL REFERENCES token (id),
    planned_at INTEGER NOT NULL,
    closed_at INTEGER
) STRICT;
CREATE INDEX open_attempt ON attempt (token) WHERE closed_at IS NULL;
CREATE INDEX attempt_by_run ON attempt (run);

CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run (id),
    token INTEGER NOT NULL REFERENCES token (id),
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    generation INTEGER REFERENCES generation (id),
    old_expiry TEXT,
    old_expires_at INTEGER,
    new_expiry TEXT,
    new_expires_at INTEGER,
    problem TEXT
) STRICT;
CREATE INDEX event_by_time ON event (at);
CREATE INDEX event_by_token ON event (token, at);
CREATE INDEX event_by_run ON event (run);
