-- What a search index beside this file does not hold. Messages after row `swept` have never been looked at and
-- all wait; of the others those wait that have a row here, from `waits_from` on.
ALTER TABLE messages ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
CREATE TABLE unindexed (
    row INTEGER PRIMARY KEY,
    waits_from INTEGER NOT NULL
) STRICT;
CREATE INDEX unindexed_by_time ON unindexed (waits_from, row);
CREATE TABLE swept (row INTEGER NOT NULL) STRICT;
INSERT INTO swept VALUES (0);
