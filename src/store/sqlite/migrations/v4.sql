-- What each way to people was last told of a cause, so that it is told once of every state.
CREATE TABLE notice (
    channel TEXT NOT NULL,
    label TEXT NOT NULL,
    code TEXT NOT NULL,
    about TEXT NOT NULL,
    state TEXT NOT NULL,
    deadline INTEGER,
    before INTEGER,
    message TEXT NOT NULL,
    told_at INTEGER NOT NULL,
    PRIMARY KEY (channel, label, code, about),
    CHECK ((deadline IS NULL) = (before IS NULL))
) STRICT, WITHOUT ROWID;

-- The ways to people: how often each was used, and how it failed if it did when last tried.
CREATE TABLE channel (
    name TEXT PRIMARY KEY,
    uid TEXT NOT NULL,
    sent INTEGER NOT NULL DEFAULT 0,
    failed_at INTEGER,
    error TEXT,
    CHECK ((failed_at IS NULL) = (error IS NULL))
) STRICT, WITHOUT ROWID;

-- A notification that fails is an event of no token.
CREATE TABLE event_of_any (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run (id),
    token INTEGER REFERENCES token (id),
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    generation INTEGER REFERENCES generation (id),
    old_expiry TEXT,
    old_expires_at INTEGER,
    new_expiry TEXT,
    new_expires_at INTEGER,
    problem TEXT,
    target TEXT
) STRICT;
INSERT INTO event_of_any SELECT
    id, run, token, at, kind, generation, old_expiry, old_expires_at, new_expiry, new_expires_at,
    problem, target FROM event;
DROP TABLE event;
ALTER TABLE event_of_any RENAME TO event;
CREATE INDEX event_by_time ON event (at);
CREATE INDEX event_by_token ON event (token, at);
CREATE INDEX event_by_run ON event (run);
