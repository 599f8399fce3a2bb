-- Apps that Meta throttles: a call before `until` would only make that last longer. From here on
-- tokens may also be of the types instagram, threads and app, which an older binary cannot read.
CREATE TABLE pause (
    app TEXT PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
