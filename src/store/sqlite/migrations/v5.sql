-- Since when a live generation's seal does not open: whoever has no key can tell it by that.
ALTER TABLE generation ADD COLUMN broken_since INTEGER;

-- Since when a person's rotation has a System User token's older access token live on beside its
-- successor; and when it was revoked from here.
ALTER TABLE generation ADD COLUMN rotated_at INTEGER;
ALTER TABLE generation ADD COLUMN revoked_at INTEGER;
CREATE INDEX rotated_generation ON generation (token) WHERE rotated_at IS NOT NULL;

-- The place of the config's `access_token` when it was last read, the fingerprint of what it held,
-- whether it had held something else before, and why that is not in use, if it was refused.
ALTER TABLE token ADD COLUMN source TEXT;
ALTER TABLE token ADD COLUMN source_value BLOB;
ALTER TABLE token ADD COLUMN source_changed INTEGER;
ALTER TABLE token ADD COLUMN source_refused TEXT;

-- Where an access token was found that was adopted.
ALTER TABLE event ADD COLUMN place TEXT;

-- Whether a run did its work to the end although it ended with 74, because of damaged rows.
ALTER TABLE run ADD COLUMN worked INTEGER;

-- A write in place that was begun and not ended: what the file is to hold. What it held before is
-- in `replaced`, under the same key. Without a generation it is a file that is being restored.
CREATE TABLE overwrite (
    token INTEGER NOT NULL REFERENCES token (id),
    target TEXT NOT NULL,
    path BLOB NOT NULL,
    generation INTEGER REFERENCES generation (id),
    begun_at INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (token, target)
) STRICT;

-- The process that each target's program was started as last. It may have outlived the run.
CREATE TABLE hook (
    token INTEGER NOT NULL REFERENCES token (id),
    target TEXT NOT NULL,
    command BLOB NOT NULL,
    pid INTEGER NOT NULL,
    start_ticks INTEGER NOT NULL,
    boot TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    PRIMARY KEY (token, target)
) STRICT, WITHOUT ROWID;

-- When a renewal was sent whose answer never came: if the token is found dead after that, it may be
-- why.
ALTER TABLE token ADD COLUMN answer_lost_at INTEGER;

-- The exchange of an access token that a person handed over: when it was sent, and the fingerprint of
-- that access token. Null once it was answered.
ALTER TABLE token ADD COLUMN exchange_sent_at INTEGER;
ALTER TABLE token ADD COLUMN exchange_sent BLOB;

-- What stands for the app's id and secret with which an attempt failed that only a person can fix:
-- with others the next one is made at once. Null where they could not be read.
ALTER TABLE token ADD COLUMN failed_with BLOB;

-- Until when Meta wants no further question for the list of this token's Pages.
ALTER TABLE token ADD COLUMN list_not_before INTEGER;

-- Until when Meta wants no further question about this token's access tokens.
ALTER TABLE token ADD COLUMN ask_not_before INTEGER;

-- The label that has the access token which the config names for this one, when a run last looked,
-- and whether the config declared it then.
ALTER TABLE token ADD COLUMN shared_with TEXT;
ALTER TABLE token ADD COLUMN shared_with_declared INTEGER;

-- The parent's generation that last gave no access token for a Page. The pause that followed is about
-- that generation alone.
ALTER TABLE token ADD COLUMN refused_by INTEGER;

-- The versions of Graph that the apps ask for: when Graph was last asked whether each works, or when
-- it was first asked for, and what Graph said.
CREATE TABLE graph_version (
    version TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    answer TEXT
) STRICT, WITHOUT ROWID;

-- Reason codes that were renamed, so that nobody is notified again of what stands already.
UPDATE OR REPLACE notice SET code = 'unchecked' WHERE code = 'unproven';
UPDATE OR REPLACE notice SET code = 'delivery_pending' WHERE code = 'delivery_owed';

-- Since when the config no longer declares a token, and whether many went with it at once.
ALTER TABLE token ADD COLUMN undeclared_since INTEGER;
ALTER TABLE token ADD COLUMN undeclared_with_many INTEGER;

