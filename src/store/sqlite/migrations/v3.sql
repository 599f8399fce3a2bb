-- What each target of a token is owed, and what it got last. A row stays when its target leaves the
-- config, so that one which comes back is owed what it missed.
CREATE TABLE delivery (
    token INTEGER NOT NULL REFERENCES token (id),
    target TEXT NOT NULL,
    owed INTEGER REFERENCES generation (id),
    owed_since INTEGER,
    settled INTEGER REFERENCES generation (id),
    settled_at INTEGER,
    error TEXT,
    failed_at INTEGER,
    drifted_since INTEGER,
    PRIMARY KEY (token, target),
    CHECK ((owed IS NULL) = (owed_since IS NULL)),
    CHECK ((settled IS NULL) = (settled_at IS NULL)),
    CHECK ((error IS NULL) = (failed_at IS NULL))
) STRICT, WITHOUT ROWID;

-- What a target's file held before it was last replaced: the newest only.
CREATE TABLE replaced (
    token INTEGER NOT NULL REFERENCES token (id),
    target TEXT NOT NULL,
    at INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (token, target)
) STRICT;

-- Events of deliveries name their target.
ALTER TABLE event ADD COLUMN target TEXT;
