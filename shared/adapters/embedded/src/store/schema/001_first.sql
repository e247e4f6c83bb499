-- Times are milliseconds since the Unix epoch. Ids are texts that sort by creation time.

CREATE TABLE users (
    id TEXT PRIMARY KEY NOT NULL,
    username TEXT NOT NULL,
    username_key TEXT NOT NULL UNIQUE,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL UNIQUE,
    display_name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    deactivated_at INTEGER
) STRICT, WITHOUT ROWID;

-- User search by prefix: the folded username and each folded word of the display name.
CREATE TABLE user_words (
    word TEXT NOT NULL,
    user_id TEXT NOT NULL,
    PRIMARY KEY (word, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    id TEXT PRIMARY KEY NOT NULL,
    user_id TEXT NOT NULL,
    refresh_hash TEXT NOT NULL,
    device TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions (user_id);

-- Hashes of refresh tokens that were replaced. Presenting such a token again ends its session.
CREATE TABLE spent_hashes (
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    hash TEXT NOT NULL,
    PRIMARY KEY (session_id, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE conversations (
    id TEXT PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    name TEXT,
    pair_key TEXT UNIQUE,
    last_seq INTEGER NOT NULL DEFAULT 0,
    last_message INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE members (
    user_id TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    read_seq INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id, conversation_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_by_conversation ON members (conversation_id, user_id, read_seq);

CREATE TABLE messages (
    row INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    conversation_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    sender_id TEXT NOT NULL,
    content TEXT NOT NULL,
    kind TEXT NOT NULL,
    client_message_id TEXT,
    auto_message_id TEXT,
    created_at INTEGER NOT NULL,
    edited_at INTEGER,
    deleted_at INTEGER
) STRICT;
-- History pages by (conversation, seq). With the other two columns the index alone counts unread messages.
CREATE INDEX messages_by_place ON messages (conversation_id, seq, sender_id, deleted_at);
CREATE UNIQUE INDEX messages_by_client_id ON messages (sender_id, client_message_id)
    WHERE client_message_id IS NOT NULL;
CREATE UNIQUE INDEX messages_by_auto_id ON messages (auto_message_id) WHERE auto_message_id IS NOT NULL;

-- The search index. Texts are inserted already folded and split into words, so the tokenizer changes nothing.
CREATE VIRTUAL TABLE message_words USING fts5 (
    words, content = '', contentless_delete = 1, detail = none, prefix = '2 3 4', tokenize = 'ascii'
);
-- Messages up to this row are in the search index; later ones are added with the next batch or search.
CREATE TABLE indexed (up_to INTEGER NOT NULL) STRICT;
INSERT INTO indexed VALUES (0);

CREATE TABLE auto_messages (
    row INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    sender_id TEXT NOT NULL,
    receiver_id TEXT NOT NULL,
    content TEXT NOT NULL,
    send_date INTEGER NOT NULL,
    planned_for TEXT NOT NULL,
    is_queued INTEGER NOT NULL,
    is_sent INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    lease_until INTEGER
) STRICT;
CREATE UNIQUE INDEX auto_messages_by_sender ON auto_messages (planned_for, sender_id);
CREATE INDEX auto_messages_by_receiver ON auto_messages (planned_for, receiver_id);
CREATE INDEX auto_messages_due ON auto_messages (send_date) WHERE is_queued = 0;

CREATE TABLE queue_messages (
    tag INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    message_id TEXT NOT NULL,
    body BLOB NOT NULL,
    attempt INTEGER NOT NULL,
    published_at INTEGER NOT NULL,
    ready_at INTEGER,
    reason TEXT,
    deliveries INTEGER NOT NULL DEFAULT 0,
    unacked INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX queue_messages_ready ON queue_messages (queue, unacked, tag);
CREATE INDEX queue_messages_waiting ON queue_messages (ready_at) WHERE ready_at IS NOT NULL;