-- Which file of `tokens.d` declared a label when that file could last be read: while it cannot be
-- read, its labels stay declared.
CREATE TABLE declaration (
    label TEXT PRIMARY KEY,
    file BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- When a token's access tokens were forgotten: their fingerprints hold nothing off any more.
ALTER TABLE generation ADD COLUMN forgotten_at INTEGER;

-- Where each file target was when it was last served: the config may no longer say it.
CREATE TABLE place (
    token INTEGER NOT NULL REFERENCES token (id),
    target TEXT NOT NULL,
    path BLOB NOT NULL,
    format TEXT NOT NULL,
    key TEXT,
    document INTEGER,
    in_place INTEGER NOT NULL,
    PRIMARY KEY (token, target)
) STRICT, WITHOUT ROWID;

-- Who caused an event, where that is not who started its run: another program, whose past was
-- imported.
ALTER TABLE event ADD COLUMN trigger TEXT;

-- The answers of login dialogs that were handed in: what stands for the code, and what tells the
-- login's state from every other. Neither is tried twice.
CREATE TABLE login (
    code BLOB PRIMARY KEY,
    state TEXT UNIQUE,
    token INTEGER NOT NULL REFERENCES token (id),
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The `owner` and the app's name that the config gave a token when it last declared it: what hangs on a
-- person or an app is found by them also when the config no longer says it.
ALTER TABLE token ADD COLUMN owner TEXT;
ALTER TABLE token ADD COLUMN app TEXT;

-- The incident that a cause belongs to, in a channel that opens and closes such: the id of the message
-- that opened it.
ALTER TABLE notice ADD COLUMN incident TEXT;

-- When a mail was sent to the owner of tokens, so that nobody gets more than a few a day.
CREATE TABLE owner_mail (
    owner TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX owner_mail_by_owner ON owner_mail (owner, at);

-- When a rollback left an access token, which is not taken again until a person brings it; and the
-- token that got it when it was promoted from its backup.
ALTER TABLE generation ADD COLUMN left_at INTEGER;
ALTER TABLE generation ADD COLUMN given_to INTEGER REFERENCES token (id);
CREATE INDEX barred_generation ON generation (token)
    WHERE revoked_at IS NOT NULL OR left_at IS NOT NULL OR given_to IS NOT NULL;
CREATE INDEX given_generation ON generation (given_to) WHERE given_to IS NOT NULL;

-- The last answer to a token's probe: when, what was asked, by which generation, how bad it is and why.
ALTER TABLE token ADD COLUMN probe_at INTEGER;
ALTER TABLE token ADD COLUMN probe_question TEXT;
ALTER TABLE token ADD COLUMN probe_generation INTEGER;
ALTER TABLE token ADD COLUMN probe_grade TEXT;
ALTER TABLE token ADD COLUMN probe_problem TEXT;

-- Since when, and since which run, Graph has called an access token dead for a reason that only a new
-- one recovers; null once it said anything else.
ALTER TABLE generation ADD COLUMN dead_at INTEGER;
ALTER TABLE generation ADD COLUMN dead_run INTEGER;

-- A new access token of a System User that an admin asked Meta for: when the request was sent that is
-- not answered yet, when the last one was, and how many were sent since one came.
ALTER TABLE token ADD COLUMN mint_sent_at INTEGER;
ALTER TABLE token ADD COLUMN mint_tried_at INTEGER;
ALTER TABLE token ADD COLUMN mint_tries INTEGER;

-- The line of the file that the place of `access_token` was on when it was last read.
ALTER TABLE token ADD COLUMN source_line INTEGER;

-- The fingerprint of the access token that a person handed over last and that was exchanged: whoever
-- hands it over again hands over nothing new.
ALTER TABLE token ADD COLUMN exchanged BLOB;

-- What was asked of Meta: an attempt without a word is a renewal.
ALTER TABLE attempt ADD COLUMN kind TEXT;

-- How a candidate becomes the current one; what a person gives up for it, where it was handed over;
-- and the run that sealed it.
ALTER TABLE generation ADD COLUMN arrival TEXT;
ALTER TABLE generation ADD COLUMN handed_over TEXT;
ALTER TABLE generation ADD COLUMN sealed_in INTEGER;

-- Of a login whose run was cut short: the id of the person who had to log in, or `confirm` where a person
-- had to say that it is the right one.
ALTER TABLE generation ADD COLUMN login_check TEXT;

-- The import that a run is, as it is typed; and the one that is to bring a token its first access
-- token, null once it has run to its end.
ALTER TABLE run ADD COLUMN typed TEXT;
ALTER TABLE token ADD COLUMN import TEXT;
