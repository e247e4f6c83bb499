-- Messages that an external search index does not hold yet. Every message after row `swept` waits to be indexed.
-- Up to that row, a message waits if it has a row in `unindexed`, and is due from `waits_from` on.
ALTER TABLE messages ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
CREATE TABLE unindexed (
    row INTEGER PRIMARY KEY,
    waits_from INTEGER NOT NULL
) STRICT;
CREATE INDEX unindexed_by_time ON unindexed (waits_from, row);
CREATE TABLE swept (row INTEGER NOT NULL) STRICT;
INSERT INTO swept VALUES (0);
