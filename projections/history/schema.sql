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
  -- How many messages there are is the ordinal of the latest one, so that a message touches no row but its own.
  state_seq        bigint NOT NULL
);

-- Who takes part, as the conversation's events name them.
CREATE TABLE participants (
  user_id         text NOT NULL,
  conversation_id text NOT NULL,
  -- Sequence of the event that made this user a participant.
  joined_seq      bigint NOT NULL,
  PRIMARY KEY (user_id, conversation_id)
);
CREATE INDEX participants_conversation ON participants (conversation_id);

CREATE TABLE messages (
  message_id        text PRIMARY KEY,
  conversation_id   text NOT NULL,
  seq               bigint NOT NULL,
  -- 1, 2, 3, … within the conversation, without holes, deleted messages included.
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
  -- Once erased, nothing of what was said or attached is left, and the row is what its tombstone tells.
  deleted_at        timestamptz,
  -- Whether it is worth looking for reactions.
  has_reactions     boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX messages_conversation_seq ON messages (conversation_id, seq);
-- How many of those after a message are deleted, and so not unread. Costs nothing for messages that stay.
CREATE INDEX messages_deleted ON messages (conversation_id, seq) WHERE deleted_at IS NOT NULL;
CREATE INDEX messages_conversation_at ON messages (conversation_id, at);
CREATE INDEX messages_user ON messages (user_id, seq);
-- Which message refers to an upload: asked by the sweep of uploads. Costs nothing for messages without any.
CREATE INDEX messages_attachments ON messages USING gin (attachments jsonb_path_ops) WHERE attachments IS NOT NULL;

CREATE TABLE reactions (
  message_id text NOT NULL,
  emoji      text NOT NULL,
  user_id    text NOT NULL,
  -- Sequence of the event that added it.
  seq        bigint NOT NULL,
  PRIMARY KEY (message_id, emoji, user_id)
);
