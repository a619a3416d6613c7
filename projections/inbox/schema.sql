-- The read model "inbox": whose list shows which conversation, in which order. Runs inside a schema of its own
-- (inbox_v<version>), which the search path names. What a list shows of a conversation is in the read model "history".

CREATE TABLE inbox_conversations (
  conversation_id  text PRIMARY KEY,
  -- Whether anybody may see it; otherwise only its participants may.
  open             boolean NOT NULL,
  -- The latest time that any post or change of the conversation names, repeated posts included.
  last_activity_at timestamptz NOT NULL,
  -- Hours from 1970 to last_activity_at.
  activity_bucket  integer NOT NULL
  -- Room on each page for the updates of every batch, which touch no index.
) WITH (fillfactor = 70);

-- Who takes part: named as a participant, or heard in an open conversation.
CREATE TABLE inbox_entries (
  user_id         text NOT NULL,
  conversation_id text NOT NULL,
  member          boolean NOT NULL,
  posted          boolean NOT NULL,
  -- Sequence of the event that made the user a participant: what came before is not unread. 0 for others.
  joined_seq      bigint NOT NULL,
  -- Sequence of the user's latest post, a repeat included: who says something has seen what was there. 0: none.
  own_seq         bigint NOT NULL,
  -- That of the conversation. An hour, so that a message needs no write for each participant: only the first one of an
  -- hour does. Within the hour a page sorts by the conversation's exact time.
  activity_bucket integer NOT NULL,
  PRIMARY KEY (user_id, conversation_id)
) WITH (fillfactor = 80);
-- A page of a user's list.
CREATE INDEX inbox_entries_recent ON inbox_entries (user_id, activity_bucket DESC, conversation_id);
-- To move all entries of a conversation into a new hour.
CREATE INDEX inbox_entries_conversation ON inbox_entries (conversation_id);
