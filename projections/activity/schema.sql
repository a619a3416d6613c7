-- The read model "activity": how much is said when and where, for the business metrics. Runs inside a schema of its own
-- (activity_v<version>), which the search path names.
--
-- Every MessagePosted in the log counts, also one that repeats a message after the log's own window for repeats: to tell
-- them apart would take a row for each message ever posted, for a handful among millions.

-- All conversations share the hours, so each partition group counts in rows of its own: no worker waits for another.
CREATE TABLE activity_hours (
  -- The beginning of the hour, by the time that the events name.
  hour                  timestamptz NOT NULL,
  partition_group       integer NOT NULL,
  messages              bigint NOT NULL,
  conversations_created bigint NOT NULL,
  PRIMARY KEY (hour, partition_group)
  -- Room on each page for the updates of every batch, which touch no index.
) WITH (fillfactor = 50);

-- Conversations in which something was said.
CREATE TABLE activity_conversations (
  conversation_id text PRIMARY KEY,
  messages        bigint NOT NULL,
  last_message_at timestamptz NOT NULL
) WITH (fillfactor = 80);
-- Which were active of late.
CREATE INDEX activity_conversations_recent ON activity_conversations (last_message_at);

-- Places that the log no longer held anything at when this version read past them. When a tombstone names one, its message
-- was never counted: it is counted then, and the hole is gone, so that it counts once.
CREATE TABLE activity_holes (
  -- Every group reads past every hole.
  partition_group integer NOT NULL,
  seq             bigint NOT NULL,
  PRIMARY KEY (partition_group, seq)
);
