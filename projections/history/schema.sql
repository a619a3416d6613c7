-- The read model "history". Runs inside a schema of its own (history_v<version>), which the search path names, so that
-- a new version is built beside the live one. The views in public point at the live version.

CREATE TABLE conversations (
  id               text PRIMARY KEY,
  title            text,
  visibility       text NOT NULL,
  created_by       text NOT NULL,
  created_at       timestamptz NOT NULL,
  archived         boolean NOT NULL,
  participant_ids  text[] NOT NULL,
  -- Sequence of the latest event of the category "conversation" that is in here.
  state_seq        bigint NOT NULL,
  -- Messages ever posted, deleted ones included: also the ordinal of the latest one.
  message_count    bigint NOT NULL DEFAULT 0,
  last_message_seq bigint,
  last_activity_at timestamptz NOT NULL
  -- Room on each page for the counters' updates, so that they need not touch the index.
) WITH (fillfactor = 70);

-- Who takes part: named as a participant, or heard in an open conversation.
CREATE TABLE participants (
  user_id         text NOT NULL,
  conversation_id text NOT NULL,
  member          boolean NOT NULL,
  posted          boolean NOT NULL,
  -- Ordinal of the latest message when this user became a participant: what came before is not unread.
  joined_ordinal  bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (user_id, conversation_id)
);
CREATE INDEX participants_conversation ON participants (conversation_id);

CREATE TABLE messages (
  message_id        text PRIMARY KEY,
  conversation_id   text NOT NULL,
  seq               bigint NOT NULL,
  -- 1, 2, 3, … within the conversation, without holes.
  ordinal           bigint NOT NULL,
  user_id           text NOT NULL,
  client_message_id text NOT NULL,
  -- Empty once deleted.
  content           text NOT NULL,
  reply_to          text,
  attachments       jsonb,
  at                timestamptz NOT NULL,
  edited_at         timestamptz,
  -- Sequence of the edit that the content is from.
  edited_seq        bigint,
  deleted_at        timestamptz
);
CREATE UNIQUE INDEX messages_conversation_seq ON messages (conversation_id, seq);
CREATE INDEX messages_conversation_at ON messages (conversation_id, at);
-- A user's messages; and within a conversation, their latest one.
CREATE INDEX messages_user ON messages (user_id, conversation_id, seq);
