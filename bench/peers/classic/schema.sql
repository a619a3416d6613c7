-- The tables of schema.prisma as Prisma's migrations would make them.
CREATE TABLE classic_conversations (
  id              text PRIMARY KEY,
  title           text,
  participant_ids text[],
  created_at      timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE classic_messages (
  id                bigserial PRIMARY KEY,
  conversation_id   text NOT NULL,
  user_id           text NOT NULL,
  client_message_id text NOT NULL,
  content           text NOT NULL,
  reply_to          bigint,
  at                timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX classic_messages_conversation_id ON classic_messages (conversation_id, id);
CREATE INDEX classic_messages_conversation_at ON classic_messages (conversation_id, at);
CREATE INDEX classic_messages_user ON classic_messages (user_id, id);
