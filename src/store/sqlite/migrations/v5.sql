-- Since when a live generation's seal does not open: whoever has no key can tell it by that.
ALTER TABLE generation ADD COLUMN broken_since INTEGER;

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

-- The label that has the access token which the config names for this one, when a run last looked,
-- and whether the config declared it then.
ALTER TABLE token ADD COLUMN shared_with TEXT;
ALTER TABLE token ADD COLUMN shared_with_declared INTEGER;

-- The parent's generation that last gave no access token for a Page. The pause that followed is about
-- that generation alone.
ALTER TABLE token ADD COLUMN refused_by INTEGER;

-- Reason codes that were renamed, so that nobody is notified again of what stands already.
UPDATE OR REPLACE notice SET code = 'unchecked' WHERE code = 'unproven';
UPDATE OR REPLACE notice SET code = 'delivery_pending' WHERE code = 'delivery_owed';
