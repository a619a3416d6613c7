-- The continuous comparison of log and read model "history", conversation by conversation.

-- How far it is, and who does it: one process at a time.
CREATE TABLE audit_progress (
  read_model     text PRIMARY KEY,
  owner          text,
  lease_until    timestamptz,
  -- Conversations created at or before this sequence were compared in this pass.
  cursor_seq     bigint NOT NULL DEFAULT 0,
  -- Conversations that were compared in this pass, and that were too long to be.
  compared       bigint NOT NULL DEFAULT 0,
  skipped        bigint NOT NULL DEFAULT 0,
  -- When a pass was last completed; null: never.
  last_pass_at   timestamptz
);

-- Conversations of which log and read model differ, until they do not any more.
CREATE TABLE audit_findings (
  read_model      text NOT NULL,
  conversation_id text NOT NULL,
  -- Messages on either side; equal when only what they hold differs.
  in_log          bigint NOT NULL,
  in_read_model   bigint NOT NULL,
  found_at        timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (read_model, conversation_id)
);
