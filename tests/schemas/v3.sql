-- A store of schema 3: that of schema 1, with deliveries and what happened to them. Its key is 32
-- bytes of 7. Never edited: a store in the field will not be edited either.
PRAGMA application_id = 1297369934;
PRAGMA user_version = 3;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES('data_key',X'0101745f6d5b0759dc1d5625bbd9bec926dbd26022acafe3d8b88fb6a5fdb14cbb9ae1156707ad984eff584cec7c89bdd29b0f80fdd1e6af63eb0ae529e4');
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    command TEXT NOT NULL,
    trigger TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    exit_code INTEGER,
    clock_skew INTEGER
) STRICT;
INSERT INTO run VALUES(1,'refresh','scheduled',1767225600,1767225600,0,2);
INSERT INTO run VALUES(2,'refresh','manual',1767398400,1767398400,1,NULL);
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
INSERT INTO token VALUES(1,'brand','user',NULL,NULL,NULL,NULL,NULL,1767398400,1767398400,0,NULL,NULL,0,NULL);
INSERT INTO token VALUES(2,'gone','page','Fake Page','1',NULL,1767398400,NULL,NULL,1767398400,1,1767484800,NULL,0,'{"kind":"network","action":"retry","code":null,"subcode":null,"message":"no answer","fbtrace_id":null}');
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
INSERT INTO generation VALUES(1,1,1,'previous','adopted',X'afc4f2869693052bb8f9ac98276a6405bb5c58e3228ef777e583dd2e70ae9cfa',X'01017266d2416c76d5129c31bd0da2cbf8a4b420a556222923c3c4ddb6ea57603b87a40dd6100749',1767225600,'at',1772409600,NULL,1767398400,1);
INSERT INTO generation VALUES(2,1,2,'current','refreshed',X'60198e692d857016c8d75af3a72582be79cb9078b2f99f111f980a33604dbb9f',X'0101de3efde1d051cf50e3c537b3f3c1fc0f5c999bc292f9819122685ccedc4abc96b9e842afa7d5',1767398400,'at',1772582400,NULL,NULL,1);
INSERT INTO generation VALUES(3,2,1,'candidate','derived',X'251dbf74b8d42a7dfaaa2ccf824973bea46e2ca3c30c9b4579c403510dedf606',X'01011a61b2add8f81dd103ebfd18359f577ff4d1c256d48244e7f876d7fd599eab3d3202cfda5084',1767398400,'unknown',NULL,2,NULL,NULL);
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
INSERT INTO proof VALUES(1,1767225600,1,NULL,NULL,NULL,NULL,NULL,NULL,'at',1772409600,'unknown',NULL,NULL,'[]','[]');
INSERT INTO proof VALUES(2,1767398400,1,NULL,NULL,NULL,NULL,NULL,NULL,'at',1772582400,'unknown',NULL,NULL,'[]','[]');
CREATE TABLE attempt (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run (id),
    token INTEGER NOT NULL REFERENCES token (id),
    planned_at INTEGER NOT NULL,
    closed_at INTEGER
) STRICT;
INSERT INTO attempt VALUES(1,2,1,1767398400,1767398400);
INSERT INTO attempt VALUES(2,2,2,1767398400,1767398400);
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
, target TEXT) STRICT;
INSERT INTO event VALUES(1,1,1,1767225600,'adopted',1,NULL,NULL,'at',1772409600,NULL,NULL);
INSERT INTO event VALUES(2,2,1,1767398400,'refreshed',2,'at',1772409600,'at',1772582400,NULL,NULL);
INSERT INTO event VALUES(3,2,2,1767398400,'refresh_failed',NULL,NULL,NULL,NULL,NULL,'{"kind":"network","action":"retry","code":null,"subcode":null,"message":"no answer","fbtrace_id":null}',NULL);
INSERT INTO event VALUES(4,2,1,1767398400,'delivered',2,NULL,NULL,NULL,NULL,NULL,'app');
INSERT INTO event VALUES(5,2,1,1767398400,'delivery_failed',2,NULL,NULL,NULL,NULL,'{"kind":"unknown","action":"retry","code":null,"subcode":null,"message":"it is full","fbtrace_id":null}','web');
CREATE TABLE pause (
    app TEXT PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO pause VALUES('main',1767484800);
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
INSERT INTO delivery VALUES(1,'app',NULL,NULL,2,1767398400,NULL,NULL,NULL);
INSERT INTO delivery VALUES(1,'web',2,1767398400,NULL,NULL,'it is full',1767398400,NULL);
CREATE TABLE replaced (
    token INTEGER NOT NULL REFERENCES token (id),
    target TEXT NOT NULL,
    at INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (token, target)
) STRICT;
CREATE INDEX run_by_start ON run (command, started_at);
CREATE UNIQUE INDEX one_candidate ON generation (token) WHERE state = 'candidate';
CREATE UNIQUE INDEX one_current ON generation (token) WHERE state = 'current';
CREATE INDEX generation_by_fingerprint ON generation (fingerprint);
CREATE INDEX open_attempt ON attempt (token) WHERE closed_at IS NULL;
CREATE INDEX attempt_by_run ON attempt (run);
CREATE INDEX event_by_time ON event (at);
CREATE INDEX event_by_token ON event (token, at);
CREATE INDEX event_by_run ON event (run);
COMMIT;
